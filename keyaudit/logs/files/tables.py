"""Reads CSV exports of queries in the portal and of searches in Purview."""

import csv
from collections.abc import Iterator

from keyaudit.logs.files.documents import CutError, RawRecord
from keyaudit.logs.files.lines import lines
from keyaudit.logs.files.window import Window
from keyaudit.logs.formats.values import BadRecordError

# The portal adds the time zone to the column's name.
_UTC = " [UTC]"


def rows(window: Window) -> Iterator[tuple[int, RawRecord]]:
    """Every row by column, with the number of its last line. An empty cell is None.

    Raises CutError if there is no header, or the file ends inside a cell.
    """
    text = _Text(window)
    reader = csv.reader(text, strict=True)
    columns: list[str] = []
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if text.ended:
                raise CutError("ends inside a cell") from error
            yield text.number, BadRecordError(f"not CSV: {error}")
            continue
        if cells is None:
            return
        if text.bad:
            yield text.number, text.bad
            text.bad = None
        elif not columns and cells[0].startswith("#TYPE"):
            # Windows PowerShell writes it before the header.
            continue
        elif not columns:
            columns = [cell.strip().removesuffix(_UTC) for cell in cells]
            if len(set(columns)) < max(2, len(columns)):
                raise CutError("neither JSON nor CSV with a header")
        elif len(cells) != len(columns):
            yield text.number, BadRecordError(f"a row that has not the {len(columns)} columns of the header")
        else:
            yield text.number, {name: cell or None for name, cell in zip(columns, cells, strict=True)}


class _Text:
    """Lines for the CSV reader."""

    def __init__(self, window: Window) -> None:
        self._lines = lines(window)
        self.number = 0
        self.ended = False
        self.bad: BadRecordError | None = None

    def __iter__(self) -> "_Text":
        return self

    def __next__(self) -> str:
        found = next(self._lines, None)
        if found is None:
            self.ended = True
            raise StopIteration
        self.number, line = found
        if isinstance(line, bytes):
            try:
                return line.decode() + "\n"
            except UnicodeDecodeError:
                self.bad = BadRecordError("not UTF-8")
        else:
            self.bad = line
        return "\n"
