"""A row as a table's view gives it: every column, a count as its two bounds, and `unknown` with the reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from keyaudit.model.columns import Column, Table, Type
from keyaudit.model.findings import Value
from keyaudit.model.reasons import Reason


def view_name(column: Column) -> tuple[str, ...]:
    """A column as a view has it: two for a count."""
    return (f"{column.name}_min", f"{column.name}_max") if column.type is Type.COUNT else (column.name,)


def view_names(table: Table) -> list[str]:
    """A table's columns as its view has them."""
    return [name for column in table.columns for name in view_name(column)]


def decoded(table: Table, cells: Sequence[Any], unknown: Mapping[str, str] | None, lacking: Sequence[str]) -> dict[str, Value]:
    """A row by column, out of the cells of `view_names`; `unknown` among them. NULL, which is absent or unknown, is None.

    `lacking`: the columns that rest on evidence which was not supplied, of which a view gives no reason: it is the same in
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
