"""Renders the blast radius of a stolen key and the plan, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.blast_radius import BlastRadius
from keyaudit.report.blast_radius import dot, html, json, text
from keyaudit.report.formats import Options

FORMATS: Mapping[str, Callable[[BlastRadius, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.render(found, out),
    "dot": lambda found, out, _: dot.render(found, out),
    "html": lambda found, out, _: html.render(found, out),
}
