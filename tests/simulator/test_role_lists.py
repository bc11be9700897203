"""Role assignments and role definitions of Resource Manager: scopes, filters, versions."""

from typing import Any
from urllib.parse import quote

import pytest

from keyaudit.simulator.roles import OWNER
from tests.collect.access import ACCESS, ALICE, ASSIGNMENTS, BOB, FIRST_SCOPE, HOME, KEEPER, ROOT_GROUP
from tests.collect.estate import EMPTY_SUBSCRIPTION
from tests.simulator.client import ARM, Wire, wire
from tests.simulator.recorded import bodies, shape

NUMBERS = {one.id: number for number, one in enumerate(ASSIGNMENTS, 1)}
GROUP = f"{HOME}/resourceGroups/rg-main"
AUTHORIZATION = "providers/Microsoft.Authorization"


async def listed(client: Wire, scope: str, kind: str, wanted: str = "", version: str = "2022-04-01") -> Any:
    filtered = f"&$filter={quote(wanted)}" if wanted else ""
    return await client.get(f"{ARM}{scope}/{AUTHORIZATION}/{kind}?api-version={version}{filtered}")


@pytest.mark.parametrize(
    ("scope", "wanted", "numbers"),
    [
        (HOME, "", {1, 2, 3, 4, 5, 6, 7, 8, 9}),
        (HOME, "atScope()", {1, 2, 3, 7}),
        (GROUP, "", {1, 2, 3, 4, 5, 6, 7, 9}),
        (GROUP, "atScope()", {1, 2, 3, 4, 7}),
        (FIRST_SCOPE, "", {1, 2, 3, 4, 5, 6, 7}),
        (f"{FIRST_SCOPE}/keys/rotated", "atScope()", {1, 2, 3, 4, 5, 6, 7}),
        (f"/subscriptions/{EMPTY_SUBSCRIPTION}", "", {1}),
        (f"{ROOT_GROUP}/MG-prod", "atScope()", {1, 2}),
        ("", "atScope()", {1}),
        (HOME, f"principalId eq '{BOB.id.upper()}'", {7, 8, 9}),
        # Bob is in a group that is in the group of the second; Alice is in that group.
        (HOME, f"assignedTo('{BOB.id}')", {2, 7, 8, 9}),
        (HOME, f"atScope() and assignedTo('{ALICE.id}')", {2}),
    ],
)
async def test_assignments_by_scope_and_filter(scope: str, wanted: str, numbers: set[int]) -> None:
    async with wire(ACCESS) as client:
        reply = await listed(client, scope, "roleAssignments", wanted)
    assert {NUMBERS[item["name"]] for item in reply.data["value"]} == numbers
    assert client.simulator.calls["role_assignment.list"] == 1


@pytest.mark.parametrize(
    "wanted", ["atScope() and principalId eq 'x'", "principalId eq x", "roleName eq 'Owner'", "assignedTo('x"]
)
async def test_a_filter_that_the_service_does_not_support(wanted: str) -> None:
    async with wire(ACCESS) as client:
        reply = await listed(client, HOME, "roleAssignments", wanted)
        roles = await listed(client, HOME, "roleDefinitions", "principalId eq 'x'")
    assert reply.status == roles.status == 400
    assert reply.data["error"]["message"].startswith(f"The filter '{wanted}' is not supported. Supported filters are either")


async def test_assignments_as_they_were_recorded() -> None:
    async with wire(ACCESS) as client:
        new = (await listed(client, HOME, "roleAssignments", f"principalId eq '{BOB.id}'")).data
        old = (await listed(client, HOME, "roleAssignments", "", "2018-01-01-preview")).data
        oldest = (await listed(client, HOME, "roleAssignments", "", "2015-07-01")).data
        one = await listed(client, HOME, f"roleAssignments/{ASSIGNMENTS[6].id}")
        elsewhere = await listed(client, GROUP, f"roleAssignments/{ASSIGNMENTS[6].id}")
    recorded = bodies("arm-role-assignments", "$filter=principalId")[0]
    assert shape(new["value"][0]) == shape(recorded["value"][0])
    assert new["value"][0]["properties"]["roleDefinitionId"].startswith(f"{HOME}/{AUTHORIZATION}/roleDefinitions/")
    assert list(old["value"][0]["properties"]) == list(bodies("arm-role-assignments", "2018-01-01-preview")[0]["properties"])
    assert "principalType" not in oldest["value"][0]["properties"]
    assert one.data == next(item for item in new["value"] if item["name"] == ASSIGNMENTS[6].id)
    assert (elsewhere.status, elsewhere.data["error"]["code"]) == (404, "RoleAssignmentNotFound")


async def test_definitions() -> None:
    async with wire(ACCESS) as client:
        every = (await listed(client, HOME, "roleDefinitions")).data["value"]
        custom = (await listed(client, GROUP, "roleDefinitions", "atScopeAndBelow() and type eq 'CustomRole'")).data["value"]
        named = (await listed(client, HOME, "roleDefinitions", "roleName eq 'Contributor'", "2018-01-01-preview")).data
        old = (await listed(client, HOME, f"roleDefinitions/{OWNER}", "", "2015-07-01")).data
        above = (await listed(client, "", f"roleDefinitions/{OWNER}")).data
        missing = await listed(client, HOME, "roleDefinitions/x")
    assert [role["name"] for role in custom] == [KEEPER.id]
    assert custom[0] in every
    assert shape(named) == shape(bodies("arm-role-definitions", "$filter=roleName")[0])
    recorded = bodies("arm-role-definitions", "api-version=2015-07-01")[0]
    assert list(old["properties"]["permissions"][0]) == list(recorded["properties"]["permissions"][0])
    assert (old["id"], above["id"]) == (
        f"{HOME}/{AUTHORIZATION}/roleDefinitions/{OWNER}",
        f"/{AUTHORIZATION}/roleDefinitions/{OWNER}",
    )
    assert (missing.status, missing.data["error"]["code"]) == (404, "RoleDefinitionDoesNotExist")
