"""Destinations and retention of logs, and alert rules."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

Row = Mapping[str, object]


class LogTable(Struct, frozen=True, kw_only=True):
    """A log table whose plan or retention was changed. -1: the workspace's."""

    name: str
    plan: str = "Analytics"
    retention_days: int = -1
    total_days: int = -1


class Workspace(Struct, frozen=True, kw_only=True):
    """A Log Analytics workspace. Tables that are not named are on the plan Analytics, with the workspace's retention."""

    name: str
    subscription: str
    resource_group: str
    location: str = "westeurope"
    retention_days: int = 90
    tables: tuple[LogTable, ...] = ()
    refused: bool = False
    """Whether the identity may not read it."""
    sentinel: tuple["SentinelRule", ...] | None = None
    """Its analytics rules; None: Microsoft Sentinel is not set up in it."""


class AlertRule(Struct, frozen=True, kw_only=True):
    """An alert rule: on the activity log if `operation` is set, otherwise on the rows of `query`."""

    name: str
    subscription: str
    resource_group: str
    operation: str | None = None
    query: str = ""
    enabled: bool = True
    action_group: str | None = None


class SentinelRule(Struct, frozen=True, kw_only=True):
    """An analytics rule of Microsoft Sentinel."""

    id: str
    name: str
    kind: str = "Scheduled"
    query: str | None = ""
    enabled: bool = True
    incident: bool = True
    """Whether its alerts become incidents."""


class Events(Protocol):
    """The contents of the logs. Times are seconds since 1970, from `first` (inclusive) to `until` (exclusive)."""

    def table(self, workspace: str, table: str, first: float, until: float) -> Sequence[Row] | None:
        """The rows of a workspace's table, by column, in the order of their times; None: there is no such table."""
        ...

    def graph(self, collection: str, first: float, until: float) -> Sequence[Row]:
        """Graph's objects: sign-ins of a kind (`servicePrincipal`, ...), `directoryAudits`, or the `records` of a search."""
        ...


class Logs(Struct, frozen=True, kw_only=True):
    """All logging of a tenant. Settings are diagnostic settings as ARM shows them; by default nothing is exported."""

    workspaces: tuple[Workspace, ...] = ()
    entra_settings: tuple[dict[str, object], ...] = ()
    entra_refused: bool = False
    """Whether the identity may not read the diagnostic settings of Entra, as is usual."""
    alert_rules: tuple[AlertRule, ...] = ()
    events: Events | None = None
    """None: no workspace has tables, and Graph's lists are empty."""
    most_rows: int = 500_000
    """The maximum number of rows in an answer to a query; longer ones are cut off."""
