"""Reads what tables declare (`Table.reads`): one operation after the other, and a row for each item of the answers."""

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

from msgspec import Raw, Struct

from keyaudit.cloud.answers.listing import Listing
from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, struct_of
from keyaudit.collect.wire import Wire, read, value_at
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import At, Case, Combined, InCertificate, Unreadable
from keyaudit.model.tables import TABLES

_AT_ONCE = 8
_READS = {each.operation: (table, each) for table in TABLES.values() for each in table.reads}


async def collect_declared(operations: Sequence[str], reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the rows of these operations, which tables declare how to read. Returns their coverage."""
    return [record for operation in operations for record in await _Rows(operation, reading, unit, scope).collect()]


class _Rows:
    """The rows of one operation."""

    def __init__(self, operation: str, reading: Reading, unit: Unit, scope: Scope) -> None:
        self._table, self._read = _READS[operation]
        self._reading, self._unit, self._scope = reading, unit, scope
        self._gateway = reading.connection.gateway
        self._calls = Calls(scope, operation, per_object=bool(self._read.parent))
        self._count = 0
        self._ids: set[str] = set()

    async def collect(self) -> Sequence[Coverage]:
        if self._read.parent:
            return await self._of_parents()
        if self._read.single:
            found = await self._gateway.get(self._read.operation, item_of(self._read.operation))
            self._calls.got(found)
            if not isinstance(found, Refusal):
                self._write(found)
        elif self._read.within:
            await self._inside()
        else:
            listing = self._list(self._read.operation, item_of(self._read.operation))
            async for item in both(listing):
                self._write(item)
            self._calls.ended(listing.end)
        return [self._calls.coverage()]

    async def _of_parents(self) -> Sequence[Coverage]:
        """The items of each item of the list `parent`."""
        parents = Calls(self._scope, self._read.parent)
        listing = self._list(self._read.parent, holder_of(self._read.operation))
        holders = await distinct(listing, self._name)
        parents.ended(listing.end)

        async def one(holder: Struct) -> None:
            below = self._list(self._read.operation, item_of(self._read.operation), id=self._key(holder))
            for item in (await distinct(below, self._name)).values():
                self._write(item, holder, id=self._key(holder))
            self._calls.ended(below.end)

        await for_each(holders.values(), one, limit=_AT_ONCE)
        record = parents.coverage()
        return [record, self._calls.coverage(record)]

    async def _inside(self) -> None:
        """The items in the member `within` of each item of the list."""
        listing = self._list(self._read.operation, holder_of(self._read.operation))
        for holder in (await distinct(listing, self._name)).values():
            try:
                listed = value_at(holder, At(self._read.within, list[Raw], list))
                items = [read(raw, item_of(self._read.operation)) for raw in cast("list[Raw]", listed)]
            except Unreadable as why:
                items = [Refusal(why.reason)]
            for item in items:
                if not isinstance(item, Refusal):
                    self._write(item, holder)
            if any(isinstance(item, Refusal) for item in items):
                self._calls.refused(Refusal(Reason.BAD_ITEM, f"{self._table.plural} that cannot be read", 200))
        self._calls.ended(listing.end)

    def _list(self, operation: str, kind: type[Struct], **segments: str) -> Listing[Struct]:
        whole = self._segments(operation) | segments
        return self._gateway.pages(operation, kind, by=self._name, host="", body=None, **whole)

    def _segments(self, operation: str) -> dict[str, str]:
        """The segments that a path has besides the id of a parent."""
        return {"tenant": self._reading.connection.identity.tenant_id} if "{tenant}" in OPERATIONS[operation].path else {}

    def _key(self, item: Struct) -> str:
        return str(value_at(item, At(self._read.key)))

    def _name(self, item: Struct) -> str:
        keys = [self._key(item), *(str(value_at(item, At(each, str, str))) for each in self._read.more_keys)]
        if not all(map(self._read.form.fullmatch, keys)):
            raise ValueError("not a key of this list")
        beside = [read(cast("Wire", value_at(item, At(each))), str) for each in self._read.beside_keys]
        return "/".join((*keys, *("-" if isinstance(each, Refusal) else each for each in beside))).lower()

    def _write(self, item: Struct, holder: Struct | None = None, **segments: str) -> None:
        read, operation = self._read, self._read.operation
        url, version = source(self._reading.connection.environment, operation, **self._segments(operation), **segments)
        id_ = self._id(item, holder)
        row = Row(self._table, id=id_, resource_id=id_, scope_id=self._scope.id, url=url, version=version)
        for column, way in _ways(operation).items():
            row.take(column, item, way)
        for column, value in read.fixed.items():
            row.put(column, value)
        if read.key_column:
            row.put(read.key_column, self._key(item).lower())
        if holder is not None:
            row.put(read.holder_column, f"{self._scope.id}/{read.holder.format(key=self._key(holder))}".lower())
            for column, place in read.of_holder.items():
                row.take(column, holder, place)
        self._unit.row(self._table.name, row.finish())
        self._count += 1
        self._reading.seen(self._count)

    def _id(self, item: Struct, holder: Struct | None) -> str:
        """The id of a row. A holder can contain the same thing twice: the second gets a number."""
        read = self._read
        if holder is None:
            key = "" if read.single else self._name(item) if read.more_keys else self._key(item)
            return f"{self._scope.id}/{read.id.format(key=key)}"
        try:
            value = str(value_at(item, _ways(read.operation)[read.id_column])).lower()
        except ValueError:
            value = "unreadable"
        base = f"{self._scope.id}/{read.holder.format(key=self._key(holder))}/{value}"
        numbers = itertools.count(2)
        id_ = base
        while id_.lower() in self._ids:
            id_ = f"{base}/{next(numbers)}"
        self._ids.add(id_.lower())
        return id_


@cache
def item_of(operation: str) -> type[Struct]:
    """The members that are read of an item: its key, and undecoded what columns are filled from."""
    table, read = _READS[operation]
    ways = [*_ways(operation).values(), *read.more_keys, *read.beside_keys]
    return struct_of(f"{table.name}_item", ways, "" if read.within else read.key)


@cache
def holder_of(operation: str) -> type[Struct]:
    """The members that are read of the holder of an item."""
    table, read = _READS[operation]
    inside = [At(read.within)] if read.within else []
    return struct_of(f"{table.name}_holder", [*inside, *read.of_holder.values()], read.key)


@cache
def _ways(operation: str) -> Mapping[str, At | Case | Combined | InCertificate]:
    table, read = _READS[operation]
    return {name: At(way) if isinstance(way, str) else way for name, way in table.ways(read).items()}
