"""The closed list of changes that are right: other answers than unknown that a fault may lead to, each with its reason."""

from collections.abc import Mapping
from dataclasses import replace

from keyaudit.model.consumers import CHILDREN
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.operations.about import Unnamed
from keyaudit.model.operations.kinds import TOGETHER
from keyaudit.model.schema.columns import Column
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.log_sink import SETTINGS
from tests.collect.refusals import BY_ITSELF
from tests.sweep.compare import GONE, Wrong
from tests.sweep.estate import ESTATE
from tests.sweep.faults import ANOTHERS, Fault

_NOTHING_NAMES_THEM = "an empty list is an answer, and nothing else that is read names what was in it"
_FILTERED = "it lists those alone that have a federated credential, and nothing else that is read tells of one"
_NONE_THERE = "so answers what was never set up, and a policy that asks for it fails"

EMPTY_BELIEVED: Mapping[str, str] = {
    "application.federated": _FILTERED,
    "service_principal.federated": _FILTERED,
    "agent_user.list": _NOTHING_NAMES_THEM,
    "app_authority.list": _NOTHING_NAMES_THEM,
    "app_management.applied": _NOTHING_NAMES_THEM,
    "app_management.list": _NOTHING_NAMES_THEM,
    "b2c.key_sets": _NOTHING_NAMES_THEM,
    "blueprint.inheritable_of": _NOTHING_NAMES_THEM,
    "blueprint.principal_sponsors_of": _NOTHING_NAMES_THEM,
    "blueprint.sponsors_of": _NOTHING_NAMES_THEM,
    "classic_authority.list": _NOTHING_NAMES_THEM,
    "delegated_grant.list": _NOTHING_NAMES_THEM,
    "deleted_certificate.list": _NOTHING_NAMES_THEM,
    "deleted_hsm.list": _NOTHING_NAMES_THEM,
    "deleted_key.list": _NOTHING_NAMES_THEM,
    "deleted_secret.list": _NOTHING_NAMES_THEM,
    "deleted_vault.list": _NOTHING_NAMES_THEM,
    "deny_assignment.list": _NOTHING_NAMES_THEM,
    "directory_role.eligibilities": _NOTHING_NAMES_THEM,
    "external_federation.list": _NOTHING_NAMES_THEM,
    "hsm.deleted_key.list": _NOTHING_NAMES_THEM,
    "hsm.key.list": _NOTHING_NAMES_THEM,
    "hsm.role_assignment.of_key": _NOTHING_NAMES_THEM,
    "hsm.role_assignment.of_keys": _NOTHING_NAMES_THEM,
    "pki.authorities": _NOTHING_NAMES_THEM,
    "pki.list": _NOTHING_NAMES_THEM,
    "role_eligibility.list": _NOTHING_NAMES_THEM,
    "secret_use.query": _NOTHING_NAMES_THEM,
    "consumer.query": _NOTHING_NAMES_THEM,
    **{each.operation: _NOTHING_NAMES_THEM for each in CHILDREN},
    "host.query": _NOTHING_NAMES_THEM,
    "event_topic.query": _NONE_THERE,
    "event_topic.subscriptions": _NONE_THERE,
    "event_topic.vault_subscriptions": _NONE_THERE,
    **dict.fromkeys(
        ("cross_tenant.partners", "delegation.query", "hsm_device.query", "named_location.list"), _NOTHING_NAMES_THEM
    ),
    "hsm_device.diagnostic_setting.list": _NONE_THERE,
    "conditional_access.list": _NOTHING_NAMES_THEM,
    "risky_principal.list": _NOTHING_NAMES_THEM,
    "risk_detection.list": _NOTHING_NAMES_THEM,
    "service.query": _NOTHING_NAMES_THEM,
    "activity_log.list": _NONE_THERE,
    "alert_rule.query": _NONE_THERE,
    "sentinel_rule.list": _NONE_THERE,
    "diagnostic_setting.list": _NONE_THERE,
    "entra_log.list": _NONE_THERE,
    "hsm.diagnostic_setting.list": _NONE_THERE,
}
"""Lists that may be empty. Missing items are found by expectations (`[expect]`), not by the answers."""

DECLARED: Mapping[str, tuple[str, ...]] = {
    "accountEnabled": ("enabled",),
    "activeVersion": ("version_in_use",),
    "applicationAuthenticationClientSignInActivity": ("last_app_only_on",),
    "condition": ("condition",),
    "created": ("created_on",),
    "certificateRevocationListUrl": ("crl_url",),
    "createdAt": ("created_on",),
    "customKeyIdentifier": ("thumbprint",),
    "delegatedClientSignInActivity": ("last_delegated_on",),
    "enablePurgeProtection": ("purge_protection",),
    "enableRbacAuthorization": ("access_model",),
    "endDateTime": ("expires_on",),
    "exp": ("expires_on",),
    "exportable": ("exportable",),
    "external_key": ("external_key_id",),
    "federatedIdpMfaBehavior": ("mfa_behavior",),
    "generationTime": ("created_on",),
    "key1": ("created_on",),
    "key2": ("created_on",),
    "keyCreationTime": ("created_on",),
    "keyPolicy": ("expiry_period",),
    "keyversion": ("version",),
    "lastSignInDateTime": ("last_used_on", "last_app_only_on", "last_delegated_on", "last_sign_in_on"),
    "managed": ("managed",),
    "name": ("issuer_name",),
    "networkAcls": ("network_default_action",),
    "preferredSingleSignOnMode": ("sso_mode",),
    "privateEndpointConnections": ("private_endpoints",),
    "publicNetworkAccess": ("public_network_access",),
    "release_policy": ("release_policy_immutable",),
    "requestedAccessTokenVersion": ("access_token_version",),
    "restrictForAppsCreatedAfterDateTime": ("password_lifetime_from",),
    "systemData": ("created_on",),
    "tags": ("tags",),
}
"""Members by their last name, with the columns that they fill; the declaration says what absence means."""

_OPTED_IN = "an opt-in flag: a SQL server follows its key's rotation once somebody opts in"

_NEVER_AGAIN = "Cosmos DB has no date of a key that was never made anew"
_NOT_ROTATED = "storage has no date of a key that is older than its record of dates, and was never rotated"
_NOT_SHOWN = "Resource Graph has null for what its version of a resource lacks: the service does not say"
_OWN_KEYS = "Resource Graph has null for what a resource lacks: it encrypts with Microsoft's keys"

_DEFAULT_TABLE = "null is the default, which is the table AzureDiagnostics, and a setting that never chose another lacks it"

_MASTER_KEYS = ("primaryMasterKey", "primaryReadonlyMasterKey", "secondaryMasterKey", "secondaryReadonlyMasterKey")

_SAID = ("certificate", "certificateStatus", "primaryEncryptionKeyStatus", "publicCertData", "thumbprint")
_UPLOADED = "a gateway's certificate that was uploaded has no address in a vault, and nothing else says where it is from"
_NOT_OF_A_VAULT = "a certificate or a named value of API Management that is not taken from a vault has no member about one"
_WITHOUT_HTTPS = "a domain of Azure CDN without HTTPS has no parameters of it"
_NO_CERTIFICATES = "Resource Graph has null for what a resource lacks: it has no certificates, or no host names, of its own"

# What a policy does not define behaves as in the default one:
# https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
# `restrictions` and `applicationRestrictions` may be null by the metadata of v1.0:
# https://github.com/microsoftgraph/msgraph-metadata/blob/master/schemas/v1.0-Prod.csdl
_TO_DEFAULT = "what a custom app management policy does not define falls back to the default policy"
_UNDEFINED = frozenset(
    f"restrictions{each}"
    for each in (
        "",
        ".passwordCredentials",
        ".keyCredentials",
        ".applicationRestrictions",
        ".applicationRestrictions.identifierUris",
        ".applicationRestrictions.identifierUris.nonDefaultUriAddition",
        ".applicationRestrictions.identifierUris.uriAdditionWithoutUniqueTenantIdentifier",
    )
)
# The member is the key of a database that has one of its own, and is not required:
# https://github.com/Azure/azure-rest-api-specs/blob/main/specification/sql/resource-manager/Microsoft.Sql/SQL/stable/2023-08-01/Databases.json
_NO_OWN_KEY = "a database without a key of its own names none"

# A definition requires the managing tenant and the authorizations, and no eligible ones:
# https://github.com/Azure/azure-rest-api-specs/blob/main/specification/managedservices/resource-manager/Microsoft.ManagedServices/ManagedServices/stable/2022-10-01/managedservices.json
_NONE_ELIGIBLE = "a definition that was made without any lacks them: they are optional"
# Unset is unrestricted, as an empty list is:
# https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-assignment-restriction
_UNRESTRICTED = "an identity without restrictions lacks them"
# Synchronization is an object of its own, which somebody makes for a partner:
# https://learn.microsoft.com/graph/api/crosstenantaccesspolicyconfigurationpartner-put-identitysynchronization
_NEVER_SYNCHRONIZED = "a partner for which synchronization was never set up has no such object"

# https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-by-resource#eventsubscriptionfilter
_ALL_TYPES = "a subscription that names no types of events is told of all default ones"

LEFT_OUT_SAYS: Mapping[str, str] = {
    "includedEventTypes": _ALL_TYPES,
    "eligibleAuthorizations": _NONE_ELIGIBLE,
    "assignmentRestrictions": _UNRESTRICTED,
    **dict.fromkeys(_SAID, _NOT_SHOWN),
    "keyVaultSecretId": _UPLOADED,
    # https://learn.microsoft.com/rest/api/apimanagement/named-value/list-by-service
    "keyVault": _NOT_OF_A_VAULT,
    # https://learn.microsoft.com/rest/api/cdn/custom-domains/list-by-endpoint
    "customHttpsParameters": _WITHOUT_HTTPS,
    # https://learn.microsoft.com/javascript/api/@azure-rest/arm-appservice/apikvreferenceproperties: optional, like all of them
    "activeVersion": "a recorded reference that is resolved does not have it",
    "autoRotationEnabled": _OPTED_IN,
    "condition": "most recorded role assignments have no condition, and lack the member",
    "generationTime": _NEVER_AGAIN,
    **dict.fromkeys(_MASTER_KEYS, _NEVER_AGAIN),
    "key1": _NOT_ROTATED,
    "key2": _NOT_ROTATED,
    "keyversion": "a service that has the key without a version follows its rotation",
    "logAnalyticsDestinationType": _DEFAULT_TABLE,
    "encryptionProtector": _NO_OWN_KEY,
    "encryptionProtectorAutoRotation": _OPTED_IN,
}
"""Members by their last name that need not be there: of an object that Resource Graph passes on as the service has it, or where
the documentation says what their absence means.
"""

_NOT_NAMED = "permissions that an access policy does not name are not granted"
_PERMISSIONS = frozenset(
    f"properties.accessPolicies[].permissions.{kind}" for kind in ("keys", "secrets", "certificates", "storage")
)

NULL_SAYS: Mapping[str, str] = {
    "includedEventTypes": _ALL_TYPES,
    **dict.fromkeys(_SAID, _NOT_SHOWN),
    "keyVaultSecretId": _UPLOADED,
    "keyVault": _NOT_OF_A_VAULT,
    "customHttpsParameters": _WITHOUT_HTTPS,
    **dict.fromkeys(("hostnameConfigurations", "sslCertificates"), _NO_CERTIFICATES),
    "dataEncryption": _OWN_KEYS,
    "acceptMappedClaims": "null where it was never set, as in all recorded applications",
    "adminUserEnabled": "Resource Graph has null for what was never set: a registry's admin user is off until then",
    "allowSharedKeyAccess": "null is true: requests by key are taken",
    "autoRotationEnabled": _OPTED_IN,
    "applicationRestrictions": "null where nothing was ever set",
    "clientApplications": "a policy without conditions for workload identities is about users",
    "locations": "a policy without a condition on locations holds everywhere",
    "categoryGroup": "the log is named by its category",
    "customSecurityAttributes": "null exempts nobody",
    "disableLocalAccounts": "null is false: a cluster has local accounts until somebody turns them off",
    "disableLocalAuth": "null is false: keys let in",
    "eventHubAuthorizationRuleId": "nothing is sent to an event hub",
    "excludeActors": "null exempts nobody",
    "identifierUris": "null where nothing was ever set",
    **dict.fromkeys(("encryption", "keyId", "keyVaultKeyUri"), _OWN_KEYS),
    "encryptionProtector": _NO_OWN_KEY,
    "encryptionProtectorAutoRotation": _OPTED_IN,
    "oidcIssuerProfile": "a cluster without an issuer names none",
    "rotationToLatestKeyVersionEnabled": "null is false: a disk encryption set keeps its version until somebody opts in",
    "nonDefaultUriAddition": "null where it was never set",
    "uriAdditionWithoutUniqueTenantIdentifier": "null where it was never set",
    "lifetimeActions": "null in place of a list is a list of none",
    "logAnalyticsDestinationType": _DEFAULT_TABLE,
    "nextSigningCertificate": "there is none",
    "assignmentRestrictions": _UNRESTRICTED,
    "eligibleAuthorizations": _NONE_ELIGIBLE,
    "identitySynchronization": _NEVER_SYNCHRONIZED,
    **dict.fromkeys(_MASTER_KEYS, _NEVER_AGAIN),
    "servicePrincipalLockConfiguration": "null where it was never set",
    "storageAccountId": "nothing is sent to a storage account",
    # https://learn.microsoft.com/graph/api/agentidentityblueprintprincipal-get: its example has it.
    "verifiedPublisher": "null where no publisher is verified",
    "verifiedPublisherId": "null where no publisher is verified, as in all recorded objects",
    "workspaceId": "nothing is sent to a workspace",
}
"""Members by their last name whose null is documented to say something that no column has as its absence."""

ANOTHER: Mapping[tuple[str, str], str] = {
    ("key.get", "attributes.exp"): "a key that was imported may have expired before it was",
    ("hsm.key.get", "attributes.exp"): "a key that was imported may have expired before it was",
    **{
        (
            "app_management.default",
            f"applicationRestrictions.{each}.restrictForAppsCreatedAfterDateTime",
        ): "it may hold later on"
        for each in ("keyCredentials[]", "passwordCredentials[]", "identifierUris.uriAdditionWithoutUniqueTenantIdentifier")
    },
    ("application.list", "passwordCredentials[].startDateTime"): "before it is valid, a credential is not said to be unused",
    ("vault.list", "tags.Environment"): "an environment is called as somebody chose to call it",
    ("service.query", "oidcIssuerProfile.issuerURL"): "a cluster's issuer has the address that its owner or the service chose",
    **{
        (each.operation, f"properties.{member}"): "vaults and secrets are called as somebody chose to call them"
        for each in CHILDREN
        for member in ("vaultName", "secretName")
        if each.kind == "app-service"
    },
    ("role_assignment.query", "properties.condition"): "a condition is what its author wrote",
    ("b2c.key_sets", "id"): "a key set is called as somebody chose to call it",
    ("delegated_grant.list", "scope"): "an API calls its permissions as its author likes, and another name is another one",
    **dict.fromkeys(
        ((operation, "properties.logs[].category") for operation in (*SETTINGS, "hsm_device.diagnostic_setting.list")),
        "a log of another name is another log, and services get new ones",
    ),
}
"""Members in which every text is right, and names something else: by operation, and by what the member is called there."""

_OF_CERTIFICATES = frozenset({"key.list", "secret.list", "certificate.list"})
"""Lists that a vault's certificates tie together: each has a key and a secret of its name."""

_CERTIFIED = tuple(f"https://{vault.name}.vault.azure.net/" for vault in ESTATE.vaults if vault.certificates)
_UNTIED = "no certificate of this vault names a key or a secret, nor a key a certificate"


_ROLES = frozenset({"hsm.role_definition.list", "role_definition.query"})
_UNREAD_ROLE = "an assignment of a role that was not read in full is a row, and passes where what was read settles the question"


_ARM_NAMES_IT = "an identity that does not say which service principal it is has its ARM id, and so do its credentials"
_WHO = frozenset({"properties", "properties.principalId"})


_ANY_NAME = "only a managed identity's ARM id is read of these names, and other service principals have none or others"
_FREE_NAME = "its names are free texts, and without those that an installer adds a credential counts like any other"
_GRANTS_NOTHING = "a role without actions, or without data actions, grants none: most built-in roles have only one of them"
_ROLE_ACTIONS = tuple(f"properties.permissions[].{each}" for each in ("actions", "dataActions", "notActions", "notDataActions"))
_AUDIENCE = "an audience is what the administrator chose, and any but the usual one counts as broad"
_REDIRECTS = tuple(f"{platform}.redirectUris" for platform in ("publicClient", "spa", "web"))
_REGISTERED = "an owner registers the redirect URIs that the application needs, none or others"
# It is set where an application is used as an API: https://learn.microsoft.com/graph/api/resources/application
_NO_URI = "an application need not have an identifier URI, and no recorded one has"
NO_WORDS: Mapping[tuple[str, str], str] = {
    ("application.list", "identifierUris"): _NO_URI,
    **{("application.list", each): _REGISTERED for each in _REDIRECTS},
    **{("vault.list", each): _NOT_NAMED for each in _PERMISSIONS},
    **{("vault.query", each): _NOT_NAMED for each in _PERMISSIONS},
    (
        "authorization_policy.get",
        "defaultUserRolePermissions.permissionGrantPoliciesAssigned",
    ): "an empty list is what turns off consent by users",
    ("conditional_access.list", "conditions.locations.excludeLocations"): "a policy need not leave out any location",
    # https://learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications?view=graph-rest-beta
    (
        "conditional_access.list",
        "conditions.clientApplications.includeServicePrincipals",
    ): "a policy for agents includes them in a list of their own, and no other service principal",
    # https://learn.microsoft.com/graph/api/resources/conditionalaccessapplications
    (
        "conditional_access.list",
        "conditions.applications.includeApplications",
    ): "a policy may be about actions of users, and about no application",
    # https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols
    ("conditional_access.list", "grantControls.builtInControls"): "a policy may ask for terms of use alone, and blocks nothing",
    ("risk_detection.list", "keyIds"): "a detection need not be about a credential",
    ("service_principal.list", "alternativeNames"): _ANY_NAME,
    ("service_principal.list", "servicePrincipalNames"): _FREE_NAME,
    ("service_principal.list", "tags"): "a service principal need not have tags",
    **{("role_definition.query", each): _GRANTS_NOTHING for each in _ROLE_ACTIONS},
    **{("hsm.role_definition.list", each): _GRANTS_NOTHING for each in _ROLE_ACTIONS},
}
"""Lists that may be empty, by operation and by what the member is called there."""

OTHER_WORDS: Mapping[tuple[str, str], str] = {
    **{("application.list", each): _REGISTERED for each in _REDIRECTS},
    ("service_principal.list", "alternativeNames"): _ANY_NAME,
    ("service_principal.list", "servicePrincipalNames"): _FREE_NAME,
    ("application.federated_of", "audiences"): _AUDIENCE,
    ("service_principal.federated_of", "audiences"): _AUDIENCE,
    ("managed_identity.federated_of", "properties.audiences"): _AUDIENCE,
    ("managed_identity.expressions_of", "properties.audiences"): _AUDIENCE,
}
"""Lists without a closed vocabulary, in the same form."""


_MAY_SIGN = "the keys that an application publishes are read where it may have keys of its own, and are as they are"
_ON_SIGNING = frozenset({"preferredSingleSignOnMode", "keyCredentials[].usage"})
_NOT_FOUND = {"hsm.ekm.get": "so answers an HSM without a connection, and its external keys name none"}
"""Reads of one object that need not be there."""


_COMPARED = frozenset({"app_management.applied", "group.direct_members", "group.members"})
"""Lists that do not name their object, and are held against other lists."""


def believed(fault: Fault, wrong: Wrong) -> str:
    """Why this change is right; empty where it is not."""
    if fault.operation == TOGETHER:
        alone = (replace(fault, operation=operation) for operation in BY_ITSELF)
        return next(filter(None, (believed(each, wrong) for each in alone)), "")
    if said := _of_answer(fault) or _of_row(fault, wrong):
        return said
    if fault.kind in ("null", "missing"):
        if fault.member in _PERMISSIONS:
            return _NOT_NAMED
        *parents, member = fault.member.split(".")
        return _absent(fault, "tags" if "tags" in parents else member)
    if fault.kind == "absurd":
        return ANOTHER.get((fault.operation, fault.member), "")
    if fault.kind.startswith("word"):
        return (NO_WORDS if fault.kind == "words left out" else OTHER_WORDS).get((fault.operation, fault.member), "")
    if fault.kind != "empty list":
        return ""
    if fault.operation in _OF_CERTIFICATES and wrong.row.startswith("https://") and not wrong.row.startswith(_CERTIFIED):
        return _UNTIED
    return EMPTY_BELIEVED.get(fault.operation, "")


def _of_row(fault: Fault, wrong: Wrong) -> str:
    """Why there is a row that was not there; empty if there is no reason."""
    if wrong.before != GONE:
        return ""
    if fault.operation in _ROLES and wrong.after == "pass":
        return _UNREAD_ROLE
    if fault.operation == "managed_identity.query" and fault.member in _WHO:
        return _ARM_NAMES_IT
    return _MAY_SIGN if fault.member in _ON_SIGNING and "/issuerkeys/" in wrong.row else ""


def _of_answer(fault: Fault) -> str:
    """Why a whole answer in place of the right one, or a part of it, is believed; empty where it is not."""
    if fault.operation == "app_management.list" and fault.kind in ("null", "missing") and fault.member in _UNDEFINED:
        return _TO_DEFAULT
    about = OPERATIONS[fault.operation].about
    if fault.kind == ANOTHERS and fault.operation not in _COMPARED and isinstance(about, Unnamed):
        return about.why
    return _NOT_FOUND.get(fault.operation, "") if fault.name == "404" else ""


def _absent(fault: Fault, member: str) -> str:
    """The meaning of a null or missing member; empty if it is not documented."""
    columns = declared(member, fault.operation)
    said = next((column.left_out.source for column in columns if column.left_out), "")
    if fault.kind == "missing":
        return said or LEFT_OUT_SAYS.get(member, "")
    return NULL_SAYS.get(member, "") or said or next((column.absent for column in columns if column.absent), "")


def declared(member: str, operation: str) -> tuple[Column, ...]:
    """The columns that a member of what the operation answers fills, and whose absence is declared."""
    names = DECLARED.get(member, ())
    every = (column for table in TABLES.values() for column in table.columns if column.name in names)
    return tuple(column for column in every if operation in column.operations and (column.absent or column.left_out))
