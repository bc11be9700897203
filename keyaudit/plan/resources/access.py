"""Role assignments and custom roles of a plan, as Azure lists them.

website/docs/r/role_assignment.html.markdown and role_definition of hashicorp/terraform-provider-azurerm.
"""

from msgspec import Raw

from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import GRANT
from keyaudit.model.values.guid import GUID
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, texts, wire
from keyaudit.plan.resources import azapi
from keyaudit.plan.resources.built_in_roles import BUILT_IN, BY_ID
from keyaudit.plan.resources.hsms import Hsms
from keyaudit.plan.resources.principals import GROUPS, principal_of
from keyaudit.plan.resources.vaults import Vaults
from keyaudit.plan.scopes import Ground

ASSIGNMENT, DEFINITION = "azurerm_role_assignment", "azurerm_role_definition"
_BELOW = "providers/Microsoft.Authorization"
_SCOPE = tuple(name for name in ("scope", "scope_kind", "vault_id") if GRANT.by_name[name].can_be_unknown)
_SCOPES = ("azurerm_key_vault", "azurerm_resource_group", "azurerm_subscription", "azurerm_management_group")
_MAY_CONTAIN = ("microsoft.keyvault/", "microsoft.resources/", "microsoft.management/", "microsoft.subscription/")
_COLLECTIONS = {
    "azurerm_key_vault_key": "keys",
    "azurerm_key_vault_certificate": "certificates",
    "azurerm_key_vault_secret": "secrets",
}


class Access:
    """Adds role assignments and custom roles to the answers."""

    def __init__(self, ground: Ground, vaults: Vaults, hsms: Hsms) -> None:
        self._ground, self._vaults, self._hsms, self._answers = ground, vaults, hsms, ground.answers
        self._custom = {planned.address: self._guid(planned) for planned in ground.resources.of(DEFINITION)}

    def answer(self) -> None:
        """Add all of them."""
        for role in BY_ID.values():
            self._answers.put("role_definition.get", role.item, role=role.id)
        for planned in self._ground.resources.of(DEFINITION):
            self._define(planned)
        for planned in self._ground.resources.of(ASSIGNMENT):
            self._assign(planned)

    def _unlisted(self, guid: str) -> None:
        """A role that is neither planned nor among the known ones: what it allows is in the tenant."""
        if self._answers.read("role_definition.get", "", {"role": guid}) is None:
            id_ = f"/{_BELOW}/roleDefinitions/{guid}"
            self._answers.put("role_definition.get", {"id": id_, "properties": NOT_IN_PLAN}, role=guid)

    def _guid(self, planned: Planned) -> str:
        known = (planned.text("role_definition_id") or "").lower()
        return known if GUID.fullmatch(known) else planned.guid

    def _define(self, planned: Planned) -> None:
        permissions = planned.blocks("permissions")
        found: Value = permissions
        if not isinstance(permissions, Raw):
            names = {"actions": "actions", "notActions": "not_actions", "dataActions": "data_actions"}
            names["notDataActions"] = "not_data_actions"
            found = [{wired: texts(each.value(name)) for wired, name in names.items()} for each in permissions]
        guid = self._custom[planned.address]
        item = {
            "id": f"/{_BELOW}/roleDefinitions/{guid}",
            "properties": {"roleName": planned.value("name"), "type": "CustomRole", "permissions": found},
        }
        self._answers.put("role_definition.get", item, role=guid)

    def _assign(self, planned: Planned) -> None:
        scope = self._scope(planned)
        name = planned.text("name") or ""
        guid = name.lower() if GUID.fullmatch(name.lower()) else planned.guid
        within = "" if isinstance(scope, Raw) else scope.strip("/")
        whole = scope == "/"
        id_ = f"{f'/{within}' if within else ''}/{_BELOW}/roleAssignments/{guid}"
        principal, kind = self._principal(planned)
        role = self._role(planned)
        if isinstance(role, str):
            self._unlisted(role.lower().rpartition("/")[2])
        properties = {
            "principalId": principal,
            "principalType": kind,
            "roleDefinitionId": role,
            "scope": scope,
            "condition": planned.value("condition") or None,
            "createdOn": NOT_IN_PLAN,
        }
        self._answers.add("role_assignment.query", {"id": id_, "properties": properties})
        self._ground.origin(id_, planned, "scope", "principal_id", "role_definition_id", "role_definition_name", "condition")
        if within:
            self._ground.seen(f"/{within}")
        elif not whole:
            # Its id stands for the scope, which is not known.
            self._answers.decided[id_.lower()] = dict.fromkeys(_SCOPE, Refusal(Reason.AFTER_APPLY))

    def _scope(self, planned: Planned) -> Value:
        """The scope, or that of the resource that it refers to."""
        known = planned.text("scope")
        if known:
            return known
        target = self._ground.resources.target(planned, "scope")
        if target:
            there, attribute = target
            vault = self._vaults.at(there.address) or self._hsms.at(there.address)
            if vault and attribute in ("", "id"):
                return vault.id
            if attribute in ("resource_id", "resource_versionless_id") and there.type in _COLLECTIONS:
                return f"{self._vaults.of(there).id}/{_COLLECTIONS[there.type]}/{self._ground.named(there)}"
            if there.type == "azurerm_resource_group" and attribute in ("", "id"):
                subscription = self._ground.subscription(there)
                return f"/subscriptions/{subscription}/resourceGroups/{self._ground.named(there)}"
            if attribute == "id" and _is_other(there):
                return self._ground.id_of(there, "Microsoft.Resources/planned")
        return AFTER_APPLY

    def _role(self, planned: Planned) -> Value:
        named = planned.value("role_definition_name")
        if isinstance(named, str) and named:
            built_in = BUILT_IN.get(named.lower())
            custom = next((guid for address, guid in self._custom.items() if self._name(address) == named.lower()), None)
            guid = built_in.id if built_in else custom
            return f"/{_BELOW}/roleDefinitions/{guid}" if guid else f"/{_BELOW}/roleDefinitions/{UNLISTED}"
        known = planned.value("role_definition_id")
        if isinstance(known, str):
            return known
        target = self._ground.resources.target(planned, "role_definition_id")
        guid = self._custom.get(target[0].address) if target else None
        return f"/{_BELOW}/roleDefinitions/{guid}" if guid else AFTER_APPLY

    def _name(self, address: str) -> str:
        found = self._ground.resources.at(address)
        return (found.text("name") or "").lower() if found else ""

    def _principal(self, planned: Planned) -> tuple[Value, Value]:
        """Whom it is for, and the type of that principal."""
        stated = planned.value("principal_type")
        # Computed where it is not set: Azure looks the principal up.
        kind = NOT_IN_PLAN if isinstance(stated, Raw) and not planned.is_set("principal_type") else wire(stated, NOT_IN_PLAN)
        known = planned.value("principal_id")
        if isinstance(known, str):
            return known, kind
        return self.principal(planned, "principal_id", kind)

    def principal(self, planned: Planned, attribute: str, kind: Value) -> tuple[Value, Value]:
        """The principal that an attribute refers to: one that the plan creates has an id of its own until it has another."""
        found = principal_of(self._ground, planned, attribute)
        if found is None:
            return AFTER_APPLY, kind
        target = self._ground.resources.target(planned, attribute)
        return found, "Group" if target and target[0].type in GROUPS else "ServicePrincipal"


def _is_other(planned: Planned) -> bool:
    """Whether the id of a resource is a scope without vaults: that of a resource of Azure which is none, and contains none."""
    if planned.type == azapi.RESOURCE:
        type_ = azapi.type_of(planned)
        return bool(type_) and not type_.startswith(_MAY_CONTAIN)
    return planned.type.startswith("azurerm_") and not planned.type.startswith(_SCOPES)


UNLISTED = "00000000-0000-0000-0000-000000000000"
"""Stands for a built-in role that is not among those with rights to key vaults."""
