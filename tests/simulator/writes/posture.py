"""Changes of the tenant's policies in Microsoft Graph: authorization, and the default app management policy."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Posture, Restriction, Restrictions
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request
from tests.simulator.writes import WriteError, body_of, part_of

AUTHORIZATION = "Policy.ReadWrite.Authorization"
APPLICATION_CONFIGURATION = "Policy.ReadWrite.ApplicationConfiguration"
"""The permissions: https://learn.microsoft.com/graph/api/authorizationpolicy-update, tenantappmanagementpolicy-update."""
_TEAMS = "ManagePermissionGrantsForOwnedResource."


def update_authorization(directory: Directory, request: Request) -> None:
    """What users may do by default; members that are left out stay as they are."""
    body = body_of(request)
    users = part_of(body, "defaultUserRolePermissions")
    _require_known(body, {"defaultUserRolePermissions", "allowInvitesFrom", "guestUserRoleId"})
    _require_known(users, {"allowedToCreateApps", "permissionGrantPoliciesAssigned"})
    posture = directory.estate.posture
    consent = users.get("permissionGrantPoliciesAssigned")
    changed = replace(
        posture,
        invites_from=body.get("allowInvitesFrom", posture.invites_from),
        guest_role=body.get("guestUserRoleId", posture.guest_role),
        users_register_apps=users.get("allowedToCreateApps", posture.users_register_apps),
        consent_policies=posture.consent_policies
        if consent is None
        else tuple(each for each in consent if not each.startswith(_TEAMS)),
    )
    _keep(directory, changed)


def update_app_management(directory: Directory, request: Request) -> None:
    """The default policy. A list of restrictions replaces the one before; what is left out stays as it is."""
    body = body_of(request)
    _require_known(
        body,
        {"@odata.context", "id", "displayName", "description", "deletedDateTime", "isEnabled"}
        | {"applicationRestrictions", "servicePrincipalRestrictions"},
    )
    posture = directory.estate.posture
    changed = replace(
        posture,
        default_enabled=body.get("isEnabled", posture.default_enabled),
        for_applications=_restrictions(posture.for_applications, part_of(body, "applicationRestrictions")),
        for_service_principals=_restrictions(posture.for_service_principals, part_of(body, "servicePrincipalRestrictions")),
    )
    _keep(directory, changed)


def _keep(directory: Directory, posture: Posture) -> None:
    directory.change(replace(directory.estate, posture=posture))


def _require_known(body: Mapping[str, Any], known: set[str]) -> None:
    for name in body.keys() - known:
        raise WriteError(
            400, "Request_BadRequest", f"Property '{name}' does not exist as a declared property or extension property."
        )


def _restrictions(before: Restrictions, asked: Mapping[str, Any]) -> Restrictions:
    lists = {"passwords": asked.get("passwordCredentials"), "keys": asked.get("keyCredentials")}
    changed = {name: tuple(_restriction(each) for each in found) for name, found in lists.items() if found is not None}
    uris = asked.get("identifierUris")
    if uris is not None:
        changed["uris"] = tuple(
            _restriction({**each, "restrictionType": name}) for name, each in uris.items() if isinstance(each, dict)
        )
    return replace(before, **changed)


def _restriction(asked: Mapping[str, Any]) -> Restriction:
    since = asked.get("restrictForAppsCreatedAfterDateTime")
    exempt = part_of(asked, "excludeActors").get("customSecurityAttributes") or ()
    return Restriction(
        type=str(asked.get("restrictionType")),
        state=str(asked.get("state") or "enabled"),
        max_lifetime=asked.get("maxLifetime"),
        created_after=int(datetime.fromisoformat(since).timestamp()) if since else None,
        exempt=tuple((str(each["id"]), str(each["value"])) for each in exempt),
    )
