"""What happens to other objects makes no column unknown but those that rest on a whole list, as `rests_on` declares."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import pytest
from msgspec import structs

from keyaudit.inventory import views
from keyaudit.inventory.rows import stored_types
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.columns import Column, RestsOn, Type
from keyaudit.model.coverage import Coverage, ScopeKind, State
from keyaudit.model.evidence import EVIDENCE, USAGE_BASELINE
from keyaudit.model.reasons import Reason
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from tests.estates import snapshot
from tests.inventory.sample import row

Cell = tuple[str, str, str]
"""Table, column, and id of a row."""
Cells = Mapping[Cell, tuple[object, ...]]
"""By cell the value, as many bounds as it has, and the reason why it is unknown."""

_DERIVED = [(table.name, column) for table in TABLES.values() for column in table.derived]
_WHERE = ("scope_id", "source_url", "source_version")


class Tenant:
    """A tenant whose rows and coverage can be had otherwise than they are; where it has no row of a table, with one."""

    def __init__(self) -> None:
        self._found = open_snapshot(snapshot("contoso"))
        evidence = dict.fromkeys((*EVIDENCE, USAGE_BASELINE), "")
        self._run = structs.replace(self._found.run, evidence=evidence)
        self.coverage = self._found.coverage
        self.whole = self.cells()

    def cells(self, *, strangers: bool = False, coverage: tuple[Coverage, ...] = ()) -> Cells:
        """Every derived column of every row. `strangers`: add, for each table and kind of row, another row with unknown columns
        that no other row refers to.
        """
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET disabled_optimizers = 'partial_aggregate_pushdown'")
            for name in TABLES:
                connection.execute(f"CREATE TABLE s_{name} AS FROM {self._found.stored(name)}")
                if not self._found.tables[name].rows:
                    self._put(connection, name)
            if strangers:
                for name in TABLES:
                    connection.execute(f"INSERT INTO s_{name} BY NAME {_stranger(name)}")
            sources = {name: f"s_{name}" for name in TABLES}
            views.create(
                connection,
                sources,
                coverage or self.coverage,
                self._run,
                self._run.as_of,
                names=tuple(TABLES),
                small=(),
                kept=tuple(TABLES),
                reach_known=True,
            )
            return dict(_read(connection))

    def _put(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        made = row(name, f"{self._run.tenant_id}/{name}/1", scope_id=f"/tenants/{self._run.tenant_id}")
        known = {column: value for column, value in made.items() if column != "unknown" and value is not None}
        names = ", ".join(known)
        connection.execute(
            f"INSERT INTO s_{name} ({names}, unknown) VALUES ({', '.join('?' * len(known))}, MAP {{}})", list(known.values())
        )


def _stranger(name: str) -> str:
    """SQL of a row like each kind in the table, with only the id and the place known."""
    table, types = TABLES[name], stored_types(TABLES[name])
    read = [column for column in table.stored if column.can_be_unknown and not column.needs]
    kinds = [column.name for column in table.stored if column not in read and (column.values or column.type is not Type.TEXT)]

    def value(column: Column) -> str:
        if column in read:
            return f"NULL::{types[column.name]} AS {column.name}"
        if column.name in kinds or column.name in _WHERE or column.type is not Type.TEXT:
            return column.name
        return f"'/tenants/strange/{name}/{column.name}/' || row_number() OVER () AS {column.name}"

    reasons = ", ".join(f"'{column.name}': '{Reason.BAD_ITEM}'" for column in read)
    distinct = f"DISTINCT ON ({', '.join(kinds)}) *" if kinds else "*"
    of_each = f"SELECT {distinct} FROM s_{name}" + ("" if kinds else " LIMIT 1")
    columns = ", ".join(map(value, table.stored))
    return f"SELECT {columns}, MAP {{{reasons}}}::MAP(VARCHAR, VARCHAR) AS unknown FROM ({of_each})"


def _read(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Cell, tuple[object, ...]]]:
    for table in TABLES.values():
        for column in table.derived:
            names = ", ".join(view_name(column))
            found = connection.execute(f"SELECT id, {names}, unknown['{column.name}'] FROM {table.name}").fetchall()
            yield from (((table.name, column.name, id_), tuple(rest)) for id_, *rest in found)


def _unread(tenant: Tenant, which: Callable[[Coverage], bool]) -> tuple[Coverage, ...]:
    """The coverage with one more item in each of those lists, which could not be read."""
    more: dict[str, Any] = {"state": State.PARTIAL, "reason": Reason.BAD_ITEM, "received": 1, "quarantined": 1}
    counts: dict[str, Any] = {"kept": 0, "duplicate": 0, "refused": 0}
    return tuple(
        structs.replace(record, **more, **counts) if record.state is State.ASSESSED and which(record) else record
        for record in tenant.coverage
    )


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """One for all tests here."""
    return Tenant()


@pytest.fixture(scope="module")
def changed(tenant: Tenant) -> frozenset[tuple[str, str]]:
    """The columns, by table, that differ in some row once there are additional rows, or an unread item in a list of the tenant,
    or in any list of one vault, Managed HSM or subscription; in rows that are not in its scope.
    """
    found = {*_differing(tenant, tenant.cells(strangers=True), "")}
    found |= _differing(tenant, tenant.cells(coverage=_unread(tenant, lambda each: each.scope.kind is ScopeKind.TENANT)), "")
    for kind in (ScopeKind.VAULT, ScopeKind.MANAGED_HSM, ScopeKind.SUBSCRIPTION):
        place = min(record.scope.id for record in tenant.coverage if record.scope.kind is kind)
        unread = _unread(tenant, lambda each, place=place: each.scope.id == place)  # type: ignore[misc]
        found |= _differing(tenant, tenant.cells(coverage=unread), place)
    return frozenset(found)


def _differing(tenant: Tenant, cells: Cells, place: str) -> set[tuple[str, str]]:
    """`place`: the scope whose rows are left out."""
    vault = f"//{place.rpartition('/')[2]}." if place else " "
    return {
        (table, column)
        for (table, column, id_), value in tenant.whole.items()
        if cells[table, column, id_] != value and not (place and (id_.startswith(place) or vault in id_))
    }


def test_every_derived_column_declares_what_it_rests_on_and_no_other_does() -> None:
    assert [(table, column.name) for table, column in _DERIVED if column.rests_on is None] == []
    stored = [(table.name, column.name) for table in TABLES.values() for column in table.stored if column.rests_on is not None]
    assert stored == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TABLES)
def test_what_happens_to_others_changes_only_what_rests_on_a_whole_list(
    name: str, changed: frozenset[tuple[str, str]], tenant: Tenant
) -> None:
    assert {table for table, _, _ in tenant.whole} == {table for table, _ in _DERIVED}
    declared = {column.name: column.rests_on for column in TABLES[name].derived}
    assert {column for table, column in changed if table == name and declared[column] is not RestsOn.LIST} == set()


EVERY_SIGNER_IS_NAMED = {("key", "signers_named")}
"""It is true of every key here, and what is missing makes it no other."""
ON_RECORD = {("credential", "repository_listed"), ("credential", "immutable_credential")}
"""They compare the ids of the credentials that were read with a supplied list, and none is supplied here."""


@pytest.mark.exhaustive
def test_what_rests_on_a_whole_list_is_changed_by_what_is_missing_from_it(changed: frozenset[tuple[str, str]]) -> None:
    # Of evidence that is supplied nothing is missing here.
    of_azure = [(table, column) for table, column in _DERIVED if not column.needs and not TABLES[table].needs]
    listed = {(table, column.name) for table, column in of_azure if column.rests_on is RestsOn.LIST}
    assert listed - changed == EVERY_SIGNER_IS_NAMED | ON_RECORD
