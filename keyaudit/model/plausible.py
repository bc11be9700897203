"""Implausible times: an event in the future, an end before its start."""

from collections.abc import Mapping, Sequence
from functools import cache

from keyaudit.model.columns import Table
from keyaudit.model.tables import TABLES


def implausible(table: str, row: Mapping[str, object], latest: int) -> Sequence[str]:
    """The stored columns of a row with implausible times.

    These are a past time (`Column.past`) after `latest`, and both ends of a span whose end (`Column.follows`) is before its
    start. Absent and unknown times are ignored.
    """
    past, spans = _times(table)
    found = [name for name in past if isinstance(value := row.get(name), int) and value > latest]
    for start, end in spans:
        first, last = row.get(start), row.get(end)
        if isinstance(first, int) and isinstance(last, int) and last < first:
            found += [name for name in (start, end) if name not in found]
    return found


@cache
def _times(table: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The past columns of a table, and its spans as (start, end)."""
    declared: Table | None = TABLES.get(table)
    stored = declared.stored if declared else ()
    return (
        tuple(column.name for column in stored if column.past),
        tuple((column.follows, column.name) for column in stored if column.follows),
    )
