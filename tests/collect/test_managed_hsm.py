"""Managed HSMs: their rows, their own token and address, and what is said where no local role lets anyone in."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.collect.key_vault.key_rows import KeyBundle, put_attributes, put_material
from keyaudit.collect.key_vault.names import Named
from keyaudit.collect.key_vault.vault_rows import VaultItem, vault_row
from keyaudit.collect.key_vault.versioned import version_row
from keyaudit.collect.places import Subscription, Vault
from keyaudit.model.coverage import State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.simulator.estate import DeletedKey, DeletedVault, Key, ManagedHsm, RotationPolicy
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, ESTATE, FIRST_ID, FIRST_KEYS, SECOND_ID, SECOND_KEYS, SUBSCRIPTION, TENANT, version
from tests.collect.recorded import bodies, raw, wire
from tests.collect.refusals import CODE, REASONS, ends_refused, never_wrong, refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of, some_with_each

READS = ("HSMs", "keys", "deleted vaults", "deleted HSM keys")

ADMIN = "0a000000-0000-4000-8000-000000000099"
SIGNING = Key(
    name="Signing",
    versions=(
        version(400, kty="RSA-HSM", hsm_platform=None, enabled=False),
        version(20, kty="RSA-HSM", hsm_platform=None, exp=AS_OF + 400 * DAY),
    ),
    current=version(20).version,
    rotation=RotationPolicy(rotate_after="P1Y", expiry_time="P2Y", created=AS_OF - 400 * DAY),
)
WRAPPING = Key(
    name="wrapping",
    versions=(version(60, kty="oct-HSM", key_size=256, hsm_platform=None, key_ops=("wrapKey", "unwrapKey")),),
    current=version(60).version,
)
HSM = ManagedHsm(
    name="Hsm-Trust",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Main",
    tags={"Env": "prod"},
    default_action="Deny",
    ip_rules=("198.51.100.0/24",),
    endpoints=("Approved", "Pending"),
    admins=(ADMIN,),
    regions=("northeurope",),
    keys=(SIGNING, WRAPPING),
)
TENANTS = replace(ESTATE, hsms=(HSM,))
HSM_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-main/providers/microsoft.keyvault/managedhsms/hsm-trust"
URL = "https://hsm-trust.managedhsm.azure.net/keys"
SIGNING_KEYS = {f"{URL}/signing/{version(number).version}" for number in (400, 20)}
HSM_KEYS = SIGNING_KEYS | {f"{URL}/wrapping/{version(60).version}"}
LISTS = ("hsm.key.list", "hsm.key.versions", "hsm.key.get", "hsm.key.rotation_policy")
LOCAL = ("hsm.role_definition.list", "hsm.role_assignment.list", "hsm.role_assignment.of_keys")
EKM = ("hsm.ekm.get", "hsm.ekm.certificate")
DELETED_KEYS = "hsm.deleted_key.list"
ELSE = (*LOCAL, "hsm.role_assignment.of_key", "hsm.setting.list", *EKM)


@pytest.fixture(scope="module")
def hsms() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect(estate=TENANTS))


async def read(*faults: Fault, **changed: Any) -> Collected:
    """A run with the HSM changed so."""
    return await collect(*faults, estate=replace(TENANTS, hsms=(replace(HSM, **changed),)))


def test_an_hsm_is_a_vault_of_its_own_kind(hsms: Collected) -> None:
    assert hsms.gaps() == {}
    assert not hsms.failures
    assert set(hsms.rows["vault"]) == {FIRST_ID, SECOND_ID, HSM_ID}
    row = hsms.rows["vault"][HSM_ID]
    assert row == {
        "id": HSM_ID,
        "name": "Hsm-Trust",
        "resource_id": HSM_ID.replace("resourcegroups/rg-main", "resourceGroups/Rg-Main").replace(
            "microsoft.keyvault/managedhsms/hsm-trust", "Microsoft.KeyVault/managedHSMs/Hsm-Trust"
        ),
        "scope_id": f"/subscriptions/{SUBSCRIPTION}",
        "source_url": f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/managedHSMs",
        "source_version": "2026-02-01",
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "Production",
        "resource_group": "Rg-Main",
        "location": "westeurope",
        "kind": "managed-hsm",
        "vault_uri": "https://hsm-trust.managedhsm.azure.net/",
        "sku": "standard_b1",
        "tags": {"env": "prod"},
        "tenant_id": TENANT,
        "of_another_tenant": False,
        "access_model": "hsm-local",
        "purge_protection": True,
        "soft_delete": True,
        "soft_delete_retention": 90 * DAY,
        "public_network_access": "Enabled",
        "network_default_action": "Deny",
        "network_bypass": "AzureServices",
        "ip_rules": 1,
        "every_address_let_in": False,
        "virtual_network_rules": 0,
        "private_endpoints": 2,
        "private_endpoints_approved": 1,
        "provisioning_state": "Succeeded",
        "created_on": AS_OF - 3000 * DAY,
        "created_by": "admin@b.example",
        "security_domain": "Active",
        "initial_admins": [ADMIN],
        "regions": ["northeurope"],
    }
    assert {hsms.rows["vault"][id_]["kind"] for id_ in (FIRST_ID, SECOND_ID)} == {"key-vault"}


def test_hsm_keys_are_keys_in_the_custody_of_the_hsm(hsms: Collected) -> None:
    assert set(hsms.rows["key"]) == FIRST_KEYS | SECOND_KEYS | HSM_KEYS
    rows = [hsms.rows["key"][id_] for id_ in HSM_KEYS]
    assert {(row["vault_id"], row["vault_name"], row["vault_kind"]) for row in rows} == {(HSM_ID, "Hsm-Trust", "managed-hsm")}
    assert {(row["custody"], row["managed"], row["scope_id"]) for row in rows} == {("managed-hsm", False, HSM_ID)}
    assert not any("unknown" in row or "hsm_platform" in row for row in rows)
    current = hsms.rows["key"][f"{URL}/signing/{version(20).version}"]
    assert (current["is_current"], current["auto_rotates"], current["key_size"]) == (True, True, 3072)
    wrapping = hsms.rows["key"][f"{URL}/wrapping/{version(60).version}"]
    assert (wrapping["auto_rotates"], wrapping["kty"]) == (False, "oct-HSM")
    assert "key_size" not in wrapping
    assert {hsms.rows["key"][id_]["custody"] for id_ in FIRST_KEYS} == {"software", "vault-hsm"}


def test_a_recorded_hsm_key_is_read_whole() -> None:
    hsm = Vault.of_row(hsm_row())
    uri = "https://managedhsmvaultname.managedhsm.azure.net/"
    for body in [*bodies("mhsm-keys"), *bodies("mhsm-keys", method="POST")]:
        bundle = wire(body, KeyBundle)
        row = version_row(KEY, hsm, uri, Named("k", "v"), resource_id=bundle.key.kid, url="u", version="1")
        put_attributes(row, bundle.attributes, promised=True, reason=Reason.BAD_BODY)
        put_material(row, bundle)
        assert not row.unknown
        assert (row.values["custody"], row.values["kty"], row.values["curve"]) == ("managed-hsm", "EC-HSM", "P-256")
        assert row.values["hsm_platform"] is None


ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg/providers/Microsoft.KeyVault/managedHSMs/H"
FINE: dict[str, object] = {
    "tenantId": TENANT,
    "hsmUri": "https://h.managedhsm.azure.net/",
    "initialAdminObjectIds": [],
    "enablePurgeProtection": False,
    "softDeleteRetentionInDays": 7,
    "provisioningState": "Succeeded",
    "networkAcls": {"bypass": "None", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
    "publicNetworkAccess": "Enabled",
    "regions": [],
    "securityDomainProperties": {"activationStatus": "Active"},
}
SKU = {"family": "B", "name": "Standard_B1"}


def hsm_row(without: str = "", sku: object = SKU, properties: Mapping[str, object] = FINE) -> dict[str, Any]:
    """The row of an HSM of these properties, or without one."""
    subscription = Subscription(id=SUBSCRIPTION, name=raw("Production"), shown="Production", tenant_id=TENANT)
    said = {name: value for name, value in properties.items() if name != without}
    body = {"id": ID, "name": "H", "location": "x", "sku": sku, "properties": said}
    return vault_row(ENVIRONMENTS["public"], TENANT, subscription, wire(body, VaultItem), "hsm.list")


def test_an_hsm_of_which_azure_says_everything() -> None:
    row = hsm_row()
    assert row.get("unknown", {}) == {}
    assert (row["purge_protection"], row["soft_delete"], row["network_bypass"], row["regions"]) == (False, True, "None", [])
    assert row["enabled_for_deployment"] is None


@pytest.mark.parametrize(
    ("without", "column"),
    [
        ("hsmUri", "vault_uri"),
        ("enablePurgeProtection", "purge_protection"),
        ("networkAcls", "network_default_action"),
        ("networkAcls", "ip_rules"),
        ("publicNetworkAccess", "public_network_access"),
        ("securityDomainProperties", "security_domain"),
        ("initialAdminObjectIds", "initial_admins"),
        ("regions", "regions"),
    ],
)
def test_what_is_documented_of_a_vault_alone_is_not_taken_to_hold_of_an_hsm(without: str, column: str) -> None:
    assert hsm_row(without)["unknown"][column] == Reason.BAD_BODY


@pytest.mark.parametrize(
    ("properties", "column", "expected"),
    [
        ({"securityDomainProperties": {"activationStatus": "NotActivated"}}, "security_domain", "NotActivated"),
        ({"securityDomainProperties": {}}, "security_domain", Reason.BAD_BODY),
        ({"securityDomainProperties": []}, "security_domain", Reason.BAD_VALUE),
        ({"initialAdminObjectIds": [None]}, "initial_admins", Reason.BAD_VALUE),
        ({"initialAdminObjectIds": ADMIN}, "initial_admins", Reason.BAD_VALUE),
        ({"regions": [{"name": "x"}, {}]}, "regions", Reason.BAD_VALUE),
        ({"enablePurgeProtection": None}, "purge_protection", Reason.BAD_VALUE),
        ({"enableSoftDelete": False}, "soft_delete", False),
        ({"softDeleteRetentionInDays": 2**70}, "soft_delete_retention", Reason.BAD_VALUE),
        ({"networkAcls": None}, "network_default_action", Reason.BAD_VALUE),
    ],
)
def test_a_property_of_an_hsm(properties: dict[str, object], column: str, expected: object) -> None:
    row = hsm_row(properties=FINE | properties)
    assert row["unknown"].get(column, row[column]) == expected


@pytest.mark.parametrize("sku", [None, {}, "B1"])
def test_an_hsm_has_its_sku_beside_its_properties(sku: object) -> None:
    assert hsm_row(sku=sku)["unknown"] == {"sku": Reason.BAD_VALUE}


def test_each_kind_of_host_gets_its_own_token_and_no_other(hsms: Collected) -> None:
    sent = {
        (host, audience) for host, audience in hsms.audiences if host.endswith((".vault.azure.net", ".managedhsm.azure.net"))
    }
    assert sent == {
        ("kv-first.vault.azure.net", "https://vault.azure.net"),
        ("kv-second.vault.azure.net", "https://vault.azure.net"),
        ("hsm-trust.managedhsm.azure.net", "https://managedhsm.azure.net"),
    }


@pytest.mark.parametrize(("operation", "reason"), some_with_each(LISTS, REASONS))
async def test_an_operation_refused_to_the_end(hsms: Collected, operation: str, reason: str) -> None:
    after: dict[str, tuple[str, ...]] = {"hsm.key.list": (*LISTS[1:], "hsm.role_assignment.of_key", *EKM), "hsm.key.get": EKM}
    children = after.get(operation, ())
    single = operation != "hsm.key.list"
    found = await ends_refused(hsms, operation, reason, estate=TENANTS, children=children, single=single)
    rows = set(found.rows["key"]) & HSM_KEYS
    assert rows == (set() if operation == "hsm.key.list" else HSM_KEYS if operation != "hsm.key.versions" else rows)
    assert not any(operation.startswith("arm.") for scope, operation in found.coverage if scope == HSM_ID)


@pytest.mark.parametrize(
    ("operation", "reason"),
    some_with_each(["hsm.key.list", "hsm.key.get"], ["auth_failed", "vanished", "intercepted", "firewall", "private_only"]),
)
async def test_rarer_ends(hsms: Collected, operation: str, reason: str) -> None:
    found = await collect(refused(operation, reason), estate=TENANTS)
    never_wrong(hsms, found)
    assert found.coverage[HSM_ID, operation].reason == reason


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_hsms_that_are_not_listed_hide_no_vault(hsms: Collected, reason: str) -> None:
    both = (refused("hsm.list", reason), refused("hsm.query", reason))
    found = await collect(*both, estate=TENANTS)
    never_wrong(hsms, found)
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert {operation for _, operation in found.gaps()} >= {"hsm.list", "hsm.query"}


async def test_vaults_that_are_not_listed_hide_no_hsm(hsms: Collected) -> None:
    found = await collect(refused("vault.list", "permission"), refused("vault.query", "permission"), estate=TENANTS)
    never_wrong(hsms, found)
    assert set(found.rows["vault"]) == {HSM_ID}
    assert set(found.rows["key"]) == HSM_KEYS


async def test_an_hsm_that_only_one_of_two_witnesses_shows_is_found() -> None:
    empty = Fault("hsm.list", "every", edit=lambda body: body | {"value": []})
    found = await collect(empty, estate=TENANTS)
    assert found.gaps() == {}
    assert set(found.rows["key"]) >= HSM_KEYS
    assert found.calls["hsm.get"] == 1
    nothing = Fault("hsm.query", "every", edit=lambda body: body | {"data": [], "count": 0, "totalRecords": 0})
    found = await collect(nothing, estate=TENANTS)
    assert found.gaps() == {}
    assert set(found.rows["key"]) >= HSM_KEYS


async def test_an_hsm_that_only_resource_graph_shows_says_what_that_cannot_tell() -> None:
    empty = Fault("hsm.list", "every", edit=lambda body: body | {"value": []})
    found = await collect(empty, refused("hsm.get", "permission"), estate=TENANTS)
    assert found.unknown("vault", HSM_ID) == {"created_on": "not_visible", "created_by": "not_visible"}
    assert set(found.rows["key"]) >= HSM_KEYS


async def test_without_a_local_role_an_hsm_is_there_and_its_keys_are_not() -> None:
    """Trap 19: Reader shows the HSM, and nothing in Azure Resource Manager opens it."""
    found = await read(access="local")
    assert HSM_ID in found.rows["vault"]
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    refusing = ("hsm.key.list", *LOCAL, "hsm.setting.list")
    assert found.gaps() == {
        **{(HSM_ID, operation): "not_assessed permission" for operation in refusing},
        (HSM_ID, DELETED_KEYS): "not_assessed optional_right",
        **{
            (HSM_ID, operation): "not_assessed parent_not_assessed"
            for operation in (*LISTS[1:], "hsm.role_assignment.of_key", *EKM)
        },
    }
    assert found.coverage[HSM_ID, "hsm.key.list"].detail == "AccessDenied"


async def test_an_hsm_that_was_never_activated_says_so() -> None:
    found = await read(access="local", activation="NotActivated")
    assert found.rows["vault"][HSM_ID]["security_domain"] == "NotActivated"
    record = found.coverage[HSM_ID, "hsm.key.list"]
    assert (record.state, record.reason) == (State.NOT_ASSESSED, "permission")
    assert "never activated" in record.detail


async def test_an_hsm_behind_its_firewall_or_without_a_name_is_a_gap() -> None:
    found = await read(access="firewall")
    assert found.gaps()[HSM_ID, "hsm.key.list"] == "not_assessed firewall"
    found = await read(access="nowhere")
    assert found.gaps()[HSM_ID, "hsm.key.list"] in ("not_assessed dns", "not_assessed unreachable")
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert not found.failures


async def test_of_an_hsm_that_was_deleted_no_row_is_kept() -> None:
    gone = Fault("hsm.get", "every", status=404, body={"error": {"code": "ResourceNotFound", "message": "no"}})
    found = await read(gone, access="nowhere")
    assert found.gaps() == {(HSM_ID, operation): "not_assessed vanished" for operation in (*LISTS, *ELSE, DELETED_KEYS)}


@pytest.mark.parametrize("status", [400, 404])
async def test_a_service_without_rotation_policies_of_hsm_keys_leaves_them_unknown(status: int) -> None:
    found = await collect(Fault("hsm.key.rotation_policy", "every", status=status, body=CODE), estate=TENANTS)
    assert found.gaps() == {(HSM_ID, "hsm.key.rotation_policy"): "not_assessed unrecognised"}
    assert set(found.rows["key"]) >= HSM_KEYS
    for id_ in HSM_KEYS:
        columns = ("auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry")
        assert found.unknown("key", id_) == dict.fromkeys(columns, "unrecognised")
    assert "hsm.get" not in found.calls


HOSTILE = (
    "https://evil.example/",
    "https://hsm-trust.vault.azure.net/",
    "https://other.managedhsm.azure.net/",
    "https://hsm-trust.managedhsm.azure.net.evil.example/",
    "https://hsm-trust.managedhsm.usgovcloudapi.net/",
    "http://hsm-trust.managedhsm.azure.net/",
    "https://hsm-trust.managedhsm.azure.net:8443/",
)


def said(uri: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["properties"]["hsmUri"] = uri
        return body

    return edit


@pytest.mark.parametrize("uri", HOSTILE)
async def test_an_hsm_that_leads_elsewhere_closes_its_scope(uri: str) -> None:
    found = await collect(Fault("hsm.list", "every", edit=said(uri)), estate=TENANTS)
    assert {found.gaps()[HSM_ID, operation] for operation in ("hsm.key.list", *ELSE)} == {"not_assessed bad_vault_uri"}
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert not any("hsm" in host or "evil" in host for host, _ in found.audiences)


async def test_a_vault_that_leads_to_an_hsm_closes_its_scope() -> None:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["properties"]["vaultUri"] = item["properties"]["vaultUri"].replace(".vault.", ".managedhsm.")
        return body

    found = await collect(Fault("vault.list", "every", edit=edit), estate=TENANTS)
    reasons = {found.gaps()[vault, "key.list"] for vault in (FIRST_ID, SECOND_ID)}
    assert reasons == {"not_assessed bad_vault_uri"}
    assert {host for host, audience in found.audiences if audience == "https://vault.azure.net"} == set()


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer authorization="{login}/{tenant}", resource="https://vault.azure.net"',
        'Bearer authorization="{login}/{tenant}", resource="https://managedhsm.usgovcloudapi.net"',
        'Bearer authorization="{login}/{tenant}", scope="https://vault.azure.net/.default"',
        'Bearer authorization="{login}/99999999-0000-4000-8000-000000000000", resource="https://managedhsm.azure.net"',
        'Bearer authorization="https://evil.example/{tenant}", resource="https://managedhsm.azure.net"',
    ],
)
async def test_an_hsms_challenge_for_another_token_gets_none(challenge: str) -> None:
    asked = challenge.format(login="https://login.microsoftonline.com", tenant=TENANT)
    # The official client remembers the challenge of a host, so this one has not been met before.
    name = f"hsm-{zlib.crc32(challenge.encode())}"
    fault = Fault("challenge", "every", where=name, headers={"WWW-Authenticate": asked})
    found = await collect(fault, estate=replace(TENANTS, hsms=(replace(HSM, name=name),)))
    assert found.gaps()[HSM_ID.replace("hsm-trust", name), "hsm.key.list"] == "not_assessed bad_challenge"
    assert not any(name in host for host, _ in found.audiences)
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS


async def test_a_vaults_challenge_for_the_hsms_token_gets_none() -> None:
    asked = f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://managedhsm.azure.net"'
    vault = replace(ESTATE.vaults[0], name="kv-greedy")
    fault = Fault("challenge", "every", where="kv-greedy", headers={"WWW-Authenticate": asked})
    found = await collect(fault, estate=replace(TENANTS, vaults=(vault,)))
    assert found.gaps()[FIRST_ID.replace("kv-first", "kv-greedy"), "key.list"] == "not_assessed bad_challenge"
    assert not any("kv-greedy" in host for host, _ in found.audiences)
    assert set(found.rows["key"]) == HSM_KEYS


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        (None, "bad_item"),
        (7, "bad_item"),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-first", "bad_item"),
        ("/subscriptions/other/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/h", "inconsistent"),
        (f"{HSM_ID}/keys/k", "bad_item"),
    ],
)
async def test_what_is_no_hsm_of_the_subscription_is_set_aside(id_: object, reason: str) -> None:
    def add(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [*body["value"], body["value"][0] | {"id": id_}]} if body["value"] else body

    found = await collect(Fault("hsm.list", "every", edit=add), estate=TENANTS)
    assert found.gaps() == {(f"/subscriptions/{SUBSCRIPTION}", "hsm.list"): f"partial {reason}"}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID, HSM_ID}


GONE = DeletedVault(
    name="hsm-gone",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Old",
    deleted=AS_OF - 5 * DAY,
    purge=AS_OF + 85 * DAY,
    purge_protection=True,
    hsm=True,
)
GONE_ID = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.keyvault/locations/westeurope/deletedmanagedhsms/hsm-gone"
DELETED = replace(TENANTS, deleted_vaults=(GONE, replace(GONE, name="kv-gone", hsm=False)))


async def test_a_deleted_hsm_can_come_back() -> None:
    found = await collect(estate=DELETED)
    assert found.gaps() == {}
    rows = {row["name"]: row for row in found.rows["deleted"].values()}
    assert {name: row["kind"] for name, row in rows.items()} == {"hsm-gone": "managed-hsm", "kv-gone": "vault"}
    row = rows["hsm-gone"]
    assert (row["id"], row["recovery_id"]) == (GONE_ID, GONE_ID)
    assert row["vault_id"] == HSM_ID.replace("rg-main", "rg-old").replace("hsm-trust", "hsm-gone")
    assert (row["deleted_on"], row["purge_on"], row["purge_protected"]) == (GONE.deleted, GONE.purge, True)
    assert not row.get("unknown")


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_deleted_hsms_that_are_refused_hide_no_deleted_vault(reason: str) -> None:
    whole = await collect(estate=DELETED)
    found = await collect(refused("deleted_hsm.list", reason), estate=DELETED)
    never_wrong(whole, found)
    assert {row["kind"] for row in found.rows["deleted"].values()} == {"vault"}
    assert found.gaps()[f"/subscriptions/{SUBSCRIPTION}", "deleted_hsm.list"] == f"not_assessed {reason}"


async def test_a_deleted_vault_in_the_list_of_hsms_is_none_of_them() -> None:
    def swap(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["properties"]["mhsmId"] = item["properties"]["mhsmId"].replace("managedHSMs", "vaults")
        return body

    found = await collect(Fault("deleted_hsm.list", "every", edit=swap), estate=DELETED)
    assert found.gaps() == {(f"/subscriptions/{SUBSCRIPTION}", "deleted_hsm.list"): "not_assessed bad_item"}


@pytest.mark.parametrize(
    ("kid", "reason"),
    [
        ("https://kv-first.vault.azure.net/keys/stolen", "inconsistent"),
        ("https://evil.example/keys/k", "inconsistent"),
        ("", "bad_item"),
        (None, "bad_item"),
    ],
)
async def test_a_key_of_another_place_is_none_of_the_hsms(kid: object, reason: str) -> None:
    def add(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [*body["value"], {"kid": kid}]}

    found = await collect(Fault("hsm.key.list", "every", edit=add), estate=TENANTS)
    assert found.gaps()[HSM_ID, "hsm.key.list"] == f"partial {reason}"
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS | HSM_KEYS


@pytest.mark.parametrize(
    ("kty", "expected"),
    [
        ("RSA-HSM", "managed-hsm"),
        ("oct-HSM", "managed-hsm"),
        # A key that says that it is in software is in no HSM, wherever it is listed.
        ("RSA", Reason.UNRECOGNISED),
        ("ML-DSA-HSM", "unrecognised"),
        ("lattice", Reason.UNRECOGNISED),
    ],
)
async def test_custody_in_an_hsm_is_proved_by_the_kind_of_key(kty: str, expected: object) -> None:
    key = Key(name="k", versions=(version(9, kty=kty, hsm_platform=None),), current=version(9).version)
    found = await read(keys=(key,))
    row = found.rows["key"][f"{URL}/k/{version(9).version}"]
    assert row.get("unknown", {}).get("custody", row.get("custody")) == expected


RIGHT = "keys/deletedKeys/read/action"
ERASED = DeletedKey(key=replace(WRAPPING, name="Gone"), deleted=AS_OF - 9 * DAY, purge=AS_OF + 81 * DAY)
ERASED_ID = "https://hsm-trust.managedhsm.azure.net/deletedkeys/gone"


async def test_deleted_keys_of_an_hsm_are_read_from_it() -> None:
    found = await read(deleted_keys=(ERASED, replace(ERASED, key=replace(WRAPPING, name="Other"))))
    assert found.gaps() == {}
    row = found.rows["deleted"][ERASED_ID]
    assert (row["kind"], row["name"], row["vault_id"], row.get("unknown")) == ("hsm-key", "Gone", HSM_ID, None)
    assert (row["deleted_on"], row["purge_on"], row["recovery_id"]) == (ERASED.deleted, ERASED.purge, ERASED_ID)
    assert {id_ for id_, row in found.rows["deleted"].items() if row["kind"] == "hsm-key"} == {
        ERASED_ID,
        ERASED_ID.replace("gone", "other"),
    }


async def test_without_the_right_to_list_deleted_keys_only_they_are_not_read(hsms: Collected) -> None:
    found = await read(deleted_keys=(ERASED,), refused=(RIGHT,))
    assert found.gaps() == {(HSM_ID, DELETED_KEYS): "not_assessed optional_right"}
    assert found.coverage[HSM_ID, DELETED_KEYS].detail == "AccessDenied"
    assert ERASED_ID not in found.rows.get("deleted", {})
    assert found.rows["key"] == hsms.rows["key"]


@pytest.mark.parametrize("reason", [each for each in REASONS if each != "permission"])
async def test_deleted_keys_that_fail_for_another_reason_have_that_reason(reason: str) -> None:
    found = await collect(refused(DELETED_KEYS, reason), estate=TENANTS)
    assert found.gaps()[HSM_ID, DELETED_KEYS].endswith(reason)
