"""Graph's lists of privileges: granted app roles, delegated permissions, and directory roles."""

from collections.abc import Sequence

from keyaudit.simulator.estate import AppRoleGrant, Consent, DirectoryRole, DirectoryRoleGrant
from keyaudit.simulator.microsoft_graph.holders import Holder
from keyaudit.simulator.microsoft_graph.odata import BadQueryError, Options
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request, iso

_ROLES = "roleManagement/directory/"


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The list that a path names."""
    given = directory.estate.directory_role_grants
    match [piece.lower() for piece in path]:
        case ["oauth2permissiongrants"]:
            return _consents(directory, version)
        case ["rolemanagement", "directory", "roledefinitions"]:
            return _definitions(directory, version)
        case ["rolemanagement", "directory", "roleassignments"]:
            return _granted(directory, version, "roleAssignments", [one for one in given if not one.eligible])
        case ["rolemanagement", "directory", "roleeligibilityscheduleinstances"]:
            return _granted(directory, version, "roleEligibilityScheduleInstances", [one for one in given if one.eligible])
    return None


def app_roles(directory: Directory, version: str, holder: Holder | None) -> Resource:
    """The app roles of one service principal."""
    found = of_principal(directory, holder.id) if holder else []
    name = f"servicePrincipals('{holder.id if holder else ''}')/appRoleAssignments"
    return Resource(
        operation="service_principal.app_roles_of",
        relations=("servicePrincipals", "appRoleAssignments"),
        type="microsoft.graph.appRoleAssignment",
        members=_app_role(directory, AppRoleGrant(principal_id="", resource_id="", role_id="")),
        render=collection(version, name, found, lambda one: one) if holder else None,
    )


def of_principal(directory: Directory, principal_id: str) -> list[dict[str, object]]:
    """Every app role of a service principal."""
    return [_app_role(directory, one) for one in directory.app_role_grants.get(principal_id, [])]


def _consents(directory: Directory, version: str) -> Resource:
    def body(one: Consent) -> dict[str, object]:
        return _consent(directory, one)

    return Resource(
        operation="delegated_grant.list",
        relations=("oauth2PermissionGrants",),
        type="microsoft.graph.oAuth2PermissionGrant",
        members=body(Consent(client_id="", resource_id="", permissions=())),
        render=collection(version, "oauth2PermissionGrants", directory.estate.consents, body),
        listed=True,
    )


def _definitions(directory: Directory, version: str) -> Resource:
    render = collection(version, _ROLES + "roleDefinitions", directory.estate.directory_roles, _definition)

    def refusing(asked: Request, options: Options) -> dict[str, object]:
        # As in a real tenant: this list rejects $top with any value.
        if "$top" in asked.query:
            raise BadQueryError("BadRequest", "The query parameter $top is not supported.")
        return render(asked, options)

    return Resource(
        operation="directory_role.definitions",
        relations=("roleManagement", "roleDefinitions"),
        type="microsoft.graph.unifiedRoleDefinition",
        members=_definition(DirectoryRole(id="", name="")),
        render=refusing,
    )


def _granted(directory: Directory, version: str, name: str, found: Sequence[DirectoryRoleGrant]) -> Resource:
    scheduled = name != "roleAssignments"

    def body(one: DirectoryRoleGrant) -> dict[str, object]:
        return _directory_role(directory, one, scheduled=scheduled)

    return Resource(
        operation=f"directory_role.{'eligibilities' if scheduled else 'assignments'}",
        relations=("roleManagement", name),
        type="microsoft.graph.unifiedRoleAssignment",
        members=body(DirectoryRoleGrant(principal_id="", role_id="")),
        render=collection(version, _ROLES + name, found, body),
    )


def _app_role(directory: Directory, found: AppRoleGrant) -> dict[str, object]:
    return {
        "id": directory.guid("app role", found.principal_id, found.resource_id, found.role_id),
        "deletedDateTime": None,
        "appRoleId": found.role_id,
        "createdDateTime": None if found.created is None else iso(found.created),
        "principalDisplayName": None,
        "principalId": found.principal_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": None,
        "resourceId": found.resource_id,
    }


def _consent(directory: Directory, found: Consent) -> dict[str, object]:
    return {
        "clientId": found.client_id,
        "consentType": "Principal" if found.user else "AllPrincipals",
        "id": directory.guid("consent", found.client_id, found.resource_id, found.user or ""),
        "principalId": found.user,
        "resourceId": found.resource_id,
        # Consents given in the portal begin with a space.
        "scope": "".join(f" {permission}" for permission in found.permissions),
    }


def _definition(found: DirectoryRole) -> dict[str, object]:
    return {
        "id": found.id,
        "description": None,
        "displayName": found.name,
        "isBuiltIn": found.built_in,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "templateId": found.id,
        "version": "1",
        "rolePermissions": [{"allowedResourceActions": list(found.actions), "condition": None}],
    }


def _directory_role(directory: Directory, found: DirectoryRoleGrant, *, scheduled: bool) -> dict[str, object]:
    body: dict[str, object] = {
        "id": directory.guid("directory role", found.principal_id, found.role_id, found.scope, str(scheduled)),
        "principalId": found.principal_id,
        "directoryScopeId": found.scope,
        "roleDefinitionId": found.role_id,
    }
    if scheduled:
        body |= {
            "appScopeId": None,
            "startDateTime": None if found.start is None else iso(found.start),
            "endDateTime": None if found.end is None else iso(found.end),
            "memberType": "Direct",
            "roleEligibilityScheduleId": directory.guid("schedule", found.principal_id, found.role_id, found.scope),
        }
    return body
