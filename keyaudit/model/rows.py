"""Rows of a view: every column, a count as its two bounds, and `unknown` with the reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from keyaudit.model.columns import Column, Table, Type
from keyaudit.model.findings import Value
from keyaudit.model.reasons import Reason


def view_name(column: Column) -> tuple[str, ...]:
    """The names of a column in a view: two for a count."""
    return (f"{column.name}_min", f"{column.name}_max") if column.type is Type.COUNT else (column.name,)


def view_names(table: Table) -> list[str]:
    """The names of a table's columns in its view."""
    return [name for column in table.columns for name in view_name(column)]


def decoded(table: Table, cells: Sequence[Any], unknown: Mapping[str, str] | None, lacking: Sequence[str]) -> dict[str, Value]:
    """A row by column, from the cells of `view_names`, with `unknown`. NULL (absent or unknown) is None.

    `lacking`: the columns that need evidence which was not supplied. A view gives no reason for them, because it is the same in
    every row.
    """
    found: dict[str, Value] = {}
    rest = iter(cells)
    for column in table.columns:
        value = next(rest)
        if column.type is Type.COUNT:
            most = next(rest)
            value = None if value is None else (value, most)
        found[column.name] = value
    found["unknown"] = {**dict.fromkeys(lacking, str(Reason.NOT_SUPPLIED)), **(unknown or {})}
    return found
