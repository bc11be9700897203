"""What happens to other objects makes no column unknown but those that rest on a whole list, as `rests_on` declares."""

import pytest

from keyaudit.model.columns import RestsOn
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.tables import TABLES
from tests.inventory.cells import Cells, Tenant, unread_item

_DERIVED = [(table.name, column) for table in TABLES.values() for column in table.derived]


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
    found |= _differing(
        tenant, tenant.cells(coverage=unread_item(tenant.coverage, lambda each: each.scope.kind is ScopeKind.TENANT)), ""
    )
    for kind in (ScopeKind.VAULT, ScopeKind.MANAGED_HSM, ScopeKind.SUBSCRIPTION):
        place = min(record.scope.id for record in tenant.coverage if record.scope.kind is kind)
        unread = unread_item(tenant.coverage, lambda each, place=place: each.scope.id == place)  # type: ignore[misc]
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

BY_DEFAULT = {("app_management_policy", name) for name in ("certificate_limit", "custom_secrets_blocked")}
"""They fall back to the default policy, which here says the same as a policy that limits nothing old."""

NOT_HERE = {("certificate", "superseded_signs_in"), ("service_principal", "limits_exist")}
"""No certificate here has an earlier version that can be downloaded, and a policy for workloads is found in any case."""


@pytest.mark.exhaustive
def test_what_rests_on_a_whole_list_is_changed_by_what_is_missing_from_it(changed: frozenset[tuple[str, str]]) -> None:
    # Of evidence that is supplied nothing is missing here.
    of_azure = [(table, column) for table, column in _DERIVED if not column.needs and not TABLES[table].needs]
    listed = {(table, column.name) for table, column in of_azure if column.rests_on is RestsOn.LIST}
    assert listed - changed == EVERY_SIGNER_IS_NAMED | ON_RECORD | BY_DEFAULT | NOT_HERE
