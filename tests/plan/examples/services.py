"""The examples of other services' accounts."""

from tests.plan.configuration import Resource, resource
from tests.plan.examples.parts import NOBODY, identity, key, placed, storage, vault
from tests.plan.terms import ref

_SQL = {
    "version": "12.0",
    "administrator_login": "missadministrator",
    "administrator_login_password": "thisIsKat11",
    "minimum_tls_version": "1.2",
    "azuread_administrator": [{"login_username": "AzureAD Admin", "object_id": NOBODY}],
    "tags": {"environment": "production"},
}
_GEOREPLICATION = {"global_endpoint_routing_enabled": True, "zone_redundancy_enabled": True, "tags": {}}

SERVICES: tuple[tuple[str, tuple[Resource, ...]], ...] = (
    ("azurerm_storage_account", (storage(tags={"environment": "staging"}),)),
    (
        "azurerm_storage_account_customer_managed_key",
        (
            vault(sku_name="standard", purge_protection_enabled=True),
            key(),
            storage(identity=[{"type": "SystemAssigned"}]),
            resource(
                "azurerm_storage_account_customer_managed_key.example",
                storage_account_id=ref("azurerm_storage_account.example.id"),
                key_vault_key_id=ref("azurerm_key_vault_key.example.id"),
            ),
        ),
    ),
    (
        "azurerm_disk_encryption_set",
        (
            vault(enabled_for_disk_encryption=True, purge_protection_enabled=True),
            key(),
            placed(
                "azurerm_disk_encryption_set.example",
                "des",
                key_vault_key_id=ref("azurerm_key_vault_key.example.id"),
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_key_vault_access_policy.example-disk",
                key_vault_id=ref("azurerm_key_vault.example.id"),
                tenant_id=ref("azurerm_disk_encryption_set.example.identity[0].tenant_id"),
                object_id=ref("azurerm_disk_encryption_set.example.identity[0].principal_id"),
                key_permissions=["Create", "Delete", "Get", "Purge", "Recover", "Update", "List", "Decrypt", "Sign"],
            ),
        ),
    ),
    (
        "azurerm_cosmosdb_account",
        (
            placed(
                "azurerm_cosmosdb_account.db",
                "tfex-cosmos-db-10000",
                offer_type="Standard",
                kind="MongoDB",
                automatic_failover_enabled=True,
                capabilities=[{"name": "EnableMongo"}],
                consistency_policy=[
                    {
                        "consistency_level": "BoundedStaleness",
                        "max_interval_in_seconds": 300,
                        "max_staleness_prefix": 100000,
                    }
                ],
                geo_location=[
                    {"location": "eastus", "failover_priority": 1},
                    {"location": "westus", "failover_priority": 0},
                ],
            ),
        ),
    ),
    (
        "azurerm_cognitive_account",
        (
            placed(
                "azurerm_cognitive_account.example", "example-account", kind="Face", sku_name="S0", tags={"Acceptance": "Test"}
            ),
        ),
    ),
    (
        "azurerm_cognitive_account_customer_managed_key",
        (
            identity(),
            vault(sku_name="standard", purge_protection_enabled=True),
            key(),
            placed(
                "azurerm_cognitive_account.example",
                "example-account",
                kind="Face",
                sku_name="E0",
                custom_subdomain_name="example-account",
                identity=[
                    {
                        "type": "SystemAssigned, UserAssigned",
                        "identity_ids": [ref("azurerm_user_assigned_identity.example.id")],
                    }
                ],
            ),
            resource(
                "azurerm_cognitive_account_customer_managed_key.example",
                cognitive_account_id=ref("azurerm_cognitive_account.example.id"),
                key_vault_key_id=ref("azurerm_key_vault_key.example.id"),
                identity_client_id=ref("azurerm_user_assigned_identity.example.client_id"),
            ),
        ),
    ),
    (
        "azurerm_servicebus_namespace",
        (
            placed(
                "azurerm_servicebus_namespace.example",
                "tfex-servicebus-namespace",
                sku="Standard",
                tags={"source": "terraform"},
            ),
        ),
    ),
    (
        "azurerm_servicebus_namespace_customer_managed_key",
        (
            vault(sku_name="standard", purge_protection_enabled=True),
            key(),
            placed(
                "azurerm_servicebus_namespace.example",
                "example-servicebus-namespace",
                sku="Premium",
                premium_messaging_partitions=1,
                capacity=1,
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_servicebus_namespace_customer_managed_key.example",
                namespace_id=ref("azurerm_servicebus_namespace.example.id"),
                key_vault_key_id=ref("azurerm_key_vault_key.example.id"),
            ),
        ),
    ),
    (
        "azurerm_eventhub_namespace",
        (
            placed(
                "azurerm_eventhub_namespace.example",
                "example-namespace",
                sku="Standard",
                capacity=2,
                tags={"environment": "Production"},
            ),
        ),
    ),
    (
        "azurerm_eventhub_namespace_customer_managed_key",
        (
            vault("examplekv", sku_name="standard", purge_protection_enabled=True),
            key(),
            placed(
                "azurerm_eventhub_namespace.example",
                "example-namespace",
                sku="Standard",
                identity=[{"type": "SystemAssigned"}],
            ),
            resource(
                "azurerm_eventhub_namespace_customer_managed_key.example",
                eventhub_namespace_id=ref("azurerm_eventhub_namespace.example.id"),
                key_vault_key_ids=[ref("azurerm_key_vault_key.example.id")],
            ),
        ),
    ),
    (
        "azurerm_container_registry",
        (
            placed(
                "azurerm_container_registry.acr",
                "containerRegistry1",
                sku="Premium",
                admin_enabled=False,
                georeplications=[
                    {"location": "East US", **_GEOREPLICATION},
                    {"location": "North Europe", **_GEOREPLICATION},
                ],
            ),
        ),
    ),
    ("azurerm_app_configuration", (placed("azurerm_app_configuration.appconf", "appConf1"),)),
    ("azurerm_mssql_server", (placed("azurerm_mssql_server.example", "mssqlserver", **_SQL),)),
    (
        "azurerm_mssql_server_transparent_data_encryption",
        (
            placed("azurerm_mssql_server.example", "mssqlserver", **_SQL),
            resource(
                "azurerm_mssql_server_transparent_data_encryption.example",
                server_id=ref("azurerm_mssql_server.example.id"),
            ),
        ),
    ),
)
