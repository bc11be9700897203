"""Roles, diagnostic settings, managed identities and Managed HSMs, as hashicorp/terraform-provider-azurerm makes them."""

from typing import Any

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import (
    Estate,
    FederatedCredential,
    HsmAssignment,
    HsmRole,
    Key,
    KeyVersion,
    ManagedHsm,
    ManagedIdentity,
    Role,
    RoleAssignment,
    RotationPolicy,
    ServicePrincipal,
)
from tests.plan.instances import Instance, Values
from tests.plan.making import Maker, Remover
from tests.plan.making.key_vault import seconds
from tests.plan.terms import UNKNOWN
from tests.plan.world import World, found, hsm_id, identity_id, put, same, vault_id

_AUTHORIZATION = "providers/Microsoft.Authorization"
_HSM_ACTION = "Microsoft.KeyVault/managedHsm/"


def _group(world: World, instance: Instance, values: Values) -> Values:
    return {"id": world.group(instance.resource.provider or "azurerm", values["name"])}


def _role_assignment(world: World, instance: Instance, values: Values) -> Values:
    name = world.guid("role assignment", instance.address) if values["name"] is UNKNOWN else values["name"]
    role = _role_id(world.estate, values)
    assignment = RoleAssignment(
        id=name,
        scope=values["scope"],
        role=role,
        principal=values["principal_id"],
        principal_type=_principal_type(world.estate, values["principal_id"]),
        condition=values["condition"],
        created=world.made_on,
    )
    world.change(role_assignments=put(world.estate.role_assignments, assignment, lambda each: each.id))
    subscription = f"/subscriptions/{world.subscription(instance.resource.provider or 'azurerm')}"
    return {
        "id": f"{values['scope']}/{_AUTHORIZATION}/roleAssignments/{name}",
        "name": name,
        "principal_type": assignment.principal_type,
        "role_definition_id": f"{subscription}/{_AUTHORIZATION}/roleDefinitions/{role}",
        "role_definition_name": found([*roles.BUILT_IN, *world.estate.roles], lambda each: each.id == role).name,
    }


def _role_id(estate: Estate, values: Values) -> str:
    given = values["role_definition_id"]
    if given is not UNKNOWN:
        return str(given).rsplit("/", maxsplit=1)[-1]
    return found([*roles.BUILT_IN, *estate.roles], lambda each: each.name == values["role_definition_name"]).id


def _principal_type(estate: Estate, principal: str) -> str:
    if any(each.id == principal for each in estate.groups):
        return "Group"
    return "User" if any(each.id == principal for each in estate.users) else "ServicePrincipal"


def _remove_role_assignment(world: World, values: Values) -> None:
    kept = tuple(each for each in world.estate.role_assignments if each.id != values["name"])
    world.change(role_assignments=kept)


def _role_definition(world: World, instance: Instance, values: Values) -> Values:
    id_ = values["role_definition_id"]
    id_ = world.guid("role", instance.address) if id_ is UNKNOWN else id_
    allowed = values["permissions"]

    def all_of(kind: str) -> tuple[str, ...]:
        return tuple(action for each in allowed for action in each[kind] or ())

    role = Role(
        id=id_,
        name=values["name"],
        custom=True,
        actions=all_of("actions"),
        not_actions=all_of("not_actions"),
        data_actions=all_of("data_actions"),
        not_data_actions=all_of("not_data_actions"),
    )
    world.change(roles=put(world.estate.roles, role, lambda each: each.id))
    resource = f"{values['scope']}/{_AUTHORIZATION}/roleDefinitions/{id_}"
    return {
        "id": f"{resource}|{values['scope']}",
        "role_definition_id": id_,
        "role_definition_resource_id": resource,
        "assignable_scopes": [values["scope"]],
    }


def _remove_role_definition(world: World, values: Values) -> None:
    world.change(roles=tuple(each for each in world.estate.roles if each.id != values["role_definition_id"]))


def _diagnostic_setting(world: World, instance: Instance, values: Values) -> Values:
    target = values["target_resource_id"]
    setting = _setting(values)

    def with_it(settings: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        return put(settings, setting, lambda each: str(each["name"]))

    _change_settings(world, target, with_it)
    return {"id": f"{target}|{values['name']}", "log_analytics_destination_type": values["log_analytics_destination_type"]}


def _change_settings(world: World, target: str, change: Any) -> None:
    for vault in world.estate.vaults:
        if same(vault_id(vault), target):
            world.put_vault(replace(vault, diagnostic_settings=change(vault.diagnostic_settings)))
    for hsm in world.estate.hsms:
        if same(hsm_id(hsm), target):
            world.put_hsm(replace(hsm, diagnostic_settings=change(hsm.diagnostic_settings)))


def _remove_diagnostic_setting(world: World, values: Values) -> None:
    def without_it(settings: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        return tuple(each for each in settings if each["name"] != values["name"])

    _change_settings(world, values["target_resource_id"], without_it)


def _setting(values: Values) -> dict[str, object]:
    """A diagnostic setting as ARM shows it, in the shape of keyaudit/simulator/estates/log_plans.py."""
    retention = {"enabled": False, "days": 0}
    dedicated = values["log_analytics_destination_type"]
    return {
        "id": f"{values['target_resource_id']}/providers/microsoft.insights/diagnosticSettings/{values['name']}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": values["name"],
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": values["storage_account_id"],
            "serviceBusRuleId": None,
            "workspaceId": values["log_analytics_workspace_id"],
            "eventHubAuthorizationRuleId": values["eventhub_authorization_rule_id"],
            "eventHubName": values["eventhub_name"],
            "metrics": [],
            "logs": [
                {
                    "category": each["category"],
                    "categoryGroup": each["category_group"],
                    "enabled": True,
                    "retentionPolicy": retention,
                }
                for each in values["enabled_log"]
            ],
            "logAnalyticsDestinationType": None if dedicated is UNKNOWN else dedicated,
        },
        "identity": None,
    }


def _identity(world: World, instance: Instance, values: Values) -> Values:
    provider = instance.resource.provider or "azurerm"
    identity = ManagedIdentity(
        name=values["name"],
        subscription=world.subscription(provider),
        resource_group=values["resource_group_name"],
        principal_id=world.guid("identity", instance.address),
        client_id=world.guid("identity client", instance.address),
        location=values["location"],
        # https://learn.microsoft.com/entra/identity/managed-identities-azure-resources: None unless it is set to Regional.
        isolation=values["isolation_scope"] or "None",
    )
    world.put_identity(identity)
    world.put_principal(
        ServicePrincipal(
            id=identity.principal_id,
            app_id=identity.client_id,
            name=identity.name,
            created=world.made_on,
            type="ManagedIdentity",
            home_tenant=world.estate.tenant_id,
            alternative_names=("isExplicit=True", identity_id(identity)),
        )
    )
    return {
        "id": identity_id(identity),
        "principal_id": identity.principal_id,
        "client_id": identity.client_id,
        "tenant_id": world.estate.tenant_id,
    }


def _remove_identity(world: World, values: Values) -> None:
    world.change(
        identities=tuple(each for each in world.estate.identities if each.principal_id != values["principal_id"]),
        service_principals=tuple(each for each in world.estate.service_principals if each.id != values["principal_id"]),
    )


def _federated(world: World, instance: Instance, values: Values) -> Values:
    identity = world.identity(values["user_assigned_identity_id"])
    credential = FederatedCredential(
        id=world.guid("federated", instance.address),
        name=values["name"],
        issuer=values["issuer"],
        subject=values["subject"],
        audiences=tuple(values["audience"]),
    )
    federated = put(identity.federated, credential, lambda each: each.name)
    world.put_identity(replace(identity, federated=federated))
    world.put_principal(replace(world.principal(identity.principal_id), federated=federated))
    return {"id": f"{identity_id(identity)}/federatedIdentityCredentials/{credential.name}"}


def _remove_federated(world: World, values: Values) -> None:
    identity = world.identity(values["user_assigned_identity_id"])
    federated = tuple(each for each in identity.federated if each.name != values["name"])
    world.put_identity(replace(identity, federated=federated))
    world.put_principal(replace(world.principal(identity.principal_id), federated=federated))


def _hsm(world: World, instance: Instance, values: Values) -> Values:
    networks = values["network_acls"]
    action = "Allow" if networks is UNKNOWN or not networks else networks[0]["default_action"]
    hsm = ManagedHsm(
        name=values["name"],
        subscription=world.subscription(instance.resource.provider or "azurerm"),
        resource_group=values["resource_group_name"],
        location=values["location"],
        created=world.made_on,
        sku=values["sku_name"],
        tags=values["tags"],
        tenant=values["tenant_id"],
        purge_protection=bool(values["purge_protection_enabled"]),
        retention_days=values["soft_delete_retention_days"],
        public_network_access="Enabled" if values["public_network_access_enabled"] else "Disabled",
        default_action=action,
        # The provider downloads the security domain, which activates the HSM, where it is given certificates.
        activation="Active" if values["security_domain_key_vault_certificate_ids"] else "NotActivated",
        admins=tuple(values["admin_object_ids"]),
        assignments=tuple(_first_administrator(world, instance, each) for each in values["admin_object_ids"]),
    )
    here = [each for each in world.estate.hsms if same(hsm_id(each), hsm_id(hsm))]
    if here:
        held = here[0]
        hsm = replace(
            hsm,
            keys=held.keys,
            roles=held.roles,
            assignments=held.assignments,
            diagnostic_settings=held.diagnostic_settings,
        )
    world.put_hsm(hsm)
    return {"id": hsm_id(hsm), "hsm_uri": f"https://{hsm.name.lower()}.managedhsm.azure.net/", "network_acls": []}


def _first_administrator(world: World, instance: Instance, principal: str) -> HsmAssignment:
    """Initial administrators have the role at the root: https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control"""
    administrator = "a290e904-7015-4bba-90c8-60543313cdb4"
    return HsmAssignment(
        id=world.guid("hsm administrator", instance.address, principal), role=administrator, principal=principal
    )


def _remove_hsm(world: World, values: Values) -> None:
    world.change(hsms=tuple(each for each in world.estate.hsms if not same(hsm_id(each), values["id"])))


def _hsm_key(world: World, instance: Instance, values: Values) -> Values:
    hsm = world.hsm(values["managed_hsm_id"])
    elliptic = values["key_type"].startswith("EC")
    version = KeyVersion(
        version=world.version("hsm key", instance.address, str(world.made_on)),
        kty=values["key_type"],
        key_ops=tuple(values["key_opts"]),
        created=world.made_on,
        updated=world.now,
        nbf=seconds(values["not_before_date"]),
        exp=seconds(values["expiration_date"]),
        key_size=None if elliptic else values["key_size"],
        crv=values["curve"] if elliptic else None,
        hsm_platform="2",
        tags=values["tags"],
    )
    held = [each.rotation for each in hsm.keys if each.name == values["name"]]
    key = Key(name=values["name"], versions=(version,), current=version.version, rotation=held[0] if held else None)
    world.put_hsm(replace(hsm, keys=put(hsm.keys, key, lambda each: each.name)))
    uri = f"https://{hsm.name.lower()}.managedhsm.azure.net/keys/{key.name}"
    return {"id": uri, "versioned_id": f"{uri}/{version.version}"}


def _hsm_rotation(world: World, instance: Instance, values: Values) -> Values:
    host, name = values["managed_hsm_key_id"].removeprefix("https://").split("/keys/")
    hsm = found(world.estate.hsms, lambda each: each.name.lower() == host.split(".", maxsplit=1)[0])
    policy = RotationPolicy(
        rotate_after=values["time_after_creation"],
        rotate_before_expiry=values["time_before_expiry"],
        notify_before_expiry=None,
        expiry_time=values["expire_after"],
        created=world.now,
    )
    key = found(hsm.keys, lambda each: each.name == name.split("/", maxsplit=1)[0])
    world.put_hsm(replace(hsm, keys=put(hsm.keys, replace(key, rotation=policy), lambda each: each.name)))
    return {"id": f"{values['managed_hsm_key_id']}/rotationpolicy"}


def _hsm_role_assignment(world: World, instance: Instance, values: Values) -> Values:
    hsm = world.hsm(values["managed_hsm_id"])
    assignment = HsmAssignment(
        id=values["name"],
        role=values["role_definition_id"].rsplit("/", maxsplit=1)[-1],
        principal=values["principal_id"],
        scope=values["scope"],
    )
    world.put_hsm(replace(hsm, assignments=put(hsm.assignments, assignment, lambda each: each.id)))
    return {"id": f"{values['managed_hsm_id']}/{_AUTHORIZATION}/roleAssignments/{values['name']}"}


def _hsm_role_definition(world: World, instance: Instance, values: Values) -> Values:
    hsm = world.hsm(values["managed_hsm_id"])
    allowed = values["permission"]
    role = HsmRole(
        id=values["name"],
        name=values["role_name"],
        data_actions=tuple(one.removeprefix(_HSM_ACTION) for each in allowed for one in each["data_actions"] or ()),
        not_data_actions=tuple(one.removeprefix(_HSM_ACTION) for each in allowed for one in each["not_data_actions"] or ()),
    )
    world.put_hsm(replace(hsm, roles=put(hsm.roles, role, lambda each: each.id)))
    resource = f"Microsoft.KeyVault/{_AUTHORIZATION}/roleDefinitions/{values['name']}"
    return {"id": f"{values['managed_hsm_id']}/{resource}", "resource_manager_id": resource}


MAKERS: dict[str, Maker] = {
    "azurerm_resource_group": _group,
    "azurerm_role_assignment": _role_assignment,
    "azurerm_role_definition": _role_definition,
    "azurerm_monitor_diagnostic_setting": _diagnostic_setting,
    "azurerm_user_assigned_identity": _identity,
    "azurerm_federated_identity_credential": _federated,
    "azurerm_key_vault_managed_hardware_security_module": _hsm,
    "azurerm_key_vault_managed_hardware_security_module_key": _hsm_key,
    "azurerm_key_vault_managed_hardware_security_module_key_rotation_policy": _hsm_rotation,
    "azurerm_key_vault_managed_hardware_security_module_role_assignment": _hsm_role_assignment,
    "azurerm_key_vault_managed_hardware_security_module_role_definition": _hsm_role_definition,
}
REMOVERS: dict[str, Remover] = {
    "azurerm_role_assignment": _remove_role_assignment,
    "azurerm_role_definition": _remove_role_definition,
    "azurerm_monitor_diagnostic_setting": _remove_diagnostic_setting,
    "azurerm_user_assigned_identity": _remove_identity,
    "azurerm_federated_identity_credential": _remove_federated,
    "azurerm_key_vault_managed_hardware_security_module": _remove_hsm,
}
