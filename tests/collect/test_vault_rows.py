"""ARM's recorded vaults as rows, the two sources that have to agree, and vaults that are not what they should be."""

import json
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.collect.key_vault.vault_rows import VaultItem, vault_row
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.surfaces import TOGETHER
from keyaudit.model.coverage import State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.vault import VAULT
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE, FIRST, FIRST_ID, FIRST_KEYS, SECOND_ID, SECOND_KEYS, SUBSCRIPTION, TENANT_ID
from tests.collect.recorded import bodies, raw, wire
from tests.collect.rig import collect

READS = ("keys", "deleted vaults", "services", "consumers", "role assignments")

ZERO = "00000000-0000-0000-0000-000000000000"
BARE = Subscription(id=ZERO, name=raw("Recorded"), shown="Recorded", tenant_id=ZERO)


def of(body: object, operation: str = "vault.list") -> dict[str, Any]:
    return vault_row(ENVIRONMENTS["public"], ZERO, BARE, wire(body, VaultItem), operation)


def test_every_recorded_vault() -> None:
    listed = [item for page in bodies("arm-vault-list", path="/vaults?") for item in page["value"]]
    single = [body for body in bodies("arm-vault-lifecycle", path="/vaults/") if body and "deletedVaults" not in body["id"]]
    columns = ("name", "location", "sku", "access_model", "purge_protection", "soft_delete", "soft_delete_retention", "tags")
    found = [tuple(of(body)[column] for column in columns) for body in (*listed, *single)]
    bare = ("eastus", "standard", "access-policy", False, True, None, None)
    assert found[0] == ("myValtZikfikxyzz", *bare)
    assert len(found) == 7
    for body in (*listed, *single):
        row = of(body)
        assert row["unknown"] == {}
        properties = body["properties"]
        assert row["vault_uri"] == properties["vaultUri"]
        assert row["access_model"] == ("rbac" if properties.get("enableRbacAuthorization") else "access-policy")
        named = [policy["permissions"].get("storage") for policy in properties["accessPolicies"]]
        assert row["storage_policies"] == len([*filter(None, named)])
        days = properties.get("softDeleteRetentionInDays")
        assert row["soft_delete_retention"] == (days and days * 86_400)
        assert row["tags"] == (body["tags"] or None)


def test_a_recorded_vault_as_a_whole_row() -> None:
    body = next(item for page in bodies("arm-vault-list") for item in page["value"])
    assert of(body) == {
        "id": body["id"].lower(),
        "name": "myValtZikfikxyzz",
        "resource_id": body["id"],
        "scope_id": f"/subscriptions/{ZERO}",
        "source_url": f"https://management.azure.com/subscriptions/{ZERO}/providers/Microsoft.KeyVault/vaults",
        "source_version": "2026-02-01",
        "subscription_id": ZERO,
        "subscription_name": "Recorded",
        "resource_group": "rgname",
        "location": "eastus",
        "vault_uri": "https://myvaltzikfikxyzz.vault.azure.net/",
        "sku": "standard",
        "tags": None,
        "access_model": "access-policy",
        "purge_protection": False,
        "soft_delete": True,
        "soft_delete_retention": None,
        "public_network_access": None,
        "api_version": None,
        "access_policies": 1,
        "storage_policies": 0,
        "kind": "key-vault",
        "tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "of_another_tenant": True,
        "network_default_action": None,
        "network_bypass": None,
        "ip_rules": 0,
        "every_address_let_in": False,
        "virtual_network_rules": 0,
        "private_endpoints": 0,
        "private_endpoints_approved": 0,
        "provisioning_state": "Succeeded",
        "create_mode": None,
        "enabled_for_deployment": True,
        "enabled_for_disk_encryption": True,
        "enabled_for_template_deployment": True,
        "created_on": None,
        "created_by": None,
        "security_domain": None,
        "initial_admins": None,
        "regions": None,
        "unknown": {},
    }


ID = f"/subscriptions/{ZERO}/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/V"
PURGE_PROTECTED: dict[str, object] = {"enablePurgeProtection": True}


def _policies(*storage: object) -> dict[str, list[object]]:
    """Properties with an access policy for each of these permissions for storage accounts; UNSET: left out."""
    permissions = ({"keys": ["get"]} | ({} if each is UNSET else {"storage": each}) for each in storage)
    return {"accessPolicies": [{"objectId": ZERO, "permissions": each} for each in permissions]}


FINE: dict[str, object] = {"vaultUri": "https://v.vault.azure.net/", "sku": {"name": "Premium"}, "enableSoftDelete": True}


@pytest.mark.parametrize(
    ("properties", "column", "expected"),
    [
        ({}, "sku", "premium"),
        ({"sku": None}, "sku", Reason.BAD_VALUE),
        ({"sku": {"name": 3}}, "sku", Reason.BAD_VALUE),
        ({"enableRbacAuthorization": True}, "access_model", "rbac"),
        ({"enableRbacAuthorization": False}, "access_model", "access-policy"),
        ({"enableRbacAuthorization": None}, "access_model", "access-policy"),
        ({"enableRbacAuthorization": "true"}, "access_model", Reason.BAD_VALUE),
        ({"enablePurgeProtection": None}, "purge_protection", False),
        ({"enablePurgeProtection": 1}, "purge_protection", Reason.BAD_VALUE),
        ({"enableSoftDelete": False}, "soft_delete", False),
        ({"enableSoftDelete": "true"}, "soft_delete", Reason.BAD_VALUE),
        ({"enableSoftDelete": None}, "soft_delete", Reason.NOT_STATED),
        ({"softDeleteRetentionInDays": 7}, "soft_delete_retention", 604_800),
        ({"softDeleteRetentionInDays": None}, "soft_delete_retention", None),
        ({"softDeleteRetentionInDays": 2**60}, "soft_delete_retention", Reason.BAD_VALUE),
        ({"softDeleteRetentionInDays": "90"}, "soft_delete_retention", Reason.BAD_VALUE),
        ({"publicNetworkAccess": "Sometimes"}, "public_network_access", "unrecognised"),
        ({"publicNetworkAccess": "disabled"}, "public_network_access", "Disabled"),
        ({"publicNetworkAccess": 1}, "public_network_access", Reason.BAD_VALUE),
        ({"vaultUri": None}, "vault_uri", Reason.BAD_VALUE),
        ({"tenantId": ZERO}, "of_another_tenant", False),
        ({"tenantId": ZERO.replace("0", "A")}, "tenant_id", ZERO.replace("0", "a")),
        ({"tenantId": ZERO.replace("0", "A")}, "of_another_tenant", True),
        ({}, "of_another_tenant", Reason.BAD_BODY),
        ({"tenantId": None}, "tenant_id", Reason.BAD_VALUE),
        ({"provisioningState": "RegisteringDns"}, "provisioning_state", "RegisteringDns"),
        ({}, "provisioning_state", Reason.BAD_BODY),
        ({"createMode": "Recover"}, "create_mode", "recover"),
        ({"createMode": None}, "create_mode", None),
        ({"createMode": 7}, "create_mode", Reason.BAD_VALUE),
        ({"enabledForDeployment": True}, "enabled_for_deployment", True),
        ({"enabledForDiskEncryption": None}, "enabled_for_disk_encryption", False),
        ({}, "enabled_for_template_deployment", False),
        ({"enabledForTemplateDeployment": "yes"}, "enabled_for_template_deployment", Reason.BAD_VALUE),
        ({}, "security_domain", None),
        ({"accessPolicies": []}, "storage_policies", 0),
        ({"accessPolicies": None}, "storage_policies", Reason.BAD_VALUE),
        (_policies(None, [], UNSET), "storage_policies", 0),
        (_policies(["getsas"], [], ["All"]), "storage_policies", 2),
        (_policies(["all"], "all"), "storage_policies", Reason.BAD_VALUE),
        (_policies([1]), "storage_policies", Reason.BAD_VALUE),
        # Permissions for storage accounts that cannot be read leave the rest of the access policy as it is.
        (_policies("all"), "access_policies", 1),
        ({"accessPolicies": [*_policies(["all"])["accessPolicies"], {}]}, "storage_policies", Reason.BAD_ITEM),
        # Two settings; the second one is never set on most vaults.
        ({}, "network_default_action", None),
        ({"networkAcls": None}, "network_default_action", None),
        ({"networkAcls": {}}, "network_default_action", Reason.BAD_BODY),
        ({"networkAcls": []}, "network_bypass", Reason.BAD_VALUE),
        ({"networkAcls": {"defaultAction": "deny"}}, "network_default_action", "Deny"),
        ({"networkAcls": {"defaultAction": "Maybe"}}, "network_default_action", "unrecognised"),
        ({"networkAcls": {"defaultAction": None}}, "network_default_action", Reason.BAD_VALUE),
        ({"networkAcls": {"bypass": "azureservices"}}, "network_bypass", "AzureServices"),
        ({"networkAcls": {"bypass": "None"}}, "network_bypass", "None"),
        ({}, "ip_rules", 0),
        ({"networkAcls": {"ipRules": [{"value": "198.51.100.0/24"}, {"value": "203.0.113.7"}]}}, "ip_rules", 2),
        ({"networkAcls": {"ipRules": [{"value": "198.51.100.0/24"}]}}, "every_address_let_in", False),
        ({"networkAcls": {"ipRules": [{"value": "0.0.0.0/0"}]}}, "every_address_let_in", True),
        ({"networkAcls": {"ipRules": [{"value": "0.0.0.0/1"}, {"value": "128.0.0.0/1"}]}}, "every_address_let_in", True),
        ({"networkAcls": {"ipRules": [{"value": "many"}]}}, "every_address_let_in", Reason.BAD_VALUE),
        ({"networkAcls": {"ipRules": [{"value": "many"}]}}, "ip_rules", 1),
        ({"networkAcls": {"ipRules": [None]}}, "ip_rules", Reason.BAD_VALUE),
        ({"networkAcls": {"virtualNetworkRules": [{"id": "/subscriptions/s/subnets/x"}]}}, "virtual_network_rules", 1),
        ({"networkAcls": {"virtualNetworkRules": 1}}, "virtual_network_rules", Reason.BAD_VALUE),
    ],
)
def test_a_property(properties: dict[str, object], column: str, expected: object) -> None:
    row = of({"id": ID, "name": "V", "location": "x", "properties": FINE | properties})
    assert row["unknown"].get(column, row[column]) == expected


# "Purge protection can only be enabled once soft-delete is enabled", which then "can't be disabled":
# https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview. No document says what else a vault means that leaves
# it out: https://learn.microsoft.com/azure/key-vault/general/soft-delete-change
@pytest.mark.parametrize(
    ("purge_protection", "expected"),
    [({}, None), ({"enablePurgeProtection": False}, None), ({"enablePurgeProtection": "on"}, None), (PURGE_PROTECTED, True)],
)
@pytest.mark.parametrize("left_out", [{}, {"enableSoftDelete": None}])
def test_a_vault_that_leaves_soft_delete_out_has_it_only_for_sure_under_purge_protection(
    purge_protection: dict[str, object], expected: bool | None, left_out: dict[str, object]
) -> None:
    properties = {name: value for name, value in FINE.items() if name != "enableSoftDelete"}
    row = of({"id": ID, "name": "V", "location": "x", "properties": properties | left_out | purge_protection})
    assert row["soft_delete"] is expected
    assert row["unknown"].get("soft_delete") == (None if expected else Reason.NOT_STATED)


def test_a_vault_without_soft_delete_is_believed() -> None:
    row = of({"id": ID, "name": "V", "location": "x", "properties": FINE | PURGE_PROTECTED | {"enableSoftDelete": False}})
    assert row["soft_delete"] is False


def endpoint(status: object) -> dict[str, object]:
    return {"properties": {"privateLinkServiceConnectionState": {"status": status}}}


@pytest.mark.parametrize(
    ("connections", "total", "approved"),
    [
        (None, 0, 0),
        ([], 0, 0),
        # Trap 15: what is pending, rejected or gone is in the list too, and lets nobody in.
        ([endpoint("Pending"), endpoint("Rejected"), endpoint("Disconnected")], 3, 0),
        ([endpoint("Approved"), endpoint("approved"), endpoint("Pending")], 3, 2),
        ([endpoint("Approved"), endpoint("Unheard")], 2, Reason.UNRECOGNISED),
        ([endpoint("Approved"), endpoint(None)], Reason.BAD_VALUE, Reason.BAD_VALUE),
        ([{"properties": {}}], Reason.BAD_VALUE, Reason.BAD_VALUE),
        ({}, Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_only_an_approved_private_endpoint_counts_as_one(connections: object, total: object, approved: object) -> None:
    row = of({"id": ID, "name": "V", "location": "x", "properties": FINE | {"privateEndpointConnections": connections}})
    found = [row["unknown"].get(column, row[column]) for column in ("private_endpoints", "private_endpoints_approved")]
    assert found == [total, approved]


@pytest.mark.parametrize(
    ("made", "created_on", "created_by"),
    [
        ({"createdAt": "2022-04-07T07:16:46.413Z", "createdBy": "user@example.com"}, 1_649_315_806, "user@example.com"),
        (None, None, None),
        ({}, None, None),
        ({"createdAt": "yesterday", "createdBy": 7}, Reason.BAD_VALUE, Reason.BAD_VALUE),
        ("x", Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_who_made_a_vault_and_when(made: object, created_on: object, created_by: object) -> None:
    row = of({"id": ID, "properties": FINE, "systemData": made})
    assert [row["unknown"].get(column, row[column]) for column in ("created_on", "created_by")] == [created_on, created_by]


@pytest.mark.parametrize(
    ("members", "reason"), [({}, "bad_body"), ({"properties": None}, "bad_value"), ({"properties": []}, "bad_value")]
)
def test_a_vault_without_properties_is_not_a_vault_with_defaults(members: dict[str, object], reason: str) -> None:
    row = of({"id": ID, "name": "V", "location": "x"} | members)
    told_otherwise = {"id", "name", "resource_id", "scope_id", "source_url", "source_version", "location", "kind", "tags"}
    told_otherwise |= {"subscription_id", "subscription_name", "resource_group", "created_on", "created_by", "api_version"}
    of_an_hsm = {"security_domain", "initial_admins", "regions"}
    assert row["unknown"] == dict.fromkeys({column.name for column in VAULT.stored} - told_otherwise - of_an_hsm, reason)


def test_a_vault_is_the_same_read_back_from_its_row() -> None:
    row = of({"id": ID, "properties": FINE})
    assert Vault.of_row(json.loads(json.dumps(row))) == Vault.of_row(row)
    with pytest.raises(ValueError, match="not a vault"):
        Vault.of_row(row | {"resource_id": "/subscriptions/x"})


def without(name: str, member: str = "value") -> Any:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        kept = [item for item in body[member] if item["name"] != name]
        if member == "data":
            body |= {"count": len(kept), "totalRecords": len(kept)}
        return body | {member: kept}

    return edit


async def test_a_vault_that_resource_graph_does_not_know_yet_is_no_gap() -> None:
    found = await collect(Fault("vault.query", "every", edit=without("kv-First", "data")))
    assert found.gaps() == {}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS


async def test_a_vault_that_arm_does_not_list_is_asked_for() -> None:
    found = await collect(Fault("vault.list", "every", edit=without("kv-First")))
    assert found.gaps() == {}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}
    assert found.rows["vault"][FIRST_ID]["source_url"].lower().endswith(FIRST_ID)
    assert found.coverage[f"/subscriptions/{SUBSCRIPTION}", "vault.get"].state is State.ASSESSED


async def test_what_arm_and_resource_graph_say_differently_of_a_vault_that_arm_does_not_list_is_unknown() -> None:
    def pruned(body: dict[str, Any]) -> dict[str, Any]:
        body["properties"]["enablePurgeProtection"] = not body["properties"].get("enablePurgeProtection", False)
        return body

    found = await collect(Fault("vault.list", "every", edit=without("kv-First")), Fault("vault.get", "every", edit=pruned))
    assert found.unknown("vault", FIRST_ID) == {"purge_protection": "inconsistent"}


async def test_a_vault_that_only_resource_graph_still_shows_was_deleted_before() -> None:
    body = {"error": {"code": "ResourceNotFound", "message": "no"}}
    gone = Fault("vault.get", "every", status=404, body=body)
    found = await collect(Fault("vault.list", "every", edit=without("kv-First")), gone)
    assert found.gaps() == {}
    assert set(found.rows["vault"]) == {SECOND_ID}


async def test_a_vault_that_may_not_be_read_by_itself_keeps_what_resource_graph_said() -> None:
    denied = Fault("vault.get", "every", status=403, body={"error": {"code": "AuthorizationFailed", "message": "no"}})
    found = await collect(Fault("vault.list", "every", edit=without("kv-First")), denied)
    assert found.gaps() == {(f"/subscriptions/{SUBSCRIPTION}", "vault.get"): "not_assessed permission"}
    assert found.rows["vault"][FIRST_ID]["access_model"] == "rbac"
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS


async def test_an_answer_about_another_vault_is_none() -> None:
    other = Fault("vault.get", "every", edit=lambda body: body | {"id": SECOND_ID})
    found = await collect(Fault("vault.list", "every", edit=without("kv-First")), other)
    assert found.gaps() == {(f"/subscriptions/{SUBSCRIPTION}", "vault.get"): "not_assessed inconsistent"}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}


async def test_one_vault_in_two_spellings_is_one_vault() -> None:
    def shout(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"data": [item | {"id": item["id"].upper()} for item in body["data"]]}

    found = await collect(Fault("vault.query", "every", edit=shout))
    assert found.gaps() == {}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}
    assert "resourceGroups/Rg-Main" in found.rows["vault"][FIRST_ID]["resource_id"]
    assert found.rows["vault"][FIRST_ID]["resource_group"] == "Rg-Main"


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        ("/subscriptions/other/resourceGroups/r/providers/Microsoft.KeyVault/vaults/v", "inconsistent"),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.KeyVault/vaults/v/keys/k", "bad_item"),
        ("", "bad_item"),
        (7, "bad_item"),
    ],
)
async def test_what_is_no_vault_of_the_subscription_is_set_aside(id_: object, reason: str) -> None:
    def add(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"value": [*body["value"], body["value"][0] | {"id": id_}]} if body["value"] else body

    found = await collect(Fault("vault.list", "every", where=SUBSCRIPTION, edit=add))
    assert found.gaps() == {(f"/subscriptions/{SUBSCRIPTION}", "vault.list"): f"partial {reason}"}
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}


async def test_many_subscriptions_are_asked_for_in_groups() -> None:
    more = tuple(replace(ESTATE.subscriptions[0], id=f"5ab5c71b-0000-4000-8000-{number:012}") for number in range(300))
    found = await collect(estate=replace(ESTATE, subscriptions=(*ESTATE.subscriptions, *more)))
    assert found.calls["subscription.query"] == 2
    assert found.calls["resource_graph.query"] == 2 * len(TOGETHER)
    assert found.gaps() == {}
    assert found.coverage[TENANT_ID, "vault.query"].kept == 2


async def test_a_vault_whose_address_azure_does_not_say_is_read_from_arm() -> None:
    def silent(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item["properties"].pop("vaultUri")
        return body

    found = await collect(Fault("vault.list", "every", edit=silent), estate=replace(ESTATE, vaults=(FIRST,)))
    assert found.gaps()[FIRST_ID, "key.list"] == "not_assessed bad_body"
    assert set(found.rows["key"]) == FIRST_KEYS
