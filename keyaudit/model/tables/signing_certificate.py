"""The table of token-signing certificates."""

from keyaudit.model.columns import Column, Table, Type, where_found

_PRINCIPAL = ("service_principal.list",)

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
