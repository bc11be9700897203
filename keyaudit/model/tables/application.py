"""The table of applications."""

from keyaudit.model.columns import Area, RestsOn, Table, count, flag, integer, text, texts, time, where_found
from keyaudit.model.tables.privileges import privileges

_APPLICATION = ("application.list",)
_OWN = ("application.list", "application.federated", "application.federated_of")
_LIVE = ("credential.holder_id", "credential.kind", "credential.expires_on")

APPLICATION = Table(
    name="application",
    order=90,
    area=Area.APPLICATIONS,
    noun="application",
    plural="applications",
    meaning="an application registered in the tenant",
    added_by=_APPLICATION,
    row_for_each=_APPLICATION,
    columns=(
        *where_found(*_APPLICATION),
        text("app_id", "the application (client) id", _APPLICATION, guid=True, wire="appId"),
        time("created_on", "when it was registered", _APPLICATION,
            absent="Graph has no date", past=True, wire="createdDateTime"),
        text("audience", "signInAudience: whose accounts it accepts", _APPLICATION,
            values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
            wire="signInAudience"),
        texts("identifier_uris", "its identifier URIs", _APPLICATION, wire="identifierUris"),
        flag("exposes_api", "it publishes permission scopes or application roles of its own", _APPLICATION),
        texts("exposed_scopes", "the delegated permissions that it publishes, sorted", _APPLICATION),
        texts("exposed_roles", "the app roles that it publishes, sorted", _APPLICATION),
        texts("preauthorized_apps", "app ids of the clients that need no consent for its permissions, sorted", _APPLICATION),
        integer("access_token_version", "requestedAccessTokenVersion: the version of the tokens that it accepts", _APPLICATION,
            absent="never set, which means 1", wire="api.requestedAccessTokenVersion"),
        flag("accepts_mapped_claims",
            "acceptMappedClaims: it takes claims that a claims-mapping policy sets, without a signing key of its own",
            _APPLICATION),
        flag("public_client", "isFallbackPublicClient: it may ask for tokens without any credential", _APPLICATION),
        flag("instance_lock", "its service principals in other tenants are locked against changes there", _APPLICATION),
        texts("instance_locks", "what that lock covers", _APPLICATION, values=("all", "sign", "verify", "token-encryption")),
        text("verified_publisher", "the name of its verified publisher", _APPLICATION, absent="its publisher is not verified"),
        flag("agent_blueprint", "it is a blueprint of agent identities: its credentials sign in each of its agents",
            _APPLICATION),
        text("created_by_app", "createdByAppId: the app id of the application that registered it", _APPLICATION,
            absent="Graph names none"),
        text("disabled_by_microsoft", "disabledByMicrosoftStatus", _APPLICATION,
            absent="Microsoft did not disable it", wire="disabledByMicrosoftStatus"),
        flag("trusts_federated", "it has federated credentials", ("application.federated",)),
        texts("owner_ids", "object ids of its owners, sorted", ("application.owners", "application.owners_of")),
        # The permissions of its service principal in this tenant; without one it has none here.
        *privileges(
            listed=("app_id", "service_principal.app_id", "service_principal.app_roles_listed"),
            through=("service_principal.list",),
        ),
        count("owner_count", "its owners, users and service principals", rests_on=RestsOn.OBJECT,
            derived_from=("owner_ids",)),
        count("user_owners",
            "users among the owners of it and of its service principal here: the others are service principals",
            rests_on=RestsOn.LIST,
            derived_from=("app_id", "owner_ids", "service_principal.app_id", "service_principal.owner_ids")),
        count("live_credentials", "its own unexpired client secrets and certificates; a SAML set counts once",
            rests_on=RestsOn.OBJECT, derived_from=_LIVE, rows_of=_OWN),
        count("live_secrets", "its own unexpired client secrets", rests_on=RestsOn.OBJECT,
            derived_from=_LIVE, rows_of=_OWN),
        time("live_until", "when the last of its unexpired credentials expires, federated ones left out",
            absent="it has no unexpired credential, or one without an expiration date", rests_on=RestsOn.OBJECT,
            derived_from=_LIVE, rows_of=_OWN),
        text("only_secret_id", "id of its unexpired client secret", rests_on=RestsOn.OBJECT,
            absent="it has none, or several", derived_from=_LIVE, rows_of=_OWN),
        text("only_credential_id", "id of its unexpired client secret or certificate", rests_on=RestsOn.OBJECT,
            absent="it has none, or several", derived_from=_LIVE, rows_of=_OWN),
    ),
)
