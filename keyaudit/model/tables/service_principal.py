"""The table of service principals."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found
from keyaudit.model.tables.privileges import THROUGH_GROUPS, privileges

_PRINCIPAL = ("service_principal.list",)

MICROSOFT_TENANTS = ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47")
"""Home tenants of first-party applications: Microsoft's services, and Microsoft itself."""

WITHOUT_OWNER = ("ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity")
"""The values of servicePrincipalType that need no owning tenant: every Application has one."""

SERVICE_PRINCIPAL = Table(
    name="service_principal",
    noun="service principal",
    plural="service principals",
    meaning="an application's identity in the tenant",
    added_by=_PRINCIPAL,
    row_for_each=_PRINCIPAL,
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
            past=True,
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
            absent_where=(Where("principal_type", WITHOUT_OWNER),),
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
            name="arm_id",
            type=Type.TEXT,
            meaning="ARM id, in lower case, of a user-assigned identity, or of the resource that a system-assigned one is of",
            operations=_PRINCIPAL,
            absent="it is no managed identity of an Azure resource",
        ),
        Column(
            name="app_tags",
            type=Type.TEXTS,
            meaning="tags: HideApp hides it from users",
            operations=_PRINCIPAL,
        ),
        Column(
            name="assignment_required",
            type=Type.BOOLEAN,
            meaning="appRoleAssignmentRequired: only who is assigned to it gets tokens for it",
            operations=_PRINCIPAL,
        ),
        Column(
            name="verified_publisher",
            type=Type.TEXT,
            meaning="the name of its application's verified publisher",
            operations=_PRINCIPAL,
            absent="the publisher is not verified",
        ),
        Column(
            name="created_by_app",
            type=Type.TEXT,
            meaning="createdByAppId: the app id of the application that made it",
            operations=_PRINCIPAL,
            absent="Graph names none",
        ),
        Column(
            name="disabled_by_microsoft",
            type=Type.TEXT,
            meaning="disabledByMicrosoftStatus",
            operations=_PRINCIPAL,
            absent="Microsoft did not disable it",
        ),
        Column(
            name="app_roles_listed",
            type=Type.BOOLEAN,
            meaning="every app role that it was granted was listed; true, or unknown with the reason",
            operations=("service_principal.app_roles", "service_principal.app_roles_of"),
        ),
        *privileges(listed=("app_roles_listed",)),
        Column(
            name="wide_azure_roles",
            type=Type.TEXTS,
            meaning=(
                "the Azure roles over a subscription, a management group or everything by which it can give itself access to"
                " keys, such as Owner, Contributor and User Access Administrator: its own and those of its groups, sorted"
            ),
            derived_from=("grant.name", "grant.allows", "grant.scope_kind", *THROUGH_GROUPS),
            rows_of=("role_assignment.query",),
        ),
        Column(
            name="last_sign_in_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="the last sign-in that the report knows: as a client or as the API that was called, with or without a user",
            absent="the report has nothing of it, which is no proof that it is not used",
            derived_from=("app_id", "sign_in_activity.app_id", "sign_in_activity.last_sign_in_on"),
        ),
        Column(
            name="last_client_sign_in_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="the last time that the report has it signing in itself, with or without a user",
            absent="the report has nothing of it, which is no proof that it is not used",
            derived_from=("app_id", "sign_in_activity.app_id", "sign_in_activity.last_client_sign_in_on"),
        ),
        Column(
            name="environment",
            type=Type.TEXT,
            meaning="its application's tag env:NAME or environment:NAME, in lower case; else what [environments] "
            "says of it or, for a managed identity, of its subscription",
            absent="no such tag, and nothing said",
            derived_from=("app_tags", "arm_id", "subscription.name"),
        ),
        Column(
            name="owner_ids",
            type=Type.TEXTS,
            meaning="object ids of its owners, sorted",
            operations=("service_principal.owners", "service_principal.owners_of"),
        ),
    ),
)
