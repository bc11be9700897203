"""Reads what tables declare (`Table.reads`): one request after the other, and a row for each item of the answers."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from msgspec import Struct

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, struct_of, value_at
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.tables import TABLES
from keyaudit.model.wire import At, Read, Way

_READS = {read.operation: (table, read) for table in TABLES.values() for read in table.reads}


async def collect_declared(operations: Sequence[str], reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the rows of these operations, which tables declare how to read. Returns their coverage."""
    return [await _collect(operation, reading, unit, scope) for operation in operations]


async def _collect(operation: str, reading: Reading, unit: Unit, scope: Scope) -> Coverage:
    table, read = _READS[operation]
    calls, gateway = Calls(scope, operation), reading.connection.gateway
    place = source(reading.connection.environment, operation)
    if read.single:
        found = await gateway.get(operation, item_of(operation))
        calls.got(found)
        if not isinstance(found, Refusal):
            unit.row(table.name, _row(operation, "", found, scope, place))
        return calls.coverage()
    listing, count = gateway.pages(operation, item_of(operation), by=partial(_name, read)), 0
    async for item in both(listing):
        unit.row(table.name, _row(operation, _key(read, item), item, scope, place))
        count += 1
        reading.seen(count)
    calls.ended(listing.end)
    return calls.coverage()


@cache
def item_of(operation: str) -> type[Struct]:
    """The members that are read of an item: its key, and undecoded what columns are filled from."""
    table, read = _READS[operation]
    return struct_of(f"{table.name}_item", [way for _, way in _ways(operation)], "" if read.single else read.key)


@cache
def _ways(operation: str) -> Sequence[tuple[str, Way]]:
    table, read = _READS[operation]
    return list(table.ways(read).items())


def _row(operation: str, key: str, item: Struct, scope: Scope, place: tuple[str, str]) -> Mapping[str, object]:
    table, read = _READS[operation]
    id_ = f"{scope.id}/{read.id.format(key=key)}"
    row = Row(table, id=id_, resource_id=id_, scope_id=scope.id, url=place[0], version=place[1])
    for column, way in _ways(operation):
        row.take(column, item, way)
    if read.key_column:
        row.put(read.key_column, key.lower())
    for column, value in read.fixed.items():
        row.put(column, value)
    return row.finish()


def _key(read: Read, item: Struct) -> str:
    return str(value_at(item, At(read.key)))


def _name(read: Read, item: Struct) -> str:
    key = _key(read, item)
    if not read.form.fullmatch(key):
        raise ValueError("not a key of this list")
    return key.lower()
