"""Reads Azure's logs, place by place."""

from collections.abc import AsyncIterator, Callable, Collection

from msgspec import Struct, field

from keyaudit.cloud.connection import Clock, Connection
from keyaudit.logs.live.graph import LISTS, read_list, within
from keyaudit.logs.live.log_analytics import read_table
from keyaudit.logs.live.place import Batch, Outcome, Place
from keyaudit.logs.live.search import read_search
from keyaudit.logs.live.sources import COLLECTIONS, SEARCHED, TABLES
from keyaudit.logs.live.summaries import SUMMARIES
from keyaudit.logs.live.workspaces import find, tables
from keyaudit.logs.storing.write import Import
from keyaudit.model.usage import Window

_SIMULATED = ", simulated tenant"
_KEPT = 30
"""The most days for which Entra keeps its logs, with a P1 or P2 licence; without one it keeps them for 7:
https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention
"""


class Wanted(Struct, frozen=True, kw_only=True):
    """What to read: the sources (of `sources.NAMES`), the days, and whether an audit search may be created."""

    window: Window
    sources: Collection[str]
    search: bool = False
    rows: bool = False
    """Whether every record is fetched, also of tables that can be summarized."""
    simulated: bool = False


class Reading(Struct, kw_only=True):
    """One reading of one tenant. `known` and `outcome` are filled during the reading."""

    connection: Connection
    clock: Clock
    wanted: Wanted
    known: Import
    outcome: Outcome
    tell: Callable[[str], None]
    """Receives a message about each object that is created."""
    _there: set[str] = field(default_factory=set)
    """The logs that any place contains."""

    async def batches(self) -> AsyncIterator[Batch]:
        """The uses of each place, per answer, followed by its reading result.

        Refusals are in the reading results. Raises UnsafeError for records of another tenant.
        """
        async for batch in self._workspaces():
            yield batch
        async for batch in self._lists():
            yield batch
        if self.wanted.search:
            self._there.add(SEARCHED)
            place = self._place("graph:security/auditLog/queries", "Microsoft Graph", SEARCHED)
            async for batch in read_search(self.connection.gateway, self.clock, place, self.wanted.window, self.tell):
                yield batch
        yield [self._nowhere(log).read() for log in sorted(self._logs() - self._there)]

    async def _workspaces(self) -> AsyncIterator[Batch]:
        names = [name for name in TABLES if name in self.wanted.sources]
        if not names:
            return
        workspaces, refusal = await find(self.connection)
        if refusal is not None:
            # An unseen workspace may have any of these.
            logs = {TABLES[name] for name in names}
            place = self._place("log-analytics", "Log Analytics", *logs)
            place.refused(refusal, "workspace.query")
            self._there.update(logs)
            yield [place.read()]
        for table in await tables(self.connection, workspaces, names):
            summary = None if self._by_row(TABLES[table.name]) else SUMMARIES.get(table.name)
            form = "Log Analytics, summarized" if summary else "Log Analytics"
            place = self._place(f"log-analytics:{table.workspace.name}/{table.name}", form, TABLES[table.name])
            as_of = self.clock.now()
            async for batch in read_table(self.connection.gateway, table, place, self.wanted.window, as_of, summary=summary):
                self._there.add(TABLES[table.name])
                yield batch

    def _by_row(self, log: str) -> bool:
        """Whether all records of a log are fetched: also if another place has them, so that each is counted once."""
        elsewhere = {each for name, logs in COLLECTIONS.items() if name in self.wanted.sources for each in logs}
        return self.wanted.rows or log in elsewhere or (self.wanted.search and log == SEARCHED)

    async def _lists(self) -> AsyncIterator[Batch]:
        for collection, operation, asked in LISTS:
            if collection in self.wanted.sources:
                self._there.update(COLLECTIONS[collection])
                name = "/".join(("graph:auditLogs", collection, *asked.values()))
                place = self._place(name, "Microsoft Graph", *COLLECTIONS[collection])
                place.kept(_KEPT, self.clock.now())
                async for batch in read_list(self.connection.gateway, operation, place, **asked, **within(self.wanted.window)):
                    yield batch

    def _logs(self) -> set[str]:
        """The logs in the sources."""
        named = {TABLES[name] for name in self.wanted.sources if name in TABLES}
        return named.union(*(COLLECTIONS[name] for name in self.wanted.sources if name in COLLECTIONS))

    def _nowhere(self, log: str) -> Place:
        place = self._place(f"log-analytics:{log}", "Log Analytics", log)
        search = ", or search for it with --audit-search" if log == SEARCHED else ""
        place.lacks(f"no workspace that this identity sees has such a table: send the log to one{search}")
        return place

    def _place(self, name: str, form: str, *logs: str) -> Place:
        form = f"{form}{_SIMULATED if self.wanted.simulated else ''}"
        return Place(name, form, logs, self.wanted.window, known=self.known, outcome=self.outcome)
