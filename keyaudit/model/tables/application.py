"""The table of applications."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.tables.privileges import privileges

_APPLICATION = ("application.list",)
_OWN = ("application.list", "application.federated", "application.federated_of")
_LIVE = ("credential.holder_id", "credential.kind", "credential.expires_on")

APPLICATION = Table(
    name="application",
    noun="application",
    plural="applications",
    meaning="an application registered in the tenant",
    added_by=_APPLICATION,
    row_for_each=_APPLICATION,
    columns=(
        *where_found(*_APPLICATION),
        Column(name="app_id", type=Type.TEXT, meaning="the application (client) id", operations=_APPLICATION),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when it was registered",
            operations=_APPLICATION,
            absent="Graph has no date",
            past=True,
        ),
        Column(
            name="audience",
            type=Type.TEXT,
            meaning="signInAudience: whose accounts it accepts",
            operations=_APPLICATION,
            values=(
                "AzureADMyOrg",
                "AzureADMultipleOrgs",
                "AzureADandPersonalMicrosoftAccount",
                "PersonalMicrosoftAccount",
            ),
        ),
        Column(name="identifier_uris", type=Type.TEXTS, meaning="its identifier URIs", operations=_APPLICATION),
        Column(
            name="exposes_api",
            type=Type.BOOLEAN,
            meaning="it publishes permission scopes or application roles of its own",
            operations=_APPLICATION,
        ),
        Column(
            name="exposed_scopes",
            type=Type.TEXTS,
            meaning="the delegated permissions that it publishes, sorted",
            operations=_APPLICATION,
        ),
        Column(
            name="exposed_roles", type=Type.TEXTS, meaning="the app roles that it publishes, sorted", operations=_APPLICATION
        ),
        Column(
            name="preauthorized_apps",
            type=Type.TEXTS,
            meaning="app ids of the clients that need no consent for its permissions, sorted",
            operations=_APPLICATION,
        ),
        Column(
            name="access_token_version",
            type=Type.INTEGER,
            meaning="requestedAccessTokenVersion: the version of the tokens that it accepts",
            operations=_APPLICATION,
            absent="never set, which means 1",
        ),
        Column(
            name="accepts_mapped_claims",
            type=Type.BOOLEAN,
            meaning="acceptMappedClaims: it takes claims that a claims-mapping policy sets, without a signing key of its own",
            operations=_APPLICATION,
        ),
        Column(
            name="public_client",
            type=Type.BOOLEAN,
            meaning="isFallbackPublicClient: it may ask for tokens without any credential",
            operations=_APPLICATION,
        ),
        Column(
            name="instance_lock",
            type=Type.BOOLEAN,
            meaning="its service principals in other tenants are locked against changes there",
            operations=_APPLICATION,
        ),
        Column(
            name="instance_locks",
            type=Type.TEXTS,
            meaning="what that lock covers: all, sign, verify, token-encryption",
            operations=_APPLICATION,
        ),
        Column(
            name="verified_publisher",
            type=Type.TEXT,
            meaning="the name of its verified publisher",
            operations=_APPLICATION,
            absent="its publisher is not verified",
        ),
        Column(
            name="created_by_app",
            type=Type.TEXT,
            meaning="createdByAppId: the app id of the application that registered it",
            operations=_APPLICATION,
            absent="Graph names none",
        ),
        Column(
            name="disabled_by_microsoft",
            type=Type.TEXT,
            meaning="disabledByMicrosoftStatus",
            operations=_APPLICATION,
            absent="Microsoft did not disable it",
        ),
        Column(
            name="microsoft_made",
            type=Type.BOOLEAN,
            meaning="named as Microsoft's own software names what it registers (P2P Server, aad-extensions-app,"
            " ConnectSyncProvisioning); whoever may register applications can take such a name",
            operations=_APPLICATION,
        ),
        Column(
            name="owner_ids",
            type=Type.TEXTS,
            meaning="object ids of its owners, sorted",
            operations=("application.owners", "application.owners_of"),
        ),
        # Those of its service principal in this tenant; without one it was granted nothing here.
        *privileges(
            listed=("app_id", "service_principal.app_id", "service_principal.app_roles_listed"),
            through=("service_principal.list",),
        ),
        Column(
            name="owner_count",
            type=Type.COUNT,
            meaning="its owners, be they users or service principals",
            derived_from=("owner_ids",),
        ),
        Column(
            name="user_owners",
            type=Type.COUNT,
            meaning="users among the owners of it and of its service principal here: the others are service principals",
            derived_from=("app_id", "owner_ids", "service_principal.app_id", "service_principal.owner_ids"),
        ),
        Column(
            name="live_credentials",
            type=Type.COUNT,
            meaning="passwords and certificates of its own that have not expired; a SAML set counts once",
            derived_from=_LIVE,
            rows_of=_OWN,
        ),
        Column(
            name="live_secrets",
            type=Type.COUNT,
            meaning="client secrets of its own that have not expired",
            derived_from=_LIVE,
            rows_of=_OWN,
        ),
        Column(
            name="live_until",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the last of its live credentials ends, federated ones left out",
            absent="it has no live credential, or one without an end",
            derived_from=_LIVE,
            rows_of=_OWN,
        ),
    ),
)
