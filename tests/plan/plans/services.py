"""Accounts of other services: their own keys, and the vault keys that they encrypt with."""

from typing import Any

from tests.plan.configuration import Resource, resource
from tests.plan.plans.described import Plan, configuration, good_vault, key, results
from tests.plan.terms import ref

_VERSIONED, _VERSIONLESS = "azurerm_key_vault_key.wrap.id", "azurerm_key_vault_key.wrap.versionless_id"


def _of_group(address: str, name: str, **arguments: Any) -> Resource:
    place = {"location": "westeurope", "resource_group_name": ref("azurerm_resource_group.main.name")}
    return resource(address, name=name, **place, **arguments)


def _storage(name: str, **arguments: Any) -> Resource:
    given = {
        "account_tier": "Standard",
        "account_replication_type": "LRS",
        "identity": [{"type": "SystemAssigned"}],
        **arguments,
    }
    return _of_group("azurerm_storage_account.main", name, **given)


def _wrapping(vault: str) -> tuple[Resource, ...]:
    """A vault with a wrapping key of an architect."""
    return *good_vault(vault), key("azurerm_key_vault_key.wrap", "wrap", key_opts=["wrapKey", "unwrapKey"])


def _no_endpoint(vault: str) -> str:
    return f"kv-no-private-endpoint: {vault}"


PLANS = (
    Plan(
        name="storage-good",
        after=configuration(
            "storage-good",
            *_wrapping("kv-storage-good"),
            _storage("stplangood", shared_access_key_enabled=False),
            resource(
                "azurerm_storage_account_customer_managed_key.main",
                storage_account_id=ref("azurerm_storage_account.main.id"),
                key_vault_key_id=ref(_VERSIONLESS),
            ),
        ),
        fails=results(_no_endpoint("kv-storage-good")),
    ),
    Plan(
        # Shared keys are accepted unless they are switched off, and the key is named with its version.
        name="storage-pinned",
        after=configuration(
            "storage-pinned",
            *_wrapping("kv-storage-pinned"),
            _storage("stplanpinned"),
            resource(
                "azurerm_storage_account_customer_managed_key.main",
                storage_account_id=ref("azurerm_storage_account.main.id"),
                key_vault_key_id=ref(_VERSIONED),
            ),
        ),
        fails=results(
            _no_endpoint("kv-storage-pinned"),
            "use-cmk-version-pinned: customer-managed key of stplanpinned",
        ),
    ),
    Plan(
        name="storage-with-block",
        after=configuration(
            "storage-with-block",
            *_wrapping("kv-storage-block"),
            _of_group("azurerm_user_assigned_identity.main", "id-storage-block"),
            _storage(
                "stplanblock",
                shared_access_key_enabled=False,
                identity=[{"type": "UserAssigned", "identity_ids": [ref("azurerm_user_assigned_identity.main.id")]}],
                customer_managed_key=[
                    {
                        "key_vault_key_id": ref(_VERSIONED),
                        "user_assigned_identity_id": ref("azurerm_user_assigned_identity.main.id"),
                    }
                ],
            ),
        ),
        fails=results(_no_endpoint("kv-storage-block"), "use-cmk-version-pinned: customer-managed key of stplanblock"),
    ),
    Plan(
        name="disks",
        after=configuration(
            "disks",
            *_wrapping("kv-disks"),
            _of_group(
                "azurerm_disk_encryption_set.pinned",
                "des-plan-pinned",
                key_vault_key_id=ref(_VERSIONED),
                identity=[{"type": "SystemAssigned"}],
            ),
            _of_group(
                "azurerm_disk_encryption_set.follows",
                "des-plan-follows",
                key_vault_key_id=ref(_VERSIONLESS),
                auto_key_rotation_enabled=True,
                identity=[{"type": "SystemAssigned"}],
            ),
        ),
        fails=results(_no_endpoint("kv-disks"), "use-cmk-version-pinned: customer-managed key of des-plan-pinned"),
    ),
    Plan(
        name="cosmos",
        after=configuration(
            "cosmos",
            *_wrapping("kv-cosmos"),
            _of_group(
                "azurerm_cosmosdb_account.main",
                "cosmos-plan",
                offer_type="Standard",
                key_vault_key_id=ref(_VERSIONLESS),
                local_authentication_enabled=False,
                consistency_policy=[{"consistency_level": "Session"}],
                geo_location=[{"location": "westeurope", "failover_priority": 0}],
            ),
        ),
        fails=results(_no_endpoint("kv-cosmos")),
    ),
    Plan(
        name="messaging",
        after=configuration(
            "messaging",
            *_wrapping("kv-messaging"),
            _of_group(
                "azurerm_servicebus_namespace.main",
                "sb-plan",
                sku="Premium",
                capacity=1,
                premium_messaging_partitions=1,
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_servicebus_namespace_customer_managed_key.main",
                namespace_id=ref("azurerm_servicebus_namespace.main.id"),
                key_vault_key_id=ref(_VERSIONED),
            ),
            _of_group(
                "azurerm_eventhub_namespace.main",
                "evh-plan",
                sku="Premium",
                local_authentication_enabled=False,
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_eventhub_namespace_customer_managed_key.main",
                eventhub_namespace_id=ref("azurerm_eventhub_namespace.main.id"),
                key_vault_key_ids=[ref(_VERSIONLESS)],
            ),
        ),
        fails=results(
            _no_endpoint("kv-messaging"),
            "account-key-local-auth-enabled: account key sb-plan/keys",
            "use-cmk-version-pinned: customer-managed key of sb-plan",
        ),
    ),
    Plan(
        name="cognitive",
        after=configuration(
            "cognitive",
            *_wrapping("kv-cognitive"),
            _of_group(
                "azurerm_cognitive_account.main",
                "ai-plan",
                kind="Face",
                sku_name="E0",
                custom_subdomain_name="ai-plan",
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_cognitive_account_customer_managed_key.main",
                cognitive_account_id=ref("azurerm_cognitive_account.main.id"),
                key_vault_key_id=ref(_VERSIONED),
            ),
        ),
        fails=results(
            _no_endpoint("kv-cognitive"),
            "account-key-local-auth-enabled: account key ai-plan/keys",
            "use-cmk-version-pinned: customer-managed key of ai-plan",
        ),
    ),
    Plan(
        name="registries",
        after=configuration(
            "registries",
            _of_group("azurerm_container_registry.admin", "crplanadmin", sku="Premium", admin_enabled=True),
            _of_group("azurerm_container_registry.plain", "crplanplain", sku="Premium"),
            _of_group("azurerm_app_configuration.open", "appcs-plan-open", sku="standard"),
            _of_group("azurerm_app_configuration.closed", "appcs-plan-closed", sku="standard", local_auth_enabled=False),
        ),
        fails=results(
            "account-key-local-auth-enabled: account key crplanadmin/admin-user",
            "account-key-local-auth-enabled: account key appcs-plan-open/keys",
        ),
    ),
    Plan(
        name="sql",
        after=configuration(
            "sql",
            *_wrapping("kv-sql"),
            *(
                _of_group(
                    f"azurerm_mssql_server.{name}",
                    f"sql-plan-{name}",
                    version="12.0",
                    administrator_login="missadministrator",
                    administrator_login_password="thisIsKat11",
                    identity=[{"type": "SystemAssigned"}],
                )
                for name in ("pinned", "follows")
            ),
            resource(
                "azurerm_mssql_server_transparent_data_encryption.pinned",
                server_id=ref("azurerm_mssql_server.pinned.id"),
                key_vault_key_id=ref(_VERSIONED),
            ),
            resource(
                "azurerm_mssql_server_transparent_data_encryption.follows",
                server_id=ref("azurerm_mssql_server.follows.id"),
                key_vault_key_id=ref(_VERSIONED),
                auto_rotation_enabled=True,
            ),
        ),
        fails=results(_no_endpoint("kv-sql"), "use-cmk-version-pinned: customer-managed key of sql-plan-pinned"),
    ),
    Plan(
        name="by-azapi",
        after=configuration(
            "by-azapi",
            resource(
                "azapi_resource.vault",
                type="Microsoft.KeyVault/vaults@2023-07-01",
                name="kv-by-azapi",
                parent_id=ref("azurerm_resource_group.main.id"),
                location="westeurope",
                body={
                    "properties": {
                        "tenantId": ref("data.azurerm_client_config.current.tenant_id"),
                        "sku": {"family": "A", "name": "standard"},
                        "enableRbacAuthorization": True,
                    }
                },
            ),
            resource(
                "azapi_resource.registry",
                type="Microsoft.ContainerRegistry/registries@2020-11-01-preview",
                name="crbyazapi",
                parent_id=ref("azurerm_resource_group.main.id"),
                location="westeurope",
                body={"sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}},
            ),
            resource(
                "azapi_resource.storage",
                type="Microsoft.Storage/storageAccounts@2023-05-01",
                name="stbyazapi",
                parent_id=ref("azurerm_resource_group.main.id"),
                location="westeurope",
                body={"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
            ),
        ),
        fails=results(
            "kv-purge-protection-off kv-public-network-open kv-no-private-endpoint log-keyvault-audit-off: kv-by-azapi",
            "account-key-local-auth-enabled: account key crbyazapi/admin-user",
        ),
    ),
)
