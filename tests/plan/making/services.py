"""Other services' accounts and the keys that they encrypt with, in the members of Resource Graph that an audit reads.

Shapes as in keyaudit/simulator/estates/contoso/services.py; defaults as hashicorp/terraform-provider-azurerm sends them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Resource
from tests.plan.instances import Instance, Values
from tests.plan.making import Maker, Remover
from tests.plan.terms import UNKNOWN
from tests.plan.world import World

Properties = dict[str, Any]


def _of(type_: str, properties: Callable[[World, Values], Properties]) -> Maker:
    """Makes a resource of a type."""

    def make(world: World, instance: Instance, values: Values) -> Values:
        resource = Resource(
            type=type_,
            name=values["name"],
            subscription=world.subscription(instance.resource.provider or "azurerm"),
            resource_group=values["resource_group_name"],
            location=values["location"],
            tags=values["tags"],
            properties=properties(world, values),
            identity=_identity(world, instance, values.get("identity") or []),
        )
        world.put_resource(resource)
        return {"id": resource.id, **_identity_values(world, instance, values)}

    return make


def _identity(world: World, instance: Instance, blocks: Any) -> dict[str, object] | None:
    if blocks is UNKNOWN or not blocks:
        return None
    given = blocks[0]
    found: dict[str, object] = {"type": given["type"]}
    if "SystemAssigned" in given["type"]:
        found |= {"principalId": world.guid("system", instance.address), "tenantId": world.estate.tenant_id}
    if given["identity_ids"]:
        found["userAssignedIdentities"] = {id_: {} for id_ in given["identity_ids"]}
    return found


def _identity_values(world: World, instance: Instance, values: Values) -> Values:
    blocks = values.get("identity")
    if not isinstance(blocks, list) or not blocks:
        return {}
    made = {"principal_id": world.guid("system", instance.address), "tenant_id": world.estate.tenant_id}
    return {"identity": [{**blocks[0], **made}]}


def moment(seconds: int) -> str:
    """A time as Resource Graph writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def _storage(world: World, values: Values) -> Properties:
    made = moment(world.made_on)
    found: Properties = {
        "allowSharedKeyAccess": values["shared_access_key_enabled"],
        "keyCreationTime": {"key1": made, "key2": made},
        "encryption": {"keySource": "Microsoft.Storage"},
    }
    # Whether the account is left to customer_managed_key's own resource, or has the block itself.
    if own := _blocks(values["customer_managed_key"]):
        found["encryption"] = _storage_key(world, own[0]["key_vault_key_id"])
    return found


def _storage_key(world: World, key_id: str) -> Properties:
    vault, name, version = _key(key_id)
    return {
        "keySource": "Microsoft.Keyvault",
        "keyvaultproperties": {
            "keyvaulturi": vault,
            "keyname": name,
            "keyversion": version,
            "currentVersionedKeyIdentifier": _current(world, key_id),
        },
    }


def _blocks(value: Any) -> list[Values]:
    return value if isinstance(value, list) else []


def _key(key_id: str) -> tuple[str, str, str]:
    """Vault URI, name and version of a key's identifier; the version is empty where it has none."""
    vault, _, rest = key_id.partition("/keys/")
    name, _, version = rest.partition("/")
    return vault, name, version


def _current(world: World, key_id: str) -> str:
    vault, name, version = _key(key_id)
    held = [each for each in world.estate.vaults if vault == f"https://{each.name.lower()}.vault.azure.net"]
    current = [key.current for each in held for key in each.keys if key.name == name]
    return f"{vault}/keys/{name}/{version or current[0]}"


def _cosmos(world: World, values: Values) -> Properties:
    made = {"generationTime": moment(world.made_on)}
    slots = ("primaryMasterKey", "secondaryMasterKey", "primaryReadonlyMasterKey", "secondaryReadonlyMasterKey")
    found: Properties = {
        "disableLocalAuth": not values["local_authentication_enabled"],
        "keysMetadata": dict.fromkeys(slots, made),
    }
    key = values["key_vault_key_id"]
    if key is not None and key is not UNKNOWN:
        # The provider sends the key without its version: cosmosdb_account_resource.go.
        vault, name, _ = _key(key)
        found["keyVaultKeyUri"] = f"{vault}/keys/{name}"
    return found


def _disk_encryption_set(world: World, values: Values) -> Properties:
    follows = values["auto_key_rotation_enabled"]
    return {
        "activeKey": {"keyUrl": _current(world, values["key_vault_key_id"])},
        "rotationToLatestKeyVersionEnabled": follows,
        "encryptionType": values["encryption_type"],
    }


def _service_bus(world: World, values: Values) -> Properties:
    return {"disableLocalAuth": not values["local_auth_enabled"]}


def _event_hubs(world: World, values: Values) -> Properties:
    return {"disableLocalAuth": not values["local_authentication_enabled"]}


def _cognitive(world: World, values: Values) -> Properties:
    return {"disableLocalAuth": not values["local_auth_enabled"]}


def _registry(world: World, values: Values) -> Properties:
    return {"adminUserEnabled": values["admin_enabled"], "encryption": {"status": "disabled"}}


def _app_configuration(world: World, values: Values) -> Properties:
    return {"disableLocalAuth": not values["local_auth_enabled"], "encryption": {"keyVaultProperties": None}}


def _sql(world: World, values: Values) -> Properties:
    key = values["transparent_data_encryption_key_vault_key_id"]
    return {"keyId": None if key is UNKNOWN else key}


def _with_storage_key(world: World, instance: Instance, values: Values) -> Values:
    account = world.resource(values["storage_account_id"])
    properties = {**account.properties, "encryption": _storage_key(world, values["key_vault_key_id"])}
    world.put_resource(replace(account, properties=properties))
    return {"id": values["storage_account_id"]}


def _without_storage_key(world: World, values: Values) -> None:
    account = world.resource(values["storage_account_id"])
    world.put_resource(replace(account, properties={**account.properties, "encryption": {"keySource": "Microsoft.Storage"}}))


def _with_messaging_key(member: str, keys: Callable[[Values], list[str]]) -> Maker:
    def make(world: World, instance: Instance, values: Values) -> Values:
        namespace = world.resource(values[member])
        named = [_key(each) for each in keys(values)]
        encryption = {
            "keySource": "Microsoft.KeyVault",
            "keyVaultProperties": [
                {"keyName": name, "keyVaultUri": vault, "keyVersion": version} for vault, name, version in named
            ],
        }
        world.put_resource(replace(namespace, properties={**namespace.properties, "encryption": encryption}))
        return {"id": values[member]}

    return make


def _with_cognitive_key(world: World, instance: Instance, values: Values) -> Values:
    account = world.resource(values["cognitive_account_id"])
    vault, name, version = _key(values["key_vault_key_id"])
    used = {"keyName": name, "keyVaultUri": vault, "keyVersion": version}
    encryption = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": used}
    world.put_resource(replace(account, properties={**account.properties, "encryption": encryption}))
    return {"id": values["cognitive_account_id"]}


def _with_protector(world: World, instance: Instance, values: Values) -> Values:
    server = world.resource(values["server_id"])
    key = values["key_vault_key_id"]
    changed = replace(server, properties={**server.properties, "keyId": key}, follows_rotation=values["auto_rotation_enabled"])
    world.put_resource(changed)
    return {"id": f"{values['server_id']}/encryptionProtector/current"}


def remove_resource(world: World, values: Values) -> None:
    """Remove a resource by its id."""
    world.change(resources=tuple(each for each in world.estate.resources if each.id.lower() != values["id"].lower()))


_ACCOUNTS: dict[str, Maker] = {
    "azurerm_storage_account": _of("Microsoft.Storage/storageAccounts", _storage),
    "azurerm_cosmosdb_account": _of("Microsoft.DocumentDB/databaseAccounts", _cosmos),
    "azurerm_disk_encryption_set": _of("Microsoft.Compute/diskEncryptionSets", _disk_encryption_set),
    "azurerm_servicebus_namespace": _of("Microsoft.ServiceBus/namespaces", _service_bus),
    "azurerm_eventhub_namespace": _of("Microsoft.EventHub/namespaces", _event_hubs),
    "azurerm_cognitive_account": _of("Microsoft.CognitiveServices/accounts", _cognitive),
    "azurerm_container_registry": _of("Microsoft.ContainerRegistry/registries", _registry),
    "azurerm_app_configuration": _of("Microsoft.AppConfiguration/configurationStores", _app_configuration),
    "azurerm_mssql_server": _of("Microsoft.Sql/servers", _sql),
}
MAKERS: dict[str, Maker] = {
    **_ACCOUNTS,
    "azurerm_storage_account_customer_managed_key": _with_storage_key,
    "azurerm_servicebus_namespace_customer_managed_key": _with_messaging_key(
        "namespace_id", lambda values: [values["key_vault_key_id"]]
    ),
    "azurerm_eventhub_namespace_customer_managed_key": _with_messaging_key(
        "eventhub_namespace_id", lambda values: list(values["key_vault_key_ids"])
    ),
    "azurerm_cognitive_account_customer_managed_key": _with_cognitive_key,
    "azurerm_mssql_server_transparent_data_encryption": _with_protector,
}
REMOVERS: dict[str, Remover] = {
    **dict.fromkeys(_ACCOUNTS, remove_resource),
    "azurerm_storage_account_customer_managed_key": _without_storage_key,
}
