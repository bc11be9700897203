"""Local roles of Managed HSMs as grants, custom ones too, and the settings that an HSM keeps."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.model.reasons import Reason
from keyaudit.simulator.estate import HsmAssignment, HsmRole
from keyaudit.simulator.faults import Fault
from tests.collect.estate import FIRST_ID
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect, take
from tests.collect.test_managed_hsm import HSM, HSM_ID, HSM_KEYS, TENANTS
from tests.matrices import some_with_each

READS = ("HSMs",)

ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"
CRYPTO_OFFICER = "515eb02d-2335-4d2d-92f2-b1cbdf9c3778"
CRYPTO_USER = "21dbd100-6940-42c2-9190-5d6cb909625b"
RELEASE_USER = "21dbd100-6940-42c2-9190-5d6cb909625c"
AUDITOR = "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3"
ENCRYPTION = "33413926-3206-4cdd-b39a-83574fe37a17"
CUSTOM = HsmRole(
    id="c5700000-0000-4000-8000-000000000001",
    name="Signer, and no more",
    data_actions=("keys/*/action",),
    not_data_actions=("keys/export/action", "keys/unwrap/action", "KEYS/Decrypt/action"),
)
WHO = "0a000000-0000-4000-8000-0000000001{:02}"
HELD = (
    (ADMINISTRATOR, "/"),
    (AUDITOR, "/"),
    (CRYPTO_OFFICER, "/keys"),
    (CRYPTO_USER, "/keys/Signing"),
    (RELEASE_USER, "/keys/signing"),
    (ENCRYPTION, "/keys/wrapping"),
    (CUSTOM.id, "/keys"),
)
ASSIGNMENTS = tuple(
    HsmAssignment(id=f"a5500000-0000-4000-8000-0000000000{nth:02}", role=role, principal=WHO.format(nth), scope=scope)
    for nth, (role, scope) in enumerate(HELD)
)
ROLES = replace(TENANTS, hsms=(replace(HSM, roles=(CUSTOM,), assignments=ASSIGNMENTS),))
OPERATIONS = (
    "hsm.role_definition.list",
    "hsm.role_assignment.list",
    "hsm.role_assignment.of_keys",
    "hsm.role_assignment.of_key",
    "hsm.setting.list",
)


@pytest.fixture(scope="module")
def held() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect(estate=ROLES))


def grants(found: Collected) -> dict[str, dict[str, Any]]:
    """The grants of the HSM, by whom they are given to."""
    return {row["principal_id"]: row for row in found.rows["grant"].values() if row["kind"] == "hsm-role"}


def test_each_assignment_that_allows_anything_is_a_grant(held: Collected) -> None:
    assert held.gaps() == {}
    found = grants(held)
    said = {who: (row["name"], row["scope"].removeprefix(HSM_ID), row["allows"]) for who, row in found.items()}
    assert said == {
        WHO.format(0): ("Managed HSM Administrator", "", ["backup", "import", "grant"]),
        # An auditor reads, and can do nothing to a key.
        WHO.format(2): ("Managed HSM Crypto Officer", "/keys", ["read-private", "purge", "grant"]),
        WHO.format(3): (
            "Managed HSM Crypto User",
            "/keys/signing",
            ["sign", "decrypt", "wrap", "backup", "release", "import", "manage"],
        ),
        # One digit from Crypto User, and quite another role.
        WHO.format(4): ("Managed HSM Crypto Service Release User", "/keys/signing", ["release"]),
        WHO.format(5): ("Managed HSM Crypto Service Encryption User", "/keys/wrapping", ["wrap"]),
        WHO.format(6): ("Signer, and no more", "/keys", ["sign", "backup", "release", "import", "manage"]),
    }
    assert {row["vault_id"] for row in found.values()} == {HSM_ID}
    assert {row["scope_kind"] for who, row in found.items() if who != WHO.format(0)} == {"object"}
    assert found[WHO.format(0)]["scope_kind"] == "hsm"
    assert {who for who, row in found.items() if row["custom"]} == {WHO.format(6)}
    assert {who for who, row in found.items() if row["wildcard"]} == {WHO.format(6)}
    assert not any(row.get("unknown") for row in found.values())
    assert held.calls["hsm.role_assignment.of_key"] == len(HSM.keys)


def test_a_grants_id_is_that_of_its_hsm_and_scope(held: Collected) -> None:
    row = grants(held)[WHO.format(3)]
    assert row["id"] == f"{HSM_ID}/keys/signing/providers/microsoft.authorization/roleassignments/{ASSIGNMENTS[3].id}"
    assert row["role_id"] == CRYPTO_USER
    assert row["source_url"].endswith("/keys/Signing/providers/Microsoft.Authorization/roleAssignments")
    assert (row["standing"], row.get("condition"), row.get("created_on")) == (True, None, None)


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, REASONS))
async def test_an_operation_refused_to_the_end(held: Collected, operation: str, reason: str) -> None:
    single = operation == "hsm.role_assignment.of_key"
    found = await ends_refused(held, operation, reason, estate=ROLES, single=single)
    assert set(found.rows["key"]) == set(held.rows["key"])
    assert FIRST_ID in found.rows["vault"]


async def test_without_the_definitions_nothing_is_said_of_what_a_role_allows(held: Collected) -> None:
    found = grants(await collect(refused("hsm.role_definition.list", "permission"), estate=ROLES))
    # The auditor, too: that its role does nothing to a key, the definitions alone say.
    assert set(found) == {WHO.format(nth) for nth in range(len(HELD))} > set(grants(held))
    for row in found.values():
        assert row["unknown"] == dict.fromkeys(("name", "custom", "allows", "wildcard"), "permission")


async def test_a_role_that_no_list_shows_is_not_taken_for_a_harmless_one() -> None:
    strange = replace(ASSIGNMENTS[0], role="dead0000-0000-4000-8000-000000000001")
    found = await collect(estate=replace(TENANTS, hsms=(replace(HSM, assignments=(strange,)),)))
    [row] = grants(found).values()
    assert row["unknown"] == dict.fromkeys(("name", "custom", "allows", "wildcard"), "not_visible")


@pytest.mark.parametrize(
    ("edit", "columns", "reason"),
    [
        ({"type": "SomethingNew"}, {"custom"}, Reason.UNRECOGNISED),
        ({"type": None}, {"custom"}, Reason.BAD_VALUE),
        ({"roleName": 7}, {"name"}, Reason.BAD_VALUE),
        ({"permissions": [{}]}, {"allows", "wildcard"}, Reason.BAD_VALUE),
        ({"permissions": None}, {"allows", "wildcard"}, Reason.BAD_VALUE),
    ],
)
async def test_a_definition_that_is_broken_leaves_unknown_what_it_broke(
    edit: dict[str, object], columns: set[str], reason: str
) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["properties"] |= edit
        return body

    found = await collect(Fault("hsm.role_definition.list", "every", edit=change), estate=ROLES)
    for row in grants(found).values():
        assert row["unknown"] == dict.fromkeys(columns, reason)


GOOD = {
    "id": "/providers/Microsoft.Authorization/roleAssignments/b0000000-0000-4000-8000-000000000001",
    "properties": {
        "principalId": WHO.format(99),
        "roleDefinitionId": f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{CRYPTO_USER}",
        "scope": "/",
    },
}


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"id": GOOD["id"]},
        GOOD | {"id": None},
        GOOD | {"id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/x"},
        GOOD | {"properties": {**GOOD["properties"], "principalId": "everyone"}},  # type: ignore[dict-item]
        GOOD | {"properties": {**GOOD["properties"], "principalId": None}},  # type: ignore[dict-item]
        GOOD | {"properties": {**GOOD["properties"], "roleDefinitionId": "Owner"}},  # type: ignore[dict-item]
        GOOD | {"properties": {**GOOD["properties"], "scope": "/subscriptions/s"}},  # type: ignore[dict-item]
        GOOD | {"properties": {**GOOD["properties"], "scope": "/keys/a/../b"}},  # type: ignore[dict-item]
    ],
)
async def test_an_assignment_that_cannot_be_one_is_set_aside(held: Collected, broken: object) -> None:
    fault = Fault("hsm.role_assignment.list", "every", edit=lambda body: {"value": [*body["value"], broken]})
    found = await collect(fault, estate=ROLES)
    assert found.gaps() == {(HSM_ID, "hsm.role_assignment.list"): "partial bad_item"}
    assert grants(found).keys() == grants(held).keys()


async def test_an_assignment_that_comes_twice_is_one_grant(held: Collected) -> None:
    fault = Fault("hsm.role_assignment.list", "every", edit=lambda body: {"value": body["value"] * 2})
    found = await collect(fault, estate=ROLES)
    assert found.coverage[HSM_ID, "hsm.role_assignment.list"].duplicate == 2
    assert found.rows["grant"] == held.rows["grant"]


async def test_of_an_assignment_that_comes_twice_and_differs_the_rest_stands(tmp_path: Path) -> None:
    def again(body: dict[str, list[dict[str, Any]]]) -> object:
        [first, *others] = body["value"]
        return {"value": [first, first | {"properties": first["properties"] | {"principalId": WHO.format(99)}}, *others]}

    made = await take(tmp_path / "out", Fault("hsm.role_assignment.list", "every", edit=again), estate=ROLES)
    with made.reading() as connection:
        query = (
            f"SELECT unknown['principal_id'], vault_id FROM {made.stored('grant')} WHERE unknown['principal_id'] IS NOT NULL"
        )
        assert connection.execute(query).fetchall() == [("inconsistent", HSM_ID)]
    assert {each.state for each in made.coverage if each.operation == "hsm.role_assignment.list"} == {State.ASSESSED}


def settings(*items: object) -> Fault:
    return Fault("hsm.setting.list", "every", body={"settings": list(items)})


async def test_an_hsms_settings_are_kept_as_it_says_them(held: Collected) -> None:
    [row] = held.rows["hsm_setting"].values()
    assert (row["name"], row["value"], row["vault_id"]) == ("AllowKeyManagementOperationsThroughARM", "false", HSM_ID)
    assert row["id"] == f"{HSM_ID}/settings/allowkeymanagementoperationsthrougharm"
    broken = settings({"name": "a", "value": 7}, {"name": "b"}, {"name": "A", "value": "x"}, {"value": "x"}, None)
    found = await collect(broken, estate=ROLES)
    rows = {row["name"]: row.get("unknown") for row in found.rows["hsm_setting"].values()}
    assert rows == {"a": {"value": "bad_value"}, "b": {"value": "bad_body"}}
    record = found.coverage[HSM_ID, "hsm.setting.list"]
    assert (record.received, record.kept, record.duplicate, record.quarantined, record.reason) == (5, 2, 1, 2, "bad_item")


async def test_the_right_to_read_settings_is_one_that_an_auditor_need_not_have(held: Collected) -> None:
    hsm = replace(ROLES.hsms[0], refused=("settings/read/action",))
    found = await collect(estate=replace(ROLES, hsms=(hsm,)))
    assert found.gaps() == {(HSM_ID, "hsm.setting.list"): "not_assessed permission"}
    assert found.rows["grant"] == held.rows["grant"]
    assert set(found.rows["key"]) >= HSM_KEYS
