"""Application permissions and directory roles of a plan, as Microsoft Graph lists them.

docs/resources/app_role_assignment.md and directory_role_assignment.md of hashicorp/terraform-provider-azuread.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from keyaudit.model.directory.tiers import DIRECTORY_ROLES
from keyaudit.model.values.guid import GUID
from keyaudit.plan.answers import Origin
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, texts
from keyaudit.plan.resources.access import Access
from keyaudit.plan.resources.applications import Applications
from keyaudit.plan.resources.identities import IDENTITY, Identities
from keyaudit.plan.scopes import Ground

APP_ROLE, DIRECTORY_ROLE = "azuread_app_role_assignment", "azuread_directory_role_assignment"
ROLES: Mapping[str, tuple[str, str, str]] = {
    DIRECTORY_ROLE: ("role_id", "principal_object_id", "directory_scope_id"),
    "azuread_directory_role_member": ("role_object_id", "member_object_id", ""),
    "azuread_administrative_unit_role_member": ("role_object_id", "member_object_id", "administrative_unit_object_id"),
}
"""Resources that give directory roles: the attributes that name the role, who gets it, and on what part of the tenant."""
_PRINCIPAL, _ROLE, CUSTOM = "azuread_service_principal", "azuread_directory_role", "azuread_custom_directory_role"
_ROLE_NAMED = re.compile(r'app_role_ids\["([^"\\]{1,120})"\]')
_BY_NAME = {role.name.lower(): role.id for role in DIRECTORY_ROLES if role.id}
_RANKED = frozenset(role.id for role in DIRECTORY_ROLES)


class Permissions:
    """Adds app roles and directory roles to the answers."""

    def __init__(self, ground: Ground, applications: Applications, access: Access) -> None:
        self._ground, self._answers, self._resources = ground, ground.answers, ground.resources
        self._applications, self._access = applications, access
        self._apis: dict[str, dict[str, Any]] = {}

    def answer(self) -> None:
        """Add all of them."""
        self._app_roles()
        self._directory_roles()

    def _app_roles(self) -> None:
        given: dict[str, list[Mapping[str, Any]]] = {}
        new = {self._applications.object_id_of(each): each.is_new for each in self._resources.of(_PRINCIPAL)}
        new |= {Identities.principal(each): each.is_new for each in self._resources.of(IDENTITY)}
        given |= {principal: [] for principal in new}
        for planned in self._resources.of(APP_ROLE):
            principal = self._principal(planned, "principal_object_id", "service_principal.app_roles_of")
            api, role = self._role(planned)
            item = {"appRoleId": role, "principalId": principal, "resourceId": api, "createdDateTime": NOT_IN_PLAN}
            given.setdefault(principal, []).append(item)
            place = f"/tenants/{self._ground.tenant_id}/servicePrincipals/{principal}/appRoleAssignments/{api}/{role}"
            self._ground.origin(place, planned, "principal_object_id", "resource_object_id", "app_role_id")
        for principal, items in given.items():
            # What exists may have more.
            more: dict[str, str] = {} if new.get(principal) else {"appRoleAssignments@odata.nextLink": ""}
            self._answers.add("service_principal.app_roles", {"id": principal, "appRoleAssignments": items, **more})
            self._answers.list("service_principal.app_roles_of", whole=bool(new.get(principal)), id=principal)
            for each in items:
                self._answers.add("service_principal.app_roles_of", each, id=principal)
        for api, described in self._apis.items():
            self._answers.outside.add(f"/tenants/{self._ground.tenant_id}/servicePrincipals/{api}".lower())
            self._answers.add("service_principal.list", described)

    def _principal(self, planned: Planned, attribute: str, operation: str) -> str:
        """The principal; what is not known has an id of its own. Where nothing is known of it, a list may lack what it gets."""
        found = self._applications.object_id(planned, attribute)
        if found:
            return found
        principal, _ = self._access.principal(planned, attribute, NOT_IN_PLAN)
        if isinstance(principal, str):
            return principal
        if self._resources.target(planned, attribute) is None:
            self._answers.unread.setdefault(operation, []).append(Origin(planned.address, planned.changes))
        return planned.stands_for(attribute)

    def _role(self, planned: Planned) -> tuple[str, str]:
        """The API, and the role by its id. A role that is referred to by its name has an id that stands for its own."""
        attribute = "resource_object_id"
        api = self._applications.object_id(planned, attribute)
        role = (planned.text("app_role_id") or "").lower()
        known = bool(GUID.fullmatch(role))
        target = self._resources.target(planned, "app_role_id")
        named = _ROLE_NAMED.fullmatch(target[1]) if target else None
        id_ = role if known else planned.stands_for("app_role_id")
        there = self._resources.target(planned, attribute)
        if there and there[0].type == _PRINCIPAL:
            if named and target and target[0].address == there[0].address:
                self._publish(there[0], id_, named[1])
            return self._applications.object_id_of(there[0]), id_
        api = api or planned.stands_for(attribute)
        self._elsewhere(api, id_, named[1] if named else None)
        return api, id_

    def _publish(self, api: Planned, role: str, name: str) -> None:
        """Note that an API of the plan publishes a role under this name, so that the id that stands for it has it."""
        self._applications.published.setdefault(self._applications.object_id_of(api), {})[role] = name

    def _elsewhere(self, api: str, role: str, name: str | None) -> None:
        """An API that the plan has no resource for. Its kind decides how far a permission reaches, and is told by data."""
        data = next((each for each in self._resources.data(_PRINCIPAL) if str(each.get("object_id")).lower() == api), None)
        app_id: Value = data.get("client_id", AFTER_APPLY) if data else AFTER_APPLY
        roles = data.get("app_roles") if data else None
        published: Value = AFTER_APPLY
        if isinstance(roles, list):
            published = [
                {"id": each.get("id"), "value": each.get("value"), "allowedMemberTypes": each.get("allowed_member_types") or []}
                for each in roles
                if isinstance(each, dict)
            ]
        elif name:
            published = [{"id": role, "value": name, "allowedMemberTypes": ["Application"]}]
        self._apis[api] = {
            "id": api,
            "appId": app_id,
            "displayName": data.get("display_name", AFTER_APPLY) if data else AFTER_APPLY,
            "appRoles": published,
            **dict.fromkeys(_OTHERS, NOT_IN_PLAN),
            "keyCredentials": [],
            "passwordCredentials": [],
        }

    def _directory_roles(self) -> None:
        defined: dict[str, dict[str, Any]] = {}
        for planned in self._resources.of(CUSTOM):
            permissions = planned.blocks("permissions")
            found: Value = permissions
            if not isinstance(permissions, Raw):
                found = [{"allowedResourceActions": texts(each.value("allowed_resource_actions"))} for each in permissions]
            role = self._applications.object_id_of(planned)
            defined[role] = {
                "id": role,
                "displayName": planned.value("display_name"),
                "isBuiltIn": False,
                "templateId": None,
                "rolePermissions": found,
            }
        for planned in self._resources.of(*ROLES):
            of_role, of_principal, of_scope = ROLES[planned.type]
            role = self._directory_role(planned, of_role)
            defined.setdefault(role, _built_in(role))
            principal = self._principal(planned, of_principal, "directory_role.assignments")
            scope = self._directory_scope(planned, of_scope)
            id_ = planned.text("id") or planned.guid
            item = {"id": id_, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope}
            self._answers.add("directory_role.assignments", item)
            where = "tenant" if scope == "/" else "-" if isinstance(scope, Raw) else scope.strip("/")
            place = f"/tenants/{self._ground.tenant_id}/roleAssignments/{principal}/{role}/{where}/{id_}"
            self._ground.origin(place, planned, *filter(None, ROLES[planned.type]))
        for item in defined.values():
            self._answers.add("directory_role.definitions", item)

    def _directory_scope(self, planned: Planned, attribute: str) -> Value:
        """The whole tenant, unless another scope is set; it is computed where it is not."""
        scope = planned.value(attribute) if planned.has(attribute) else None
        if planned.type == DIRECTORY_ROLE:
            return "/" if isinstance(scope, Raw) and not planned.is_set(attribute) else scope or "/"
        # One on a part of the tenant, whichever that is.
        return (
            f"/administrativeUnits/{scope if isinstance(scope, str) else planned.stands_for(attribute)}" if attribute else "/"
        )

    def _directory_role(self, planned: Planned, attribute: str) -> str:
        known = (planned.text(attribute) or "").lower()
        if GUID.fullmatch(known):
            # An activated role has an id of its own beside that of its template.
            active = next((each for each in self._resources.of(_ROLE) if (each.text("object_id") or "").lower() == known), None)
            return self._template(active) if active else known
        target = self._resources.target(planned, attribute)
        if target:
            there, _ = target
            if there.type == CUSTOM:
                return self._applications.object_id_of(there)
            if there.type == _ROLE:
                return self._template(there)
        return planned.stands_for(attribute)

    @staticmethod
    def _template(role: Planned) -> str:
        """The id of an activated role's template, which assignments name."""
        template = (role.text("template_id") or "").lower()
        return template or _BY_NAME.get((role.text("display_name") or "").lower()) or role.guid


_OTHERS = (
    *(
        "createdDateTime",
        "accountEnabled",
        "servicePrincipalType",
        "appOwnerOrganizationId",
        "preferredSingleSignOnMode",
        "tags",
    ),
    *("preferredTokenSigningKeyThumbprint", "alternativeNames", "servicePrincipalNames", "appRoleAssignmentRequired"),
    *("verifiedPublisher", "createdByAppId", "disabledByMicrosoftStatus"),
)


def _built_in(role: str) -> dict[str, Any]:
    """A role by its id: built in if it is one that is known, otherwise built in or custom."""
    return {
        "id": role,
        "displayName": AFTER_APPLY,
        "isBuiltIn": True if role in _RANKED else AFTER_APPLY,
        "templateId": role if role in _RANKED else AFTER_APPLY,
        "rolePermissions": AFTER_APPLY,
    }
