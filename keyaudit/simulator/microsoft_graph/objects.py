"""Directory objects as Microsoft Graph describes them: every member present, null or [] where nothing is set."""

import hashlib
from base64 import b64encode

from keyaudit.simulator.estate import (
    Application,
    AppRole,
    Domain,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
)
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import iso

_INFO = ("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")


def _date(seconds: int | None) -> str | None:
    return None if seconds is None else iso(seconds)


def _nulls(*names: str) -> dict[str, object]:
    return dict.fromkeys(names)


def password(credential: PasswordCredential, *, hinted: bool) -> dict[str, object]:
    """A client secret: its value is never read; an application's has a hint, a service principal's has none."""
    return {
        "customKeyIdentifier": credential.thumbprint,
        "displayName": credential.display_name,
        "endDateTime": _date(credential.end),
        "hint": hashlib.sha256(credential.key_id.encode()).hexdigest()[:3] if hinted else None,
        "keyId": credential.key_id,
        "secretText": None,
        "startDateTime": _date(credential.start),
    }


def key_credential(credential: KeyCredential, *, with_key: bool) -> dict[str, object]:
    """A certificate or symmetric key; its public part only where keyCredentials were selected."""
    return {
        "customKeyIdentifier": credential.thumbprint,
        "displayName": credential.display_name,
        "endDateTime": _date(credential.end),
        "key": _public(credential) if with_key else None,
        "keyId": credential.key_id,
        "startDateTime": _date(credential.start),
        "type": credential.type,
        "usage": credential.usage,
    }


def _public(credential: KeyCredential) -> str:
    """A certificate; if the estate has none, a DER sequence of random bytes, which is not a valid certificate."""
    noise = hashlib.sha512(credential.key_id.encode()).digest()
    return b64encode(credential.certificate or b"\x30\x42\x04\x40" + noise).decode()


def _publisher(name: str | None) -> dict[str, object]:
    if name is None:
        return _nulls("displayName", "verifiedPublisherId", "addedDateTime")
    return {"displayName": name, "verifiedPublisherId": "7654321", "addedDateTime": "2023-02-01T09:00:00Z"}


def only_selected(found: Application | ServicePrincipal) -> dict[str, object]:
    """Members that are returned only with $select: no recording of a whole object has them."""
    members: dict[str, object] = {"createdByAppId": found.created_by_app}
    if isinstance(found, Application):
        members["servicePrincipalLockConfiguration"] = found.lock
    return members


def application(directory: Directory, found: Application, *, with_key: bool) -> dict[str, object]:
    """An application registration."""
    return {
        **({"@odata.type": "#microsoft.graph.agentIdentityBlueprint"} if found.blueprint else {}),
        "id": found.id,
        "deletedDateTime": None,
        "appId": found.app_id,
        "applicationTemplateId": found.template,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": _date(found.created),
        "displayName": found.name,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": list(found.identifier_uris),
        "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": found.public_client,
        "notes": None,
        "publisherDomain": directory.default_domain,
        "serviceManagementReference": None,
        "signInAudience": found.audience,
        "tags": [],
        "tokenEncryptionKeyId": found.encryption_key,
        "defaultRedirectUri": None,
        "certification": None,
        "optionalClaims": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": found.accepts_mapped_claims,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": found.token_version,
            "oauth2PermissionScopes": [_scope(directory, found, value) for value in found.scopes],
            "preAuthorizedApplications": [
                {"appId": one, "delegatedPermissionIds": [directory.guid(found.id, "scope", scope) for scope in found.scopes]}
                for one in found.preauthorized
            ],
        },
        "appRoles": [_role(directory, found, value) for value in found.roles],
        "info": _nulls(*_INFO),
        "keyCredentials": [key_credential(one, with_key=with_key) for one in found.keys],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [password(one, hinted=True) for one in found.passwords],
        "publicClient": {"redirectUris": list(found.native_urls)},
        "requiredResourceAccess": [],
        "verifiedPublisher": _publisher(found.verified_publisher),
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": list(found.reply_urls),
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": found.implicit_tokens,
                "enableIdTokenIssuance": False,
            },
        },
        "spa": {"redirectUris": list(found.spa_urls)},
    }


def _scope(directory: Directory, found: Application, value: str) -> dict[str, object]:
    return {
        "adminConsentDescription": f"Allows {value}.",
        "adminConsentDisplayName": value,
        "id": directory.guid(found.id, "scope", value),
        "isEnabled": True,
        "type": "User",
        "userConsentDescription": None,
        "userConsentDisplayName": None,
        "value": value,
    }


def _role(directory: Directory, found: Application, value: str) -> dict[str, object]:
    return {
        "allowedMemberTypes": ["Application"],
        "description": f"Allows {value}.",
        "displayName": value,
        "id": directory.guid(found.id, "role", value),
        "isEnabled": True,
        "origin": "Application",
        "value": value,
    }


def _published(role: AppRole) -> dict[str, object]:
    return {
        "allowedMemberTypes": list(role.members),
        "description": f"Allows {role.value}.",
        "displayName": role.value,
        "id": role.id,
        "isEnabled": True,
        "origin": "Application",
        "value": role.value,
    }


def service_principal(found: ServicePrincipal, *, with_key: bool) -> dict[str, object]:
    """A service principal; its application's credentials are not among its own."""
    return {
        **({"@odata.type": f"#microsoft.graph.{found.agent}"} if found.agent else {}),
        **({"agentIdentityBlueprintId": found.blueprint} if found.blueprint else {}),
        "id": found.id,
        "deletedDateTime": None,
        "accountEnabled": found.enabled,
        "alternativeNames": list(found.alternative_names),
        "appDisplayName": found.name,
        "appDescription": None,
        "appId": found.app_id,
        "applicationTemplateId": found.template,
        "appOwnerOrganizationId": found.home_tenant,
        "appRoleAssignmentRequired": found.assignment_required,
        "createdDateTime": _date(found.created),
        "description": None,
        "disabledByMicrosoftStatus": None,
        "displayName": found.name,
        "homepage": None,
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": found.sso_mode,
        "preferredTokenSigningKeyThumbprint": found.preferred_thumbprint,
        "replyUrls": [],
        "servicePrincipalNames": [found.app_id, *found.names],
        "servicePrincipalType": found.type,
        "signInAudience": None if found.type == "ManagedIdentity" else "AzureADMyOrg",
        "tags": list(found.tags),
        "tokenEncryptionKeyId": None,
        "samlSingleSignOnSettings": {"relayState": None} if found.sso_mode == "saml" else None,
        "verifiedPublisher": _publisher(found.verified_publisher),
        "addIns": [],
        "appRoles": [_published(one) for one in found.app_roles],
        "info": _nulls(*_INFO),
        "keyCredentials": [key_credential(one, with_key=with_key) for one in found.keys],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [password(one, hinted=False) for one in found.passwords],
        "resourceSpecificApplicationPermissions": [],
    }


def federated(found: FederatedCredential, *, beta: bool) -> dict[str, object]:
    """A federated identity credential; the claims-matching expression shows in beta only."""
    body: dict[str, object] = {
        "id": found.id,
        "name": found.name,
        "issuer": found.issuer,
        "subject": found.subject,
        "description": None,
        "audiences": list(found.audiences),
    }
    if beta:
        expression = found.claims_expression
        body["claimsMatchingExpression"] = expression and {"value": expression, "languageVersion": 1}
    return body


def owner(directory: Directory, object_id: str) -> dict[str, object]:
    """An owner with its id only: names need a permission that an audit of keys does not have."""
    if object_id in directory.principal_ids:
        names = ("appDisplayName", "appId", "displayName", "servicePrincipalType")
        return {"@odata.type": "#microsoft.graph.servicePrincipal", "id": object_id, **_nulls(*names)}
    more = _nulls("displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage")
    more |= _nulls("surname", "userPrincipalName")
    return {"@odata.type": "#microsoft.graph.user", "id": object_id, "businessPhones": [], **more}


def organization(directory: Directory) -> dict[str, object]:
    """The tenant, whose name says that it is simulated."""
    estate = directory.estate
    return {
        "id": estate.tenant_id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": "NL",
        "createdDateTime": iso(estate.tenant_created),
        "defaultUsageLocation": None,
        "displayName": directory.shown_name,
        "isMultipleDataLocationsForServicesEnabled": None,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "partnerTenantType": None,
        "postalCode": None,
        "preferredLanguage": "en",
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": None,
        "street": None,
        "technicalNotificationMails": [],
        "tenantType": estate.token_signing.tenant_type,
        "directorySizeQuota": {"used": 1000, "total": 300000},
        "privacyProfile": None,
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": one.default,
                "isInitial": one.initial,
                "name": one.name,
                "type": "Federated" if one.federated else "Managed",
            }
            for one in estate.domains
        ],
    }


def domain(found: Domain) -> dict[str, object]:
    """A domain."""
    return {
        "authenticationType": "Federated" if found.federated else "Managed",
        "availabilityStatus": None,
        "id": found.name,
        "isAdminManaged": True,
        "isDefault": found.default,
        "isInitial": found.initial,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        "passwordValidityPeriodInDays": 2147483647,
        "passwordNotificationWindowInDays": 14,
        "state": None,
        "model": None,
        "manufacturer": None,
    }
