"""The findings as CSV: the columns of `records`, one line per finding, passes included, for spreadsheets and auditors."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from keyaudit.model.results.run import Report
from keyaudit.report.tabular.cells import guarded
from keyaudit.report.tabular.records import COLUMNS, NUMBERS, Record, records

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark, by which Excel recognises UTF-8; other readers take it for part of the first column's name."""


def render(report: Report, out: TextIO, *, heading: bool = True, mark: bool = False) -> Counter[str]:
    """Write every finding, passes too, then the policies that were not evaluated. `out` must not translate line ends.

    `mark`: begin with a byte order mark. Returns the number of altered cells by column.
    """
    if mark:
        out.write(MARK)
    return write(records(report), COLUMNS, out, heading=heading)


def write(found: Iterable[Record], columns: Sequence[str], out: TextIO, *, heading: bool = True) -> Counter[str]:
    """Write records with these columns. Returns the number of altered cells by column."""
    writer = csv.writer(out, lineterminator="\r\n")
    if heading:
        writer.writerow(columns)
    altered: Counter[str] = Counter()
    for record in found:
        cells = []
        for name in columns:
            text = record.get(name)
            if text is None:
                cells.append("")
                continue
            # The minus sign of a number does not make a formula.
            cell = text if name in NUMBERS else guarded(text)
            if cell != text:
                altered[name] += 1
            cells.append(cell)
        writer.writerow(cells)
    return altered
