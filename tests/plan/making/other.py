"""Resources of the providers azapi and time, and data sources that are read while a plan is applied."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from keyaudit.simulator.estate import Resource, Vault
from tests.plan.instances import Instance, Values
from tests.plan.making import Maker, Remover, services
from tests.plan.terms import UNKNOWN
from tests.plan.world import World, parts_of, vault_id


def _azapi(world: World, instance: Instance, values: Values) -> Values:
    type_ = values["type"].partition("@")[0]
    subscription, group, _ = parts_of(f"{values['parent_id']}/x")
    id_ = f"{values['parent_id']}/providers/{type_}/{values['name']}"
    _BODIES[type_](world, (subscription, group), values)
    return {"id": id_}


def _vault(world: World, place: tuple[str, str], values: Values) -> None:
    """A vault by its own API: https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults"""
    given = values["body"]["properties"]
    networks = given.get("networkAcls") or {}
    world.put_vault(
        Vault(
            name=values["name"],
            subscription=place[0],
            resource_group=place[1],
            location=values["location"],
            sku=given["sku"]["name"],
            tags=None if values["tags"] is UNKNOWN else values["tags"],
            rbac=given.get("enableRbacAuthorization"),
            purge_protection=given.get("enablePurgeProtection"),
            # The service turns soft delete on, with 90 days, where nothing is said.
            soft_delete=given.get("enableSoftDelete", True),
            retention_days=given.get("softDeleteRetentionInDays", 90),
            public_network_access=given.get("publicNetworkAccess", "Enabled"),
            default_action=networks.get("defaultAction"),
            tenant=given["tenantId"],
        )
    )


def _registry(world: World, place: tuple[str, str], values: Values) -> None:
    given = values["body"]["properties"]
    properties = {"adminUserEnabled": given.get("adminUserEnabled", False), "encryption": {"status": "disabled"}}
    _put(world, "Microsoft.ContainerRegistry/registries", place, values, properties)


def _storage(world: World, place: tuple[str, str], values: Values) -> None:
    given = values["body"].get("properties", {})
    made = services.moment(world.made_on)
    properties: dict[str, object] = {
        "keyCreationTime": {"key1": made, "key2": made},
        "encryption": {"keySource": "Microsoft.Storage"},
    }
    # Left out, it stays null, which means that shared keys are accepted.
    if "allowSharedKeyAccess" in given:
        properties["allowSharedKeyAccess"] = given["allowSharedKeyAccess"]
    _put(world, "Microsoft.Storage/storageAccounts", place, values, properties)


def _put(world: World, type_: str, place: tuple[str, str], values: Values, properties: dict[str, object]) -> None:
    tags = None if values["tags"] is UNKNOWN else values["tags"]
    world.put_resource(
        Resource(
            type=type_,
            name=values["name"],
            subscription=place[0],
            resource_group=place[1],
            location=values["location"],
            tags=tags,
            properties=properties,
        )
    )


_BODIES: dict[str, Callable[[World, tuple[str, str], Values], None]] = {
    "Microsoft.KeyVault/vaults": _vault,
    "Microsoft.ContainerRegistry/registries": _registry,
    "Microsoft.Storage/storageAccounts": _storage,
}


def _remove_azapi(world: World, values: Values) -> None:
    kept = tuple(each for each in world.estate.vaults if vault_id(each).lower() != values["id"].lower())
    world.change(vaults=kept)
    services.remove_resource(world, values)


_PARTS = ("seconds", "minutes", "hours", "days")


def _time_offset(world: World, instance: Instance, values: Values) -> Values:
    """A time that counts from when the plan is applied: hashicorp/terraform-provider-time, docs/resources/offset.md."""
    base = values["base_rfc3339"]
    begins = datetime.fromtimestamp(world.made_on, UTC) if base is UNKNOWN else datetime.fromisoformat(base)
    offset = timedelta(**{part: values[f"offset_{part}"] or 0 for part in _PARTS})
    # No plan here counts in calendar months.
    ends = begins + offset + timedelta(days=365 * (values["offset_years"] or 0))
    return {"id": written(begins), "base_rfc3339": written(begins), "rfc3339": written(ends), "unix": int(ends.timestamp())}


def written(moment: datetime) -> str:
    """A time as RFC 3339 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _client_config(world: World, instance: Instance, values: Values) -> Values:
    """Who runs Terraform."""
    return {
        "id": "client",
        "client_id": world.guid("runner client"),
        "object_id": runner(world),
        "tenant_id": world.estate.tenant_id,
        **({"subscription_id": world.subscription("azurerm")} if instance.resource.type.startswith("azurerm") else {}),
    }


def runner(world: World) -> str:
    """The object id of the service principal that runs Terraform."""
    return world.guid("runner")


def _key_vault_read(world: World, instance: Instance, values: Values) -> Values:
    vault = next(each for each in world.estate.vaults if each.name == values["name"])
    read: dict[str, Any] = {
        "id": vault_id(vault),
        "location": vault.location,
        "sku_name": vault.sku,
        "tenant_id": world.estate.tenant_id,
        "vault_uri": f"https://{vault.name.lower()}.vault.azure.net/",
    }
    return read


def _key_read(world: World, instance: Instance, values: Values) -> Values:
    vault = world.vault(values["key_vault_id"])
    key = next(each for each in vault.keys if each.name == values["name"])
    uri = f"https://{vault.name.lower()}.vault.azure.net/keys/{key.name}"
    return {"id": f"{uri}/{key.current}", "versionless_id": uri, "version": key.current}


MAKERS: dict[str, Maker] = {
    "azapi_resource": _azapi,
    "time_offset": _time_offset,
    "data.azurerm_client_config": _client_config,
    "data.azuread_client_config": _client_config,
    "data.azurerm_key_vault": _key_vault_read,
    "data.azurerm_key_vault_key": _key_read,
}
REMOVERS: dict[str, Remover] = {"azapi_resource": _remove_azapi}
