"""The Log Analytics workspaces that the identity sees, and their tables that can be queried."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.connection import Connection
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.logs.workspaces import TableItem, WorkspaceId, get_table, plan_of
from keyaudit.collect.wire import read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

QUERY = (
    "resources | where type =~ 'microsoft.operationalinsights/workspaces' "
    "| project id, name, tenantId, customerId = tostring(properties.customerId) | order by id asc"
)
_AT_ONCE = 16


class Workspace(Struct, frozen=True):
    """A workspace. `name` is unique among those found; `guid` is its id in the query API."""

    id: WorkspaceId
    name: str
    guid: str


class Table(Struct, frozen=True):
    """The properties of a table before it is queried."""

    workspace: Workspace
    name: str
    there: bool = True
    plan: str = ""
    """Empty if unknown."""
    retention_days: int | None = None
    """How long its rows can be queried; None if unknown."""


class _Item(msgspec.Struct, rename="camel"):
    id: str
    name: str
    tenant_id: str
    customer_id: str


async def find(connection: Connection) -> tuple[Sequence[Workspace], Refusal | None]:
    """The workspaces of the tenant in order of id, and why there may be more."""
    listing = connection.gateway.pages("workspace.query", _Item, by=_name, body={"query": QUERY})
    # A workspace of another tenant can be visible through delegation. Its logs belong to that tenant.
    items = [item async for item in listing if item.tenant_id.lower() == connection.identity.tenant_id.lower()]
    again = Counter(item.name.lower() for item in items)
    found = [
        Workspace(
            _id(item), item.name if again[item.name.lower()] == 1 else f"{item.name} ({item.customer_id})", item.customer_id
        )
        for item in items
    ]
    end = listing.end
    unread = Refusal(Reason.BAD_ITEM, f"{end.quarantined:,} of {end.received:,} workspaces") if end.quarantined else None
    return sorted(found, key=lambda each: each.id.id), end.refusal or unread


async def tables(connection: Connection, workspaces: Sequence[Workspace], names: Sequence[str]) -> Sequence[Table]:
    """These tables of these workspaces, in the same order. A table with unknown properties is still queried."""
    found = {(each.guid, name): Table(each, name) for each in workspaces for name in names}

    async def one(table: Table) -> None:
        item = await get_table(connection, table.workspace.id, table.name)
        found[table.workspace.guid, table.name] = _told(table, item)

    await for_each(list(found.values()), one, limit=_AT_ONCE)
    return list(found.values())


def _told(table: Table, item: TableItem | Refusal) -> Table:
    if isinstance(item, Refusal):
        return replace(table, there=item.status != 404)
    plan, days = plan_of(item.properties), read(item.properties.retention_in_days, int)
    return replace(
        table,
        plan="" if isinstance(plan, Refusal) else plan,
        # -1 means the workspace's retention.
        retention_days=None if isinstance(days, Refusal) or days < 0 else days,
    )


def _id(item: _Item) -> WorkspaceId:
    found = WorkspaceId.of(item.id)
    if found is None:
        raise ValueError("not a workspace")
    return found


def _name(item: _Item) -> str:
    if not GUID.fullmatch(item.customer_id):
        raise ValueError("not a workspace's GUID")
    return _id(item).id
