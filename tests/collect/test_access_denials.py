"""What deny assignments take from grants: what is surely denied, in all of a grant's scope, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.faults import Fault
from tests.collect.access import ACCESS, BOB, CAROL, DENIAL, HOME, KEY_SCOPE, grant
from tests.collect.estate import TENANT
from tests.collect.rig import Collected, collect

READS = ("role assignments", "principals")


async def test_a_denial_of_everybody_is_taken_off() -> None:
    found = await collect(estate=replace(ACCESS, deny_assignments=(DENIAL,)))
    assert (grant(found, 4)["allows"], grant(found, 4)["denied"]) == (
        ["backup", "release", "import", "manage", "purge"],
        ["decrypt", "wrap"],
    )
    assert grant(found, 6)["allows"] == ["sign", "backup", "manage"]
    # Above it, what is denied in a part of the scope is still held elsewhere.
    assert (grant(found, 2)["allows"], grant(found, 2)["denied"]) == (["sign", "decrypt", "wrap", "backup", "manage"], [])


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"principals": (CAROL.id,)}, True),
        ({"principals": (BOB.id,)}, False),
        ({"excluded": (BOB.id,)}, True),
        ({"excluded": (BOB.id, CAROL.id)}, False),
        ({"here_alone": True}, False),
        ({"scope": HOME}, True),
        ({"scope": f"/providers/Microsoft.Management/managementGroups/{TENANT}"}, True),
        ({"scope": f"{HOME}/resourceGroups/rg-mai"}, False),
        ({"not_data_actions": ("*/decrypt/action", "*/unwrap/action")}, False),
    ],
)
async def test_a_denial_takes_off_only_what_is_sure(changes: dict[str, object], taken: bool) -> None:
    denial = replace(DENIAL, **changes)
    found = await collect(estate=replace(ACCESS, deny_assignments=(denial,)))
    assert ("decrypt" not in grant(found, 4)["allows"]) == taken  # type: ignore[operator]


async def collected(change: Callable[[dict[str, Any]], object], *, scope: str = DENIAL.scope) -> Collected:
    """A run in which the denial's properties were changed."""

    def edit(body: dict[str, list[dict[str, dict[str, Any]]]]) -> object:
        for item in body["value"]:
            change(item["properties"])
        return body

    estate = replace(ACCESS, deny_assignments=(replace(DENIAL, scope=scope),))
    return await collect(Fault("deny_assignment.list", "every", edit=edit), estate=estate)


def taken(found: Collected, number: int) -> bool:
    """Whether the denial took something from that grant."""
    row = grant(found, number)
    assert ("decrypt" in row["allows"]) == (row["denied"] == [])  # type: ignore[operator]
    return bool(row["denied"])


@pytest.mark.parametrize("condition", [None, "", "@Resource[x] StringEquals 'y'"])
@pytest.mark.parametrize("of", ["permission", "assignment"])
async def test_what_is_denied_under_a_condition_is_not_surely_denied(of: str, condition: str | None) -> None:
    def change(properties: dict[str, Any]) -> None:
        (properties if of == "assignment" else properties["permissions"][0])["condition"] = condition

    assert taken(await collected(change), 4) is not bool(condition)


@pytest.mark.parametrize(
    ("excluded", "holder", "certain"),
    [
        ("User", "User", True),
        ("ServicePrincipal", "User", True),
        # She may be in the excluded group, or its like.
        ("Group", "User", False),
        ("SystemDefined", "User", False),
        # Who is excluded may be in the group that holds the grant.
        ("User", "Group", False),
        (None, "User", "bad_value"),
        ("User", None, "bad_value"),
        (None, "Group", False),
    ],
)
async def test_an_exception_for_one_other_principal_is_none_for_the_holder(
    excluded: object, holder: str | None, certain: bool | str
) -> None:
    def deny(body: dict[str, Any]) -> object:
        for item in body["value"]:
            item["properties"]["excludePrincipals"] = [{"id": BOB.id, "type": excluded}]
        return body

    def hold(body: dict[str, Any]) -> object:
        for item in body["data"]:
            item["properties"]["principalType"] = holder
        return body

    faults = (
        Fault("deny_assignment.list", "every", edit=deny),
        Fault("role_assignment.query", "every", edit=hold),
    )
    row = grant(await collect(*faults, estate=replace(ACCESS, deny_assignments=(DENIAL,))), 4)
    assert row.get("unknown", {}).get("denied", row.get("denied") != []) == certain  # type: ignore[attr-defined]


async def test_a_denial_without_a_condition_beside_one_with_it_is_taken_off() -> None:
    def change(properties: dict[str, Any]) -> None:
        [permission] = properties["permissions"]
        held = {**permission, "dataActions": ["Microsoft.KeyVault/vaults/keys/backup/action"], "condition": "x"}
        properties["permissions"] = [held, permission]

    assert grant(await collected(change), 4)["denied"] == ["decrypt", "wrap"]


@pytest.mark.parametrize("of", ["permission", "assignment"])
async def test_a_condition_that_cannot_be_read_leaves_unknown_what_is_denied(of: str) -> None:
    def change(properties: dict[str, Any]) -> None:
        (properties if of == "assignment" else properties["permissions"][0])["condition"] = {"x": []}

    found = await collected(change)
    assert grant(found, 4)["unknown"] == {"denied": "bad_item"}
    assert "decrypt" in grant(found, 4)["allows"]  # type: ignore[operator]


async def test_of_a_denial_that_comes_twice_and_differs_whom_it_names_is_unknown_and_nobody_else() -> None:
    def again(body: dict[str, list[dict[str, Any]]]) -> object:
        copies = [item | {"properties": item["properties"] | {"permissions": []}} for item in body["value"]]
        return {"value": [*body["value"], *copies]}

    estate = replace(ACCESS, deny_assignments=(replace(DENIAL, principals=(CAROL.id,)),))
    found = await collect(Fault("deny_assignment.list", "every", edit=again), estate=estate)
    assert found.gaps() == {}
    doubted = {row["principal_id"] for row in found.rows["grant"].values() if "denied" in (row.get("unknown") or ())}
    assert doubted == {CAROL.id}


@pytest.mark.parametrize("said", [True, "false", 0, {}, [False]])
async def test_what_may_hold_for_one_scope_alone_denies_nothing_below_it(said: object) -> None:
    def change(properties: dict[str, Any]) -> None:
        properties["doNotApplyToChildScopes"] = said

    assert not taken(await collected(change), 4)
    # Of that scope itself it is sure either way.
    assert taken(await collected(change, scope=KEY_SCOPE), 6)


@pytest.mark.parametrize("said", [False, None, "left out"])
async def test_a_denial_that_says_nothing_else_holds_for_all_below(said: object) -> None:
    def change(properties: dict[str, Any]) -> None:
        properties["doNotApplyToChildScopes"] = said
        if said == "left out":
            del properties["doNotApplyToChildScopes"]

    assert taken(await collected(change), 4)
