"""The Log Analytics workspaces that the identity sees, and which of their tables can be queried."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from keyaudit.cloud.connection import Connection
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.logs.workspaces import TableItem, WorkspaceId, get_table, plan_of
from keyaudit.collect.rows import read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

QUERY = (
    "resources | where type =~ 'microsoft.operationalinsights/workspaces' "
    "| project id, name, tenantId, customerId = tostring(properties.customerId) | order by id asc"
)
_AT_ONCE = 16
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace. `name` is its own among those that were found; `guid` is what the query API knows it by."""

    id: WorkspaceId
    name: str
    guid: str


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a table before it is queried."""

    workspace: Workspace
    name: str
    there: bool = True
    plan: str = ""
    """Empty: not known."""
    retention_days: int | None = None
    """How long its rows can be queried. None: not known."""


class _Item(msgspec.Struct, rename="camel"):
    id: str
    name: str
    tenant_id: str
    customer_id: str


async def find(connection: Connection) -> tuple[Sequence[Workspace], Refusal | None]:
    """The tenant's workspaces in order of id, and why there may be more."""
    listing = connection.gateway.pages("workspace.query", _Item, by=_name, body={"query": QUERY})
    # Another tenant's can be seen from here where it lets this one manage it. Its logs are that tenant's.
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
    """Those tables of those workspaces, in the same order. What is not known of one does not keep it from being queried."""
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
        # -1 stands for whatever the workspace has.
        retention_days=None if isinstance(days, Refusal) or days < 0 else days,
    )


def _id(item: _Item) -> WorkspaceId:
    found = WorkspaceId.of(item.id)
    if found is None:
        raise ValueError("not a workspace")
    return found


def _name(item: _Item) -> str:
    if not _GUID.fullmatch(item.customer_id):
        raise ValueError("not a workspace's GUID")
    return _id(item).id
