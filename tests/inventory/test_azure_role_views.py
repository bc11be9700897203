"""Which Azure roles over a subscription or more a service principal can give itself access by: known, or unknown with why."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, assessed, refused, row
from tests.inventory.test_privilege_views import GROUP, ME, group, member, named, principal
from tests.inventory.test_views import only

READ = assessed(TENANT, "subscription.list", "role_assignment.query", "principal.lookup")
REFUSED = [refused(TENANT, "role_assignment.query", Reason.PERMISSION)]
PERMISSION = Reason.PERMISSION


def given(name: str | Reason = "Owner", *, to: str = ME, **values: Any) -> Row:
    where = {"scope_kind": "subscription", "standing": True, "scope_id": TENANT.id, "allows": ["grant", "set-policy"]}
    made = where | {"name": name, "kind": "azure-role", "principal_id": to} | values
    return row("grant", f"{to}/{name}/{values}", **made)


def wide(grants: list[Row], coverage: list[Coverage] = READ, **rows: list[Row]) -> tuple[object, object]:
    """What is said of the service principal. Who holds roles is known to be what he is, unless `principal` says so."""
    held = {str(each["principal_id"]) for each in grants} - {GROUP}
    made = {"service_principal": [principal()], "grant": grants, "principal": [named(each) for each in sorted(held)]} | rows
    found = only("service_principal", made, coverage)
    return found["wide_azure_roles"], found["unknown"].get("wide_azure_roles")


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], ([], None)),
        (
            [given(), given("Contributor", scope_kind="management-group"), given(scope_kind="root")],
            (["Contributor", "Owner"], None),
        ),
        ([given("Vault Operator", allows=["set-policy"])], (["Vault Operator"], None)),
        ([given(to="other")], ([], None)),
        ([given(scope_kind="resource-group")], ([], None)),
        ([given(kind="directory-role")], ([], None)),
        ([given(standing=False)], ([], None)),
        ([given("Key Vault Crypto User", allows=["sign"])], ([], None)),
        # The actions of a role are unknown, or its name is.
        ([given(allows=PERMISSION)], (None, "permission")),
        ([given(PERMISSION)], (None, "permission")),
        ([given(PERMISSION, allows=["sign"])], ([], None)),
        ([given(allows=PERMISSION, to="other")], ([], None)),
        # Whom it was given to is not known: it may be anybody.
        ([given(principal_id=Reason.BAD_VALUE)], (None, "bad_value")),
        ([given(allows=["sign"], principal_id=Reason.BAD_VALUE)], ([], None)),
        ([given(scope_kind="vault", principal_id=Reason.BAD_VALUE)], ([], None)),
    ],
)
def test_roles_that_grant_over_a_subscription_or_more(grants: list[Row], expected: object) -> None:
    assert wide(grants) == expected


def test_without_all_assignments_only_those_that_were_read_are_known() -> None:
    assert wide([given()], REFUSED) == (["Owner"], "permission")
    assert wide([], assessed(TENANT, "principal.lookup")) == (None, "interrupted")
    # Nobody asked for those of a subscription that was not listed.
    listed = refused(TENANT, "subscription.list", Reason.TRUNCATED)
    assert wide([], [listed, *assessed(TENANT, "role_assignment.query", "principal.lookup")]) == (None, "truncated")


@pytest.mark.parametrize(
    ("principals", "members", "expected"),
    [
        ([group()], [member()], (["Owner"], None)),
        ([group()], [member(who="other")], ([], None)),
        ([group(PERMISSION)], [], (None, "permission")),
        ([named(GROUP, Reason.THROTTLED)], [], (None, "throttled")),
        ([], [], (None, "interrupted")),
    ],
)
def test_a_groups_role_is_its_members(principals: list[Row], members: list[Row], expected: object) -> None:
    assert wide([given(to=GROUP)], principal=principals, membership=members) == expected
