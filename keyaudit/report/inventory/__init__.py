"""The collected inventory in each format: a summary of all tables, or the rows of one."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.run import Inventory
from keyaudit.report.formats import Options
from keyaudit.report.inventory import csv, json, text

FORMATS: Mapping[str, Callable[[Inventory, TextIO, Options], None]] = {
    "text": lambda inventory, out, options: text.render(
        inventory, out, width=options.width or 80, colour=options.colour, hints=options.hints
    ),
    "table": lambda inventory, out, options: text.render(inventory, out, width=None, colour=False, hints=options.hints),
    "json": lambda inventory, out, _: json.render(inventory, out),
    "csv": lambda inventory, out, _: csv.render(inventory, out),
}
