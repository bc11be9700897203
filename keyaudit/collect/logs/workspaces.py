"""The Log Analytics workspaces and tables that receive logs, according to the diagnostic settings that were read before."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.workspace import LOG_TABLE, WORKSPACE
from keyaudit.model.values.times import DAY

OPERATIONS = ("workspace.get", "workspace.table")

_Answer = TypeVar("_Answer")

_AT_ONCE = 16
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.operationalinsights/workspaces/([^/]+)", re.ASCII
)
_NO_TIME = Refusal(Reason.BAD_VALUE)
_NO_RESOURCE = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound"})
"""Error codes of a missing resource. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found"""
_PLANS = {"analytics": "Analytics", "basic": "Basic", "auxiliary": "Auxiliary"}


class WorkspaceProperties(Struct, rename="camel"):
    """The properties of a workspace."""

    retention_in_days: Wire = UNSET


@wired(WORKSPACE)
class WorkspaceItem(Struct):
    """A Log Analytics workspace."""

    properties: WorkspaceProperties = msgspec.field(default_factory=WorkspaceProperties)


class TableProperties(Struct, rename="camel"):
    """The properties of a log table."""

    plan: Wire = UNSET
    retention_in_days: Wire = UNSET
    total_retention_in_days: Wire = UNSET


class TableItem(Struct):
    """A table of a workspace."""

    properties: TableProperties = msgspec.field(default_factory=TableProperties)


class _Sink(msgspec.Struct):
    """The destination in a stored row of `log_sink`. `destination_id` and `tables` are left out if unknown."""

    destination_kind: str
    destination_id: str | None = None
    tables: list[str] | None = None
    unknown: dict[str, Reason] = msgspec.field(default_factory=dict)


class WorkspaceId(Struct, frozen=True):
    """A workspace by the parts of its id, in lower case."""

    id: str
    subscription: str
    resource_group: str
    workspace: str

    @classmethod
    def of(cls, id_: str) -> "WorkspaceId | None":
        """The workspace of that id; None for any other text."""
        match = _ID.fullmatch(id_.lower())
        return None if match is None else cls(match[0], *match.groups())

    @property
    def segments(self) -> dict[str, str]:
        """Its segments in an ARM path."""
        return {"subscription": self.subscription, "resource_group": self.resource_group, "workspace": self.workspace}


async def collect_workspaces(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write every workspace in stored log destinations, and its tables with logs. Returns the coverage of `OPERATIONS`."""
    return await _Workspaces(reading.connection, unit, scope).collect(named(reading.spool.lines("log_sink")))


class _Filled(Struct):
    """The tables of a workspace that receive logs, and why there may be others."""

    tables: set[str] = field(default_factory=set)
    untold: set[Reason] = field(default_factory=set)


def named(sinks: Iterable[bytes]) -> Mapping[str, _Filled]:
    """The tables that receive logs, by workspace id, according to stored rows of `log_sink`."""
    decoder = msgspec.json.Decoder(_Sink)
    found: dict[str, _Filled] = defaultdict(_Filled)
    for sink in map(decoder.decode, sinks):
        if sink.destination_kind == "workspace" and sink.destination_id is not None:
            filled = found[sink.destination_id]
            filled.tables.update(sink.tables or ())
            if "tables" in sink.unknown:
                filled.untold.add(sink.unknown["tables"])
    return found


class _Workspaces:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._connection, self._unit, self._scope = connection, unit, scope
        self._get = Calls(scope, "workspace.get", per_object=True)
        self._table = Calls(scope, "workspace.table", per_object=True)

    async def collect(self, wanted: Mapping[str, _Filled]) -> Sequence[Coverage]:
        async def one(id_: str) -> None:
            place = WorkspaceId.of(id_)
            if place is None:
                # An id that is not of a workspace cannot be read, and the destination is unknown.
                self._get.refused(Refusal(Reason.BAD_VALUE, "a destination that is not a workspace"))
            else:
                await self._workspace(place, wanted[id_])

        await for_each(sorted(wanted), one, limit=_AT_ONCE)
        return [self._get.coverage(), self._table.coverage()]

    async def _workspace(self, place: WorkspaceId, filled: _Filled) -> None:
        found = seen(await self._connection.gateway.get("workspace.get", WorkspaceItem, **place.segments))
        url, version = source(self._connection.environment, "workspace.get", **place.segments)
        row = Row(WORKSPACE, id=place.id, resource_id=place.id, scope_id=self._scope.id, url=url, version=version)
        row.put("name", place.workspace)
        row.put("subscription_id", place.subscription)
        row.put("resource_group", place.resource_group)
        tables = {table: seen(await get_table(self._connection, place, table)) for table in sorted(filled.tables)}
        retention: int | Refusal
        exists = any(not isinstance(each, Refusal) for each in (found, *tables.values()))
        if isinstance(found, Refusal) and tables and all(is_gone(each) for each in (found, *tables.values())):
            # A setting outlives its workspace, and then what it sends is lost.
            self._get.answered()
            row.put_all(deleted=True, location=None, retention=None)
            self._unit.row("workspace", row.finish())
            return
        row.put_read("deleted", found if isinstance(found, Refusal) and not exists else False)
        if isinstance(found, Refusal):
            self._get.refused(found)
            row.refuse(("location",), found.reason)
            retention = found
        else:
            self._get.answered()
            row.fill(found)
            retention = _days(found.properties.retention_in_days)
        row.put_read("retention", retention)
        self._unit.row("workspace", row.finish())
        for table, answer in tables.items():
            self._log_table(place, table, answer, retention)
        if filled.untold:
            self._unit.row("log_table", self._unread_table(place, min(filled.untold)))

    def _unread_table(self, place: WorkspaceId, why: Reason) -> dict[str, object]:
        """The row for all tables of an unreadable setting."""
        row = self._begun(place, "unread")
        row.refuse(("name", "plan", "retention", "total_retention"), why)
        return row.finish()

    def _begun(self, place: WorkspaceId, table: str) -> Row:
        url, version = source(self._connection.environment, "workspace.table", table=table, **place.segments)
        id_ = f"{place.id}/tables/{table}"
        row = Row(LOG_TABLE, id=id_, resource_id=id_, scope_id=self._scope.id, url=url, version=version)
        row.put("workspace_id", place.id)
        return row

    def _log_table(self, place: WorkspaceId, table: str, found: TableItem | Refusal, otherwise: int | Refusal) -> None:
        row = self._begun(place, table)
        row.put("name", table)
        if isinstance(found, Refusal):
            self._table.refused(found)
            row.refuse(("plan", "retention", "total_retention"), found.reason)
        else:
            self._table.answered()
            _put_table(row, found.properties, otherwise)
        self._unit.row("log_table", row.finish())


async def get_table(connection: Connection, place: WorkspaceId, table: str) -> TableItem | Refusal:
    """A table from Resource Manager."""
    return await connection.gateway.get("workspace.table", TableItem, table=table, **place.segments)


def seen(found: _Answer | Refusal) -> _Answer | Refusal:
    """The answer. To a subscription in which the identity has no role, Resource Manager answers that there is none."""
    if isinstance(found, Refusal) and found.detail == "SubscriptionNotFound":
        return Refusal(Reason.NOT_VISIBLE, found.detail, found.status)
    return found


def is_gone(found: object) -> bool:
    """Whether Resource Manager answered that there is no such resource, in a subscription that the identity sees."""
    return isinstance(found, Refusal) and found.status == 404 and found.detail in _NO_RESOURCE


def plan_of(properties: TableProperties) -> str | Refusal:
    """A table's plan, in Azure's spelling."""
    plan = read(properties.plan, str)
    return plan if isinstance(plan, Refusal) else _PLANS.get(plan.lower(), plan)


def _put_table(row: Row, properties: TableProperties, otherwise: int | Refusal) -> None:
    """Fill the retention columns: -1 means the workspace's retention, and a total of -1 no more than that.

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
