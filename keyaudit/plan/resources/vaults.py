"""Key vaults of a plan, with their access policies, as Resource Manager answers.

Defaults: https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update, and what the provider sends in place
of them, website/docs/r/key_vault.html.markdown and internal/services/keyvault of hashicorp/terraform-provider-azurerm.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import UNSET, Raw, Struct

from keyaudit.collect.places import vault_id_parts
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, texts, wire
from keyaudit.plan.resources import azapi
from keyaudit.plan.resources.principals import principal_of
from keyaudit.plan.scopes import Ground, stand_in

VAULT = "azurerm_key_vault"
ENDPOINT = "azurerm_private_endpoint"
POLICY = "azurerm_key_vault_access_policy"
_KIND = "Microsoft.KeyVault/vaults"
_ROLES_FROM = "2026-02-01"
"""From this version of the API on, Azure roles are the default of new vaults."""
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]", re.ASCII)
_PERMISSIONS = {
    "keys": "key_permissions",
    "secrets": "secret_permissions",
    "certificates": "certificate_permissions",
    "storage": "storage_permissions",
}


class VaultPlace(Struct, frozen=True):
    """A vault that objects are in: `uri` is its address on the data plane."""

    id: str
    uri: str
    new: bool = False
    """Whether the plan creates it, so that the plan has everything that will be in it."""


class Vaults:
    """The vaults of a plan, and those that it refers to. `answer` comes after everything that may refer to one."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._places: dict[str, VaultPlace] = {}
        self._planned = {planned.address: self._own(planned) for planned in ground.resources.of(VAULT)}
        self._bodies = dict(self._of_azapi())
        """By address, the body of each vault that azapi makes."""
        self._planned |= {
            planned.address: self._place(azapi.id_of(ground, planned), planned.address, new=planned.is_new)
            for planned in ground.resources.of(azapi.RESOURCE)
            if planned.address in self._bodies
        }

    def of(self, planned: Planned, attribute: str = "key_vault_id") -> VaultPlace:
        """The vault that a resource names. One that is not known is taken for a vault of its own."""
        if known := planned.text(attribute):
            return self._place(known, planned.address)
        target = self._ground.resources.target(planned, attribute)
        if target and target[1] in ("", "id"):
            there, _ = target
            # A data source that is read during apply stands for a vault, and perhaps no more is known of it.
            if there.type == VAULT or there.address in self._bodies:
                return self._planned.get(there.address) or self._own(there)
        return self._place("", planned.address)

    def at(self, address: str) -> VaultPlace | None:
        """The vault of a planned resource; None for another resource."""
        return self._planned.get(address)

    def known(self, id_: str) -> None:
        """Note that the plan changes something of a vault with this id, if it is one."""
        if (parts := vault_id_parts(id_)) and parts.kind == "key-vault":
            self._place(id_, "")

    def new(self) -> Sequence[VaultPlace]:
        """The vaults that the plan creates."""
        return [place for place in self._planned.values() if place.new]

    @property
    def read(self) -> Collection[str]:
        """The addresses of resources of azapi that are among them."""
        return self._bodies.keys()

    def _of_azapi(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for planned in self._ground.resources.of(azapi.RESOURCE):
            body = azapi.body_of(planned) if azapi.type_of(planned) == _KIND.lower() else None
            if body is not None and isinstance(azapi.member(body, "properties"), dict):
                yield planned.address, body

    def answer(self) -> None:
        """Add every vault to the answers."""
        ground = self._ground
        policies: dict[str, list[Planned]] = {}
        for planned in ground.resources.of(POLICY):
            policies.setdefault(self.of(planned).id.lower(), []).append(planned)
        endpoints = self._endpoints()
        planned_at: dict[str, Planned] = {}
        for address, place in self._planned.items():
            found = ground.resources.at(address)
            if found is not None:
                planned_at[place.id.lower()] = found
        for id_, place in self._places.items():
            own, more = planned_at.get(id_), policies.get(id_, [])
            for each in more:
                ground.origin(
                    f"{id_}/accesspolicies/{each.text('object_id') or 'unread'}", each, "object_id", "key_permissions"
                )
            entries = [_entry(each, principal_of(ground, each, "object_id")) for each in more]
            body = self._bodies.get(own.address) if own else None
            if own and body is not None:
                members = _sent(own, body, place, entries, endpoints.get(id_, []))
            else:
                members = _vault(own, place, entries, endpoints.get(id_, [])) if own else _elsewhere(place, entries)
            item = {"id": place.id, "type": _KIND, **members}
            subscription = place.id.split("/")[2].lower()
            ground.answers.add("vault.list", item, subscription=subscription)
            if own:
                ground.origin(id_, own, *(("body",) if body is not None else _ATTRIBUTES))
            else:
                ground.answers.outside.add(id_)

    def _endpoints(self) -> dict[str, list[Value]]:
        """The private endpoints of the plan by vault. One that is not manual is approved as it is made."""
        found: dict[str, list[Value]] = {}
        for planned in self._ground.resources.of(ENDPOINT):
            target = self._ground.resources.target(planned, "private_service_connection", "private_connection_resource_id")
            block = planned.block("private_service_connection")
            known = block.text("private_connection_resource_id") if isinstance(block, View) else None
            place = self._planned.get(target[0].address) if target else None
            manual = block.value("is_manual_connection") if isinstance(block, View) else AFTER_APPLY
            status: Value = manual if isinstance(manual, Raw) else "Pending" if manual else "Approved"
            connection = {"properties": {"privateLinkServiceConnectionState": {"status": status}}}
            found.setdefault((place.id if place else known or "").lower(), []).append(connection)
        return found

    def _own(self, planned: Planned) -> VaultPlace:
        name = planned.text("name") or ""
        place = self._ground.id_of(planned, _KIND, name=name if _NAME.fullmatch(name) else stand_in(planned.address))
        return self._place(place, planned.address, new=planned.is_new)

    def _place(self, id_: str, address: str, *, new: bool = False) -> VaultPlace:
        parts = vault_id_parts(id_)
        if parts is None or parts.kind != "key-vault" or not _NAME.fullmatch(parts.name):
            at = self._ground.resources.at(address)
            subscription = self._ground.subscription(at) if at else ""
            id_ = f"/subscriptions/{subscription}/resourceGroups/after-apply/providers/{_KIND}/{stand_in(address)}"
            parts = vault_id_parts(id_)
        name = parts.name if parts else ""
        self._ground.seen(id_)
        uri = f"https://{name.lower()}.{self._ground.environment.vault_suffix}/"
        return self._places.setdefault(id_.lower(), VaultPlace(id_, uri, new))


_ATTRIBUTES = (
    "tenant_id",
    "rbac_authorization_enabled",
    "enable_rbac_authorization",
    "public_network_access_enabled",
    "purge_protection_enabled",
    "access_policy",
    "network_acls",
    "tags",
)


def _vault(planned: Planned, place: VaultPlace, more: Sequence[Value], endpoints: Sequence[Value]) -> dict[str, Any]:
    public = planned.value("public_network_access_enabled")
    retention = planned.value("soft_delete_retention_days")
    return {
        "name": _known(planned.value("name")),
        "location": planned.value("location"),
        "tags": wire(planned.value("tags"), {}),
        "systemData": NOT_IN_PLAN,
        "properties": {
            "vaultUri": place.uri,
            "tenantId": planned.value("tenant_id"),
            "sku": {"name": wire(planned.value("sku_name"))},
            "enableRbacAuthorization": _by_role(planned),
            "accessPolicies": _policies(planned, more),
            "enabledForDeployment": wire(planned.value("enabled_for_deployment"), default=False),
            "enabledForDiskEncryption": wire(planned.value("enabled_for_disk_encryption"), default=False),
            "enabledForTemplateDeployment": wire(planned.value("enabled_for_template_deployment"), default=False),
            # The provider always asks for it, and never sends false for purge protection.
            "enableSoftDelete": True,
            "enablePurgeProtection": planned.value("purge_protection_enabled") or None,
            "softDeleteRetentionInDays": wire(retention, 90),
            "publicNetworkAccess": public if isinstance(public, Raw) else "Disabled" if public is False else "Enabled",
            "networkAcls": _network(planned),
            "privateEndpointConnections": endpoints if planned.is_new else NOT_IN_PLAN,
            "provisioningState": "Succeeded",
            "createMode": None,
        },
    }


_BY_ROLE = ("rbac_authorization_enabled", "enable_rbac_authorization")
"""In versions 4.42 to 4.81, the one that is not set is computed. Before, there is the second one, and from 5.0 on the first."""


def _by_role(planned: Planned) -> Value:
    """Whether Azure roles give access. If it is not set, access policies do: the provider sends false or, up to 4.76, nothing
    to a version of the API with this default. From 5.0 on it has to be set.
    """
    found = planned.value(*_BY_ROLE)
    left_out = planned.is_new and not any(map(planned.is_set, _BY_ROLE))
    return False if isinstance(found, Raw) and left_out else wire(found, default=False)


def _sent(
    planned: Planned, body: dict[str, Any], place: VaultPlace, more: Sequence[Value], endpoints: Sequence[Value]
) -> dict[str, Any]:
    """A vault by what Resource Manager is sent, with the defaults of the service.

    https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults
    """
    given = azapi.member(body, "properties")
    absent = None if planned.is_new else NOT_IN_PLAN
    policies = given.get("accessPolicies", [] if planned.is_new else NOT_IN_PLAN)
    return {
        "name": _known(planned.value("name")),
        "apiVersion": azapi.version_of(planned) or AFTER_APPLY,
        "location": planned.value("location"),
        "tags": azapi.tags_of(planned, body),
        "systemData": NOT_IN_PLAN,
        "properties": {
            **dict.fromkeys(("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment"), absent),
            **dict.fromkeys(("enablePurgeProtection", "networkAcls", "createMode"), absent),
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90 if planned.is_new else NOT_IN_PLAN,
            "publicNetworkAccess": "Enabled" if planned.is_new else NOT_IN_PLAN,
            "enableRbacAuthorization": _by_default(planned),
            **given,
            "vaultUri": place.uri,
            "accessPolicies": [*policies, *more] if isinstance(policies, list) else wire(policies, list(more)),
            "privateEndpointConnections": endpoints if planned.is_new else NOT_IN_PLAN,
            "provisioningState": "Succeeded",
        },
    }


def _by_default(planned: Planned) -> Value:
    """Whether Azure roles give access to a vault that does not say so. One that exists keeps its model.

    https://learn.microsoft.com/azure/key-vault/general/access-control-default
    """
    version = azapi.version_of(planned)
    if not planned.is_new:
        return NOT_IN_PLAN
    return version >= _ROLES_FROM if _DATED.fullmatch(version) else AFTER_APPLY


def _elsewhere(place: VaultPlace, more: Sequence[Value]) -> dict[str, Any]:
    """A vault that the plan refers to: only its access policies may be planned."""
    return {
        "name": place.id.rpartition("/")[2],
        "location": NOT_IN_PLAN,
        "tags": NOT_IN_PLAN,
        "systemData": NOT_IN_PLAN,
        "properties": {
            "vaultUri": place.uri,
            "accessPolicies": list(more),
            **dict.fromkeys(("tenantId", "sku", "enableRbacAuthorization", "enableSoftDelete", "networkAcls"), NOT_IN_PLAN),
            **dict.fromkeys(("enablePurgeProtection", "softDeleteRetentionInDays", "publicNetworkAccess"), NOT_IN_PLAN),
            **dict.fromkeys(("enabledForDeployment", "enabledForDiskEncryption"), NOT_IN_PLAN),
            **dict.fromkeys(("enabledForTemplateDeployment", "privateEndpointConnections"), NOT_IN_PLAN),
            **dict.fromkeys(("provisioningState", "createMode"), NOT_IN_PLAN),
        },
    }


def _policies(planned: Planned, more: Sequence[Value]) -> Value:
    blocks = planned.blocks("access_policy")
    if isinstance(blocks, Raw):
        if planned.is_set("access_policy") or not planned.is_new:
            return AFTER_APPLY
        # Computed where it is not set, and then not sent. But a dynamic block over what is known after apply looks the same:
        # whether there is one, a plan does not tell. Under Azure RBAC policies have no effect.
        return list(more) if _by_role(planned) is True else [NOT_IN_PLAN, *more]
    return [*map(_entry, blocks), *more]


def _entry(view: View, who: str | None = None) -> Value:
    """An access policy; the mark if it is not known whom it is for, or what it allows."""
    permissions = {kind: texts(view.value(name)) for kind, name in _PERMISSIONS.items()}
    object_id = who or view.value("object_id")
    if not isinstance(object_id, str) or any(isinstance(each, Raw) for each in permissions.values()):
        return AFTER_APPLY
    return {
        "tenantId": view.value("tenant_id"),
        "objectId": object_id,
        "applicationId": view.value("application_id") or None,
        "permissions": permissions,
    }


def _network(planned: Planned) -> Value:
    acls = planned.block("network_acls")
    if isinstance(acls, Raw):
        # Computed where it is not set, and then not sent. The service then lets everybody in, so that this is never a pass.
        return AFTER_APPLY if planned.is_set("network_acls") or not planned.is_new else None
    if acls is None:
        return None
    return {
        "defaultAction": acls.value("default_action"),
        "bypass": acls.value("bypass"),
        "ipRules": _each(acls.value("ip_rules"), "value"),
        "virtualNetworkRules": _each(acls.value("virtual_network_subnet_ids"), "id"),
    }


def _each(found: Value, member: str) -> Value:
    return [{member: each} for each in found] if isinstance(found, list) else wire(found, [])


def _known(value: Value) -> Value:
    return UNSET if value is None else value
