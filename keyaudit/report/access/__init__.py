"""Renders who can use a resource, or what a principal can use, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.access import Access
from keyaudit.report.access import csv, json, table, text
from keyaudit.report.formats import Options

FORMATS: Mapping[str, Callable[[Access, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(found, out, width=options.width or 80, colour=options.colour),
    "table": lambda found, out, options: table.render(found, out, width=options.width),
    "json": lambda found, out, _: json.render(found, out),
    "csv": lambda found, out, _: csv.render(found, out),
}
