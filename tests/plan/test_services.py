"""Services, Managed HSMs and managed identities of a plan. The resources are the examples in the provider's documentation."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyaudit.collect.managed_hsm.roles import DATA
from keyaudit.model.errors import Exit
from keyaudit.plan.resources import local_roles
from tests.plan.small import SUBSCRIPTION, TENANT, UNKNOWN, Resource, key, plan, references, vault
from tests.plan.test_gate import SAFE, gate, keyaudit, outcomes

pytestmark = pytest.mark.exhaustive

__all__ = ["gate", "keyaudit"]

CSV = ("-o", "csv", "--all", *(f"--select={each}" for each in ("use-cmk-*", "hsm-*", "kv-key-*", "fed-fic-*", "sp-mi-*")))
PLACE = {"location": "westeurope", "resource_group_name": "example-resources", "tags": None}
ADMIN = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def test_a_service_uses_the_key_that_it_refers_to(gate: Any) -> None:
    account: dict[str, Any] = {
        "name": "examplestor",
        "shared_access_key_enabled": True,
        "identity": [],
        "customer_managed_key": [],
        **PLACE,
    }
    follows = Resource(
        "azurerm_storage_account_customer_managed_key.ok",
        {"user_assigned_identity_id": None},
        {
            "storage_account_id": "azurerm_storage_account.a.id",
            "key_vault_key_id": "azurerm_key_vault_key.generated.versionless_id",
        },
    )
    pinned = Resource(
        "azurerm_disk_encryption_set.des",
        {"name": "des", "auto_key_rotation_enabled": False, "identity": [], **PLACE},
        {"key_vault_key_id": "azurerm_key_vault_key.generated.id"},
    )
    ran = gate(vault(**SAFE), key(), Resource("azurerm_storage_account.a", account), follows, pinned, flags=CSV)
    assert outcomes(ran, "storageAccounts/examplestor")["use-cmk-version-pinned"] == "pass"
    assert outcomes(ran, "diskEncryptionSets/des")["use-cmk-version-pinned"] == "fail"


def test_a_cluster_uses_the_key_that_it_encrypts_its_secrets_with(gate: Any) -> None:
    cluster: dict[str, Any] = {
        "name": "example-aks1",
        "identity": [{"type": "SystemAssigned", "identity_ids": None}],
        "service_principal": [],
        "oidc_issuer_enabled": True,
        "oidc_issuer_url": UNKNOWN,
        **PLACE,
    }
    plain = Resource(
        "azurerm_kubernetes_cluster.plain", {**cluster, "local_account_disabled": None, "key_management_service": []}
    )
    managed = [{"key_vault_key_id": UNKNOWN, "key_vault_network_access": "Public"}]
    encrypting = Resource(
        "azurerm_kubernetes_cluster.kms",
        {**cluster, "name": "example-kms", "local_account_disabled": True, "key_management_service": managed},
    )
    refers = {"key_vault_key_id": {"references": references("azurerm_key_vault_key.generated.id")}}
    found = plan(vault(**SAFE), key(), plain, encrypting)
    for each in found["configuration"]["root_module"]["resources"]:
        if each["address"] == encrypting.address:
            each["expressions"]["key_management_service"] = [refers]
    ran = gate(found=found, flags=("-o", "csv", "--all", "--select", "use-cmk-*", "--select", "account-key-local-auth-enabled"))
    assert outcomes(ran, "managedClusters/example-aks1") == {"account-key-local-auth-enabled": "fail"}
    expected = {"account-key-local-auth-enabled": "pass", "use-cmk-version-pinned": "fail"}
    assert outcomes(ran, "managedClusters/example-kms").items() >= expected.items()


def test_a_managed_hsm_is_judged_with_its_keys_and_local_roles(gate: Any) -> None:
    hsm = "azurerm_key_vault_managed_hardware_security_module"
    values = {
        "name": "exampleKVHsm",
        "sku_name": "Standard_B1",
        "purge_protection_enabled": False,
        "soft_delete_retention_days": 90,
        "tenant_id": TENANT,
        "admin_object_ids": [ADMIN],
        "public_network_access_enabled": True,
        "network_acls": [],
        "security_domain_key_vault_certificate_ids": None,
        **PLACE,
    }
    made = {
        "name": "example",
        "key_type": "EC-HSM",
        "curve": "P-521",
        "key_opts": ["sign"],
        "expiration_date": UNKNOWN,
        "tags": None,
    }
    given = {"name": "a9dbe818-56e7-5878-c0ce-a1477692c1d6", "scope": "/keys", "principal_id": ADMIN}
    role = {"role_definition_id": "/providers/Microsoft.Authorization/roleDefinitions/21dbd100-6940-42c2-9190-5d6cb909625b"}
    ran = gate(
        Resource(f"{hsm}.example", values),
        Resource(f"{hsm}_key.example", made, {"managed_hsm_id": f"{hsm}.example.id"}),
        Resource(f"{hsm}_role_assignment.example", {**given, **role}, {"managed_hsm_id": f"{hsm}.example.id"}),
        flags=CSV,
    )
    place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/example-resources/providers/Microsoft.KeyVault/managedHSMs/"
    found = outcomes(ran, place)
    assert found["hsm-purge-protection-off"] == "fail"
    assert found["hsm-public-network"] == "fail"
    assert outcomes(ran, "https://examplekvhsm.managedhsm.azure.net/keys/example/")["kv-key-exportable"] == "pass"


def test_built_in_local_roles_allow_what_a_recorded_hsm_says() -> None:
    """Of what policies are about. keys/rotate is newer than the recorded answer."""
    recorded = json.loads((Path(__file__).parent.parent / "recorded" / "mhsm-rbac.json").read_text(encoding="utf-8"))
    roles = {role["name"]: role for role in _roles_in(recorded) if role["properties"]["type"] == "AKVBuiltInRole"}
    assert set(roles) <= set(local_roles.BUILT_IN)
    for guid, role in roles.items():
        properties = local_roles.BUILT_IN[guid]["properties"]
        assert isinstance(properties, dict)
        assert (guid, _allowed(properties)) == (guid, _allowed(role["properties"]))
        assert properties["roleName"] == role["properties"]["roleName"]


def _allowed(properties: Any) -> set[str]:
    actions = (action.lower() for each in properties["permissions"] for action in each["dataActions"])
    return {DATA[action] for action in actions if action in DATA}


def _roles_in(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        if str(found.get("type")).endswith("/roleDefinitions") and "properties" in found:
            yield found
        found = list(found.values())
    for each in found if isinstance(found, list) else ():
        yield from _roles_in(each)


def test_local_roles_of_a_managed_hsm_are_judged_by_what_they_allow(gate: Any) -> None:
    hsm = "azurerm_key_vault_managed_hardware_security_module"
    new = {"name": "exampleKVHsm", "admin_object_ids": [ADMIN], "tenant_id": TENANT, "purge_protection_enabled": True, **PLACE}
    within = {"managed_hsm_id": f"{hsm}.example.id"}
    role = "/Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions"
    user, other = (
        f"{role}/{each}" for each in ("21dbd100-6940-42c2-9190-5d6cb909625b", "11111111-aaaa-4bbb-8ccc-222222222222")
    )
    custom = {
        "name": "7d206142-bf01-11ed-80bc-00155d61ee9e",
        "role_name": "any",
        "permission": [{"data_actions": ["Microsoft.KeyVault/managedHsm/keys/*"], "actions": [], "not_actions": []}],
    }

    def assigned(name: str, given: dict[str, Any], **refers: str) -> Resource:
        values = {"name": f"{name}9dbe818-56e7-5878-c0ce-a1477692c1d6", "principal_id": ADMIN, "scope": "/", **given}
        return Resource(f"{hsm}_role_assignment.{name}", values, {**within, **refers})

    ran = gate(
        Resource(f"{hsm}.example", new),
        Resource(f"{hsm}_role_definition.any", custom, within),
        assigned("a", {"role_definition_id": user}),
        assigned("b", {}, role_definition_id=f"{hsm}_role_definition.any.resource_manager_id"),
        assigned("c", {"role_definition_id": other}),
        assigned("d", {}, role_definition_id="local.role"),
        flags=("-o", "csv", "--all", "--select", "scope-custom-role-wildcard"),
    )
    found = {name: outcomes(ran, f"/roleAssignments/{name}9dbe818").get("scope-custom-role-wildcard") for name in "abcd"}
    # A role that the plan neither has nor computes is one of the tenant's.
    assert found == {"a": None, "b": "fail", "c": "unknown", "d": "unknown"}, ran.out
    gated = gate(
        Resource(f"{hsm}.example", new), assigned("c", {"role_definition_id": other}), flags=("--select", "scope-custom-*")
    )
    assert gated.code == Exit.CLEAN, gated.out


def test_a_managed_identity_trusts_and_is_given_rights(gate: Any) -> None:
    identity = Resource("azurerm_user_assigned_identity.example", {"name": "example", "isolation_scope": None, **PLACE})
    trust = Resource(
        "azurerm_federated_identity_credential.example",
        {"name": "example", "audience": ["foo"], "issuer": "https://foo", "subject": "foo"},
        {"user_assigned_identity_id": "azurerm_user_assigned_identity.example.id"},
    )
    owner = Resource(
        "azurerm_role_assignment.example",
        {"scope": f"/subscriptions/{SUBSCRIPTION}", "role_definition_name": "Owner"},
        {"principal_id": "azurerm_user_assigned_identity.example.principal_id"},
    )
    ran = gate(identity, trust, owner, flags=CSV)
    assert outcomes(ran, "/federatedIdentityCredentials/example")["fed-fic-unknown-issuer"] == "fail"
    assert outcomes(ran, "/servicePrincipals/")["sp-mi-overprivileged"] == "fail"


@pytest.mark.parametrize("issues", [True, False])
def test_the_workloads_of_a_planned_cluster_are_known(gate: Any, issues: bool) -> None:
    """https://learn.microsoft.com/azure/aks/workload-identity-deploy-cluster"""
    values = {"name": "aks", "service_principal": [], "oidc_issuer_enabled": issues, "oidc_issuer_url": UNKNOWN, **PLACE}
    cluster = Resource(
        "azurerm_kubernetes_cluster.aks", {**values, "key_management_service": [], "local_account_disabled": True}
    )
    identity = Resource(
        "azurerm_user_assigned_identity.app", {"name": "app", "principal_id": UNKNOWN, "client_id": UNKNOWN, **PLACE}
    )
    issuer = "azurerm_kubernetes_cluster.aks.oidc_issuer_url"
    trust = {"subject": "system:serviceaccount:shop:cart", "audiences": ["api://AzureADTokenExchange"]}
    arm = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31"
    of_azapi = Resource(
        "azapi_resource.cart",
        {"type": arm, "name": "azapi", "body": {"properties": {"issuer": UNKNOWN, **trust}}, "tags": UNKNOWN},
        {"parent_id": "azurerm_user_assigned_identity.app.id"},
    )
    of_azapi.refers = {**of_azapi.refers, "body": issuer}
    of_azurerm = Resource(
        "azurerm_federated_identity_credential.cart",
        {"name": "azurerm", "subject": trust["subject"], "audience": trust["audiences"]},
        {"user_assigned_identity_id": "azurerm_user_assigned_identity.app.id", "issuer": issuer},
    )
    ran = gate(cluster, identity, of_azapi, of_azurerm, flags=CSV)
    for name in ("azapi", "azurerm"):
        found = outcomes(ran, f"/federatedIdentityCredentials/{name}")
        # Without an issuer of its own, it may be one of the tenant's clusters.
        assert found.get("fed-fic-unknown-issuer") == ("pass" if issues else None), (name, ran.out)
        assert found["fed-fic-mutable-subject"] == "pass"
