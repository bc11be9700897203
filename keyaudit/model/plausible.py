"""Implausible times: an event in the future, an end before its start."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from keyaudit.model.columns import Table
from keyaudit.model.tables import TABLES


def implausible(table: str, row: Mapping[str, object], latest: int) -> Sequence[str]:
    """The stored columns of a row with implausible times.

    These are a past time (`Column.past`) after `latest`, and both ends of a span whose end (`Column.follows`) is before its
    start. Absent and unknown times are ignored.
    """
    past, spans = _times(table)
    found = dict.fromkeys(name for name, value in _known(past, row) if value > latest)
    for start, end in spans:
        known = dict(_known((start, end), row))
        if len(known) == 2 and known[end] < known[start]:
            found.update({start: None, end: None})
    return list(found)


def _known(columns: Iterable[str], row: Mapping[str, object]) -> Iterable[tuple[str, int]]:
    return ((name, value) for name in columns if isinstance(value := row.get(name), int))


@cache
def _times(table: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The past columns of a table, and its spans as (start, end)."""
    declared: Table | None = TABLES.get(table)
    stored = declared.stored if declared else ()
    return (
        tuple(column.name for column in stored if column.past),
        tuple((column.follows, column.name) for column in stored if column.follows),
    )
