"""The Log Analytics workspaces that logs go to, and the tables that hold those logs: what was read before says which."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.workspace import LOG_TABLE, WORKSPACE
from keyaudit.model.times import DAY

OPERATIONS = ("workspace.get", "workspace.table")

_AT_ONCE = 16
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.operationalinsights/workspaces/([^/]+)", re.ASCII
)
_NO_TIME = Refusal(Reason.BAD_VALUE)
_PLANS = {"analytics": "Analytics", "basic": "Basic", "auxiliary": "Auxiliary"}


class WorkspaceProperties(Struct, rename="camel"):
    """What is read of a workspace."""

    retention_in_days: Wire = UNSET


class WorkspaceItem(Struct):
    """A Log Analytics workspace."""

    id: str
    location: Wire = UNSET
    properties: WorkspaceProperties = msgspec.field(default_factory=WorkspaceProperties)


class TableProperties(Struct, rename="camel"):
    """What is read of a log table."""

    plan: Wire = UNSET
    retention_in_days: Wire = UNSET
    total_retention_in_days: Wire = UNSET


class TableItem(Struct):
    """A table of a workspace."""

    name: str
    properties: TableProperties = msgspec.field(default_factory=TableProperties)


class _Sink(msgspec.Struct):
    """What a stored row of `log_sink` says of this. `destination_id` and `tables` are left out where they are not known."""

    destination_kind: str
    destination_id: str | None = None
    tables: list[str] | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """A workspace by the parts of its id, in lower case."""

    id: str
    subscription: str
    resource_group: str
    workspace: str

    @classmethod
    def of(cls, id_: str) -> "WorkspaceId | None":
        """The workspace of that id; None for the id of anything else, and for any other text."""
        match = _ID.fullmatch(id_.lower())
        return None if match is None else cls(match[0], *match.groups())

    @property
    def segments(self) -> dict[str, str]:
        """What names it in an ARM path."""
        return {"subscription": self.subscription, "resource_group": self.resource_group, "workspace": self.workspace}


async def collect_workspaces(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write every workspace that a stored log destination names, and the tables filled there; the coverage of `OPERATIONS`."""
    return await _Workspaces(reading.connection, unit, scope).collect(_wanted(reading.spool.lines("log_sink")))


def _wanted(sinks: Iterable[bytes]) -> Mapping[str, set[str]]:
    """Workspace ids, each with the tables that are filled there."""
    decoder = msgspec.json.Decoder(_Sink)
    found: dict[str, set[str]] = defaultdict(set)
    for sink in map(decoder.decode, sinks):
        if sink.destination_kind == "workspace" and sink.destination_id is not None:
            found[sink.destination_id].update(sink.tables or ())
    return found


class _Workspaces:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._connection, self._unit, self._scope = connection, unit, scope
        self._get = Calls(scope, "workspace.get", per_object=True)
        self._table = Calls(scope, "workspace.table", per_object=True)

    async def collect(self, wanted: Mapping[str, set[str]]) -> Sequence[Coverage]:
        async def one(id_: str) -> None:
            place = WorkspaceId.of(id_)
            if place is None:
                # What does not name a workspace is no place to ask, and says nothing of where the log goes.
                self._get.refused(Refusal(Reason.BAD_VALUE, "a destination that is no workspace"))
            else:
                await self._workspace(place, sorted(wanted[id_]))

        await for_each(sorted(wanted), one, limit=_AT_ONCE)
        return [self._get.coverage(), self._table.coverage()]

    async def _workspace(self, place: WorkspaceId, tables: Sequence[str]) -> None:
        found = await self._connection.gateway.get("workspace.get", WorkspaceItem, **place.segments)
        if isinstance(found, WorkspaceItem) and f"/{found.id.strip('/').lower()}" != place.id:
            found = Refusal(Reason.BAD_BODY, "it answered with another workspace than the one asked for", 200)
        url, version = source(self._connection.environment, "workspace.get", **place.segments)
        row = Row(WORKSPACE, id=place.id, resource_id=place.id, scope_id=self._scope.id, url=url, version=version)
        row.put("name", place.workspace)
        row.put("subscription_id", place.subscription)
        row.put("resource_group", place.resource_group)
        retention: int | Refusal
        if isinstance(found, Refusal):
            self._get.refused(found)
            row.refuse(("location",), found.reason)
            retention = found
        else:
            self._get.answered()
            row.put("location", found.location)
            retention = _days(found.properties.retention_in_days)
        row.put_read("retention", retention)
        self._unit.row("workspace", row.finish())
        for table in tables:
            await self._log_table(place, table, retention)

    async def _log_table(self, place: WorkspaceId, table: str, otherwise: int | Refusal) -> None:
        found = await get_table(self._connection, place, table)
        url, version = source(self._connection.environment, "workspace.table", table=table, **place.segments)
        id_ = f"{place.id}/tables/{table}"
        row = Row(LOG_TABLE, id=id_, resource_id=id_, scope_id=self._scope.id, url=url, version=version)
        row.put("name", table)
        row.put("workspace_id", place.id)
        if isinstance(found, Refusal):
            self._table.refused(found)
            row.refuse(("plan", "retention", "total_retention"), found.reason)
        else:
            self._table.answered()
            _put_table(row, found.properties, otherwise)
        self._unit.row("log_table", row.finish())


async def get_table(connection: Connection, place: WorkspaceId, table: str) -> TableItem | Refusal:
    """What Resource Manager says of a table."""
    found = await connection.gateway.get("workspace.table", TableItem, table=table, **place.segments)
    if isinstance(found, TableItem) and found.name.lower() != table.lower():
        return Refusal(Reason.BAD_BODY, "it answered with another table than the one asked for", 200)
    return found


def plan_of(properties: TableProperties) -> str | Refusal:
    """A table's plan, in Azure's spelling."""
    plan = read(properties.plan, str)
    return plan if isinstance(plan, Refusal) else _PLANS.get(plan.lower(), plan)


def _put_table(row: Row, properties: TableProperties, otherwise: int | Refusal) -> None:
    """-1 stands for the workspace's retention, and a total of -1 for no more than that.

    https://learn.microsoft.com/rest/api/loganalytics/tables/get
    """
    row.put_read("plan", plan_of(properties))
    retention = _days(properties.retention_in_days, otherwise)
    row.put_read("retention", retention)
    row.put_read("total_retention", _days(properties.total_retention_in_days, retention))


def _days(raw: Wire, default: int | Refusal = _NO_TIME) -> int | Refusal:
    days = read(raw, int)
    if isinstance(days, Refusal):
        return days
    if days == -1:
        return default
    return days * DAY if days >= 0 else _NO_TIME
