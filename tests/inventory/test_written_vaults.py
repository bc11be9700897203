"""The vaults that a principal which may write vaults can give itself access to: those under access policies, or unknown.

https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy and .../rbac-migration
"""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, assessed, refused, row, vault
from tests.inventory.test_privilege_views import ME, named, principal
from tests.inventory.test_views import only

HERE, ELSEWHERE = "22222222-2222-4222-8222-222222222222", "33333333-2222-4222-8222-222222222222"
PLACE = f"/subscriptions/{HERE}"
ABOVE = "/providers/microsoft.management/managementgroups/root"
READ = assessed(TENANT, "subscription.list", "vault.query", "role_assignment.query", "principal.lookup", "delegation.query")
KINDS = {PLACE: "subscription", ABOVE: "management-group", "/": "root"}
WRITES = ("set-policy",)


def held(model: Any, name: str = "old", *, subscription: str = HERE) -> Row:
    return vault(name, kind="key-vault", access_model=model, subscription_id=subscription) | {"name": f"kv-{name}"}


def nameless(model: str) -> Row:
    values: Any = {"kind": "key-vault", "access_model": model, "subscription_id": HERE, "name": Reason.BAD_VALUE}
    return row("vault", f"{PLACE}/vaults/kv-unread", scope_id=TENANT.id, **values)


def role(*allows: str, scope: str = PLACE) -> Row:
    values: dict[str, Any] = {"kind": "azure-role", "standing": True, "scope_id": TENANT.id, "principal_id": ME}
    return row("grant", f"{scope}/{allows}", name="Role", scope=scope, scope_kind=KINDS[scope], allows=list(allows), **values)


def opened(
    grants: list[Row], vaults: list[Row], *, coverage: list[Coverage] = READ, groups: object = (ABOVE,)
) -> tuple[object, object, object]:
    """Whether it can give itself access, the vaults that it may write, and why one of the two is unknown."""
    above = groups if isinstance(groups, Reason) else [*groups]  # type: ignore[misc]
    places = [
        row("subscription", f"/subscriptions/{each}", scope_id=TENANT.id, management_groups=above) for each in (HERE, ELSEWHERE)
    ]
    rows = {
        "service_principal": [principal()],
        "principal": [named(ME)],
        "grant": grants,
        "vault": vaults,
        "subscription": places,
    }
    found = only("service_principal", rows, coverage)
    unknown = found["unknown"]
    return (
        found["opens_subscriptions"],
        found["policy_vaults"],
        unknown.get("opens_subscriptions", unknown.get("policy_vaults")),
    )


NOT_LISTED = [*(each for each in READ if each.operation != "vault.query"), refused(TENANT, "vault.query", Reason.THROTTLED)]


@pytest.mark.parametrize(
    ("grants", "vaults", "expected"),
    [
        # Contributor.
        ([role(*WRITES)], [held("access-policy"), held("rbac", "new")], (True, ["kv-old"], None)),
        ([role(*WRITES)], [held("rbac", "new")], (False, [], None)),
        ([role(*WRITES)], [], (False, [], None)),
        ([role(*WRITES)], [held("access-policy", subscription=ELSEWHERE)], (False, [], None)),
        ([role(*WRITES, scope=ABOVE)], [held("access-policy", subscription=ELSEWHERE)], (True, ["kv-old"], None)),
        ([role(*WRITES, scope="/")], [held("access-policy")], (True, ["kv-old"], None)),
        # Owner.
        ([role("grant", *WRITES)], [held("rbac")], (True, None, None)),
        ([role("grant"), role(*WRITES)], [held("access-policy")], (True, None, None)),
        ([role("sign")], [held("access-policy")], (False, [], None)),
        # The access model was not read.
        ([role(*WRITES)], [held(Reason.PERMISSION)], (None, None, "permission")),
        ([role(*WRITES)], [held(Reason.PERMISSION, subscription=ELSEWHERE)], (False, [], None)),
        ([role(*WRITES)], [held(Reason.PERMISSION), held("access-policy", "b")], (True, ["kv-b"], "permission")),
        ([role("grant")], [held(Reason.PERMISSION)], (True, None, None)),
        # The name was not read.
        ([role(*WRITES)], [nameless("access-policy")], (None, None, "bad_value")),
        ([role(*WRITES)], [nameless("access-policy"), held("access-policy")], (True, ["kv-old"], "bad_value")),
        ([role(*WRITES)], [nameless("rbac")], (False, [], None)),
    ],
)
def test_a_role_that_may_write_vaults_opens_those_under_access_policies(
    grants: list[Row], vaults: list[Row], expected: object
) -> None:
    assert opened(grants, vaults) == expected


def test_vaults_that_were_not_listed_may_use_access_policies() -> None:
    assert opened([role(*WRITES)], [held("rbac")], coverage=NOT_LISTED) == (None, None, "throttled")
    assert opened([role(*WRITES)], [held("access-policy")], coverage=NOT_LISTED) == (True, ["kv-old"], "throttled")
    assert opened([role("grant")], [], coverage=NOT_LISTED) == (True, None, None)
    assert opened([role("sign")], [], coverage=NOT_LISTED) == (False, [], None)


def test_unread_management_groups_may_be_above_a_vault_under_access_policies() -> None:
    lost = Reason.NOT_VISIBLE
    assert opened([role(*WRITES, scope=ABOVE)], [held("access-policy")], groups=lost) == (None, None, lost)
    assert opened([role(*WRITES, scope=ABOVE)], [held("rbac")], groups=lost) == (False, [], None)
    assert opened([role(*WRITES)], [held("access-policy")], groups=lost) == (True, ["kv-old"], None)


@pytest.mark.parametrize(
    ("group", "vaults", "expected"),
    [
        (None, [held("access-policy"), held("rbac", "new")], (["kv-old"], None)),
        (None, [held("rbac")], ([], None)),
        ("RG", [held("access-policy")], (["kv-old"], None)),
        ("other", [held("access-policy")], ([], None)),
        (None, [held(Reason.PERMISSION)], (None, "permission")),
    ],
)
def test_a_delegated_scope_has_the_vaults_under_access_policies_in_it(
    group: str | None, vaults: list[Row], expected: object
) -> None:
    values: dict[str, Any] = {"scope_id": TENANT.id, "subscription_id": HERE, "resource_group": group}
    rows = {"delegation": [row("delegation", f"{PLACE}/d", **values)], "vault": vaults}
    found = only("delegation", rows, READ)
    assert (found["policy_vaults"], found["unknown"].get("policy_vaults")) == expected


def test_a_delegated_scope_may_have_vaults_that_were_not_listed() -> None:
    rows = {"delegation": [row("delegation", f"{PLACE}/d", scope_id=TENANT.id, subscription_id=HERE)]}
    lost = [*assessed(TENANT, "subscription.list"), refused(TENANT, "vault.query", Reason.THROTTLED, State.PARTIAL)]
    found = only("delegation", rows, lost)
    assert (found["policy_vaults"], found["unknown"].get("policy_vaults")) == (None, "throttled")
