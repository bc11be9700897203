"""Unusual uses in a window of logs, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.usage import UsageCheck
from keyaudit.report.formats import Options
from keyaudit.report.usage import csv, json, text

FORMATS: Mapping[str, Callable[[UsageCheck, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.render(found, out),
    "csv": lambda found, out, _: csv.render(found, out),
}
