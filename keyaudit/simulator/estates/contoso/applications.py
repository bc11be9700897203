"""Contoso's applications: the special ones, then the ordinary services."""

from keyaudit.simulator.estates.contoso.federated import FEDERATED
from keyaudit.simulator.estates.contoso.ordinary import SERVICES
from keyaudit.simulator.estates.defects import (
    CERT_TOO_LONG,
    CREDENTIAL_BEYOND_POLICY,
    CREDENTIAL_NEVER_EXPIRES,
    CREDENTIAL_ON_PRINCIPAL,
    CREDENTIAL_UNUSED,
    CREDENTIAL_WHERE_NONE_BELONGS,
    DORMANT_POWERFUL_SECRET,
    EXPIRED_CREDENTIAL_LEFT,
    IDENTIFIER_URI,
    INSTANCE_LOCK_OFF,
    KEY_OUTSIDE_VAULT,
    LAST_CREDENTIAL_EXPIRES,
    MANY_LIVE_CREDENTIALS,
    MAPPED_CLAIMS,
    MULTI_TENANT,
    NO_OWNER,
    OUTSIDE_OWNER,
    PERSONAL_ACCOUNTS,
    POWERFUL_WITH_USER_OWNER,
    PRIVILEGED_WITH_SECRET,
    PUBLISHER_UNVERIFIED,
    REDIRECT_INSECURE,
    REDIRECT_TO_MACHINE,
    REDIRECT_UNOWNED,
    REDIRECT_UNVERIFIED,
    REDIRECT_WILDCARD,
    SAML_EXPIRED_PREFERRED,
    SECRET_EXISTS,
    SECRET_TOO_LONG,
    TIER0_WITH_SECRET,
    WEAK_CERTIFICATE,
)
from keyaudit.simulator.estates.holder_plans import (
    FOREVER,
    ApplicationPlan,
    Certificate,
    PrincipalPlan,
    Saml,
    Secret,
)

# Evaluated like any other: anyone can use these names.
_MICROSOFT_MADE = (
    ApplicationPlan(
        name="P2P Server",
        age=1_900,
        principal=None,
        credentials=(
            Certificate(1_850, 1_095, finds=(EXPIRED_CREDENTIAL_LEFT,)),
            *(Certificate(age, 1_095, finds=(CERT_TOO_LONG, CREDENTIAL_UNUSED)) for age in (800, 500)),
            Certificate(200, 1_095, finds=(CERT_TOO_LONG,)),
        ),
        finds=(MANY_LIVE_CREDENTIALS, NO_OWNER),
    ),
    ApplicationPlan(
        name="aad-extensions-app. Do not modify. Used by AADB2C for storing user data.",
        age=2_400,
        credentials=(
            Secret(2_390, FOREVER, finds=(SECRET_TOO_LONG, CREDENTIAL_NEVER_EXPIRES)),
            Secret(900, 730, finds=(EXPIRED_CREDENTIAL_LEFT,)),
        ),
        finds=(SECRET_EXISTS, NO_OWNER, CREDENTIAL_WHERE_NONE_BELONGS),
    ),
    ApplicationPlan(
        name="ConnectSyncProvisioning_ADCONNECT01_3f5c9e7a1b2d",
        age=310,
        credentials=(Certificate(305, 3_650, finds=(CERT_TOO_LONG, CREDENTIAL_NEVER_EXPIRES, CREDENTIAL_BEYOND_POLICY)),),
        finds=(NO_OWNER,),
    ),
)

_PERSONAL = (
    ApplicationPlan(
        name="Contoso Rewards",
        age=2_900,
        audience="AzureADandPersonalMicrosoftAccount",
        credentials=(Certificate(110, 365),),
        owners=("amira.haddad", "jonas.lind"),
        finds=(PERSONAL_ACCOUNTS, INSTANCE_LOCK_OFF, PUBLISHER_UNVERIFIED),
    ),
    ApplicationPlan(
        name="Contoso Gift Cards",
        age=2_600,
        audience="PersonalMicrosoftAccount",
        principal=None,
        credentials=(Secret(154, 180, "web"),),
        finds=(PERSONAL_ACCOUNTS, SECRET_EXISTS, LAST_CREDENTIAL_EXPIRES, NO_OWNER),
    ),
    ApplicationPlan(
        name="Supplier Portal",
        age=1_500,
        audience="AzureADMultipleOrgs",
        uri=True,
        scopes=("Orders.Read", "Orders.ReadWrite"),
        roles=("Supplier.Admin",),
        publisher="Contoso Retail",
        credentials=(Certificate(200, 365, finds=(CREDENTIAL_UNUSED,)), Secret(20, 90, "rotation window")),
        # Its tokens have custom claims, and are signed with a custom key.
        principal=PrincipalPlan(credentials=(Saml(200),)),
        owners=("mei.tanaka",),
        finds=(MULTI_TENANT, SECRET_EXISTS),
    ),
)

_LONG_LIVED = (
    ApplicationPlan(
        name="Billing API",
        age=1_400,
        uri=True,
        uris=("api://billing",),
        scopes=("Invoices.Read",),
        credentials=(Secret(200, 730, "billing-prod", finds=(SECRET_TOO_LONG, TIER0_WITH_SECRET)),),
        principal=PrincipalPlan(credentials=(Certificate(60, 365, finds=(CREDENTIAL_ON_PRINCIPAL, KEY_OUTSIDE_VAULT)),)),
        owners=("lukas.brandt",),
        finds=(SECRET_EXISTS, POWERFUL_WITH_USER_OWNER),
    ),
    # Its secret is older than the policy that would block it today.
    ApplicationPlan(
        name="ERP Bridge",
        age=380,
        uris=("api://erp-bridge",),
        scopes=("Orders.Post",),
        token_version=None,
        credentials=(Secret(100, 365, "erp", finds=(SECRET_TOO_LONG, CREDENTIAL_BEYOND_POLICY)),),
        finds=(SECRET_EXISTS, NO_OWNER, IDENTIFIER_URI),
    ),
    ApplicationPlan(
        name="BI Refresh",
        age=1_700,
        credentials=(Secret(1_650, FOREVER, "do not delete", finds=(SECRET_TOO_LONG, CREDENTIAL_NEVER_EXPIRES)),),
        finds=(SECRET_EXISTS, NO_OWNER),
    ),
    ApplicationPlan(
        name="Store Wifi Portal",
        age=2_200,
        redirects=("https://contoso-wifi.azurewebsites.net/signin", "https://wifi.contoso.example/signin"),
        credentials=(Secret(2_150, None, finds=(CREDENTIAL_NEVER_EXPIRES, CREDENTIAL_UNUSED)),),
        finds=(SECRET_EXISTS, NO_OWNER, REDIRECT_UNOWNED),
    ),
    ApplicationPlan(
        name="Warehouse Scanner Gateway",
        age=800,
        credentials=(Certificate(300, 1_095, finds=(CERT_TOO_LONG,)),),
        owners=("piotr.nowak",),
    ),
    ApplicationPlan(
        name="Partner EDI",
        age=410,
        credentials=(Certificate(50, 730, bits=1_024, finds=(CERT_TOO_LONG, CREDENTIAL_BEYOND_POLICY, WEAK_CERTIFICATE)),),
        owners=("piotr.nowak",),
    ),
    ApplicationPlan(
        name="Backup Orchestrator",
        age=1_300,
        credentials=(
            Certificate(
                400,
                3_650,
                bits=1_024,
                finds=(CERT_TOO_LONG, CREDENTIAL_NEVER_EXPIRES, CREDENTIAL_BEYOND_POLICY, WEAK_CERTIFICATE),
            ),
        ),
    ),
    ApplicationPlan(
        name="Intranet Kiosk",
        age=2_000,
        credentials=(Certificate(1_990, 3_650, type="Symmetric"),),
        owners=("sofia.rossi",),
    ),
)

_LEFT_BEHIND = (
    # Created for three subsidiaries, and unused since they were sold.
    ApplicationPlan(
        name="Legacy Reporting",
        age=1_600,
        audience="AzureADMultipleOrgs",
        mapped_claims=True,
        redirects=(
            "http://reports.contoso.example/signin",
            "http://localhost:8080/signin",
            "https://reports.tailspintoys.example/signin",
        ),
        credentials=(
            Secret(900, 365, "2023", finds=(EXPIRED_CREDENTIAL_LEFT,)),
            Secret(520, 365, "2024", finds=(EXPIRED_CREDENTIAL_LEFT,)),
            Secret(
                150,
                210,
                "current",
                finds=(SECRET_TOO_LONG, CREDENTIAL_UNUSED, TIER0_WITH_SECRET, DORMANT_POWERFUL_SECRET),
            ),
        ),
        finds=(
            MULTI_TENANT,
            INSTANCE_LOCK_OFF,
            MAPPED_CLAIMS,
            PUBLISHER_UNVERIFIED,
            REDIRECT_INSECURE,
            REDIRECT_TO_MACHINE,
            REDIRECT_UNVERIFIED,
            SECRET_EXISTS,
        ),
    ),
    ApplicationPlan(
        name="Intranet Search",
        age=1_200,
        credentials=(Certificate(400, 365, finds=(EXPIRED_CREDENTIAL_LEFT,)), Certificate(40, 365)),
        owners=("noah.meyer",),
    ),
    # Expired 15 days ago, with a successor: within the limit of 30 days.
    ApplicationPlan(
        name="Coupon Service",
        age=700,
        credentials=(Secret(195, 180, "old"), Secret(25, 180, "new")),
        owners=("amira.haddad",),
        finds=(SECRET_EXISTS,),
    ),
    ApplicationPlan(
        name="Integration Hub",
        age=1_000,
        credentials=(
            Secret(20, 180, "c", finds=(PRIVILEGED_WITH_SECRET,)),
            Secret(70, 180, "b", finds=(PRIVILEGED_WITH_SECRET,)),
            Secret(130, 180, "a", finds=(CREDENTIAL_UNUSED, PRIVILEGED_WITH_SECRET)),
        ),
        # The second is a guest.
        owners=("amira.haddad", "Pat Okafor"),
        finds=(MANY_LIVE_CREDENTIALS, SECRET_EXISTS, POWERFUL_WITH_USER_OWNER, OUTSIDE_OWNER),
    ),
    ApplicationPlan(
        name="Data Lake Loader",
        age=950,
        credentials=(Certificate(30, 365), Certificate(250, 365, finds=(CREDENTIAL_UNUSED,)), Secret(40, 90), Secret(15, 180)),
        owners=("noah.meyer",),
        finds=(MANY_LIVE_CREDENTIALS, SECRET_EXISTS),
    ),
)

_SAML = (
    ApplicationPlan(
        name="Tailspin CRM",
        age=420,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(400, preferred=True), Saml(20))),
    ),
    ApplicationPlan(
        name="Litware HR",
        age=310,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(300),)),
    ),
    # The new certificate was created in time, but not activated.
    ApplicationPlan(
        name="Northwind Travel",
        age=1_200,
        owners=("workplace.it",),
        principal=PrincipalPlan(
            sso_mode="saml", credentials=(Saml(1_140, preferred=True, finds=(SAML_EXPIRED_PREFERRED,)), Saml(90))
        ),
    ),
    ApplicationPlan(
        name="Adatum Helpdesk",
        age=1_350,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(1_300, finds=(SAML_EXPIRED_PREFERRED,)),)),
    ),
    ApplicationPlan(
        name="Proseware Learning",
        age=1_300,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="saml", credentials=(Saml(1_250), Saml(170, preferred=True))),
    ),
    ApplicationPlan(
        name="Wingtip Ticketing",
        age=1_500,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="saml", enabled=False, credentials=(Saml(1_450, preferred=True),)),
    ),
    # Moved to OpenID Connect; its old certificate stayed.
    ApplicationPlan(
        name="Woodgrove Treasury",
        age=1_400,
        owners=("workplace.it",),
        principal=PrincipalPlan(sso_mode="oidc", credentials=(Saml(1_380, preferred=True),)),
    ),
    ApplicationPlan(
        name="Fabrikam Expenses",
        age=640,
        owners=("workplace.it",),
        principal=PrincipalPlan(
            sso_mode="saml",
            credentials=(Saml(600, preferred=True), Secret(80, 180, "provisioning", finds=(CREDENTIAL_ON_PRINCIPAL,))),
        ),
    ),
)

_ON_BOTH = (
    ApplicationPlan(
        name="Payments API",
        age=1_000,
        uri=True,
        scopes=("Payments.Read", "Payments.Initiate"),
        roles=("Payments.Process",),
        token_version=None,
        credentials=(Certificate(150, 365, shared="payments-api.contoso.example"),),
        principal=PrincipalPlan(credentials=(Certificate(150, 365, shared="payments-api.contoso.example"),)),
        owners=("mei.tanaka",),
    ),
    ApplicationPlan(
        name="Returns Portal",
        age=900,
        credentials=(Secret(170, 180, "web"),),
        principal=PrincipalPlan(credentials=(Secret(420, 365, "first try", finds=(EXPIRED_CREDENTIAL_LEFT,)),)),
        owners=("sofia.rossi",),
        finds=(SECRET_EXISTS, LAST_CREDENTIAL_EXPIRES),
    ),
    # Every member of a team is an owner: more than Graph expands in an application.
    ApplicationPlan(
        name="Developer Portal",
        age=1_150,
        redirects=(
            "https://*.previews.contoso.example/signin",
            "https://contoso-developers.azurewebsites.net/signin",
            "https://developers.contoso.example/signin",
        ),
        finds=(REDIRECT_WILDCARD,),
        uri=True,
        scopes=("Catalog.Read",),
        credentials=(Certificate(60, 365),),
        owners=tuple(f"developer.{nth:02d}" for nth in range(23)),
    ),
)

_WITHOUT_CREDENTIALS = (
    ApplicationPlan(
        name="Store Locator",
        age=860,
        owners=("sofia.rossi",),
        redirects=("https://stores.contoso.example/signin", "http://127.0.0.1/signin"),
        native_redirects=(
            "http://localhost",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
            "msauth.example.contoso.stores://auth",
            "urn:ietf:wg:oauth:2.0:oob",
        ),
    ),
)

# These sign in with a certificate of a vault, which `contoso_joined` gives them.
_VAULTED = (
    ApplicationPlan(name="etl-runner", age=640, owners=("noah.meyer",), finds=(POWERFUL_WITH_USER_OWNER,)),
    ApplicationPlan(name="etl-runner-test", age=630, owners=("noah.meyer",)),
    ApplicationPlan(name="edi-gateway", age=720, owners=("piotr.nowak",)),
    ApplicationPlan(name="feed-publisher", age=610, owners=("noah.meyer",)),
)

APPLICATIONS: tuple[ApplicationPlan, ...] = (
    *_MICROSOFT_MADE,
    *_PERSONAL,
    *_LONG_LIVED,
    *_LEFT_BEHIND,
    *FEDERATED,
    *_SAML,
    *_ON_BOTH,
    *_WITHOUT_CREDENTIALS,
    *_VAULTED,
    *SERVICES,
)
