"""A tenant whose logs hold the events of `made`, read through the real gateway into a real log store."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from keyaudit.cloud.connection import connect
from keyaudit.cloud.environment import ENVIRONMENTS, Environment
from keyaudit.inventory.logs import FileRead, LogStore, Use
from keyaudit.inventory.logs.token import Token
from keyaudit.logs.live.place import Outcome
from keyaudit.logs.live.run import Reading, Wanted
from keyaudit.logs.live.sources import chosen
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.usage import Window
from keyaudit.model.values.times import parse_date
from keyaudit.simulator.estate import Domain, Estate, Logs, Row, Subscription, Workspace
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator, serve
from tests.collect.estate import AS_OF
from tests.collect.rig import Clock, signing_in
from tests.collect.usage import forms, made

WINDOW = Window(since=parse_date("2026-03-30"), until=parse_date("2026-04-02"))
SUBSCRIPTION = "5ab5c71b-0000-4000-8000-0000000000aa"
MAIN = Workspace(name="log-main", subscription=SUBSCRIPTION, resource_group="rg-logs", retention_days=365)
_TIMES = ("TimeGenerated", "createdDateTime", "activityDateTime")


class Given:
    """Events that a test names: rows by workspace and table, objects by collection."""

    def __init__(self, tables: Mapping[tuple[str, str], Iterable[Row]] | None = None, **collections: Iterable[Row]) -> None:
        self._tables = {place: list(rows) for place, rows in (tables or {}).items()}
        self._collections = {name: list(objects) for name, objects in collections.items()}

    def table(self, workspace: str, table: str, first: float, until: float) -> Sequence[Row] | None:
        rows = self._tables.get((workspace, table))
        return None if rows is None else _between(rows, first, until)

    def graph(self, collection: str, first: float, until: float) -> Sequence[Row]:
        return _between(self._collections.get(collection, []), first, until)


def _between(rows: Iterable[Row], first: float, until: float) -> list[Row]:
    def moment(row: Row) -> float:
        text = str(next(row[name] for name in _TIMES if name in row))
        return datetime.datetime.fromisoformat(text).timestamp()

    return sorted((row for row in rows if first <= moment(row) < until), key=moment)


def plain(row: Mapping[str, Any]) -> Row:
    """A row of `made` as the simulator takes it: times as text."""
    return {name: made.iso(value) if isinstance(value, datetime.datetime) else value for name, value in row.items()}


def estate(events: Given, *workspaces: Workspace, **logs: Any) -> Estate:
    """The tenant of `made`, with these events in its logs."""
    return Estate(
        name="logged",
        as_of=AS_OF,
        tenant_id=made.TENANT,
        tenant_name="Logged",
        tenant_created=AS_OF - 10,
        domains=(Domain(name="contoso.example", default=True),),
        subscriptions=(Subscription(id=SUBSCRIPTION, name="logs"),),
        vaults=(),
        applications=(),
        service_principals=(),
        logs=Logs(workspaces=workspaces or (MAIN,), events=events, **logs),
    )


TABLES = {
    ("log-main", "AZKVAuditLogs"): [plain(made.kv_row(each)) for each in made.requests()],
    ("log-main", "AADServicePrincipalSignInLogs"): [plain(made.sign_in_row(each)) for each in made.sign_ins()],
    ("log-main", "AuditLogs"): [plain(made.change_row(each)) for each in made.changes()],
    ("log-main", "OfficeActivity"): [plain(made.mail_row(each)) for each in made.mail()],
}
COLLECTIONS: dict[str, list[Row]] = {
    "servicePrincipal": [made.sign_in_graph(each) for each in made.sign_ins()],
    "directoryAudits": [made.change_graph(each) for each in made.changes()],
    "records": [made.mail_graph(each) for each in made.mail()],
}
LOGGED = estate(Given(TABLES, **COLLECTIONS))
EXPORTED = forms.FORMS["query"]
"""The records that are in tables, exported to files."""


class Waiting(Clock):
    """Stands at a time, and notes how long it was slept for."""

    def __init__(self, as_of: int) -> None:
        super().__init__()
        self._as_of = as_of
        self.slept: list[float] = []

    def now(self) -> int:
        return self._as_of

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Came:
    """What a reading came to."""

    store: LogStore
    outcome: Outcome
    simulator: Simulator
    told: list[str]
    slept: list[float]
    longest: int
    """Uses in hand at once, at most."""

    def trouble(self) -> dict[str, tuple[str, ...]]:
        """By place, what was not read."""
        return {file.file: file.trouble for file in self.store.files if not file.complete}


async def collected(
    folder: Path,
    *faults: Fault,
    tenant: Estate = LOGGED,
    sources: Sequence[str] = (),
    search: bool = False,
    window: Window = WINDOW,
    as_of: int | None = None,
    rows: bool = True,
    earlier: LogStore | None = None,
    environment: Environment = ENVIRONMENTS["public"],
) -> Came:
    """One reading, into a new folder; without a time on the day after the window."""
    clock, known, outcome, told = Waiting(as_of or window.until), Import(), Outcome(), list[str]()
    async with (
        serve(tenant, faults=faults) as simulator,
        connect(signing_in(simulator, environment), clock=clock, prompt=print) as connection,
    ):
        known.tenant_id = connection.identity.tenant_id
        wanted = Wanted(window=window, sources=chosen(sources), search=search, rows=rows)
        reading = Reading(connection=connection, clock=clock, wanted=wanted, known=known, outcome=outcome, tell=told.append)
        batches: list[Sequence[Use | Token | FileRead]] = [batch async for batch in reading.batches()]
    store = write_logs(folder, (each for batch in batches for each in batch), known, earlier)
    return Came(store=store, outcome=outcome, simulator=simulator, told=told, slept=clock.slept, longest=max(map(len, batches)))


def changed(tenant: Estate, **logs: Any) -> Estate:
    """The tenant with other settings of its logs."""
    return replace(tenant, logs=replace(tenant.logs, **logs))
