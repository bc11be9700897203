"""The table of applications."""

from msgspec import Struct

from keyaudit.model.directory.redirect_uris import chosen, together
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Area, Table, count, flag, integer, text, texts, time, where_found
from keyaudit.model.schema.opens import CONTROL, DATA, recent
from keyaudit.model.schema.wire import At, Combined, Unreadable
from keyaudit.model.severity import Opens
from keyaudit.model.tables.entra.privileges import privileges

_APPLICATION = ("application.list",)

_LOCKS = {
    "allProperties": "all",
    "credentialsWithUsageSign": "sign",
    "credentialsWithUsageVerify": "verify",
    "tokenEncryptionKeyId": "token-encryption",
}
# Null if it was never set: https://learn.microsoft.com/graph/api/resources/serviceprincipallockconfiguration
_LOCK = "servicePrincipalLockConfiguration?"
_WEB, _SPA, _NATIVE = (At(f"{platform}.redirectUris", list[str], list) for platform in ("web", "spa", "publicClient"))


class Published(Struct):
    """A delegated permission, or an app role, of an API."""

    id: str
    value: str | None = None


class Client(Struct, rename="camel"):
    """A preauthorized client of an application."""

    app_id: str


def _names(published: list[Published]) -> list[str]:
    """The names of published permissions, sorted; the id if there is no name."""
    return sorted({each.value or each.id.lower() for each in published})


def _app_ids(clients: list[Client]) -> list[str]:
    return sorted({client.app_id.lower() for client in clients})


def _covered(settings: dict[str, bool | None]) -> list[str]:
    """What an instance lock covers. Each kind of property may be null."""
    if not settings.keys() >= _LOCKS.keys():
        raise Unreadable(Reason.BAD_BODY)
    return [name for member, name in _LOCKS.items() if settings[member]]


APPLICATION = Table(
    name="application",
    order=90,
    area=Area.APPLICATIONS,
    noun="application",
    plural="applications",
    meaning="an application registered in the tenant",
    added_by=_APPLICATION,
    row_for_each=_APPLICATION,
    opens={
        Opens.TENANT: CONTROL,
        Opens.WIDE: DATA,
        # What an application of several tenants may do in the others cannot be seen.
        Opens.ONE: f'not unprivileged or opens_vaults or audience != "AzureADMyOrg" or ({recent("last_client_sign_in_on")})',
    },
    columns=(
        *where_found(*_APPLICATION, wire="displayName"),
        text("app_id", "the application (client) id", _APPLICATION, guid=True, wire="appId"),
        time("created_on", "when it was registered", _APPLICATION,
            absent="Graph has no date", past=True, wire="createdDateTime"),
        text("template_id", "applicationTemplateId: the gallery template it was created from", _APPLICATION,
            absent="it was not created from a template", guid=True, wire="applicationTemplateId"),
        text("audience", "signInAudience: the accounts that it accepts", _APPLICATION,
            values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
            wire="signInAudience"),
        texts("identifier_uris", "its identifier URIs", _APPLICATION, wire="identifierUris"),
        texts("uris_without_id", "its identifier URIs that contain neither its own id nor the tenant's, sorted",
            _APPLICATION),
        texts("redirect_uris", "where Entra sends its users and tokens, on the web, in a browser and on devices, sorted",
            _APPLICATION, wire=Combined((_WEB, _SPA, _NATIVE), together)),
        texts("insecure_redirects", "those of them that begin with http and lead to another machine than the user's",
            _APPLICATION, wire=Combined((_WEB, _SPA, _NATIVE), chosen(lambda at: at.scheme == "http" and not at.here))),
        texts("wildcard_hosts", "those of them with * in the name of the host", _APPLICATION,
            wire=Combined((_WEB, _SPA, _NATIVE), chosen(lambda at: at.web and "*" in at.host))),
        texts("wildcard_paths", "those of them with * behind the name of the host", _APPLICATION,
            wire=Combined((_WEB, _SPA, _NATIVE), chosen(lambda at: at.web and "*" in at.rest and "*" not in at.host))),
        texts("azure_hosts", "hosts of them whose names Azure services give to the first who asks, sorted", _APPLICATION,
            wire=Combined((_WEB, _SPA, _NATIVE), chosen(lambda at: at.named and at.of_azure, "host"))),
        texts("web_hosts", "hosts of redirect URIs of the web and browsers, sorted; neither those nor the user's machine",
            _APPLICATION,
            wire=Combined((_WEB, _SPA), chosen(lambda at: at.named and not at.of_azure and not at.here, "host"))),
        texts("local_redirects", "those redirect URIs of the web that lead to the user's own machine", _APPLICATION,
            wire=Combined((_WEB,), chosen(lambda at: at.web and at.here))),
        flag("implicit_tokens", "enableAccessTokenIssuance: access tokens go to its redirect URIs without a code first",
            _APPLICATION, wire=At("web.implicitGrantSettings.enableAccessTokenIssuance?", none=False)),
        flag("exposes_api", "it publishes permission scopes or application roles of its own", _APPLICATION),
        texts("exposed_scopes", "the delegated permissions that it publishes, sorted", _APPLICATION,
            wire=At("api.oauth2PermissionScopes", list[Published], _names)),
        texts("exposed_roles", "the app roles that it publishes, sorted", _APPLICATION,
            wire=At("appRoles", list[Published], _names)),
        texts("preauthorized_apps", "app ids of the clients that need no consent for its permissions, sorted", _APPLICATION,
            wire=At("api.preAuthorizedApplications", list[Client], _app_ids)),
        integer("access_token_version", "requestedAccessTokenVersion: the version of the tokens that it accepts", _APPLICATION,
            absent="never set, which means 1", wire=At("api.requestedAccessTokenVersion")),
        flag("accepts_mapped_claims",
            "acceptMappedClaims: it takes claims that a claims-mapping policy sets, without a signing key of its own",
            _APPLICATION, wire=At("api.acceptMappedClaims?", none=False)),
        flag("public_client", "isFallbackPublicClient: it may ask for tokens without any credential", _APPLICATION,
            wire=At("isFallbackPublicClient?", none=False)),
        flag("instance_lock", "its service principals in other tenants are locked against changes there", _APPLICATION,
            wire=At(f"{_LOCK}.isEnabled", none=False)),
        texts("instance_locks", "what that lock covers", _APPLICATION, values=("all", "sign", "verify", "token-encryption"),
            wire=At(_LOCK, dict[str, bool | None], _covered, none=[])),
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
        *privileges(),
        texts("loose_uris", "the URIs in uris_without_id that are outside the tenant's verified domains", derived=True),
        texts("unowned_hosts", "the hosts in azure_hosts that belong to no resource in the subscriptions that were read",
            derived=True),
        texts("unverified_hosts", "the hosts in web_hosts that are outside the tenant's verified domains", derived=True),
        count("owner_count", "its owners, users and service principals", derived=True),
        count("user_owners",
            "users that own it or its service principal here; other owners are service principals", derived=True),
        count("owners_gaining", "the users among them who gain rights by ownership: in the data that was read, they neither "
            "hold nor can activate a role that controls the tenant", derived=True),
        count("owners_outside", "the guests and disabled users among these", derived=True),
        count("indirect_user_owners",
            "users that own it indirectly, through owning applications that can manage the applications they own, over up to "
            "four steps",
            derived=True),
        count("live_credentials", "its own unexpired client secrets and certificates; a SAML set counts once", derived=True),
        count("live_secrets", "its own unexpired client secrets", derived=True),
        time("live_until", "when the last of its unexpired credentials expires, without federated credentials",
            absent="it has no unexpired credential, or one without an expiration date", derived=True),
        time("third_left_on", "when only a third of the lifetime of its last unexpired credential is left",
            absent="it has no unexpired credential with a start and an end", derived=True),
        text("only_secret_id", "id of its unexpired client secret",
            absent="it has none, or several", derived=True),
        text("only_credential_id", "id of its unexpired client secret or certificate",
            absent="it has none, or several", derived=True),
        time("credential_last_used_on", "the last use of any of its credentials in the credential report",
            absent="the report shows no use, which proves nothing: it omits federated credentials and old uses",
            derived=True),
        time("last_client_sign_in_on", "the last sign-in of the application itself in the report, with or without a user",
            absent="the report does not list it, which does not prove that it is unused", derived=True),
    ),
)
