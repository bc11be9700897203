"""Common to applications and service principals: one pass over their list, with owners and federated credentials."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import structs

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each, stream
from keyaudit.collect.copies import both
from keyaudit.collect.entra.holders import Holder, unseen_holder
from keyaudit.collect.entra.keys.credentials import Rows
from keyaudit.collect.entra.keys.deferred_keys import put_off
from keyaudit.collect.entra.keys.key_material import NO_KEYS, Keyed, Keys, listed_keys, names_of
from keyaudit.collect.entra.relations import AT_ONCE, Federated, FederatedItem, Owners, Relations, object_id
from keyaudit.collect.focus import LEFT_OUT, MOST, Focus
from keyaudit.collect.places import source
from keyaudit.collect.reading import Expect, unexpected
from keyaudit.collect.wire import Wire
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

Item = TypeVar("Item", bound=Keyed)

_HELD = 500
"""The number of objects that lack something which are kept in memory before they are completed."""


def operations(kind: str) -> tuple[str, ...]:
    """The operations of a kind of object, `application` or `service_principal`, without the read of public keys one by one."""
    parts = ("list", "owners", "owners_of", "federated", "federated_of", "expressions_of")
    return tuple(f"{kind}.{what}" for what in parts)


async def collect_objects(
    connection: Connection,
    unit: Unit,
    scope: Scope,
    *,
    kind: str,
    item: type[Item],
    describe: Callable[[Item, str, str, str], Holder],
    write: Callable[[Unit, Item, Holder, Relations], None],
    credentials: Callable[[Item, Holder, Keys], Iterator[tuple[str, Mapping[str, object]]]],
    seen: Callable[[int], None],
    before: Sequence[Callable[[], Awaitable[None]]] = (),
    completed: Callable[[Item], Awaitable[Item]] | None = None,
    lacking: Callable[[Item], bool] = lambda _: False,
    focus: Focus | None = None,
    expect: Expect = unexpected,
) -> Sequence[Coverage]:
    """Write the rows of every object of a kind and of its `credentials`. Returns the coverage of `operations(kind)`.

    Credentials whose public keys the list leaves out are put off: `public_keys` reads these.

    `before` runs before `write`, like the reading of owners. `describe` takes an item, the tenant's id, and the address and
    api-version of its request. `seen` receives the number of objects so far. An item that is `lacking` something is replaced by
    what `completed` returns. `focus`: the needs of the only page that it is for. `expect` receives the number of lists of
    federated credentials.
    """
    gateway, tenant_id = connection.gateway, connection.identity.tenant_id
    owners, federated = Owners(gateway, scope, kind, focus), Federated(gateway, scope, kind)
    relations = Relations(owners, federated)
    first = (owners.collect, federated.collect, *before)
    url, version = source(connection.environment, f"{kind}.list")
    calls = Calls(scope, f"{kind}.list")
    holders: dict[str, Holder] = {}
    held: list[tuple[Item, Holder]] = []
    # The reason that stays if they are never read: only a bug of keyaudit, or the page of an incident, leaves them unread.
    unread = LEFT_OUT if focus is not None else Refusal(Reason.INTERNAL_ERROR)
    count = 0

    async def write_completed(found: Item, holder: Holder) -> None:
        write(unit, await completed(found) if completed else found, holder, relations)

    async def put_held() -> None:
        await for_each(held, lambda each: write_completed(*each), limit=AT_ONCE)
        held.clear()

    listing = gateway.pages(f"{kind}.list", item, by=object_id)
    async for found in _after(first, both(listing), meanwhile=focus is not None):
        holder, keys = describe(found, tenant_id, url, version), listed_keys(found)
        if lacking(found):
            held.append((found, holder))
        else:
            write(unit, found, holder, relations)
        if keys.complete:
            _put(unit, credentials(found, holder, keys))
        else:
            put_off(unit, kind, found, credentials(found, holder, structs.replace(keys, hidden=unread)))
        if len(held) >= _HELD:
            await put_held()
        if object_id(found) in federated.ids:
            holders[object_id(found)] = holder
        count += 1
        seen(count)
    await put_held()
    calls.ended(listing.end)
    # Both lists contain the same objects: an object in only one of them is missing in the other, or was deleted.
    if why_incomplete(listing.end) is None and await owners.any_left():
        calls.refused(Refusal(Reason.INCONSISTENT_PAGES, "it lacks an object that another list has"))
    if focus is not None and len(federated.ids) > MOST:
        federated.only({found for found, holder in holders.items() if focus.meant(names_of(holder, NO_KEYS))})
    expect(f"{kind}.federated_of", {"": federated.left})
    await _write_federated(connection, unit, federated, kind, holders)
    listed = calls.coverage()
    return [listed, *owners.coverage, *federated.coverage]


def _put(unit: Unit, rows: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    for table, row in rows:
        unit.row(table, row)


async def _after(
    first: Sequence[Callable[[], Awaitable[None]]], items: AsyncIterable[Item], *, meanwhile: bool
) -> AsyncIterator[Item]:
    """The items, once everything in `first` has run. `meanwhile`: they are read at the same time, and kept in memory: each list
    takes a request for every 999 objects, one after the other, and the page of a key waits for them.
    """
    kept: list[Item] = []

    async def keep() -> None:
        kept.extend([item async for item in items])

    await for_each((*first, keep) if meanwhile else first, lambda work: work(), limit=len(first) + 1)
    async for item in stream(kept if meanwhile else items):
        yield item


async def _write_federated(
    connection: Connection, unit: Unit, federated: Federated, kind: str, holders: dict[str, Holder]
) -> None:
    """Write every federated credential, including those of holders that their own list did not show."""
    unseen = Refusal(Reason.PARENT_NOT_ASSESSED)
    tenant_id = connection.identity.tenant_id

    def write(holder_id: str, item: FederatedItem, expression: Wire | Refusal) -> None:
        url, version = source(connection.environment, f"{kind}.federated_of", id=holder_id)
        holder = holders.get(holder_id) or unseen_holder(kind, tenant_id, holder_id, url=url, version=version, refusal=unseen)
        unit.row("credential", Rows(holder).federated(item, url, version, expression))

    await federated.each(write)
