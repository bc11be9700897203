"""The reads of a derived column: all that can change it, and of operations no others."""

from collections.abc import Callable

import pytest

from keyaudit.inventory.facts.joins import Cell
from keyaudit.inventory.reads import operations, operations_elsewhere, operations_of, read_by, reads_of
from keyaudit.model.coverage import Coverage
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.tables import TABLES
from tests.inventory.cells import Cells, Tenant, unread_item

_DERIVED = [(table.name, column.name) for table in TABLES.values() for column in table.derived]
_STORED = {name: [column.name for column in table.stored if column.can_be_unknown] for name, table in TABLES.items()}
_TURNS = max(map(len, _STORED.values()))
_PERMISSIONS = ("app_roles", "directory_roles", "wide_azure_roles")
_ROLES = {"role_definition.query", "hsm.role_definition.list", "directory_role.definitions"}
"""The operations that fill the names of roles, each of roles of another kind."""


def test_every_derived_column_has_an_expression_or_declares_what_its_sql_reads() -> None:
    for table, column in _DERIVED:
        assert set(operations_of(table, column)) <= OPERATIONS.keys(), (table, column)
        assert not TABLES[table].by_name[column].operations, (table, column)
        # Only what comes from evidence rests on no answer of Azure.
        asked = reads_of(table, column) or TABLES[table].needs
        assert asked, (table, column)


def test_all_tables_together_depend_on_no_operation_for_a_derived_column_alone() -> None:
    assert operations() == operations(*TABLES)
    assert operations("key") < operations()


def test_rows_that_other_operations_list_or_fill_do_not_count() -> None:
    held = {
        name: set(operations_of("service_principal", name)) for name in ("app_roles", "directory_roles", "wide_azure_roles")
    }
    lists = {"service_principal.app_roles", "directory_role.assignments", "role_assignment.query", "delegated_grant.list"}
    assert held["app_roles"] & (lists | _ROLES) == {"service_principal.app_roles"}
    assert held["directory_roles"] & (lists | _ROLES) == {"directory_role.assignments", "directory_role.definitions"}
    assert held["wide_azure_roles"] & (lists | _ROLES) == {"role_assignment.query", "role_definition.query"}


def test_a_column_of_a_derived_table_depends_on_all_that_fills_it() -> None:
    # Through the table of permissions: an agent's type decides which of them its blueprint has.
    assert "agent.get" in operations_of("application", "tier0")
    assert "agent.get" in operations_of("certificate", "outsiders_signing")
    assert {"credential.holder_tier0", "certificate.authenticates_tier0"} <= set(read_by("directory_role.definitions"))
    assert "service_principal.app_roles" in operations_elsewhere("application", "app_role_count")
    assert "key" in read_by("key.list")


def test_whether_a_key_that_is_used_exists_depends_on_the_lists_of_what_may_hold_it() -> None:
    for column in ("key_found", "current_version", "key_enabled"):
        assert {"vault.query", "vault.list", "hsm.query", "hsm.list"} <= set(operations_of("key_use", column)), column


def test_what_a_row_would_not_be_there_without_is_its_own() -> None:
    assert "domain.federation" in operations_of("signing_certificate", "has_successor")
    assert "domain.federation" not in operations_elsewhere("signing_certificate", "has_successor")
    assert "domain.federation" in operations_elsewhere("signing_certificate", "mfa_trusted")
    assert operations_elsewhere("key", "superseded_enabled") == frozenset()
    assert "application.list" in operations_elsewhere("credential", "on_application_too")


@pytest.mark.exhaustive
def test_what_changes_where_a_stored_column_is_unknown_reads_it() -> None:
    """In each turn one column of every table is unknown, in a third of its rows."""
    tenant = Tenant()
    wrong = set()
    for turn in range(_TURNS):
        unread = {name: columns[turn : turn + 1] for name, columns in _STORED.items() if turn < len(columns)}
        hidden = {(table, column) for table, [column] in unread.items()}
        for table, column in _changed(tenant.whole, tenant.cells(unread=unread)):
            read = {(each.of.table, each.of.column) for each in reads_of(table, column) if isinstance(each.of, Cell)}
            if read.isdisjoint(hidden):
                wrong.add((table, column, turn))
    assert wrong == set()


@pytest.mark.exhaustive
def test_what_changes_where_a_list_of_grants_lacks_an_item_depends_on_that_operation() -> None:
    """The SQL that counts who has access is written by hand, and so is what it reads."""
    tenant = Tenant()
    wrong = set()
    for lacking in TABLES["grant"].listed_by:
        coverage = unread_item(tenant.coverage, _of(lacking))
        for table, column in _changed(tenant.whole, tenant.cells(coverage=coverage)):
            if lacking not in {*TABLES[table].listed_by, *operations_of(table, column)}:
                wrong.add((table, column, lacking))
    assert wrong == set()


def _of(operation: str) -> Callable[[Coverage], bool]:
    return lambda record: record.operation == operation


def _changed(whole: Cells, cells: Cells) -> set[tuple[str, str]]:
    return {(table, column) for (table, column, id_), values in whole.items() if cells.get((table, column, id_)) != values}
