"""Rows of a view: every column, a count as its two bounds, and `unknown` with the reasons."""

from collections.abc import Mapping, Sequence
from itertools import count
from operator import itemgetter
from typing import Any

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Value
from keyaudit.model.schema.columns import Column, Table, Type


def view_name(column: Column) -> tuple[str, ...]:
    """The names of a column in a view: two for a count."""
    return (f"{column.name}_min", f"{column.name}_max") if column.type is Type.COUNT else (column.name,)


def view_names(table: Table) -> list[str]:
    """The names of a table's columns in its view."""
    return [name for column in table.columns for name in view_name(column)]


class Decoder:
    """Reads rows of a table from tuples of cells that have those of `view_names` from position `first` on.

    `lacking`: the columns that need evidence which was not supplied. A view gives no reason for them, because it is the same in
    every row.
    """

    def __init__(self, table: Table, first: int = 0, lacking: Sequence[str] = ()) -> None:
        positions = dict(zip(view_names(table), count(first)))
        self._names = tuple(column.name for column in table.columns)
        self._values = itemgetter(*(positions[view_name(column)[0]] for column in table.columns))
        bounds = (column.name for column in table.columns if column.type is Type.COUNT)
        self._most = tuple((name, positions[f"{name}_max"]) for name in bounds)
        self._lacking = dict.fromkeys(lacking, str(Reason.NOT_SUPPLIED))
        self.after = first + len(positions)
        """The position after them."""

    def row(self, cells: Sequence[Any], unknown: Mapping[str, str] | None) -> dict[str, Value]:
        """A row by column, with `unknown`. NULL (absent or unknown) is None."""
        found: dict[str, Value] = dict(zip(self._names, self._values(cells), strict=True))
        for name, most in self._most:
            least: Any = found[name]
            if least is not None:
                found[name] = (least, cells[most])
        found["unknown"] = {**self._lacking, **(unknown or {})}
        return found
