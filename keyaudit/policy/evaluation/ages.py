"""The ages of rows whose age policies limit.

A policy limits age if its condition contains `now - created_on > parameter`. The parameter is the limit, or a map of limits by
an enumeration. Policies are not recognised by name.
"""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from keyaudit.inventory.reader import Reader
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.overview import AgeGroup, Ages
from keyaudit.policy.conditions.parameters import OTHERWISE, Single
from keyaudit.policy.conditions.types import Compare, Kind, Lookup, Now, ParameterValue, Read, Sum, walk
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.queries import DIALECT
from keyaudit.policy.evaluation.row_order import Evaluated
from keyaudit.policy.evaluation.verdict import PASS

_MADE = "created_on"
_BINS = 8
"""The number of bins up to the limit."""
_LAST = 3 * _BINS - 1
"""The last bin, for ages above three times the limit."""


def ages(reader: Reader, tables: Iterable[Evaluated], as_of: int) -> tuple[Ages, ...]:
    """The ages for each policy with an age limit and rows, by id."""
    found = [
        _ages(reader, bound.policy.text, list(_places(bound, number, limit)), _rows(evaluated.relation, number), as_of)
        for evaluated in tables
        for number, bound in enumerate(evaluated.bounds)
        if (limit := _limit(bound)) is not None
    ]
    return tuple(sorted((each for each in found if each.groups or each.unplaced), key=lambda each: each.policy.id))


class _Place(Struct, frozen=True):
    """Rows with one limit: their name, their condition, and the limit in seconds."""

    kind: str
    condition: str
    limit: int


def _limit(bound: Bound) -> ParameterValue | Lookup | None:
    """The parameter that limits the age, if any. A schedule is not a limit on age."""
    for node in walk(bound.policy.trees.violated_when):
        match node:
            case Compare(operator=">", left=Sum(operator="-", left=Now(), right=Read(column=column)), right=limit):
                schedule = isinstance(limit, Lookup) and limit.index.kind is Kind.TIME
                if column == _MADE and isinstance(limit, ParameterValue | Lookup) and not schedule:
                    return limit
    return None


def _rows(relation: str, number: int) -> str:
    return f"{relation} WHERE code{number} >= {PASS}"


def _ages(reader: Reader, policy: PolicyText, places: Sequence[_Place], rows: str, as_of: int) -> Ages:
    placed = " OR ".join(f"({place.condition})" for place in places)
    ((unplaced,),) = reader.rows(f"SELECT count(*) FROM {rows} AND NOT coalesce({placed}, false)")
    groups = [_group(reader, place, rows, as_of) for place in places]
    return Ages(policy=policy, groups=[group for group in groups if group.bins or group.undated], unplaced=unplaced)


def _places(bound: Bound, number: int, limit: ParameterValue | Lookup) -> Iterator[_Place]:
    """The rows of each limit: by class, and by the column that the limit is looked up by."""
    for index in range(len(bound.classes) + 1):
        in_class = bound.classes[index - 1] if index else None
        name = f"class {in_class.declared.name}" if in_class else ""
        own = in_class.values if in_class else {}
        value = own.get(limit.parameter, bound.values[limit.parameter])
        held = f"class{number} = {index}" if bound.classes else "TRUE"
        if isinstance(value, int):
            yield _Place(name, held, value)
        elif isinstance(value, Mapping) and isinstance(limit, Lookup):
            for kind, condition, entry in _entries(value, limit.index.column):
                yield _Place(", ".join(filter(None, (name, kind))), f"{held} AND {condition}", entry)


def _entries(entries: Mapping[str | int, Single], column: str) -> Iterator[tuple[str, str, int]]:
    words, index = column.replace("_", " "), DIALECT.name(column)
    named = [DIALECT.text(key) for key in entries if isinstance(key, str) and key != OTHERWISE]
    for key, entry in entries.items():
        if key == OTHERWISE and isinstance(entry, int):
            yield f"any other {words}", f"{index} NOT IN ({', '.join(named)})" if named else f"{index} IS NOT NULL", entry
        elif isinstance(key, str) and isinstance(entry, int):
            yield f"{words} {key}", f"{index} = {DIALECT.text(key)}", entry


def _group(reader: Reader, place: _Place, rows: str, as_of: int) -> AgeGroup:
    width = max(place.limit // _BINS, 1)
    # An age equal to the limit is within it. `least` and `greatest` ignore NULL.
    bin_ = f"greatest(least(({as_of}::HUGEINT - {_MADE} - 1) // {width}, {_LAST}), 0)"
    number = f"CASE WHEN {_MADE} IS NOT NULL THEN {bin_} END"
    counted = f"SELECT {number} AS bin, count(*) FROM {rows} AND {place.condition} GROUP BY bin ORDER BY bin"
    answer = [*reader.rows(counted)]
    return AgeGroup(
        kind=place.kind,
        limit=place.limit,
        width=width,
        bins={int(number): count for number, count in answer if number is not None},
        undated=sum(count for number, count in answer if number is None),
    )
