"""The parts that several examples of Azure have."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tests.plan.configuration import Resource, resource
from tests.plan.terms import ref


class Example(Struct, frozen=True):
    """The page that it is from, and its resources."""

    page: str
    resources: Sequence[Resource]


GROUP = resource("azurerm_resource_group.example", name="example-resources", location="West Europe")
CLIENT = resource("data.azurerm_client_config.current")
NOBODY = "00000000-0000-0000-0000-000000000000"
HSM = "azurerm_key_vault_managed_hardware_security_module"
KEY_OPTIONS = ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"]


def placed(address: str, name: str, **arguments: Any) -> Resource:
    place = {
        "location": ref("azurerm_resource_group.example.location"),
        "resource_group_name": ref("azurerm_resource_group.example.name"),
    }
    return resource(address, name=name, **place, **arguments)


def vault(name: str = "examplekeyvault", **arguments: Any) -> Resource:
    given = {
        "rbac_authorization_enabled": False,
        "tenant_id": ref("data.azurerm_client_config.current.tenant_id"),
        "sku_name": "premium",
        **arguments,
    }
    return placed("azurerm_key_vault.example", name, **given)


def own_policy(**permissions: Any) -> list[dict[str, Any]]:
    current = "data.azurerm_client_config.current"
    return [{"tenant_id": ref(f"{current}.tenant_id"), "object_id": ref(f"{current}.object_id"), **permissions}]


def key() -> Resource:
    return resource(
        "azurerm_key_vault_key.example",
        name="example-key",
        key_vault_id=ref("azurerm_key_vault.example.id"),
        key_type="RSA",
        key_size=2048,
        key_opts=KEY_OPTIONS,
    )


def storage(**arguments: Any) -> Resource:
    given = {"account_tier": "Standard", "account_replication_type": "GRS", **arguments}
    return placed("azurerm_storage_account.example", "storageaccountname", **given)


def hsm(**arguments: Any) -> Resource:
    given = {
        "sku_name": "Standard_B1",
        "tenant_id": ref("data.azurerm_client_config.current.tenant_id"),
        "admin_object_ids": [ref("data.azurerm_client_config.current.object_id")],
        "purge_protection_enabled": False,
        **arguments,
    }
    return placed(f"{HSM}.example", "exampleKVHsm", **given)


def hsm_key() -> Resource:
    return resource(
        f"{HSM}_key.example",
        name="example",
        managed_hsm_id=ref(f"{HSM}.example.id"),
        key_type="EC-HSM",
        curve="P-521",
        key_opts=["sign"],
    )


def identity() -> Resource:
    return placed("azurerm_user_assigned_identity.example", "example")
