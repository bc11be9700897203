"""The incident page of a stolen key, in each format."""

from collections.abc import Mapping

from keyaudit.model.incident import Incident
from keyaudit.report.incident import dot, html, json, markdown, text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Incident]] = {
    "text": text.render,
    "html": plain(html.render),
    "markdown": plain(markdown.render),
    "json": plain(json.render),
    "dot": plain(dot.render),
}
