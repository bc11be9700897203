"""The tenant's policies as Microsoft Graph shows them: app management, authorization, security defaults."""

from collections.abc import Callable, Mapping, Sequence

from keyaudit.simulator.estate import AppManagementPolicy, Restriction, Restrictions
from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request, iso

_DEFAULT_ID = "00000000-0000-0000-0000-000000000000"
_SECURITY_DEFAULTS_ID = "00000000-0000-0000-0000-000000000005"

_URIS = ("nonDefaultUriAddition", "uriAdditionWithoutUniqueTenantIdentifier")
_AUDIENCES = ("azureAdMultipleOrgs", "personalMicrosoftAccount")
_REDIRECTS = (
    "uriWithBlockedDomain",
    "uriWithBlockedScheme",
    "uriWithWildcard",
    "uriWithoutAllowedDomain",
    "uriWithoutAllowedScheme",
)


def policies(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The resource of a path below /policies, if it is simulated."""
    match [part.lower() for part in path]:
        case ["policies", "defaultappmanagementpolicy"]:
            operation = f"app_management.default{_suffix(version)}"
            return _one(version, operation, "defaultAppManagementPolicy", _default(directory, version))
        case ["policies", "appmanagementpolicies"]:
            custom: Callable[[AppManagementPolicy], dict[str, object]] = lambda one: _custom(one, version)  # noqa: E731
            return Resource(
                operation=f"app_management.list{_suffix(version)}",
                relations=("policies", "appManagementPolicies"),
                type="microsoft.graph.appManagementPolicy",
                members=_custom(AppManagementPolicy(id="", name=""), version),
                render=collection(version, "policies/appManagementPolicies", directory.estate.posture.policies, custom),
            )
        case ["policies", "appmanagementpolicies", policy, "appliesto"]:
            return _applies_to(directory, version, policy)
        case ["policies", "authorizationpolicy"]:
            return _one(version, "authorization_policy.get", "authorizationPolicy", _authorization(directory))
        case ["policies", "identitysecuritydefaultsenforcementpolicy"]:
            name = "identitySecurityDefaultsEnforcementPolicy"
            return _one(version, "security_defaults.get", name, _security_defaults(directory))
    return None


def other_tenants(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The default of cross-tenant access. Its partners are a list like others."""
    if [part.lower() for part in path] != ["policies", "crosstenantaccesspolicy", "default"]:
        return None
    return _one(version, "cross_tenant.default", "crossTenantAccessPolicy/default", _of_other_tenants(directory))


def _suffix(version: str) -> str:
    return "_beta" if version == "beta" else ""


def _one(version: str, operation: str, name: str, body: dict[str, object]) -> Resource:
    def render(_asked: Request, options: odata.Options) -> dict[str, object]:
        return odata.entity(options, (version, f"policies/{name}"), body)

    return Resource(
        operation=operation, relations=("policies", name), type=f"microsoft.graph.{name}", members=body, render=render
    )


def _applies_to(directory: Directory, version: str, policy: str) -> Resource:
    found = [one for one in directory.estate.posture.policies if one.id.lower() == policy]
    body: Callable[[str], dict[str, object]] = lambda one: _object(directory, one)  # noqa: E731
    return Resource(
        operation="app_management.applied",
        relations=("policies", "appliesTo"),
        type="microsoft.graph.directoryObject",
        members=("id", "appId", "displayName", "createdDateTime"),
        render=collection(version, "directoryObjects", found[0].assigned_to, body) if found else None,
    )


def _object(directory: Directory, object_id: str) -> dict[str, object]:
    kind = "servicePrincipal" if object_id in directory.principal_ids else "application"
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id}


def _default(directory: Directory, version: str) -> dict[str, object]:
    posture = directory.estate.posture
    return {
        "id": _DEFAULT_ID,
        "deletedDateTime": None,
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management restrictions on applications.",
        "isEnabled": posture.default_enabled,
        "applicationRestrictions": {
            **_restrictions(posture.for_applications),
            **_of_applications(posture.for_applications, version),
        },
        "servicePrincipalRestrictions": _restrictions(posture.for_service_principals),
    }


def _custom(policy: AppManagementPolicy, version: str) -> dict[str, object]:
    return {
        "id": policy.id,
        "deletedDateTime": None,
        "displayName": policy.name,
        "description": None,
        "isEnabled": policy.enabled,
        "restrictions": {
            **_restrictions(policy.restrictions),
            "applicationRestrictions": _of_applications(policy.restrictions, version),
        },
    }


def _of_applications(found: Restrictions, version: str) -> dict[str, object]:
    """What is restricted of applications besides credentials: in v1.0 their identifier URIs alone."""
    also = {"excludeAppsReceivingV2Tokens": True, "excludeSaml": True}
    parts: dict[str, object] = {"identifierUris": _named(found.uris, _URIS, also)}
    if version == "beta":
        parts |= {"audiences": _named(found.audiences, _AUDIENCES, {}), "redirectUris": _named(found.redirects, _REDIRECTS, {})}
    return parts


def _named(found: Sequence[Restriction], names: Sequence[str], also: Mapping[str, object]) -> dict[str, object] | None:
    """Each restriction by its name; null if nothing was ever set."""
    if not found:
        return None
    held = {one.type: one for one in found}
    return {name: {**_state(held[name]), "isStateSetByMicrosoft": False, **also} if name in held else None for name in names}


def _restrictions(found: Restrictions) -> dict[str, object]:
    return {
        "passwordCredentials": [_restriction(one) for one in found.passwords],
        "keyCredentials": [_restriction(one) for one in found.keys],
    }


def _restriction(found: Restriction) -> dict[str, object]:
    return {"restrictionType": found.type, "maxLifetime": found.max_lifetime, **_state(found)}


def _state(found: Restriction) -> dict[str, object]:
    exempt = [
        {
            "@odata.type": "#microsoft.graph.customSecurityAttributeStringValueExemption",
            "id": name,
            "operator": "equals",
            "value": value,
        }
        for name, value in found.exempt
    ]
    return {
        "state": found.state,
        "restrictForAppsCreatedAfterDateTime": None if found.created_after is None else iso(found.created_after),
        "excludeActors": {"customSecurityAttributes": exempt} if exempt else None,
    }


def _of_other_tenants(directory: Directory) -> dict[str, object]:
    """https://learn.microsoft.com/graph/api/crosstenantaccesspolicyconfigurationdefault-get"""
    trusted = directory.estate.posture.mfa_of_others
    return {
        "isServiceDefault": not trusted,
        "inboundTrust": {
            "isMfaAccepted": trusted,
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": False,
        },
        "automaticUserConsentSettings": {"inboundAllowed": False, "outboundAllowed": False},
    }


def _authorization(directory: Directory) -> dict[str, object]:
    posture = directory.estate.posture
    return {
        "id": "authorizationPolicy",
        "allowInvitesFrom": posture.invites_from,
        "allowedToSignUpEmailBasedSubscriptions": True,
        "allowedToUseSSPR": True,
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "allowUserConsentForRiskyApps": None,
        "blockMsolPowerShell": True,
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "guestUserRoleId": posture.guest_role,
        "defaultUserRolePermissions": {
            "allowedToCreateApps": posture.users_register_apps,
            "allowedToCreateSecurityGroups": True,
            "allowedToCreateTenants": False,
            "allowedToReadBitlockerKeysForOwnedDevice": True,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": [
                *posture.consent_policies,
                "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team",
            ],
        },
    }


def _security_defaults(directory: Directory) -> dict[str, object]:
    return {
        "id": _SECURITY_DEFAULTS_ID,
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": directory.estate.posture.security_defaults,
    }
