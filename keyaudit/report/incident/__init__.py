"""The incident page of a stolen key, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.incident import Incident
from keyaudit.report.formats import Options
from keyaudit.report.incident import html, json, markdown, text

FORMATS: Mapping[str, Callable[[Incident, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(found, out, width=options.width or 80, colour=options.colour),
    "html": lambda found, out, _: html.render(found, out),
    "markdown": lambda found, out, _: markdown.render(found, out),
    "json": lambda found, out, _: json.render(found, out),
}
