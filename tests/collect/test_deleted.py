"""What was deleted and can come back: vaults by subscription, keys, certificates and secrets by vault."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.key_vault.deleted import OBJECTS as OPERATIONS
from keyaudit.model.coverage import State
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, FIRST_ID, SECOND_ID, SUBSCRIPTION
from tests.collect.objects import FURNISHED, GONE, OBJECTS, OTHER, VAULT
from tests.collect.recorded import bodies
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of, some_with_each

READS = ("keys", "certificates", "deleted vaults", "deleted")

KEY, PLAIN = f"{VAULT}/deletedkeys/gone", f"{VAULT}/deletedkeys/plain"
CERTIFICATE, SECRET = f"{VAULT}/deletedcertificates/gone", f"{VAULT}/deletedsecrets/gone"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.keyvault/locations/northeurope/deletedvaults"
GONE_VAULT = f"{PROVIDER}/kv-gone"
HOME = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-old/providers/microsoft.keyvault/vaults/kv-gone"


@pytest.fixture(scope="module")
def furnished() -> Collected:
    return asyncio.run(collect(estate=OBJECTS))


def test_everything_deleted_is_a_row_and_nothing_else_is(furnished: Collected) -> None:
    assert set(furnished.rows["deleted"]) == {KEY, PLAIN, CERTIFICATE, SECRET, GONE_VAULT}
    assert not any(row.get("unknown") for row in furnished.rows["deleted"].values())
    kinds = {id_: row["kind"] for id_, row in furnished.rows["deleted"].items()}
    assert kinds == {
        KEY: "key",
        PLAIN: "key",
        CERTIFICATE: "certificate",
        SECRET: "secret",
        GONE_VAULT: "vault",
    }


def test_a_deleted_key_lies_in_its_vault_until_its_purge(furnished: Collected) -> None:
    assert furnished.rows["deleted"][KEY] == {
        "id": KEY,
        "name": "Gone",
        "resource_id": KEY,
        "scope_id": FIRST_ID,
        "source_url": "https://kv-first.vault.azure.net/deletedkeys",
        "source_version": "2025-07-01",
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "Production",
        "resource_group": "Rg-Main",
        "location": "westeurope",
        "kind": "key",
        "vault_id": FIRST_ID,
        "deleted_on": AS_OF - 2 * DAY,
        "purge_on": AS_OF + 5 * DAY,
        "purge_protected": True,
        "recovery_level": "CustomizedRecoverable",
        "recovery_id": KEY,
        "enabled": True,
        "managed": True,
    }
    assert furnished.rows["deleted"][PLAIN]["managed"] is False


def test_a_deleted_certificate_keeps_its_thumbprint_and_its_backing_is_marked(furnished: Collected) -> None:
    rows = furnished.rows["deleted"]
    alive = next(row for row in furnished.rows["certificate"].values() if row["name"] == "backing")
    assert len(rows[CERTIFICATE]["thumbprint"]) == len(alive["thumbprint"]) == 40
    assert "managed" not in rows[CERTIFICATE]
    assert (rows[KEY]["managed"], rows[SECRET]["managed"]) == (True, True)


def test_a_deleted_vault_says_where_it_was(furnished: Collected) -> None:
    row = furnished.rows["deleted"][GONE_VAULT]
    told = ("name", "kind", "vault_id", "resource_group", "location", "purge_protected", "recovery_id", "scope_id")
    scope = f"/subscriptions/{SUBSCRIPTION}"
    assert [row[column] for column in told] == ["kv-Gone", "vault", HOME, "Rg-Old", "northeurope", True, GONE_VAULT, scope]
    assert (row["deleted_on"], row["purge_on"]) == (GONE.deleted, GONE.purge)
    assert not row.keys() & {"recovery_level", "enabled", "managed", "thumbprint"}


async def test_purge_protection_that_was_never_set_is_off() -> None:
    found = await collect(estate=replace(OBJECTS, deleted_vaults=(replace(GONE, purge_protection=None),)))
    assert found.rows["deleted"][GONE_VAULT]["purge_protected"] is False
    purgeable = replace(OBJECTS, vaults=(replace(FURNISHED, purge_protection=None), OTHER))
    row = (await collect(estate=purgeable)).rows["deleted"][KEY]
    assert (row["recovery_level"], row["purge_protected"]) == ("CustomizedRecoverable+Purgeable", False)


async def test_a_vault_without_soft_delete_keeps_nothing_and_is_not_asked() -> None:
    bare = replace(FURNISHED, soft_delete=False)
    found = await collect(estate=replace(OBJECTS, vaults=(bare,)))
    assert found.gaps() == {}
    assert set(found.rows["deleted"]) == {GONE_VAULT}
    assert not found.calls.keys() & set(OPERATIONS)
    assert {found.coverage[FIRST_ID, operation].state for operation in OPERATIONS} == {State.ASSESSED}


async def test_a_vault_of_which_nobody_says_whether_it_keeps_anything_is_asked() -> None:
    unstated = replace(FURNISHED, soft_delete=None, purge_protection=None)
    found = await collect(estate=replace(OBJECTS, vaults=(unstated,)))
    assert found.unknown("vault", FIRST_ID) == {"soft_delete": "not_stated"}
    assert set(found.rows["deleted"]) == {KEY, PLAIN, CERTIFICATE, SECRET, GONE_VAULT}


@pytest.mark.parametrize(("operation", "reason"), some_with_each(OPERATIONS, [*REASONS, "firewall"]))
async def test_a_refused_list_hides_its_kind_and_nothing_else(furnished: Collected, operation: str, reason: str) -> None:
    found = await ends_refused(furnished, operation, reason, estate=OBJECTS, single=False)
    kind = operation.removeprefix("deleted_").removesuffix(".list")
    assert kind not in {row["kind"] for row in found.rows["deleted"].values()}
    if reason in ("permission", "bad_body", "firewall"):
        assert len(found.rows["deleted"]) == 5 - (2 if kind == "key" else 1)


@pytest.mark.parametrize("reason", first_of([*REASONS, "vanished"]))
async def test_a_refused_list_of_vaults_is_its_subscriptions_gap(furnished: Collected, reason: str) -> None:
    found = await ends_refused(furnished, "deleted_vault.list", reason, estate=OBJECTS, single=False)
    assert set(found.rows["deleted"]) <= {KEY, PLAIN, CERTIFICATE, SECRET}


async def test_a_vault_that_refuses_them_all_keeps_everything_else() -> None:
    found = await collect(estate=replace(OBJECTS, vaults=(replace(FURNISHED, refused=("deleted",)), OTHER)))
    assert found.gaps() == {(FIRST_ID, operation): "not_assessed permission" for operation in OPERATIONS}
    assert found.rows["key"]


async def test_a_vault_that_went_meanwhile_leaves_no_row() -> None:
    found = await collect(*(refused(operation, "vanished") for operation in (*OPERATIONS, "vault.get")), estate=OBJECTS)
    assert set(found.rows["deleted"]) == {GONE_VAULT}
    gaps = {(vault, operation): "not_assessed vanished" for vault in (FIRST_ID, SECOND_ID) for operation in OPERATIONS}
    assert found.gaps() == gaps


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"kid": "https://kv-second.vault.azure.net/keys/x"}, "inconsistent"),
        ({"kid": f"{VAULT}/secrets/x"}, "inconsistent"),
        ({"id": f"{VAULT}/keys/x"}, "bad_item"),
        ({"kid": None}, "bad_item"),
        ({}, "bad_item"),
        (None, "bad_item"),
    ],
)
async def test_what_is_no_deleted_key_of_the_vault_is_quarantined(item: object, reason: str) -> None:
    page = {"value": [item], "nextLink": None}
    found = await collect(Fault("deleted_key.list", "every", body=page), estate=replace(OBJECTS, vaults=(FURNISHED,)))
    record = found.coverage[FIRST_ID, "deleted_key.list"]
    assert (record.state, record.reason, record.quarantined) == (State.NOT_ASSESSED, reason, 1)
    assert not {KEY, PLAIN} & found.rows["deleted"].keys()


@pytest.mark.parametrize(
    ("changed", "unknown"),
    [
        ({"recoveryId": f"{VAULT}/deletedkeys/another"}, {"recovery_id"}),
        ({"recoveryId": "https://evil.example/deletedkeys/plain"}, {"recovery_id"}),
        ({"recoveryId": None, "deletedDate": "soon", "scheduledPurgeDate": None}, {"recovery_id", "deleted_on", "purge_on"}),
        ({"attributes": {"enabled": True}}, {"recovery_level", "purge_protected"}),
        ({"attributes": 7}, {"enabled", "recovery_level", "purge_protected"}),
        ({"managed": "yes"}, {"managed"}),
    ],
)
async def test_a_broken_member_makes_only_its_columns_unknown(changed: dict[str, object], unknown: set[str]) -> None:
    sound = {
        "recoveryId": f"{VAULT}:443/deletedkeys/plain",
        "deletedDate": 1,
        "scheduledPurgeDate": 2,
        "kid": f"{VAULT}/keys/plain",
        "attributes": {"enabled": True, "recoveryLevel": "Recoverable"},
    }
    page = {"value": [{**sound, **changed}], "nextLink": None}
    found = await collect(Fault("deleted_key.list", "every", body=page), estate=replace(OBJECTS, vaults=(FURNISHED,)))
    assert set(found.unknown("deleted", PLAIN)) == unknown


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "/subscriptions/other/providers/Microsoft.KeyVault/locations/x/deletedVaults/kv-Gone"},
        {"name": "another"},
        {"properties": {"vaultId": "/subscriptions/other/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv-Gone"}},
        {"properties": {"vaultId": HOME.replace("kv-gone", "kv-first")}},
        {"properties": None},
    ],
)
async def test_what_is_no_deleted_vault_of_the_subscription_is_quarantined(changed: dict[str, object]) -> None:
    sound: dict[str, Any] = {"id": GONE_VAULT, "name": "kv-Gone", "properties": {"vaultId": HOME, "location": "x"}}
    page = {"value": [{**sound, **changed}]}
    found = await collect(Fault("deleted_vault.list", "every", body=page), estate=OBJECTS)
    reason = "inconsistent" if "id" in changed else "bad_item"
    assert found.gaps()[f"/subscriptions/{SUBSCRIPTION}", "deleted_vault.list"] == f"not_assessed {reason}"
    assert GONE_VAULT not in found.rows["deleted"]


def test_recorded_pages_without_an_item_are_not_the_end() -> None:
    pages = list(bodies("arm-deletedvaults-list"))
    assert [len(page["value"]) for page in pages] == [3, 4, 0, 0, 0, 0]
    assert ["nextLink" in page for page in pages] == [True, True, True, True, True, False]
    assert {item["properties"].get("purgeProtectionEnabled") for page in pages for item in page["value"]} == {True, None}
