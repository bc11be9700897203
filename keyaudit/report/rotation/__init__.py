"""Renders a rotation: the stages, the consumers with their evidence, and the steps, in each format."""

from collections.abc import Mapping

from keyaudit.model.rotation import Rotation
from keyaudit.report.options import Render, plain
from keyaudit.report.rotation import html, json, markdown, text

FORMATS: Mapping[str, Render[Rotation]] = {
    "text": text.render,
    "json": plain(json.render),
    "markdown": plain(markdown.render),
    "html": plain(html.render),
}
