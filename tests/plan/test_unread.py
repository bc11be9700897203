"""A resource that nothing here reads is never a pass, and azapi is read."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from tests.plan.small import SUBSCRIPTION, UNKNOWN, Resource, key, vault
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


def test_resources_that_make_nothing_with_keys_pass(gate: Any) -> None:
    network = azapi("net", "Microsoft.Network/virtualNetworks@2024-05-01", {"properties": {"addressSpace": UNKNOWN}})
    plan = Resource("azurerm_service_plan.example", {"name": "x", "customer_managed_key": [], "key_vault_key_id": None})
    ran = gate(vault(**SAFE), key(**HSM), LOGGED, network, plan)
    assert ran.code == Exit.CLEAN, ran.out
    uses = Resource("azurerm_service_plan.example", {"name": "x", "customer_managed_key": [{"key_vault_key_id": UNKNOWN}]})
    ran = gate(vault(**SAFE), key(**HSM), LOGGED, uses)
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


def test_access_policies_that_a_dynamic_block_may_add_are_never_a_pass(gate: Any) -> None:
    """Whether there is such a block, neither the configuration nor the values tell. An ordinary vault has none."""
    by_policy = {**SAFE, "rbac_authorization_enabled": False, "access_policy": UNKNOWN}
    assert gate(vault(**by_policy), LOGGED).code == Exit.CLEAN
    ran = gate(vault(**by_policy), LOGGED, flags=(*CSV, "--select", "scope-access-policy-all"))
    assert "scope-access-policy-all" not in outcomes(ran)
    configured = vault(**by_policy)
    configured.refers = {"access_policy": "local.policies"}
    ran = gate(configured, LOGGED)
    assert ran.code == Exit.INCOMPLETE
    assert "UNKNOWN  scope-access-policy-all" in ran.out
