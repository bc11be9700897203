"""Who can reach vaults: every way in becomes a grant and nothing else does, and everybody in it is known."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import AccessPolicy
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.roles import CRYPTO_USER
from tests.collect.access import (
    ACCESS,
    ASSIGNMENTS,
    CAROL,
    DAVE,
    ELIGIBLE,
    FIRST_SCOPE,
    FOREIGN,
    GONE,
    GUEST,
    HOME,
    IDENTITY,
    KEY_SCOPE,
    OUTER,
    ROBOT,
    grant,
)
from tests.collect.estate import AS_OF, DAY, EMPTY_SUBSCRIPTION, SECOND, SECOND_ID, SUBSCRIPTION, TENANT, TENANT_ID
from tests.collect.logged_estate import LOGGED
from tests.collect.refusals import REASONS, ends_refused, never_wrong, refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of, some_with_each

READS = ("directory roles", "delegated permissions", "role assignments", "principals")

ROLES = "/providers/microsoft.authorization/roleassignments/"
ELIGIBLE_PART = "/providers/microsoft.authorization/roleeligibilityscheduleinstances/"
MANAGED = "/providers/microsoft.management/managementgroups"


@pytest.fixture(scope="module")
def reached() -> Collected:
    return asyncio.run(collect(estate=ACCESS))


STANDING = replace(ACCESS, eligibilities=())
"""Without what no listing of grants answers for."""


@pytest.fixture(scope="module")
def standing() -> Collected:
    return asyncio.run(collect(estate=STANDING))


def eligible(found: Collected) -> dict[str, object]:
    """The one grant that is an eligibility."""
    [row] = [row for row in found.rows["grant"].values() if row["standing"] is False]
    return row


async def test_every_way_in_is_a_grant_and_nothing_else_is(reached: Collected) -> None:
    scopes = [
        f"{ROLES}{ASSIGNMENTS[0].id}",
        f"{MANAGED}/mg-prod{ROLES}{ASSIGNMENTS[1].id}",
        *(f"{one.scope.lower()}{ROLES}{one.id}" for one in ASSIGNMENTS[2:6]),
        f"{SECOND_ID}/accesspolicies/{CAROL.id}",
        f"{SECOND_ID}/accesspolicies/{ROBOT.id}/{ROBOT.app_id}",
        str(eligible(reached)["id"]),
    ]
    assert {id_ for id_, row in reached.rows["grant"].items() if row["kind"] != "directory-role"} == set(scopes)
    assert not any(row.get("unknown") for table in ("grant", "principal", "membership") for row in reached.rows[table].values())
    assert reached.gaps() == {}


async def test_a_subscription_says_whether_it_is_enabled() -> None:
    found = await collect(estate=LOGGED)
    states = {row["subscription_id"]: row["state"] for row in found.rows["subscription"].values()}
    assert states == {SUBSCRIPTION: "Enabled", EMPTY_SUBSCRIPTION: "Disabled"}


async def test_a_grant_says_who_where_and_what(reached: Collected) -> None:
    told = ("principal_id", "principal_type", "scope", "scope_kind", "vault_id", "custom", "wildcard", "allows", "standing")
    everything = ["sign", "decrypt", "wrap", "backup", "manage"]
    assert [tuple(grant(reached, number).get(column) for column in told) for number in range(1, 7)] == [
        (DAVE.id, "user", "/", "root", None, False, False, ["purge-vault", "grant", "set-policy"], True),
        (OUTER.id, "group", f"{MANAGED}/mg-prod", "management-group", None, False, False, everything, True),
        (
            FOREIGN.id,
            "service-principal",
            HOME,
            "subscription",
            None,
            False,
            False,
            ["purge-vault", "set-policy"],
            True,
        ),
        (
            CAROL.id,
            "user",
            f"{HOME}/resourcegroups/rg-main",
            "resource-group",
            None,
            True,
            True,
            ["decrypt", "wrap", "backup", "release", "import", "manage", "purge"],
            True,
        ),
        (GONE, "user", FIRST_SCOPE.lower(), "vault", FIRST_SCOPE.lower(), False, False, ["read-private"], True),
        (
            IDENTITY.id,
            "service-principal",
            KEY_SCOPE.lower(),
            "object",
            FIRST_SCOPE.lower(),
            False,
            False,
            everything,
            True,
        ),
    ]
    assert grant(reached, 4)["condition"] == "@Resource[x] StringEquals 'y'"
    assert (grant(reached, 4)["name"], grant(reached, 2)["role_id"]) == ("Key Keeper", CRYPTO_USER)


async def test_an_eligibility_is_a_grant_that_does_not_stand(reached: Collected) -> None:
    row = eligible(reached)
    assert (row["principal_id"], row["expires_on"], row["allows"]) == (GUEST.id, ELIGIBLE.end, grant(reached, 2)["allows"])
    assert row["created_on"] == AS_OF - DAY


async def test_access_policies_are_grants_of_their_vault(reached: Collected) -> None:
    rows = [reached.rows["grant"][f"{SECOND_ID}/accesspolicies/{who}"] for who in (CAROL.id, f"{ROBOT.id}/{ROBOT.app_id}")]
    assert [(row["allows"], row["wildcard"], row.get("application_id"), row["vault_id"]) for row in rows] == [
        (["sign", "wrap"], False, None, SECOND_ID),
        (
            ["sign", "decrypt", "wrap", "read-private", "backup", "release", "import", "manage", "purge"],
            True,
            ROBOT.app_id,
            SECOND_ID,
        ),
    ]
    # Its own, which lets the audit look, and three more.
    assert reached.rows["vault"][SECOND_ID]["access_policies"] == 4


async def test_what_several_entries_give_one_principal_adds_up() -> None:
    policies = (
        AccessPolicy(principal=CAROL.id, keys=("sign",)),
        AccessPolicy(principal=CAROL.id.upper(), keys=("decrypt",), secrets=("get",)),
    )
    found = await collect(estate=replace(ACCESS, vaults=(replace(SECOND, access_policies=policies),), role_assignments=()))
    row = found.rows["grant"][f"{SECOND_ID}/accesspolicies/{CAROL.id}"]
    assert row["allows"] == ["sign", "decrypt", "read-private"]


async def test_subscriptions_stand_below_their_management_groups(reached: Collected) -> None:
    assert {row["name"]: row["management_groups"] for row in reached.rows["subscription"].values()} == {
        "Production": [f"{MANAGED}/mg-prod", f"{MANAGED}/{TENANT}"],
        "Sandbox": [f"{MANAGED}/{TENANT}"],
    }


UNKNOWN = {
    "role_assignment.query": set[str](),
    "subscription.query": set[str](),
    "deny_assignment.list": {"denied"},
    "principal.lookup": {"name", "kind", "user_principal_name", "user_type", "app_id", "enabled", "home"},
    "group.members": {"members_listed"},
    "group.direct_members": {"through"},
}


@pytest.mark.parametrize(("operation", "reason"), some_with_each(UNKNOWN, REASONS))
async def test_an_operation_refused_to_the_end(standing: Collected, operation: str, reason: str) -> None:
    found = await ends_refused(standing, operation, reason, estate=STANDING, single=operation.startswith("group."))
    tables = ("grant", "principal", "membership")
    unknown = {column for table in tables for id_ in found.rows[table] for column in found.unknown(table, id_)}
    if reason in ("permission", "bad_body"):
        assert unknown == UNKNOWN[operation]


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_what_stands_does_not_rest_on_who_is_eligible(reached: Collected, reason: str) -> None:
    found = await collect(refused("role_eligibility.list", reason), estate=ACCESS)
    assert {scope for scope, operation in found.gaps() if operation == "role_eligibility.list"} == {
        f"/subscriptions/{one.id}" for one in ACCESS.subscriptions
    }
    standing = {id_: row for id_, row in reached.rows["grant"].items() if row["standing"]}
    assert {id_: row["allows"] for id_, row in found.rows["grant"].items()} == {
        id_: row["allows"] for id_, row in standing.items()
    }


async def test_roles_that_no_list_shows_are_asked_for_one_by_one(reached: Collected) -> None:
    found = await collect(refused("role_definition.query", "permission"), estate=ACCESS)
    assert found.gaps() == {(TENANT_ID, "role_definition.query"): "not_assessed permission"}
    assert found.rows["grant"] == reached.rows["grant"]
    # One request a role, however many assignments name it.
    assert found.calls["role_definition.get"] == len({one.role for one in ASSIGNMENTS})


async def test_of_a_role_that_cannot_be_read_nothing_is_known(reached: Collected) -> None:
    found = await collect(
        refused("role_definition.query", "permission"), refused("role_definition.get", "permission"), estate=ACCESS
    )
    never_wrong(reached, found)
    told = dict.fromkeys(("name", "custom", "wildcard", "allows"), "permission")
    # Even one that may be harmless.
    rows = [row for row in found.rows["grant"].values() if row["kind"] == "azure-role"]
    assert len(rows) == len([row for row in reached.rows["grant"].values() if row["kind"] == "azure-role"]) + 1
    assert all(row["unknown"] == told for row in rows)
    assert found.coverage[TENANT_ID, "role_definition.get"].refused == len({one.role for one in ASSIGNMENTS})


async def test_a_tenant_without_the_licence_for_eligible_roles() -> None:
    body = {"error": {"code": "AadPremiumLicenseRequired", "message": "The tenant needs an AAD Premium 2 license."}}
    found = await collect(Fault("role_eligibility.list", "every", status=400, body=body), estate=ACCESS)
    assert set(found.gaps().values()) == {"not_assessed not_licensed"}
    assert {scope for scope, _ in found.gaps()} == {HOME, f"/subscriptions/{EMPTY_SUBSCRIPTION}"}


def first(changes: dict[str, object], *, drop: tuple[str, ...] = ()) -> Fault:
    """A fault that changes the properties of the first assignment of the answer."""

    def edit(body: dict[str, list[dict[str, dict[str, object]]]]) -> object:
        row = body["data"][0]
        row["properties"] = {key: value for key, value in (row["properties"] | changes).items() if key not in drop}
        return body

    return Fault("role_assignment.query", "every", edit=edit)


@pytest.mark.parametrize("principal", [None, "x", 7])
async def test_an_assignment_that_names_nobody_is_one_to_somebody_unknown_where_it_holds(
    reached: Collected, principal: object
) -> None:
    found = await collect(first({"principalId": principal}), estate=ACCESS)
    assert found.gaps() == {}
    assert found.rows["grant"].keys() == reached.rows["grant"].keys()
    assert [row["unknown"] for row in found.rows["grant"].values() if row.get("unknown")] == [
        dict.fromkeys(("principal_id", "principal_type"), "bad_value")
    ]
    never_wrong(reached, found)


@pytest.mark.parametrize("changes", [{"scope": "/subscriptions/.."}, {"scope": {"a": {}}}, {"scope": None}])
async def test_an_assignment_without_a_scope_holds_where_its_id_says(reached: Collected, changes: dict[str, object]) -> None:
    found = await collect(first(changes), estate=ACCESS)
    assert found.gaps() == {}
    assert found.rows["grant"] == reached.rows["grant"]


async def test_an_assignment_that_says_neither_where_it_holds_nor_by_its_id_is_quarantined() -> None:
    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        body["data"][0] |= {"id": "x", "properties": body["data"][0]["properties"] | {"scope": None}}  # type: ignore[operator]
        return body

    found = await collect(Fault("role_assignment.query", "every", edit=edit), estate=ACCESS)
    assert found.gaps()[TENANT_ID, "role_assignment.query"] == "partial bad_item"


async def test_what_has_no_id_of_an_assignment_is_quarantined_and_taken_for_no_copy_of_another(reached: Collected) -> None:
    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        for row in body["data"][:2]:
            row["id"] = "/nowhere"
        return body

    found = await collect(Fault("role_assignment.query", "every", edit=edit), estate=ACCESS)
    assert found.coverage[TENANT_ID, "role_assignment.query"].quarantined == 2
    never_wrong(reached, found)


@pytest.mark.parametrize("role", ["/providers/x", None, 7])
async def test_an_assignment_of_an_unknown_role_may_allow_everything_where_it_holds(reached: Collected, role: object) -> None:
    found = await collect(first({"roleDefinitionId": role}), estate=ACCESS)
    never_wrong(reached, found)
    assert found.gaps() == {}
    assert found.rows["grant"].keys() == reached.rows["grant"].keys()
    [unknown] = [row["unknown"] for row in found.rows["grant"].values() if row.get("unknown")]
    assert unknown == dict.fromkeys(("name", "role_id", "custom", "wildcard", "allows"), "bad_value")


@pytest.mark.parametrize(
    ("changes", "drop", "unknown"),
    [
        ({"principalType": 3}, (), {"principal_type": "bad_value"}),
        ({}, ("principalType",), {"principal_type": "bad_body"}),
        ({"condition": ["x"]}, (), {"condition": "bad_value"}),
        ({"createdOn": "yesterday"}, (), {"created_on": "bad_value"}),
    ],
)
async def test_a_broken_fact_of_an_assignment_loses_no_other(
    changes: dict[str, object], drop: tuple[str, ...], unknown: dict[str, str]
) -> None:
    found = await collect(first(changes, drop=drop), estate=ACCESS)
    assert [row["unknown"] for row in found.rows["grant"].values() if row.get("unknown")] == [unknown]
    assert found.gaps() == {}


async def test_a_kind_of_principal_that_is_new_is_unknown() -> None:
    found = await collect(first({"principalType": "Agent"}), estate=ACCESS)
    assert [row["unknown"] for row in found.rows["grant"].values() if row.get("unknown")] == [
        {"principal_type": "unrecognised"}
    ]


@pytest.mark.parametrize(
    "permissions",
    [
        None,
        "x",
        [],
        [{"actions": ["*"]}],
        [{"dataActions": ["*"]}],
        [{"actions": "*", "dataActions": []}],
        [{"actions": [None], "dataActions": []}],
    ],
)
async def test_a_definition_that_does_not_say_what_it_allows_is_unknown(permissions: object) -> None:
    def edit(body: dict[str, list[dict[str, dict[str, object]]]]) -> object:
        for row in body["data"]:
            if str(row["name"]) == CRYPTO_USER:
                row["properties"]["permissions"] = permissions
        return body

    found = await collect(Fault("role_definition.query", "every", edit=edit), estate=ACCESS)
    rows = [row for row in found.rows["grant"].values() if row.get("role_id") == CRYPTO_USER]
    if permissions == []:
        # A role that gives nothing is not a way in.
        assert rows == []
    else:
        assert len(rows) == 3
        assert all(row["unknown"] == {"allows": "bad_value", "wildcard": "bad_value"} for row in rows)


@pytest.mark.parametrize(
    "policies",
    [
        None,
        {},
        [None],
        [{"objectId": "x", "permissions": {}}],
        [{"objectId": GONE}],
        [{"objectId": GONE, "permissions": {"keys": "all"}}],
    ],
)
async def test_access_policies_that_cannot_be_read_are_not_none(policies: object) -> None:
    def edit(body: dict[str, list[dict[str, dict[str, object]]]]) -> object:
        for row in body["value"]:
            row["properties"]["accessPolicies"] = policies
        return body

    found = await collect(Fault("vault.list", "every", edit=edit), estate=ACCESS)
    assert found.unknown("vault", SECOND_ID)["access_policies"] in {"bad_value", "bad_item"}
    rows = [row for row in found.rows["grant"].values() if row["kind"] == "access-policy" and row["vault_id"] == SECOND_ID]
    # Somebody may be let in by them: one row stands for all of it.
    assert [row["id"] for row in rows] == [f"{SECOND_ID}/accesspolicies/unread"]
    reason = "bad_item" if isinstance(policies, list) else "bad_value"
    assert rows[0]["unknown"] == dict.fromkeys(("principal_id", "application_id", "wildcard", "allows"), reason)


async def test_a_subscription_whose_management_groups_do_not_show() -> None:
    def edit(body: dict[str, list[dict[str, dict[str, object]]]]) -> object:
        for row in body["data"]:
            row["properties"]["managementGroupAncestorsChain"] = []
        return body

    found = await collect(Fault("subscription.query", "every", edit=edit), estate=ACCESS)
    assert found.unknown("subscription", f"/subscriptions/{SUBSCRIPTION}") == {"management_groups": "not_visible"}


async def test_a_row_of_another_type_is_no_subscription() -> None:
    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        strange = {**body["data"][0], "id": f"{body['data'][0]['id']}/resourceGroups/rg", "properties": {"state": "Strange"}}
        return {**body, "data": [*body["data"], strange], "count": 3, "totalRecords": 3}

    found = await collect(Fault("subscription.query", "every", edit=edit), estate=ACCESS)
    record = found.coverage[TENANT_ID, "subscription.query"]
    assert (record.kept, record.quarantined, record.reason) == (2, 1, "bad_item")
    assert record.detail.startswith(f"1 of 3 items: number 3 (/subscriptions/{SUBSCRIPTION}/resourceGroups/rg")
    assert found.rows["subscription"][f"/subscriptions/{SUBSCRIPTION}"]["state"] != "Strange"


async def test_the_condition_of_a_role_itself_is_noted_too() -> None:
    def edit(body: dict[str, list[dict[str, Any]]]) -> object:
        for row in body["data"]:
            if row["name"] == CRYPTO_USER:
                row["properties"]["permissions"][0]["condition"] = "@Request[x] StringEquals 'y'"
        return body

    found = await collect(Fault("role_definition.query", "every", edit=edit), estate=ACCESS)
    assert grant(found, 2)["condition"] == "@Request[x] StringEquals 'y'"
    assert grant(found, 4)["condition"] == "@Resource[x] StringEquals 'y'"


async def test_whom_a_vault_without_properties_lets_in_is_unknown() -> None:
    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        return body | {"value": [row | {"properties": None} for row in body["value"]]}

    found = await collect(Fault("vault.list", "every", edit=edit), estate=ACCESS)
    rows = {
        row["id"] for row in found.rows["grant"].values() if row["kind"] == "access-policy" and row["vault_id"] == SECOND_ID
    }
    assert rows == {f"{SECOND_ID}/accesspolicies/unread"}
