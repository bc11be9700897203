"""The tenant's rules for applications and users: read as they are, off where they are off, unknown where they were not read."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import AppManagementPolicy, Estate, Posture, Restriction, Restrictions
from keyaudit.simulator.faults import Fault
from tests.collect.estate import APPLICATIONS, AS_OF, DAY, ESTATE, PRINCIPALS, TENANT_ID
from tests.collect.logged_estate import LOGGED, POLICY
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect
from tests.matrices import some_with_each

READS = ("tenant", "applications", "service principals", "app management policies", "activity logs")

DEFAULT = f"{TENANT_ID}/appmanagementpolicies/default"
OPERATIONS = (
    "app_management.default",
    "app_management.list",
    "app_management.applied",
    "authorization_policy.get",
    "security_defaults.get",
)
USERS = ("users_register_apps", "users_consent", "user_consent_policies", "guest_invites", "guest_rights")


async def test_every_policy_gives_its_limits_and_nothing_is_unknown(logged: Collected) -> None:
    rows = logged.rows["app_management_policy"]
    assert set(rows) == {
        f"{DEFAULT}/applications",
        f"{DEFAULT}/service-principals",
        f"{TENANT_ID}/appmanagementpolicies/{POLICY}",
    }
    assert not any(row.get("unknown") for row in rows.values())
    row = rows[f"{DEFAULT}/applications"]
    assert (row["kind"], row["applies_to"], row["enabled"]) == ("default", "applications", True)
    assert not row["password_blocked"]
    assert (row["password_lifetime"], row["password_lifetime_from"]) == (181 * DAY, AS_OF - 100 * DAY)
    assert (row["custom_password_blocked"], row.get("custom_password_blocked_from")) == (True, None)
    assert (row["certificate_lifetime"], row.get("certificate_lifetime_from")) == (366 * DAY, None)
    assert not row["symmetric_key_blocked"]
    assert "symmetric_key_lifetime" not in row
    assert not row["trusted_authorities_only"]
    assert row["exclusions"] == ["customPasswordAddition: Ops_Role = builder"]


async def test_trap_27_each_scope_stands_for_itself(logged: Collected) -> None:
    row = logged.rows["app_management_policy"][f"{DEFAULT}/service-principals"]
    assert row["enabled"]
    assert not any(row[name] for name in row if name.endswith("_blocked"))
    assert not any(name.endswith("_lifetime") for name in row)


async def test_trap_27_a_policy_that_is_off_limits_nothing(logged: Collected) -> None:
    row = logged.rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
    assert (row["kind"], row["applies_to"], row["enabled"]) == ("custom", "assigned", False)
    assert not row["password_blocked"]
    assert row["exclusions"] == []
    assert row["assigned_to"] == sorted([APPLICATIONS[1].id, PRINCIPALS[0].id])
    assert row["assigned_kinds"] == ["applications", "service-principals"]
    off = replace(LOGGED, posture=replace(LOGGED.posture, default_enabled=False))
    row = (await collect(estate=off)).rows["app_management_policy"][f"{DEFAULT}/applications"]
    assert not any(row[name] for name in row if name.endswith("_blocked"))
    assert not any(name.endswith("_lifetime") for name in row)
    assert row["exclusions"] == []


def _on(restrictions: object) -> tuple[Estate, Fault]:
    """An estate with a custom policy that is on, and the fault that gives it these restrictions; "-" leaves the member out."""
    on = replace(LOGGED.posture.policies[0], enabled=True)

    def change(body: dict[str, Any]) -> dict[str, Any]:
        (one,) = body["value"]
        kept = {name: value for name, value in one.items() if name != "restrictions"}
        return body | {"value": [kept if restrictions == "-" else kept | {"restrictions": restrictions}]}

    return replace(LOGGED, posture=replace(LOGGED.posture, policies=(on,))), Fault("app_management.list", "every", edit=change)


DISABLED = {"restrictionType": "passwordAddition", "state": "disabled", "maxLifetime": None}
SET = {"state": "disabled", "excludeActors": None}
SECRETS = [
    *("custom_password_blocked", "password_blocked", "password_lifetime", "symmetric_key_blocked", "symmetric_key_lifetime"),
]
KEYS, URIS = ["certificate_lifetime", "trusted_authorities_only"], ["unique_uris_only", "uri_addition_blocked"]
ALL_LEFT = sorted([*SECRETS, *KEYS, *URIS])


@pytest.mark.parametrize(
    ("restrictions", "left"),
    [
        ({"passwordCredentials": [DISABLED], "keyCredentials": []}, sorted({*ALL_LEFT} - {"password_blocked"})),
        ({"keyCredentials": []}, ALL_LEFT),
        ({"passwordCredentials": None, "keyCredentials": None, "applicationRestrictions": None}, ALL_LEFT),
        ({}, ALL_LEFT),
        (None, ALL_LEFT),
        ("-", ALL_LEFT),
        ({"applicationRestrictions": {}}, ALL_LEFT),
        ({"applicationRestrictions": {"identifierUris": {}}}, ALL_LEFT),
        (
            {"applicationRestrictions": {"identifierUris": {"nonDefaultUriAddition": SET}}},
            sorted({*ALL_LEFT} - {"uri_addition_blocked"}),
        ),
    ],
)
async def test_what_a_custom_policy_leaves_out_it_leaves_to_the_default_policy(restrictions: object, left: list[str]) -> None:
    # https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
    estate, fault = _on(restrictions)
    row = (await collect(fault, estate=estate)).rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
    assert not row.get("unknown")
    assert row["left_to_default"] == left
    assert not row["password_blocked"]


@pytest.mark.parametrize(
    ("restrictions", "columns", "left"),
    [
        ({"passwordCredentials": "none"}, SECRETS, [*KEYS, *URIS]),
        ({"applicationRestrictions": {"identifierUris": []}}, URIS, [*SECRETS, *KEYS]),
        ({"passwordCredentials": [{"restrictionType": "quantumAddition", "state": "enabled"}]}, SECRETS, [*KEYS, *URIS]),
        ([], [*SECRETS, *KEYS, *URIS], []),
    ],
)
async def test_what_cannot_be_read_of_a_custom_policy_is_not_left_to_the_default_policy(
    restrictions: object, columns: list[str], left: list[str]
) -> None:
    estate, fault = _on(restrictions)
    row = (await collect(fault, estate=estate)).rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
    assert {*columns} <= {*row["unknown"]}
    assert not {*row["unknown"]} & {*left, "left_to_default"}
    assert row["left_to_default"] == sorted(left)


async def test_a_policy_that_is_off_leaves_nothing_to_another_for_certain(logged: Collected) -> None:
    rows = logged.rows["app_management_policy"]
    assert [row["left_to_default"] for row in rows.values()] == [[], [], []]


@pytest.mark.parametrize(("type_", "reason"), [("#microsoft.graph.group", "unrecognised"), (None, "bad_value")])
async def test_the_kind_of_an_object_with_a_custom_policy_may_be_unknown(type_: object, reason: str) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["@odata.type"] = type_
        return body

    found = await collect(Fault("app_management.applied", "every", edit=change), estate=LOGGED)
    row = found.rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
    assert row["unknown"] == {"assigned_kinds": reason}


@pytest.mark.parametrize(
    ("type_", "kinds"),
    [
        # https://learn.microsoft.com/graph/api/resources/agentidentityblueprint: it inherits from application.
        ("#microsoft.graph.agentIdentityBlueprint", ["applications"]),
        ("#microsoft.graph.agentIdentityBlueprintPrincipal", ["applications", "service-principals"]),
    ],
)
async def test_a_blueprint_with_a_custom_policy_is_of_the_kind_that_it_inherits_from(type_: str, kinds: list[str]) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["@odata.type"] = type_
        return body

    found = await collect(Fault("app_management.applied", "every", edit=change), estate=LOGGED)
    row = found.rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
    assert row["assigned_kinds"] == kinds


async def test_of_two_policies_for_one_object_it_is_unknown_which_it_has() -> None:
    """Only one can be assigned to an object: https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto"""
    [first] = LOGGED.posture.policies
    second = replace(first, id="5e000000-0000-4000-8000-0000000000f2", assigned_to=first.assigned_to[:1])
    third = replace(first, id="5e000000-0000-4000-8000-0000000000f3", assigned_to=())
    estate = replace(LOGGED, posture=replace(LOGGED.posture, policies=(first, second, third)))
    found = await collect(estate=estate)
    rows = {
        each.id: found.rows["app_management_policy"][f"{TENANT_ID}/appmanagementpolicies/{each.id}"]
        for each in (first, second, third)
    }
    both = dict.fromkeys(("assigned_to", "assigned_kinds"), "inconsistent")
    assert [rows[each.id].get("unknown") or {} for each in (first, second, third)] == [both, both, {}]
    assert found.gaps()[TENANT_ID, "app_management.applied"] == "partial inconsistent"


async def test_what_users_may_do(logged: Collected) -> None:
    row = logged.rows["tenant"][TENANT_ID]
    assert not row["users_register_apps"]
    assert (row["users_consent"], row["user_consent_policies"]) == (True, ["microsoft-user-default-low"])
    assert (row["guest_invites"], row["guest_rights"]) == ("adminsAndGuestInviters", "guest")
    assert not row["security_defaults"]
    strict = replace(ESTATE, posture=Posture(consent_policies=(), guest_role="2AF84B1E-32c8-42b7-82bc-daa82404023b"))
    row = (await collect(estate=strict)).rows["tenant"][TENANT_ID]
    assert (row["users_consent"], row["user_consent_policies"], row["guest_rights"]) == (False, [], "restricted-guest")
    assert row["users_register_apps"]


@pytest.mark.parametrize(("policies", "consent"), [(("Absurd",), None), (("ManagePermissionGrantsForSelf.x", "Absurd"), True)])
async def test_a_grant_policy_of_no_known_kind_may_let_users_consent(policies: tuple[str, ...], consent: bool | None) -> None:
    found = await collect(estate=replace(ESTATE, posture=Posture(consent_policies=policies)))
    row, unknown = found.rows["tenant"][TENANT_ID], found.unknown("tenant", TENANT_ID)
    assert row.get("users_consent") is consent
    assert {name: unknown.get(name) for name in ("users_consent", "user_consent_policies")} == {
        "users_consent": None if consent else "unrecognised",
        "user_consent_policies": "unrecognised",
    }


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, REASONS))
async def test_an_operation_refused_to_the_end(logged: Collected, operation: str, reason: str) -> None:
    children = ("app_management.applied",) if operation == "app_management.list" else ()
    single = operation == "app_management.applied"
    found = await ends_refused(logged, operation, reason, estate=LOGGED, children=children, single=single)
    rows, tenant = found.rows["app_management_policy"], found.unknown("tenant", TENANT_ID)
    if operation == "app_management.default":
        # What shares Graph's limit may count as down for a while.
        assert set(rows) <= {f"{TENANT_ID}/appmanagementpolicies/{POLICY}"}
        assert rows or reason in ("throttled", "service_error")
    elif operation == "app_management.list":
        assert set(rows) == {f"{DEFAULT}/applications", f"{DEFAULT}/service-principals"}
    elif operation == "app_management.applied":
        row = rows[f"{TENANT_ID}/appmanagementpolicies/{POLICY}"]
        assert row["unknown"] == {"assigned_to": reason, "assigned_kinds": reason}
    elif operation == "authorization_policy.get":
        assert {name: tenant[name] for name in USERS} == dict.fromkeys(USERS, reason)
    else:
        assert tenant["security_defaults"] == reason


@pytest.mark.parametrize(
    ("operation", "reason"),
    some_with_each(["app_management.default", "authorization_policy.get"], ["auth_failed", "vanished", "intercepted"]),
)
async def test_rarer_ends(operation: str, reason: str) -> None:
    found = await collect(refused(operation, reason), estate=LOGGED)
    assert found.gaps()[TENANT_ID, operation] == f"not_assessed {reason}"


async def test_an_unlicensed_tenant_is_said_to_be_one() -> None:
    body = {"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "message": "no"}}
    found = await collect(Fault("app_management.list", "every", status=403, body=body), estate=LOGGED)
    assert found.gaps()[TENANT_ID, "app_management.list"] == "not_assessed not_licensed"


def _edited(edit: dict[str, object], *, at: int = 1) -> Fault:
    """The default policy, with one of its restrictions on secrets changed."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["applicationRestrictions"]["passwordCredentials"][at] |= edit
        return body

    return Fault("app_management.default", "every", edit=change)


@pytest.mark.parametrize(
    ("edit", "unknown"),
    [
        ({"maxLifetime": "half a year"}, {"password_lifetime": "bad_value"}),
        ({"maxLifetime": None}, {"password_lifetime": "bad_value"}),
        ({"maxLifetime": 181}, {"password_lifetime": "bad_value"}),
        ({"restrictForAppsCreatedAfterDateTime": "soon"}, {"password_lifetime_from": "bad_value"}),
        ({"excludeActors": 5}, {"exclusions": "bad_value"}),
        (
            {"state": "audit"},
            dict.fromkeys(("password_lifetime", "password_lifetime_from", "exclusions"), "unrecognised"),
        ),
        ({"state": None}, dict.fromkeys(("password_lifetime", "password_lifetime_from", "exclusions"), "bad_value")),
        # The type of another restriction: of two that contradict each other nobody knows which one holds.
        (
            {"restrictionType": "customPasswordAddition"},
            dict.fromkeys(("custom_password_blocked", "custom_password_blocked_from", "exclusions"), "bad_value"),
        ),
    ],
)
async def test_a_restriction_that_cannot_be_right(edit: dict[str, object], unknown: dict[str, str]) -> None:
    found = await collect(_edited(edit), estate=LOGGED)
    assert found.gaps() == {}
    assert found.unknown("app_management_policy", f"{DEFAULT}/applications") == unknown


LIMITS = {
    "password_blocked",
    "password_lifetime",
    "custom_password_blocked",
    "symmetric_key_blocked",
    "symmetric_key_lifetime",
}
OF_KEYS = {"certificate_lifetime", "trusted_authorities_only"}
OF_URIS = {"uri_addition_blocked", "unique_uris_only"}


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        ({"passwordCredentials": "none", "keyCredentials": [], "identifierUris": None}, LIMITS),
        ({"keyCredentials": [], "identifierUris": None}, LIMITS),
        ({"passwordCredentials": [], "keyCredentials": None, "identifierUris": None}, OF_KEYS),
        ({"passwordCredentials": [], "keyCredentials": []}, OF_URIS),
        ([], LIMITS | OF_KEYS | OF_URIS),
    ],
)
async def test_restrictions_that_cannot_be_read_are_unknown(value: object, columns: set[str]) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"applicationRestrictions": value}

    found = await collect(Fault("app_management.default", "every", edit=change), estate=LOGGED)
    unknown = found.unknown("app_management_policy", f"{DEFAULT}/applications")
    also = {"exclusions"} | ({"uri_exceptions"} if columns >= OF_URIS else set())
    assert set(unknown) == columns | {f"{name}_from" for name in columns} | also


async def test_null_is_graphs_way_of_saying_that_nothing_was_set() -> None:
    found = await collect(
        Fault("app_management.default", "every", edit=lambda body: body | {"applicationRestrictions": None}), estate=LOGGED
    )
    row = found.rows["app_management_policy"][f"{DEFAULT}/applications"]
    assert not row.get("unknown")
    assert not row["password_blocked"]


async def test_a_policy_of_which_nobody_knows_whether_it_is_on() -> None:
    found = await collect(
        Fault("app_management.default", "every", edit=lambda body: body | {"isEnabled": "yes"}), estate=LOGGED
    )
    unknown = found.unknown("app_management_policy", f"{DEFAULT}/applications")
    assert {"enabled", "password_blocked", "password_lifetime", "certificate_lifetime", "exclusions"} <= set(unknown)
    assert set(unknown.values()) == {"bad_value"}


@pytest.mark.parametrize("id_", [None, "../x", 7])
async def test_a_policy_of_no_id_is_set_aside(id_: object) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["id"] = id_
        return body

    found = await collect(Fault("app_management.list", "every", edit=change), estate=LOGGED)
    assert found.gaps()[TENANT_ID, "app_management.list"] == "not_assessed bad_item"


@pytest.mark.parametrize("operation", ["app_management.default_beta", "app_management.list_beta"])
async def test_a_beta_that_is_refused_harms_nothing_else(logged: Collected, operation: str) -> None:
    on = replace(LOGGED.posture.policies[0], enabled=True)
    estate = replace(LOGGED, posture=replace(LOGGED.posture, policies=(on,)))
    body = {"error": {"code": "Authorization_RequestDenied"}}
    found = await collect(Fault(operation, "every", status=403, body=body), estate=estate)
    assert found.gaps() == {(TENANT_ID, operation): "not_assessed permission"}
    of_default = operation.endswith("default_beta")
    row = f"{DEFAULT}/applications" if of_default else f"{TENANT_ID}/appmanagementpolicies/{POLICY}"
    rows = found.rows["app_management_policy"]
    assert {id_: each["unknown"] for id_, each in rows.items() if each.get("unknown")} == {
        row: dict.fromkeys(("audience_limits", "redirect_uri_limits"), "permission")
    }


async def test_policies_that_came_twice_are_one() -> None:
    second = AppManagementPolicy(id=POLICY.replace("1", "2"), name="other", restrictions=Restrictions())
    twice = replace(LOGGED, posture=replace(LOGGED.posture, policies=(*LOGGED.posture.policies, second)))
    found = await collect(
        Fault("app_management.list", "every", edit=lambda body: body | {"value": body["value"] * 2}), estate=twice
    )
    assert found.gaps() == {}
    assert found.coverage[TENANT_ID, "app_management.list"].duplicate == 2


@pytest.mark.parametrize(
    ("edit", "unknown"),
    [
        ({"guestUserRoleId": "11111111-0000-4000-8000-000000000000"}, {"guest_rights": "unrecognised"}),
        ({"guestUserRoleId": None}, {"guest_rights": "bad_value"}),
        ({"allowInvitesFrom": 1}, {"guest_invites": "bad_value"}),
        ({"defaultUserRolePermissions": None}, dict.fromkeys(USERS[:3], "bad_value")),
        (
            {"defaultUserRolePermissions": {"allowedToCreateApps": True, "permissionGrantPoliciesAssigned": [None]}},
            dict.fromkeys(USERS[1:3], "bad_value"),
        ),
        ({"defaultUserRolePermissions": {}}, dict.fromkeys(USERS[:3], "bad_body")),
    ],
)
async def test_an_authorization_policy_that_cannot_be_right(edit: dict[str, object], unknown: dict[str, str]) -> None:
    found = await collect(Fault("authorization_policy.get", "every", edit=lambda body: body | edit), estate=LOGGED)
    assert found.unknown("tenant", TENANT_ID) == unknown


async def test_what_a_restriction_of_a_new_type_may_limit_is_unknown_where_no_other_says() -> None:
    odd = replace(
        LOGGED.posture,
        for_applications=Restrictions(passwords=(Restriction(type="quantumAddition"), Restriction(type="passwordAddition"))),
    )
    row = (await collect(estate=replace(LOGGED, posture=odd))).rows["app_management_policy"][f"{DEFAULT}/applications"]
    assert row["password_blocked"]
    columns = LIMITS - {"password_blocked"}
    assert row["unknown"] == dict.fromkeys((*columns, *(f"{name}_from" for name in columns), "exclusions"), "unrecognised")
