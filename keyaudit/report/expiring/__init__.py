"""Renders resources that expire soon or have expired, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.run import Expiring
from keyaudit.report.expiring import csv, json, table, text
from keyaudit.report.formats import Options

FORMATS: Mapping[str, Callable[[Expiring, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(
        found, out, every=options.passes, width=options.width or 80, colour=options.colour
    ),
    "table": lambda found, out, options: table.render(found, out, every=options.passes, width=options.width),
    "json": lambda found, out, _: json.render(found, out),
    "csv": lambda found, out, _: csv.render(found, out),
}
