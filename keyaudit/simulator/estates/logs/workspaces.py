"""The events of the simulated year, in workspaces and as Graph returns them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.estates.logs import changes, shapes
from keyaudit.simulator.estates.logs.year import IDENTITIES, KEYS, MAIL, SIGN_INS, Year

Moments = Iterator[tuple[int, Row]]


def _rows(log: str, shape: Callable[[Row], Row] = dict) -> Callable[[Year, range], Moments]:
    """Records of one of the year's logs, in another shape."""
    return lambda year, days: ((line.moment, shape(json.loads(line.text))) for line in year.lines(days) if line.log == log)


def _nothing(_year: Year, _days: range) -> Moments:
    return iter(())


def _both(*several: Callable[[Year, range], Moments]) -> Callable[[Year, range], Moments]:
    """The records of several logs, in the order of time."""
    return lambda year, days: iter(sorted((row for each in several for row in each(year, days)), key=lambda row: row[0]))


_TABLES: Mapping[str, Callable[[Year, range], Moments]] = {
    "AZKVAuditLogs": _both(_rows(KEYS), changes.looks),
    "AzureDiagnostics": changes.hsm_uses,
    "AADServicePrincipalSignInLogs": _rows(SIGN_INS),
    "AADManagedIdentitySignInLogs": _rows(IDENTITIES),
    "SigninLogs": changes.sign_ins,
    "AuditLogs": lambda year, days: ((on, shapes.audit_row(year.ground, audit)) for on, audit in changes.changes(year, days)),
    "OfficeActivity": _rows(MAIL, shapes.office_row),
    "AzureActivity": changes.writes,
}
_ELSEWHERE: Mapping[tuple[str, str], Callable[[Year, range], Moments]] = {
    ("log-people", "AzureDiagnostics"): changes.payroll,
}
"""Workspaces with other events in a table that an earlier workspace has, too."""
_COLLECTIONS: Mapping[str, Callable[[Year, range], Moments]] = {
    "servicePrincipal": _rows(SIGN_INS, shapes.graph_sign_in),
    "interactiveUser": lambda year, days: ((on, shapes.graph_user_sign_in(row)) for on, row in changes.sign_ins(year, days)),
    "directoryAudits": changes.changes,
    "records": _rows(MAIL, shapes.graph_record),
}


class Held(Struct, frozen=True, kw_only=True):
    """A year's events. `tables`: the tables of each workspace. Each log is in one workspace."""

    year: Year
    tables: Mapping[str, Sequence[str]]

    def table(self, workspace: str, table: str, first: float, until: float) -> Sequence[Row] | None:
        """The rows of a table; if an earlier workspace has it too, this workspace's own rows."""
        if table not in self.tables.get(workspace, ()):
            return None
        holder = next(name for name, tables in self.tables.items() if table in tables)
        own = _TABLES[table] if holder == workspace else _ELSEWHERE.get((workspace, table), _nothing)
        return self._between(own, first, until)

    def graph(self, collection: str, first: float, until: float) -> Sequence[Row]:
        """The objects in a collection; there are sign-ins of the kinds `servicePrincipal` and `interactiveUser`."""
        return self._between(_COLLECTIONS.get(collection, _nothing), first, until)

    def _between(self, happened: Callable[[Year, range], Moments], first: float, until: float) -> Sequence[Row]:
        days = range(max(0, int(first - self.year.first) // DAY), min(365, int(until - 1 - self.year.first) // DAY + 1))
        return [row for on, row in happened(self.year, days) if first <= on < until]
