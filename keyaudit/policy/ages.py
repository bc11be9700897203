"""How old the rows are that policies limit the age of.

A policy limits age where it is violated by `now - created_on > parameter`: the parameter says the limit, or, looked up by an
enumeration, one for each of its values. No policy is known here by its name.
"""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

import duckdb

from keyaudit.model.overview import AgeGroup, Ages
from keyaudit.policy.bind import Bound, by_table
from keyaudit.policy.parameters import OTHERWISE
from keyaudit.policy.queries import DIALECT
from keyaudit.policy.types import Compare, Lookup, Now, Read, Setting, Sum, walk
from keyaudit.policy.verdict import NOT_APPLICABLE

_MADE = "created_on"
_BINS = 8
"""Bins up to the limit."""
_LAST = 3 * _BINS - 1
"""The last bin, for whatever is older than three times the limit."""


def ages(
    connection: duckdb.DuckDBPyConnection, bounds: Sequence[Bound], relations: Mapping[str, str], as_of: int
) -> tuple[Ages, ...]:
    """The ages for each policy that limits them and has rows, by id. `relations`: by table the one with its verdicts."""
    found = [
        _ages(connection, bound, limit, f"{relations[name]} WHERE code{number} <> {NOT_APPLICABLE}", as_of)
        for name, of_table in by_table(bounds).items()
        if name in relations
        for number, bound in enumerate(of_table)
        if (limit := _limit(bound)) is not None
    ]
    counted = (each for each in found if each.unplaced or any(group.bins or group.undated for group in each.groups))
    return tuple(sorted(counted, key=lambda each: each.policy.id))


def _limit(bound: Bound) -> Setting | Lookup | None:
    """The parameter that limits the age, if one does. A schedule does not: what it allows is of its day."""
    for node in walk(bound.policy.trees.violated_when):
        match node:
            case Compare(operator=">", left=Sum(operator="-", left=Now(), right=Read(column=column)), right=limit):
                if column == _MADE and isinstance(limit, Setting | Lookup) and _entries(bound, limit):
                    return limit
    return None


def _entries(bound: Bound, limit: Setting | Lookup) -> dict[str, int]:
    """The limits by what they are looked up by; by an empty text where there is one for all."""
    value = bound.values[limit.parameter]
    entries = value if isinstance(value, Mapping) else {"": value}
    return {key: each for key, each in entries.items() if isinstance(key, str) and isinstance(each, int)}


def _ages(connection: duckdb.DuckDBPyConnection, bound: Bound, limit: Setting | Lookup, rows: str, as_of: int) -> Ages:
    entries = _entries(bound, limit)
    column = limit.index.column if isinstance(limit, Lookup) else ""
    places = _places(entries, DIALECT.name(column) if column else "")
    unplaced = f"SELECT count(*) FROM {rows} AND NOT coalesce({' OR '.join(places.values())}, false)"
    ((without,),) = connection.execute(unplaced).fetchall()
    groups = [
        _group(connection, _kind(column, key), entries[key], f"{rows} AND {place}", as_of) for key, place in places.items()
    ]
    return Ages(
        policy=bound.policy.text,
        groups=[group for group in groups if group.bins or group.undated],
        unplaced=without,
    )


def _kind(column: str, key: str) -> str:
    words = column.replace("_", " ")
    return f"any other {words}" if key == OTHERWISE else f"{words} {key}" if words else ""


def _places(entries: Mapping[str, int], index: str) -> dict[str, str]:
    """Which rows have each limit, as SQL."""
    if not index:
        return dict.fromkeys(entries, "TRUE")
    named = [key for key in entries if key != OTHERWISE]
    found = {key: f"{index} = {DIALECT.text(key)}" for key in named}
    if OTHERWISE in entries:
        others = f"{index} NOT IN ({', '.join(map(DIALECT.text, named))})" if named else f"{index} IS NOT NULL"
        found[OTHERWISE] = others
    return found


def _group(connection: duckdb.DuckDBPyConnection, kind: str, limit: int, rows: str, as_of: int) -> AgeGroup:
    width = max(limit // _BINS, 1)
    # An age of just the limit is within it.
    number = f"greatest(least(({as_of}::HUGEINT - {_MADE} - 1) // {width}, {_LAST}), 0)"
    answer = connection.execute(f"SELECT {number} AS bin, count(*) FROM {rows} GROUP BY bin ORDER BY bin").fetchall()
    return AgeGroup(
        kind=kind,
        limit=limit,
        width=width,
        bins={int(number): count for number, count in answer if number is not None},
        undated=sum(count for number, count in answer if number is None),
    )
