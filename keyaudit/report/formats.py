"""The formats of a report, by name. A format changes how a verdict looks, never what it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

from keyaudit.model.run import Report
from keyaudit.report import csv, json, table, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to show it. `width` is the terminal's; None where there is none."""

    passes: bool = False
    width: int | None = None
    colour: bool = False


FORMATS: Mapping[str, Callable[[Report, TextIO, Options], None]] = {
    "text": lambda report, out, options: text.render(
        report, out, passes=options.passes, width=options.width or 80, colour=options.colour
    ),
    "table": lambda report, out, options: table.render(report, out, passes=options.passes, width=options.width),
    "json": lambda report, out, options: json.render(report, out, passes=options.passes),
    "csv": lambda report, out, _: csv.render(report, out),
}

SCORED = frozenset({"json", "csv"})
"""Those that say each finding's score, whatever the order."""
