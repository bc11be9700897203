"""Managed HSMs of a plan, with their keys and local roles, as Azure answers.

website/docs/r/key_vault_managed_hardware_security_module*.html.markdown of hashicorp/terraform-provider-azurerm.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from keyaudit.collect.places import vault_id_parts
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, texts, wire
from keyaudit.plan.resources import local_roles
from keyaudit.plan.resources.objects import key_attributes, key_bundle, rotation_of
from keyaudit.plan.resources.principals import principal_of
from keyaudit.plan.resources.vaults import VaultPlace
from keyaudit.plan.scopes import Ground, stand_in

HSM = "azurerm_key_vault_managed_hardware_security_module"
KEY, ROTATION, ASSIGNMENT, DEFINITION = (
    f"{HSM}_{each}" for each in ("key", "key_rotation_policy", "role_assignment", "role_definition")
)
_KIND = "Microsoft.KeyVault/managedHSMs"
_VAULT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]", re.ASCII)
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}", re.ASCII)
_VERSION = "0" * 32
_SCOPE = re.compile(r"/(?:keys(?:/[0-9a-zA-Z-]{1,127})?)?", re.ASCII)
_BELOW = "/providers/Microsoft.Authorization"


class Hsms:
    """Adds Managed HSMs and what is in them to the answers."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._answers = ground, ground.answers
        self._places: dict[str, VaultPlace] = {}
        self._listed: set[tuple[str, str]] = set()
        """The address of an HSM, and a role that the plan does not define and that is among its roles."""
        self._planned = {planned.address: self._own(planned) for planned in ground.resources.of(HSM)}
        self._keys = {planned.address: self._name(planned) for planned in ground.resources.of(KEY)}

    def at(self, address: str) -> VaultPlace | None:
        """The HSM of a planned resource; None for another resource."""
        return self._planned.get(address)

    def new(self) -> Sequence[VaultPlace]:
        """The HSMs that the plan creates."""
        return [place for place in self._planned.values() if place.new]

    def answer(self) -> None:
        """Add all of them."""
        for address, hsm in self._planned.items():
            if hsm.new:
                self._begin(self._ground.resources.at(address), hsm)
        rotations = {self._key_of(planned): planned for planned in self._ground.resources.of(ROTATION)}
        for planned in self._ground.resources.of(KEY):
            self._key(planned, rotations.get(planned.address))
        for planned in self._ground.resources.of(DEFINITION):
            self._define(planned)
        for planned in self._ground.resources.of(ASSIGNMENT):
            self._assign(planned)
        own = {place.id.lower(): address for address, place in self._planned.items()}
        for id_, place in self._places.items():
            found = self._ground.resources.at(own[id_]) if id_ in own else None
            item = {"id": place.id, **(_hsm(found, place) if found else _elsewhere(place))}
            self._answers.add("hsm.list", item, subscription=place.id.split("/")[2].lower())
            if found:
                self._ground.origin(id_, found, "public_network_access_enabled", "network_acls", "purge_protection_enabled")
            else:
                self._answers.outside.add(id_)

    def _begin(self, planned: Planned | None, hsm: VaultPlace) -> None:
        """Begin the lists of a new HSM, which have everything that will be in it, with the roles of its first administrators.

        https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control
        """
        for operation in ("key.list", "role_definition.list", "role_assignment.list", "role_assignment.of_keys"):
            self._answers.list(f"hsm.{operation}", hsm.uri, whole=True)
        for role, item in local_roles.BUILT_IN.items():
            self._define_role(hsm, role, item)
        if planned is None:
            return
        found = planned.value("admin_object_ids")
        for principal in [None] if isinstance(found, Raw) else found or []:
            guid = planned.stands_for(f"administrator {principal or ''}")
            self._grant(
                planned, hsm, guid, ("admin_object_ids",), principal=principal, role=local_roles.ADMINISTRATOR, scope="/"
            )

    def _grant(
        self,
        planned: Planned,
        hsm: VaultPlace,
        guid: str,
        attributes: Sequence[str],
        *,
        principal: object,
        role: str,
        scope: str | None,
    ) -> None:
        """Add an assignment of a local role. `principal` and `scope`: None if they are known after apply."""
        known = principal if isinstance(principal, str) and GUID.fullmatch(principal.lower()) else None
        below = "" if scope in (None, "/") else str(scope)
        item = {
            "id": f"{below}{_BELOW}/roleAssignments/{guid}",
            "properties": {
                "principalId": known or planned.stands_for("principal_id"),
                "roleDefinitionId": f"{_BELOW}/roleDefinitions/{role}",
                "scope": scope or "/",
            },
        }
        self._answers.add("hsm.role_assignment.of_keys" if below else "hsm.role_assignment.list", item, hsm.uri)
        id_ = f"{hsm.id}{item['id']}"
        self._ground.origin(id_, planned, *attributes)
        later = [*(("scope", "scope_kind") if scope is None else ()), *(() if known else ("principal_id",))]
        if later:
            self._answers.decided[id_.lower()] = dict.fromkeys(later, Refusal(Reason.AFTER_APPLY))

    def _define_role(self, hsm: VaultPlace, role: str, item: Mapping[str, object]) -> None:
        if (hsm.uri, role) not in self._listed:
            self._listed.add((hsm.uri, role))
            self._answers.add("hsm.role_definition.list", item, hsm.uri)

    def _own(self, planned: Planned) -> VaultPlace:
        name = planned.text("name") or ""
        id_ = self._ground.id_of(planned, _KIND, name=name if _VAULT_NAME.fullmatch(name) else stand_in(planned.address))
        return self._place(id_, planned.address, new=planned.is_new)

    def _of(self, planned: Planned) -> VaultPlace:
        if known := planned.text("managed_hsm_id"):
            return self._place(known, planned.address)
        target = self._ground.resources.target(planned, "managed_hsm_id")
        if target and target[0].type == HSM and target[1] in ("", "id"):
            return self._planned.get(target[0].address) or self._own(target[0])
        return self._place("", planned.address)

    def _place(self, id_: str, address: str, *, new: bool = False) -> VaultPlace:
        parts = vault_id_parts(id_)
        if parts is None or parts.kind != "managed-hsm" or not _VAULT_NAME.fullmatch(parts.name):
            at = self._ground.resources.at(address)
            subscription = self._ground.subscription(at) if at else ""
            id_ = f"/subscriptions/{subscription}/resourceGroups/after-apply/providers/{_KIND}/{stand_in(address)}"
            parts = vault_id_parts(id_)
        self._ground.seen(id_)
        name = parts.name.lower() if parts else ""
        uri = f"https://{name}.{self._ground.environment.hsm_suffix}/"
        return self._places.setdefault(id_.lower(), VaultPlace(id_, uri, new))

    @staticmethod
    def _name(planned: Planned) -> str:
        name = planned.text("name") or ""
        return name if _NAME.fullmatch(name) else stand_in(planned.address)

    def _key_of(self, planned: Planned) -> str:
        """The address of the key that a rotation policy is for."""
        target = self._ground.resources.target(planned, "managed_hsm_key_id")
        return target[0].address if target else ""

    def _key(self, planned: Planned, rotation: Planned | None) -> None:
        hsm, name = self._of(planned), self._keys[planned.address]
        id_ = f"{hsm.uri}keys/{name}"
        kid = f"{id_}/{_VERSION}"
        # Only keys of vaults name an HSM platform.
        attributes = {name: value for name, value in key_attributes(self._ground, planned).items() if name != "hsmPlatform"}
        tags = wire(planned.value("tags"), {})
        self._answers.list("hsm.key.list", hsm.uri, whole=hsm.new)
        self._answers.add("hsm.key.list", {"kid": id_, "attributes": attributes, "tags": tags}, hsm.uri)
        self._answers.list("hsm.key.versions", hsm.uri, whole=planned.is_new, key=name)
        self._answers.add("hsm.key.versions", {"kid": kid, "attributes": attributes, "tags": tags}, hsm.uri, key=name)
        self._answers.list("hsm.role_assignment.of_key", hsm.uri, whole=planned.is_new, key=name)
        bundle = key_bundle(planned, kid, attributes)
        for version in ("", _VERSION):
            self._answers.put("hsm.key.get", bundle, hsm.uri, key=name, version=version)
        if rotation:
            policy = rotation_of(rotation, rotation)
        elif planned.is_new:
            policy = {"lifetimeActions": [], "attributes": None}
        else:
            policy = {"lifetimeActions": NOT_IN_PLAN, "attributes": NOT_IN_PLAN}
        self._answers.put("hsm.key.rotation_policy", policy, hsm.uri, key=name)
        self._ground.origin(id_, planned, "name", "managed_hsm_id", "key_type", "key_opts", "expiration_date", "tags")

    def _define(self, planned: Planned) -> None:
        permissions = planned.blocks("permission")
        found: Value = permissions
        if not isinstance(permissions, Raw):
            names = {"actions": "actions", "notActions": "not_actions", "dataActions": "data_actions"}
            names["notDataActions"] = "not_data_actions"
            found = [{wired: texts(each.value(name)) for wired, name in names.items()} for each in permissions]
        properties = {"roleName": planned.value("role_name"), "type": "CustomRole", "permissions": found}
        item = {"id": f"{_BELOW}/roleDefinitions/{_guid(planned)}", "properties": properties}
        self._answers.add("hsm.role_definition.list", item, self._of(planned).uri)

    def _assign(self, planned: Planned) -> None:
        hsm = self._of(planned)
        scope = planned.value("scope")
        principal = principal_of(self._ground, planned, "principal_id")
        found = scope if isinstance(scope, str) and _SCOPE.fullmatch(scope) else None
        attributes = ("scope", "principal_id", "role_definition_id")
        role = self._role(planned, hsm)
        self._grant(planned, hsm, _guid(planned), attributes, principal=principal, role=role, scope=found)

    def _role(self, planned: Planned, hsm: VaultPlace) -> str:
        """The GUID of the role. A role that is neither built in nor of the plan may allow anything."""
        known = (planned.text("role_definition_id") or "").lower().rpartition("/")[2]
        if GUID.fullmatch(known):
            role = known
        else:
            target = self._ground.resources.target(planned, "role_definition_id")
            if target and target[0].type == DEFINITION:
                return _guid(target[0])
            role = planned.stands_for("role_definition_id")
        if role not in {_guid(each) for each in self._ground.resources.of(DEFINITION)}:
            elsewhere = {"id": f"{_BELOW}/roleDefinitions/{role}", "properties": NOT_IN_PLAN if role == known else AFTER_APPLY}
            self._define_role(hsm, role, local_roles.BUILT_IN.get(role, elsewhere))
        return role


def _guid(planned: Planned) -> str:
    known = (planned.text("name") or "").lower()
    return known if GUID.fullmatch(known) else planned.guid


def _hsm(planned: Planned, place: VaultPlace) -> dict[str, Any]:
    public = planned.value("public_network_access_enabled")
    acls = planned.block("network_acls")
    certificates = planned.value("security_domain_key_vault_certificate_ids")
    activated = (
        NOT_IN_PLAN if isinstance(certificates, Raw) or not planned.is_new else "Active" if certificates else "NotActivated"
    )
    rules: Value = None
    if isinstance(acls, Raw):
        rules = AFTER_APPLY if planned.is_set("network_acls") or not planned.is_new else _OPEN
    elif acls is None:
        rules = _OPEN
    else:
        rules = {"defaultAction": acls.value("default_action"), "bypass": acls.value("bypass"), **_NO_RULES}
    return {
        "name": planned.text("name") or "(known after apply)",
        "location": planned.value("location"),
        "tags": wire(planned.value("tags"), {}),
        "sku": {"name": planned.value("sku_name")},
        "systemData": NOT_IN_PLAN,
        "properties": {
            "hsmUri": place.uri,
            "tenantId": planned.value("tenant_id"),
            "enableSoftDelete": True,
            # The provider sends false for null.
            "enablePurgeProtection": wire(planned.value("purge_protection_enabled"), default=False),
            "softDeleteRetentionInDays": wire(planned.value("soft_delete_retention_days"), 90),
            "publicNetworkAccess": public if isinstance(public, Raw) else "Disabled" if public is False else "Enabled",
            "networkAcls": rules,
            "privateEndpointConnections": NOT_IN_PLAN,
            "provisioningState": "Succeeded",
            "createMode": None,
            "securityDomainProperties": {"activationStatus": activated},
            "initialAdminObjectIds": planned.value("admin_object_ids"),
            "regions": [],
        },
    }


_NO_RULES: dict[str, Value] = {"ipRules": [], "virtualNetworkRules": []}
_OPEN = {"defaultAction": "Allow", "bypass": "AzureServices", **_NO_RULES}
"""The rules of an HSM for which none are set.

The bypass is documented: https://learn.microsoft.com/javascript/api/@azure/arm-keyvault/mhsmnetworkruleset. The action is what
the provider takes an HSM without rules to have, internal/services/managedhsm of hashicorp/terraform-provider-azurerm.
"""


def _elsewhere(place: VaultPlace) -> dict[str, Any]:
    """An HSM that the plan only refers to."""
    members = ("tenantId", "enableSoftDelete", "enablePurgeProtection", "softDeleteRetentionInDays", "publicNetworkAccess")
    more = ("networkAcls", "privateEndpointConnections", "provisioningState", "createMode", "initialAdminObjectIds", "regions")
    return {
        "name": place.id.rpartition("/")[2],
        "location": NOT_IN_PLAN,
        "tags": NOT_IN_PLAN,
        "sku": NOT_IN_PLAN,
        "systemData": NOT_IN_PLAN,
        "properties": {
            "hsmUri": place.uri,
            "securityDomainProperties": {"activationStatus": NOT_IN_PLAN},
            **dict.fromkeys((*members, *more), NOT_IN_PLAN),
        },
    }
