"""Unmet expectations of a snapshot, each as a required gap."""

# ruff: noqa: S608 - every name in this SQL is declared in this program

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Gap
from keyaudit.model.schema.columns import Table
from keyaudit.model.scope.filters import matching
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_date

_LISTED_IN_VAULTS = ("key", "certificate", "secret")


def unmet(snapshot: Snapshot, expected: Expectations, earlier: Snapshot | None = None) -> Sequence[Gap]:
    """A gap for each unmet expectation. Shrinkage is measured against `earlier`, if given."""
    if not expected:
        return ()
    tenant = Scope(f"/tenants/{snapshot.run.tenant_id}".lower(), snapshot.run.tenant_name, ScopeKind.TENANT)
    found = [*_unseen(snapshot, expected, tenant), *_too_few(snapshot, expected, tenant)]
    if expected.shrinkage is not None and earlier is not None:
        found += _shrunk(snapshot, earlier, expected.shrinkage, tenant)
    return tuple(found)


def without_subscriptions(snapshot: Snapshot, expected: Expectations) -> Snapshot:
    """The snapshot, in which Azure's lists are empty and were read, if the tenant is said to have no subscriptions.

    Only where the identity saw none: one that it sees is audited like any other.
    """
    seen_none = any(
        each.operation == "subscription.list" and each.reason is Reason.NOTHING_VISIBLE for each in snapshot.coverage
    )
    if not (expected.no_subscriptions and seen_none):
        return snapshot
    return replace(snapshot, coverage=tuple(map(_empty, snapshot.coverage)))


def _empty(record: Coverage) -> Coverage:
    of_subscriptions = record.scope.kind is ScopeKind.TENANT and OPERATIONS[record.operation].surface is Surface.ARM
    if of_subscriptions and record.reason in (Reason.NOTHING_VISIBLE, Reason.PARENT_NOT_ASSESSED):
        return replace(record, state=State.ASSESSED, reason=None)
    return record


def _unseen(snapshot: Snapshot, expected: Expectations, tenant: Scope) -> Iterator[Gap]:
    # A subscription of another tenant does not count, even with a matching name.
    scopes = {
        each.scope
        for each in snapshot.coverage
        if each.scope.kind is ScopeKind.SUBSCRIPTION and each.reason is not Reason.OTHER_TENANT
    }
    named = [name for scope in scopes for name in (scope.name, scope.id, scope.id.rpartition("/")[2])]
    for pattern in _missing(expected.subscriptions, named):
        yield _gap(tenant, Reason.NOT_VISIBLE, ("subscription.list",), f"expected subscription {one_line(pattern)}")
    vaults: list[str] = []
    if expected.vaults:
        with snapshot.reading() as connection:
            rows = connection.execute(f"SELECT name, id FROM {snapshot.stored('vault')}").fetchall()
        vaults = [name for row in rows for name in row if name]
    for pattern in _missing(expected.vaults, vaults):
        yield _gap(tenant, Reason.NOT_VISIBLE, (*VAULTS_FOUND, *HSMS_FOUND), f"expected vault {one_line(pattern)}")


def _too_few(snapshot: Snapshot, expected: Expectations, tenant: Scope) -> Iterator[Gap]:
    for name, least in sorted(expected.at_least.items()):
        table, seen = TABLES[name], snapshot.run.rows.get(name, 0)
        if seen < least:
            what = f"{table.plural}: {seen:,} seen, at least {least:,} expected"
            yield _gap(tenant, Reason.NOT_VISIBLE, table.listed_by, what)


def _shrunk(snapshot: Snapshot, earlier: Snapshot, percent: int, tenant: Scope) -> Iterator[Gap]:
    """The evidence that is no longer supplied, the tables with too few rows, and the vaults that lost all objects of a kind."""
    then = iso_date(earlier.run.as_of)
    for evidence in sorted(earlier.run.evidence.keys() - snapshot.run.evidence.keys()):
        what = f"{one_line(evidence)}: not supplied, supplied on {then}"
        yield _gap(tenant, Reason.SHRINKAGE, (), what)
    for table in TABLES.values():
        # Tables from supplied evidence do not depend on what the identity can see.
        before, now = earlier.run.rows.get(table.name, 0), snapshot.run.rows.get(table.name, 0)
        if table.listed_by and now * 100 < before * (100 - percent):
            what = f"{table.plural}: {now:,} seen, {before:,} on {then}; at most {percent} % fewer expected"
            yield _gap(tenant, Reason.SHRINKAGE, table.listed_by, what)
    vaults = {each.scope.id: each.scope for each in snapshot.coverage if each.scope.kind is ScopeKind.VAULT}
    for name in _LISTED_IN_VAULTS:
        before_by, now_by = _by_vault(earlier, TABLES[name]), _by_vault(snapshot, TABLES[name])
        for id_ in sorted(before_by.keys() & vaults.keys() - now_by.keys()):
            what = f"{TABLES[name].plural}: none seen, {before_by[id_]:,} on {then}"
            yield _gap(vaults[id_], Reason.SHRINKAGE, (f"{name}.list",), what)


def _by_vault(snapshot: Snapshot, table: Table) -> dict[str, int]:
    with snapshot.reading() as connection:
        query = f"SELECT lower(scope_id), count(*) FROM {snapshot.stored(table.name)} GROUP BY 1"
        return dict(connection.execute(query).fetchall())


def _missing(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    seen = matching(patterns, names)
    return [pattern for pattern in patterns if pattern not in seen]


def _gap(scope: Scope, reason: Reason, operations: Sequence[str], detail: str) -> Gap:
    return Gap(scope=scope, reason=reason, operations=tuple(operations), detail=detail)
