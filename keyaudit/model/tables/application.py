"""The table of applications."""

from keyaudit.model.columns import Column, Table, Type, where_found

_APPLICATION = ("application.list",)

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
        Column(
            name="live_credentials",
            type=Type.COUNT,
            meaning="passwords and certificates of its own that have not expired; a SAML set counts once",
            derived_from=("credential.holder_id", "credential.expires_on"),
        ),
    ),
)
