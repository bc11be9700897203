"""The table of service principals."""

from keyaudit.model.columns import Column, Table, Type, where_found

_PRINCIPAL = ("service_principal.list",)

MICROSOFT_TENANTS = ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47")
"""Home tenants of first-party applications: Microsoft's services, and Microsoft itself."""

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
