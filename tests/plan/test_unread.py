"""A resource that nothing here reads is never a pass, and azapi is read."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from tests.plan.small import SUBSCRIPTION, TENANT, UNKNOWN, Resource, key, references, vault
from tests.plan.test_entra import application, principal
from tests.plan.test_gate import CSV, HSM, LOGGED, PRINCIPAL, SAFE, gate, keyaudit, outcomes

__all__ = ["gate", "keyaudit"]

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/example-resources"
ACCOUNTS = ("--select", "account-key-local-auth-enabled")
REGISTRY = "Microsoft.ContainerRegistry/registries@2020-11-01-preview"

TEMPLATE = Resource("azurerm_resource_group_template_deployment.example", {"name": "x", "template_content": "{}"})


def azapi(name: str, type_: object, body: object, kind: str = "azapi_resource") -> Resource:
    """The example of docs/resources/resource.md in Azure/terraform-provider-azapi."""
    values = {"type": type_, "name": f"cr{name}", "parent_id": GROUP, "location": "westeurope", "body": body, "tags": UNKNOWN}
    return Resource(f"{kind}.{name}", values)


def test_a_body_of_azapi_is_what_azure_has(gate: Any) -> None:
    ran = gate(
        azapi("open", REGISTRY, {"properties": {"adminUserEnabled": True}}),
        azapi("closed", REGISTRY, json.dumps({"properties": {"adminUserEnabled": False}})),
        azapi("later", REGISTRY, {"properties": {"adminUserEnabled": UNKNOWN}}),
        flags=(*ACCOUNTS, "-o", "csv", "--all"),
    )
    found = [outcomes(ran, f"/registries/cr{name}")["account-key-local-auth-enabled"] for name in ("open", "closed", "later")]
    assert found == ["fail", "pass", "unknown"]


@pytest.mark.parametrize(
    "type_",
    ["azurerm_resource_deployment_script_azure_cli", "msgraph_resource_action", "msgraph_resource_collection"],
)
def test_what_may_change_the_directory_leaves_an_application_unknown(gate: Any, type_: str) -> None:
    anything = Resource(f"{type_}.x", {"name": "x", "script_content": "az ad app list", "resource_url": "applications"})
    role = Resource(
        "azuread_directory_role_assignment.x",
        {"role_id": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "directory_scope_id": UNKNOWN},
        {"principal_object_id": "azuread_service_principal.example.object_id"},
    )
    ran = gate(application(), principal(), role, anything, flags=("--select", "sp-can-take-over-tenant", "--fail-on", "low"))
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert anything.address in ran.out


@pytest.mark.parametrize(
    "unread",
    [
        (azapi("body", REGISTRY, UNKNOWN), azapi("update", REGISTRY, {"properties": {}}, "azapi_update_resource")),
        (azapi("type", UNKNOWN, {}), TEMPLATE),
    ],
    ids=("known-type", "unknown-type"),
)
def test_a_resource_that_is_not_read_is_never_a_pass(gate: Any, unread: Sequence[Resource]) -> None:
    ran = gate(vault(**SAFE), LOGGED, *unread, flags=ACCOUNTS)
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert [each.address for each in unread if each.address not in ran.out] == [], ran.out


def test_a_new_vault_of_azapi_has_the_access_model_of_its_version(gate: Any) -> None:
    """https://learn.microsoft.com/azure/key-vault/general/access-control-default"""
    cases: list[tuple[str, Any, Any, str]] = [
        ("2025-05-01", {}, {}, "fail"),
        ("2026-02-01", {}, {}, "pass"),
        ("2026-04-01-preview", {}, {}, "pass"),
        ("2026-02-01", {"enableRbacAuthorization": False}, {}, "fail"),
        ("2025-05-01", {"enableRbacAuthorization": True}, {}, "pass"),
        ("2025-05-01", {"enableRbacAuthorization": UNKNOWN}, {}, "unknown"),
        # One that exists keeps its model, which the plan does not have.
        ("2026-02-01", {}, {"actions": ("update",)}, "unknown"),
    ]
    vaults = []
    for number, (version, properties, more, _) in enumerate(cases):
        body = {"properties": {"tenantId": TENANT, "sku": {"name": "standard"}, **properties}}
        vaults.append(azapi(f"vault{number}", f"Microsoft.KeyVault/vaults@{version}", body))
        vaults[-1].actions = more.get("actions", vaults[-1].actions)
    ran = gate(*vaults, flags=("-o", "csv", "--all", "--select", "kv-legacy-access-policies"))
    found = [outcomes(ran, f"/vaults/crvault{number}")["kv-legacy-access-policies"] for number in range(len(cases))]
    assert found == [expected for *_, expected in cases], ran.out


KEY_URL = "https://kv-example.vault.azure.net/keys/generated-certificate"
SQL, AKS = "Microsoft.Sql/servers@2023-08-01", "Microsoft.ContainerService/managedClusters@2025-01-01"
PINNED = ("--select", "use-cmk-version-pinned", "--select", "account-key-local-auth-enabled", "-o", "csv", "--all")


def protector(name: str, properties: object) -> Resource:
    """A protector of the server `name`: https://learn.microsoft.com/azure/templates/microsoft.sql/servers/encryptionprotector"""
    values = {"type": "Microsoft.Sql/servers/encryptionProtector@2023-08-01", "name": "current", "body": properties}
    return Resource(f"azapi_resource.{name}_tde", values, {"parent_id": f"azapi_resource.{name}.id"})


def test_keys_of_sql_servers_and_clusters_are_read_from_azapi(gate: Any) -> None:
    versioned = {"serverKeyType": "AzureKeyVault", "serverKeyName": f"kv-example_generated-certificate_{'0' * 32}"}
    kms = {"azureKeyVaultKms": {"enabled": True, "keyId": UNKNOWN}}
    cluster = azapi("cluster", AKS, {"properties": {"securityProfile": kms, "disableLocalAccounts": True}})
    # The only unknown part of the body is the only thing that it refers to.
    cluster.refers = {"body": "azurerm_key_vault_key.generated.id"}
    ran = gate(
        vault(**SAFE),
        key(**HSM),
        azapi("own", SQL, {"properties": {"keyId": f"{KEY_URL}/{'0' * 32}"}}),
        azapi("pinned", SQL, {"properties": {}}),
        protector("pinned", {"properties": versioned}),
        azapi("follows", SQL, {"properties": {}}),
        protector("follows", {"properties": {**versioned, "autoRotationEnabled": True}}),
        azapi("later", SQL, {"properties": {}}),
        protector("later", {"properties": {**versioned, "serverKeyName": UNKNOWN}}),
        azapi("service", SQL, {"properties": {}}),
        cluster,
        flags=PINNED,
    )
    found = {name: outcomes(ran, f"/cr{name}").get("use-cmk-version-pinned") for name in ("own", "pinned", "follows", "later")}
    assert found == {"own": "fail", "pinned": "fail", "follows": "pass", "later": "unknown"}, ran.out
    assert not outcomes(ran, "/crservice")
    assert outcomes(ran, "/crcluster") == {"use-cmk-version-pinned": "fail", "account-key-local-auth-enabled": "pass"}


def test_a_diagnostic_setting_of_azapi_is_of_the_vault_that_its_parent_is(gate: Any) -> None:
    later, other = (vault(f"kv-{name}", f"azurerm_key_vault.{name}", **SAFE) for name in ("later", "other"))
    logged = {"properties": {"workspaceId": f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/w",
        "logs": [{"categoryGroup": "audit", "enabled": True}]}}  # fmt: skip

    def of(body: object, parent: str) -> Resource:
        values = {"type": "Microsoft.Insights/diagnosticSettings@2021-05-01-preview", "name": "audit", "body": body}
        return Resource(f"azapi_resource.{parent.replace('.', '-')}", values, {"parent_id": parent})

    known = (of(logged, "azurerm_key_vault.example.id"), of(UNKNOWN, "azurerm_key_vault.later.id"))
    lost = Resource(LOGGED.address, LOGGED.values, {"target_resource_id": "local.anything"})
    for settings, expected in (
        (known, ("pass", "unknown", "fail")),
        # Of a resource that is not known, so perhaps of any vault.
        ((*known, of(logged, "local.anything")), ("pass", "unknown", "unknown")),
        ((*known, lost), ("pass", "unknown", "unknown")),
    ):
        ran = gate(vault(**SAFE), later, other, *settings, flags=("--select", "log-keyvault-audit-off", "-o", "csv", "--all"))
        names = ("kv-example", "kv-later", "kv-other")
        assert tuple(outcomes(ran, f"/vaults/{each}")["log-keyvault-audit-off"] for each in names) == expected, ran.out


def test_resources_that_make_nothing_with_keys_pass(gate: Any) -> None:
    network = azapi("net", "Microsoft.Network/virtualNetworks@2024-05-01", {"properties": {"addressSpace": UNKNOWN}})
    plan = Resource("azurerm_service_plan.example", {"name": "x", "customer_managed_key": [], "key_vault_key_id": None})
    ran = gate(vault(**SAFE), key(**HSM), LOGGED, network, plan)
    assert ran.code == Exit.CLEAN, ran.out
    uses = Resource("azurerm_service_plan.example", {"name": "x", "customer_managed_key": [{"key_vault_key_id": UNKNOWN}]})
    ran = gate(vault(**SAFE), key(**HSM), LOGGED, uses, flags=("--select", "use-*"))
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert uses.address in ran.out


def test_the_scope_of_a_role_is_the_key_that_it_refers_to_or_unknown(gate: Any) -> None:
    narrow = {"role_definition_name": "Key Vault Crypto Officer", **PRINCIPAL}
    resources = [
        Resource("azurerm_role_assignment.key", narrow, {"scope": "azurerm_key_vault_key.generated.resource_versionless_id"}),
        Resource("azurerm_role_assignment.lost", narrow, {"scope": "local.scope"}),
    ]
    ran = gate(vault(**SAFE), key(**HSM), *resources, flags=CSV)
    rows = [row for row in csv.DictReader(io.StringIO(ran.out)) if row["policy_id"] == "scope-data-plane-at-subscription"]
    found = {row["resource_id"].lower().partition("/providers/microsoft.authorization")[0]: row["status"] for row in rows}
    vault_id = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-example"
    assert found == {f"{vault_id}/keys/generated-certificate".lower(): "pass", "": "unknown"}


def test_a_role_on_a_new_resource_without_keys_or_one_that_the_tenant_defines_does_not_gate(gate: Any) -> None:
    registry = Resource("azurerm_container_registry.new", {"name": "crnew", "resource_group_name": "example-resources"})
    cluster = azapi("cluster", AKS, {"properties": {"disableLocalAccounts": True}})
    resources = [
        Resource("azurerm_role_assignment.pull", {"role_definition_name": "AcrPull", **PRINCIPAL}, {"scope": f"{of}.id"})
        for of in (registry.address, cluster.address)
    ]
    resources[1].address = "azurerm_role_assignment.of_body"
    group = {"scope": GROUP, "role_definition_name": "A role of the tenant", **PRINCIPAL}
    in_tenant = Resource("azurerm_role_assignment.in_tenant", group)
    ran = gate(vault(**SAFE), LOGGED, registry, cluster, *resources, in_tenant, flags=("-o", "csv", "--all"))
    assert ran.code == Exit.CLEAN, ran.out
    assert "pass" not in outcomes(ran, "/roleAssignments/").values(), ran.out


def test_access_of_a_new_resource_s_own_identity_is_known(gate: Any) -> None:
    own = {"type": "SystemAssigned", "identity_ids": None, "principal_id": UNKNOWN, "tenant_id": UNKNOWN}
    app = Resource("azurerm_linux_web_app.app", {"name": "app", "resource_group_name": "example-resources", "identity": [own]})
    principal = references("azurerm_linux_web_app.app.identity[0].principal_id")
    role = Resource(
        "azurerm_role_assignment.app",
        {"role_definition_name": "Key Vault Crypto Officer", "principal_type": UNKNOWN},
        {"scope": "azurerm_key_vault.example.id", "principal_id": principal},
    )
    policy = Resource(
        "azurerm_key_vault_access_policy.app",
        {"tenant_id": TENANT, "key_permissions": ["Get", "Sign", "Backup"], "secret_permissions": None},
        {"key_vault_id": "azurerm_key_vault.by_policy.id", "object_id": principal},
    )
    by_policy = vault("kv-by-policy", "azurerm_key_vault.by_policy", **SAFE, rbac_authorization_enabled=False, access_policy=[])
    ran = gate(vault(**SAFE), by_policy, app, role, policy, flags=("-o", "csv", "--all", "--select", "scope-*"))
    for place in (
        "vaults/kv-example/providers/Microsoft.Authorization/roleAssignments/",
        "vaults/kv-by-policy/accessPolicies/",
    ):
        found = outcomes(ran, place)
        assert (found["scope-foreign-principal"], found["scope-key-backup-right"]) == ("pass", "fail"), ran.out


def test_access_policies_that_a_dynamic_block_may_add_are_never_a_pass(gate: Any) -> None:
    """Whether there is such a block, neither the configuration nor the values tell. An ordinary vault has none."""
    by_policy = {**SAFE, "rbac_authorization_enabled": False, "access_policy": UNKNOWN}
    flags = (*CSV, "--select", "scope-access-policy-all")
    ran = gate(vault(**by_policy), LOGGED, flags=flags)
    assert ran.code == Exit.CLEAN, ran.out
    assert "scope-access-policy-all" not in outcomes(ran)
    configured = vault(**by_policy)
    configured.refers = {"access_policy": "local.policies"}
    ran = gate(configured, LOGGED, flags=flags)
    assert ran.code == Exit.INCOMPLETE
    assert outcomes(ran)["scope-access-policy-all"] == "unknown"


def test_a_vault_that_a_plan_manages_with_an_api_version_that_ends_is_found(gate: Any) -> None:
    """https://learn.microsoft.com/azure/key-vault/general/access-control-default"""
    body = {"properties": {"tenantId": TENANT, "sku": {"name": "standard"}, "enableRbacAuthorization": True}}
    versions = ("2025-05-01", "2026-02-01", "2026-04-01-preview")
    vaults = [azapi(f"vault{number}", f"Microsoft.KeyVault/vaults@{each}", body) for number, each in enumerate(versions)]
    changed = azapi("vault3", "Microsoft.KeyVault/vaults@2023-07-01", body)
    changed.actions = ("update",)
    ran = gate(*vaults, changed, vault(**SAFE), flags=("-o", "csv", "--all", "--select", "kv-api-version-retiring"))
    found = [outcomes(ran, f"/vaults/crvault{number}")["kv-api-version-retiring"] for number in range(4)]
    assert found == ["fail", "pass", "pass", "fail"], ran.out
    # The provider azurerm chooses the version itself.
    assert len(list(csv.DictReader(io.StringIO(ran.out)))) == len(found), ran.out
