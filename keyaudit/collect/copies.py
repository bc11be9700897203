"""Copies of one object that differ: what they say alike is kept, and the rest is inconsistent."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from itertools import combinations
from typing import TypeVar, cast

from msgspec import Raw, Struct, UnsetType, structs

from keyaudit.cloud.answers.listing import Listing
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import CONTRADICTED, UNASKED
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table

Item = TypeVar("Item", bound=Struct)


async def both(listing: Listing[Item]) -> AsyncIterator[Item]:
    """The items of a list, and at its end the copies that differ from an earlier item.

    For items that become rows with the same id: columns that differ become inconsistent when they are loaded. Members that the
    request had to leave out are marked as not asked for.
    """
    async for item in listing:
        yield _marked(item, listing.unasked)
    for copy in listing.copies():
        yield _marked(copy, listing.unasked)


def _marked(item: Item, unasked: Collection[str]) -> Item:
    if not unasked:
        return item
    names = (each.name for each in structs.fields(item) if each.encode_name in unasked)
    return structs.replace(item, **dict.fromkeys(names, UNASKED))


async def distinct(listing: Listing[Item], by: Callable[[Item], str]) -> dict[str, Item]:
    """All items of a list by name, in order; differing copies are merged into one item.

    Members that differ are inconsistent. If copies differ in an already decoded member, such as the owner of the object, the
    first is kept, and the list ends as inconsistent_pages.
    """
    found = {by(item): item async for item in listing}
    copies = [(by(copy), copy) for copy in listing.unsettled]
    if all(_mergeable(found[name], copy) for name, copy in copies):
        for name, copy in copies:
            found[name] = merged(found[name], copy)
        listing.copies()
    return found


def merged(first: Item, second: Item) -> Item:
    """One item from two copies: each undecoded member that differs is inconsistent."""
    differing = {name: CONTRADICTED for name, one, other in _members(first, second) if _raw(one) != _raw(other)}
    return structs.replace(first, **differing)


def _mergeable(first: Struct, second: Struct) -> bool:
    """Whether copies differ only in undecoded members and in case."""
    members = ((getattr(first, name), getattr(second, name)) for name in first.__struct_fields__)
    return all(one == other or _undecoded(one, other) or _alike(one, other) for one, other in members)


def _members(first: Struct, second: Struct) -> list[tuple[str, object, object]]:
    members = [(name, getattr(first, name), getattr(second, name)) for name in first.__struct_fields__]
    return [(name, one, other) for name, one, other in members if _undecoded(one, other)]


def _undecoded(one: object, other: object) -> bool:
    return isinstance(one, Raw | UnsetType) and isinstance(other, Raw | UnsetType)


def _alike(one: object, other: object) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()


def _raw(member: object) -> bytes | None:
    return bytes(member) if isinstance(member, Raw) else None


def stored_once(rows: Iterable[Item], by: Callable[[Item], str]) -> dict[str, Item]:
    """Rows of a spool by name; for an object with several rows, the columns that differ are unknown.

    `rows` have the map `unknown`, and None for unknown values.
    """
    found: dict[str, Item] = {}
    for row in rows:
        name = by(row)
        found[name] = _united(found[name], row) if name in found else row
    return found


def _united(first: Item, second: Item) -> Item:
    one, other = structs.asdict(first), structs.asdict(second)
    reasons, others = one.pop("unknown"), other.pop("unknown")
    wrong = [name for name in one if (one[name], reasons.get(name)) != (other[name], others.get(name))]
    unknown = {**reasons, **dict.fromkeys(wrong, str(Reason.INCONSISTENT))}
    return structs.replace(first, **dict.fromkeys(wrong), unknown=unknown)


def contradicted(first: Row, *others: Row) -> frozenset[str]:
    """The columns with two values in rows of one object from several answers.

    An answer that lacks a member says nothing about its column, unless the table declares what a left-out member means.
    """
    return frozenset(
        column
        for one, other in combinations((first, *others), 2)
        for column in one.values.keys() & other.values.keys()
        if one.can_be_unknown(column) and one.values[column] != other.values[column]
    )


def agreed(
    table: Table, first: Mapping[str, object], second: Mapping[str, object], columns: Collection[str] | None = None
) -> dict[str, object]:
    """The first of two finished rows of one object; columns that the second contradicts are unknown as inconsistent.

    `columns`: the compared columns, if known in both rows; None: all columns, known or not, as for two copies of one answer.
    """
    reasons, others = _reasons(first), _reasons(second)
    wrong = []
    for column in table.stored:
        name = column.name
        if not column.can_be_unknown or (columns is not None and name not in columns):
            continue
        differs = (first.get(name), reasons.get(name)) != (second.get(name), others.get(name))
        if differs and (columns is None or not (name in reasons or name in others)):
            wrong.append(name)
    return {**first, **dict.fromkeys(wrong), "unknown": {**reasons, **dict.fromkeys(wrong, str(Reason.INCONSISTENT))}}


def _reasons(row: Mapping[str, object]) -> Mapping[str, str]:
    return cast("Mapping[str, str]", row["unknown"])
