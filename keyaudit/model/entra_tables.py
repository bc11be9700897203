"""The tables of Entra: the tenant, applications, service principals, their credentials and token-signing certificates."""

from keyaudit.model.columns import Column, Table, Type, where_found

_APPLICATION = ("application.list",)
_PRINCIPAL = ("service_principal.list",)
_CREDENTIAL = ("application.list", "service_principal.list")
_OWN_KINDS = ("password", "certificate", "symmetric-key")
_FEDERATED = (
    "application.federated",
    "application.federated_of",
    "service_principal.federated",
    "service_principal.federated_of",
)

_APPLICATIONS_OWN = tuple({"holder_kind": "application", "kind": kind} for kind in _OWN_KINDS)
_PRINCIPALS_OWN = tuple({"holder_kind": "service_principal", "kind": kind} for kind in _OWN_KINDS)
_APPLICATIONS_FEDERATED = ({"holder_kind": "application", "kind": "federated"},)
_PRINCIPALS_FEDERATED = ({"holder_kind": "service_principal", "kind": "federated"},)

MICROSOFT_TENANTS = ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47")
"""Home tenants of first-party applications: Microsoft's services, and Microsoft itself."""


TENANT = Table(
    name="tenant",
    noun="tenant",
    plural="tenants",
    meaning="the Entra tenant",
    listed_by=("organization.get",),
    columns=(
        *where_found("organization.get"),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the tenant was made",
            operations=("organization.get",),
            absent="Graph has no date",
        ),
        Column(
            name="default_domain",
            type=Type.TEXT,
            meaning="the default domain's name",
            operations=("domain.list",),
            absent="no domain is the default",
        ),
        Column(name="verified_domains", type=Type.TEXTS, meaning="verified domains, sorted", operations=("domain.list",)),
        Column(
            name="federated_domains",
            type=Type.TEXTS,
            meaning="domains that sign in elsewhere, sorted",
            operations=("domain.list",),
        ),
    ),
)

APPLICATION = Table(
    name="application",
    noun="application",
    plural="applications",
    meaning="an application registered in the tenant",
    listed_by=_APPLICATION,
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
            name="microsoft_made",
            type=Type.BOOLEAN,
            meaning="Microsoft's own software registered it here (P2P Server, aad-extensions-app, ConnectSyncProvisioning)",
            operations=_APPLICATION,
        ),
        Column(
            name="owner_ids",
            type=Type.TEXTS,
            meaning="object ids of its owners, sorted",
            operations=("application.owners", "application.owners_of"),
        ),
        Column(
            name="live_credentials",
            type=Type.COUNT,
            meaning="passwords and certificates of its own that have not expired; a SAML set counts once",
            derived_from=("credential.holder_id", "credential.expires_on"),
        ),
    ),
)

SERVICE_PRINCIPAL = Table(
    name="service_principal",
    noun="service principal",
    plural="service principals",
    meaning="an application's identity in the tenant",
    listed_by=_PRINCIPAL,
    columns=(
        *where_found(*_PRINCIPAL),
        Column(name="app_id", type=Type.TEXT, meaning="the application (client) id", operations=_PRINCIPAL),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when it was made",
            operations=_PRINCIPAL,
            absent="Graph has no date",
        ),
        Column(
            name="enabled",
            type=Type.BOOLEAN,
            meaning="accountEnabled: it may sign in",
            operations=_PRINCIPAL,
            absent="Graph holds no value",
        ),
        Column(
            name="principal_type",
            type=Type.TEXT,
            meaning="servicePrincipalType",
            operations=_PRINCIPAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"),
        ),
        Column(
            name="home_tenant",
            type=Type.TEXT,
            meaning="appOwnerOrganizationId: the tenant that owns the application",
            operations=_PRINCIPAL,
            absent="it has no application elsewhere (a managed identity, a legacy principal)",
        ),
        Column(
            name="home",
            type=Type.TEXT,
            meaning="whose application it is: this tenant's, Microsoft's, another's, or nobody's",
            operations=_PRINCIPAL,
            values=("own", "microsoft", "foreign", "none"),
        ),
        Column(
            name="sso_mode",
            type=Type.TEXT,
            meaning="preferredSingleSignOnMode",
            operations=_PRINCIPAL,
            absent="single sign-on is not set up",
            values=("saml", "password", "oidc", "notSupported"),
        ),
        Column(
            name="owner_ids",
            type=Type.TEXTS,
            meaning="object ids of its owners, sorted",
            operations=("service_principal.owners", "service_principal.owners_of"),
        ),
    ),
)

CREDENTIAL = Table(
    name="credential",
    noun="credential",
    plural="credentials",
    meaning="a password, certificate or federated credential of an application or service principal; a SAML set is not here",
    listed_by=(*_CREDENTIAL, *_FEDERATED),
    parts={
        "application.list": _APPLICATIONS_OWN,
        "service_principal.list": _PRINCIPALS_OWN,
        "application.federated": _APPLICATIONS_FEDERATED,
        "application.federated_of": _APPLICATIONS_FEDERATED,
        "service_principal.federated": _PRINCIPALS_FEDERATED,
        "service_principal.federated_of": _PRINCIPALS_FEDERATED,
    },
    columns=(
        *where_found(*_CREDENTIAL, *_FEDERATED),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="what it is",
            values=(*_OWN_KINDS, "federated"),
            operations=_CREDENTIAL,
        ),
        Column(name="key_id", type=Type.TEXT, meaning="keyId, or a federated credential's id", operations=_CREDENTIAL),
        Column(
            name="holder_kind",
            type=Type.TEXT,
            meaning="what it hangs on",
            values=("application", "service_principal"),
        ),
        Column(name="holder_id", type=Type.TEXT, meaning="id of the application or service principal"),
        Column(
            name="holder_name",
            type=Type.TEXT,
            meaning="its display name",
            absent="it has no name",
            operations=_CREDENTIAL,
        ),
        Column(name="app_id", type=Type.TEXT, meaning="the application (client) id", operations=_CREDENTIAL),
        Column(
            name="holder_type",
            type=Type.TEXT,
            meaning="servicePrincipalType of a service principal; Application for an application",
            operations=_CREDENTIAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"),
        ),
        Column(
            name="holder_home",
            type=Type.TEXT,
            meaning="whose application the holder is",
            operations=_CREDENTIAL,
            values=("own", "microsoft", "foreign", "none"),
        ),
        Column(
            name="microsoft_made",
            type=Type.BOOLEAN,
            meaning="Microsoft's own software registered the holder here",
            operations=_CREDENTIAL,
        ),
        Column(
            name="starts_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="startDateTime",
            operations=_CREDENTIAL,
            absent="Graph has no date",
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="endDateTime",
            operations=_CREDENTIAL,
            absent="no end was set, or the credential is federated",
        ),
        Column(
            name="usage",
            type=Type.TEXT,
            meaning="Verify: Entra checks with it; Sign: Entra signs with it",
            operations=_CREDENTIAL,
            absent="not a certificate or symmetric key",
            values=("Verify", "Sign"),
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="customKeyIdentifier in upper-case hex: usually the certificate's SHA-1, but whoever adds it can set it",
            operations=_CREDENTIAL,
            absent="none was given",
        ),
        Column(
            name="custody",
            type=Type.TEXT,
            meaning="where the private half is kept: Entra holds only the public half of a certificate of usage Verify",
            operations=_CREDENTIAL,
            absent="a password or federated credential has no private half",
            values=("external", "platform"),
        ),
        Column(
            name="on_application_too",
            type=Type.BOOLEAN,
            meaning="the application object of a service principal's credential in this tenant has the same credential",
            derived_from=("application.app_id", "key_id", "thumbprint"),
        ),
        Column(
            name="issuer",
            type=Type.TEXT,
            meaning="whose tokens a federated credential accepts",
            operations=_FEDERATED,
            only=("kind", "federated"),
            absent="not a federated credential",
        ),
        Column(
            name="subject",
            type=Type.TEXT,
            meaning="the subject that a federated credential accepts",
            operations=_FEDERATED,
            absent="a claims-matching expression stands in its place, or it is not a federated credential",
        ),
        Column(
            name="audiences",
            type=Type.TEXTS,
            meaning="the audiences that a federated credential accepts",
            operations=_FEDERATED,
            only=("kind", "federated"),
            absent="not a federated credential",
        ),
        Column(
            name="claims_expression",
            type=Type.TEXT,
            meaning="the claims-matching expression of a federated credential",
            operations=_FEDERATED,
            absent="it matches by subject, or it is not a federated credential",
        ),
    ),
)

SIGNING_CERTIFICATE = Table(
    name="signing_certificate",
    noun="token-signing certificate",
    plural="token-signing certificates",
    meaning="a certificate with which Entra signs SAML tokens: Sign, Verify and password folded into one",
    listed_by=_PRINCIPAL,
    columns=(
        *where_found(*_PRINCIPAL),
        Column(name="kind", type=Type.TEXT, meaning="what signs", values=("saml",), operations=_PRINCIPAL),
        Column(name="holder_id", type=Type.TEXT, meaning="id of the service principal"),
        Column(
            name="holder_name",
            type=Type.TEXT,
            meaning="its display name",
            absent="it has no name",
            operations=_PRINCIPAL,
        ),
        Column(name="app_id", type=Type.TEXT, meaning="the application (client) id", operations=_PRINCIPAL),
        Column(
            name="holder_enabled",
            type=Type.BOOLEAN,
            meaning="the service principal may sign in",
            operations=_PRINCIPAL,
            absent="Graph holds no value",
        ),
        Column(
            name="sso_mode",
            type=Type.TEXT,
            meaning="preferredSingleSignOnMode of the service principal",
            operations=_PRINCIPAL,
            absent="single sign-on is not set up",
            values=("saml", "password", "oidc", "notSupported"),
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="customKeyIdentifier in upper-case hex",
            operations=_PRINCIPAL,
            absent="none was given",
        ),
        Column(
            name="active",
            type=Type.BOOLEAN,
            meaning="preferredTokenSigningKeyThumbprint names it, or it is the only one and none is preferred",
            operations=_PRINCIPAL,
        ),
        Column(
            name="starts_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="startDateTime",
            operations=_PRINCIPAL,
            absent="Graph has no date",
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="endDateTime",
            operations=_PRINCIPAL,
            absent="no end was set",
        ),
        Column(
            name="custody",
            type=Type.TEXT,
            meaning="Entra holds the private half",
            operations=_PRINCIPAL,
            values=("platform",),
        ),
    ),
)
