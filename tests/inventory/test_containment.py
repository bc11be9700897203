"""What happens to other objects changes no column but those whose expressions ask for a whole list."""

import pytest

from keyaudit.inventory.facts.joins import Listed
from keyaudit.inventory.reads import reads_of
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


def _asks(table: str, column: str) -> bool:
    """Whether it rests on a whole list: the number of other objects, or that there are none.

    A list that matters only where the one row that is named was not read is none of its own.
    """
    return any(isinstance(each.of, Listed) and not (each.own or each.if_missing) for each in reads_of(table, column))


THERE_IS_NONE = {
    ("subscription", "defender_for_key_vault"),
    ("credential", "subject_dangling"),
    *(("app_management_policy", f"{new}{name}") for new in ("", "new_") for name in ("secret_limit", "uris_restricted")),
    *(("app_management_policy", f"new_{name}") for name in ("certificate_limit", "custom_secrets_blocked")),
}
"""They name one row, and that it is not there decides, too."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TABLES)
def test_what_happens_to_others_changes_only_what_rests_on_a_whole_list(
    name: str, changed: frozenset[tuple[str, str]], tenant: Tenant
) -> None:
    assert {table for table, _, _ in tenant.whole} == {table for table, _ in _DERIVED}
    found = {(table, column) for table, column in changed if table == name and not _asks(table, column)}
    assert found - THERE_IS_NONE == set()


EVERY_SIGNER_IS_NAMED = {("key", "signers_named")}
"""It is true of every key here, and what is missing makes it no other."""

OF_ITS_OWN = {
    *(("vault", f"audit_{name}") for name in ("logged", "searchable", "destinations", "retention")),
    *(("vault", name) for name in ("keys_through_arm", "holds_signing_key", "apps_in_it", "environments_in_it")),
    *(("subscription", f"activity_log_{name}") for name in ("exported", "categories", "searchable")),
    *(("log_sink", name) for name in ("searchable", "retention", "total_retention")),
    ("key", "audit_retention"),
    *(("key_use", name) for name in ("current_version", "current_since", "key_found", "key_enabled", "key_expires_on")),
    *(("secret_use", name) for name in ("current_version", "current_since")),
}
"""They rest on the lists of their own vault or subscription, or of the one that they name."""

OF_WHAT_IT_NAMES = {
    *(("grant", name) for name in ("principal_kind", "principal_name", "principal_app_id", "scope_name", "holders_named")),
    *(("grant", name) for name in ("principals", "humans", "workloads", "foreign")),
}
"""SQL by hand reads them of the principal or subscription that a grant names."""

NOT_HERE = {
    ("service_principal", "limits_exist"),
    ("grant", "in_test"),
    *(("conditional_access_policy", name) for name in ("free_everywhere", "blocks_nowhere")),
}
"""A policy for workloads is found in any case, and so is a location that a policy excludes; no environment has a rule."""


@pytest.mark.exhaustive
def test_what_rests_on_a_whole_list_is_changed_by_what_is_missing_from_it(changed: frozenset[tuple[str, str]]) -> None:
    # Of evidence that is supplied nothing is missing here.
    of_azure = [(table, column) for table, column in _DERIVED if not column.needs and not TABLES[table].needs]
    listed = {(table, column.name) for table, column in of_azure if _asks(table, column.name)}
    assert listed - changed == EVERY_SIGNER_IS_NAMED | OF_ITS_OWN | OF_WHAT_IT_NAMES | NOT_HERE
