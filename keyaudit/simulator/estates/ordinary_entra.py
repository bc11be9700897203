"""What Microsoft's installers and common products leave in the directory of an ordinary tenant."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    Consent,
    DirectoryRole,
    DirectoryRoleGrant,
    Domain,
    Federation,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
    User,
)
from keyaudit.simulator.estates.contoso.privileges import LOCK
from keyaudit.simulator.estates.holder_plans import GITHUB, MICROSOFT, MICROSOFT_SERVICES
from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.estates.installer_credentials import Maker, years
from keyaudit.simulator.x509 import certificate

GRAPH, MFA, EXCHANGE = "Microsoft Graph", "Azure Multi-Factor Auth Client", "Office 365 Exchange Online"
SKYPE, SHAREPOINT, DATAVERSE = "Skype for Business Online", "Office 365 SharePoint Online", "Dataverse"
GRAPH_TOOLS = "Microsoft Graph Command Line Tools"
MIGRATION, SURVEYS = "Migration Assistant", "Adventure Works Surveys"
HYBRID = "ExchangeServerApp-5f0a4c9e-7b1d-4e0c-9d7a-2c41f0b3a6d8"
P2P, CONNECT, OWN_CONNECT = "P2P Server", "ConnectSyncProvisioning_SRV-SYNC01_8f3b1c7d9e20", "directory-sync-staging"
CLOUD_SYNC = "corp.fabrikam.example"
EXTENSIONS = (
    "Tenant Schema Extension App",
    "CloudSyncCustomExtensionsApp",
    "b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.",
)
DOMAIN_SERVICES = "Azure AD Domain Services Sync"
SAML, ENCRYPTED, BOT = "ServiceNow", "Workday", "Helpdesk Bot (Microsoft Copilot Studio)"
BLUEPRINT, AGENT = "Travel Agents", "Travel Agent"
GITHUB_APP, DEVOPS_APP, BITBUCKET_APP = "github-release", "fabrikam-web-azure", "bitbucket-release"
CLI_APP, IMPORTER, MAILER = "azure-cli-2026-03-04-10-11-12", "inventory-importer", "survey-mailer"
INTRANET, LANDING_PAGE, PUBLISHER = "old-intranet", "agency-landing-page", "site-publisher"
AKS_APP, ARC_APP, ARO_APP, RUN_AS = "web-worker", "plant-worker", "aro-x7k2m9qd", "aa-jobs_Qm9vaw=="
OKTA = "people.fabrikam.example"
AUTH_SUBJECT = "CN=Microsoft Exchange Server Auth Certificate"
SYNC_API = "Microsoft Entra AD Synchronization Service"

_MICROSOFT_TOOLS = "cdc5aeea-15c5-4db6-b079-fcadd2505dc2"
"""The tenant of Microsoft that holds the command line tools of Microsoft Graph."""
_SERVICES = {
    GRAPH: "00000003-0000-0000-c000-000000000000",
    MFA: "981f26a1-7f43-403b-a875-f8b09b8cd720",
    "Azure Multi-Factor Auth Connector": "1f5530b3-261a-47a9-b357-ded261e17918",
    EXCHANGE: "00000002-0000-0ff1-ce00-000000000000",
    SKYPE: "00000004-0000-0ff1-ce00-000000000000",
    SHAREPOINT: "00000003-0000-0ff1-ce00-000000000000",
    SYNC_API: "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016",
    "Universal Print": "da9b70f6-5323-4ce6-ae5c-88dcc5082966",
    "WindowsDefenderATP": "fc780465-2017-40d4-a0c5-307022471b92",
    "Domain Controller Services": "2565bd9d-da50-47d4-8b85-4c97f669dc36",
    DATAVERSE: "00000007-0000-0000-c000-000000000000",
    "Microsoft Azure CLI": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "Azure Cosmos DB": "a232010e-820c-4083-83bb-3ace5fc29d0b",
    "AzureDatabricks": "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
    "Azure Storage": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "Backup Management Service": "262044b1-e2ce-469f-a196-69ab7ada62d3",
    "Microsoft Azure App Service": "abfa0a7c-a6b6-4736-8310-5855508787cd",
    "Microsoft.Azure.CertificateRegistration": "f3c21649-0979-4721-ac85-b0216b2cf413",
    "Microsoft.AzureFrontDoor-Cdn": "205478c0-bd83-4e1b-a9d6-db63a3e1e1c8",
}
ROLES = {
    (GRAPH, "Mail.Read"): "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    (GRAPH, "Sites.Read.All"): "332a536c-c7ef-4017-ab91-336970924f0d",
    (GRAPH, "RoleManagement.ReadWrite.Directory"): "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    (GRAPH, "AppRoleAssignment.ReadWrite.All"): "06b708a9-e830-4db3-a914-8e69da51d44f",
    (GRAPH, "Application.ReadWrite.OwnedBy"): "18a4783c-866b-4cc7-a460-3d5e5662c884",
    (GRAPH, "AgentIdentity.CreateAsManager"): "",
    (EXCHANGE, "full_access_as_app"): "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    (SYNC_API, "ADSynchronization.ReadWrite.All"): "",
}
"""App roles by API and value, with the id where it is documented."""
_GRANTED = (
    (HYBRID, EXCHANGE, "full_access_as_app"),
    (CONNECT, SYNC_API, "ADSynchronization.ReadWrite.All"),
    (OWN_CONNECT, SYNC_API, "ADSynchronization.ReadWrite.All"),
    (MIGRATION, GRAPH, "Sites.Read.All"),
    (BLUEPRINT, GRAPH, "AgentIdentity.CreateAsManager"),
)
_SYNCHRONIZES = DirectoryRole(id="d29b2b05-8046-44ba-8758-1e26182fcf32", name="Directory Synchronization Accounts")
_ACCOUNT = "Sync_SRV-SYNC02_4d1c9a7e"
GUEST = "agency.editor"


class Entra(Struct, frozen=True):
    """The directory of an ordinary tenant."""

    applications: tuple[Application, ...]
    principals: tuple[ServicePrincipal, ...]
    grants: tuple[AppRoleGrant, ...]
    consents: tuple[Consent, ...]
    roles: tuple[DirectoryRole, ...]
    role_grants: tuple[DirectoryRoleGrant, ...]
    users: tuple[User, ...]
    domains: tuple[Domain, ...]


def lay_entra(ground: Ground, cluster: str, arc: str) -> Entra:
    """The directory; `cluster` and `arc` are the issuers of the tenant's Kubernetes clusters."""
    make = Maker(ground)
    applications = tuple(replace(one, lock=LOCK) for one in _applications(make, cluster, arc))
    principals = (*_microsoft(make), *_of_applications(make, applications), *_others(make))
    return Entra(
        applications=applications,
        principals=tuple(_published(one, ground) for one in principals),
        grants=tuple(granted(ground, *each) for each in _GRANTED),
        consents=(
            _consent(ground, GRAPH_TOOLS, "Directory.ReadWrite.All", "Application.ReadWrite.All", "User.Read.All"),
            _consent(ground, SURVEYS, "openid", "profile"),
        ),
        roles=(_SYNCHRONIZES,),
        role_grants=(DirectoryRoleGrant(principal_id=ground.guid("user", _ACCOUNT), role_id=_SYNCHRONIZES.id),),
        users=tuple(_users(ground)),
        domains=(_okta(ground),),
    )


def granted(ground: Ground, holder: str, api: str, role: str) -> AppRoleGrant:
    """An app role of `ROLES`, granted to a service principal of that name."""
    return AppRoleGrant(
        principal_id=ground.guid("principal", holder),
        resource_id=ground.guid("principal", api),
        role_id=_role_id(ground, api, role),
        created=ground.moment(300, "app role", holder, role),
    )


def _role_id(ground: Ground, api: str, role: str) -> str:
    return ROLES[api, role] or ground.guid("app role", api, role)


def _consent(ground: Ground, client: str, *permissions: str) -> Consent:
    return Consent(
        client_id=ground.guid("principal", client), resource_id=ground.guid("principal", GRAPH), permissions=permissions
    )


def _published(principal: ServicePrincipal, ground: Ground) -> ServicePrincipal:
    roles = [value for api, value in ROLES if api == principal.name]
    if not roles:
        return principal
    published = tuple(AppRole(id=_role_id(ground, principal.name or "", value), value=value) for value in roles)
    return replace(principal, app_roles=published)


def auth_certificate(make: Maker) -> KeyCredential:
    """The one that Exchange's servers sign with, valid for five years."""
    start = make.ground.moment(400, "certificate", "Exchange Auth")
    return make.certificate("Exchange Auth", AUTH_SUBJECT, 400, years(start, 5))


def nps_certificate(make: Maker, of: str, tenant: str) -> KeyCredential:
    """What the extension for NPS, or AD FS, registers for a server: two calendar years, in the name of the tenant."""
    start = make.ground.moment(260, "certificate", of)
    return make.certificate(of, f"CN={tenant},OU={of}", 260, years(start, 2))


def _microsoft(make: Maker) -> Iterator[ServicePrincipal]:
    """Microsoft's own, with the certificates of the tenant's servers."""
    auth, ground = auth_certificate(make), make.ground
    keys: dict[str, tuple[KeyCredential, ...]] = {
        MFA: tuple(nps_certificate(make, of, ground.tenant) for of in ("Microsoft NPS Extension", "Microsoft AD FS Azure MFA")),
        EXCHANGE: (auth,),
        SKYPE: (replace(auth, key_id=ground.guid("certificate", "Skype Auth")),),
        SHAREPOINT: (make.certificate("SharePoint", "CN=Fabrikam Farm Token Signing", 300),),
        DATAVERSE: tuple(
            make.certificate(f"Dataverse {age}", "CN=dataverse.fabrikam.example", age, life=90, issuer="CN=Platform CA 4")
            for age in (5, 40, 75)
        ),
    }
    for name, app_id in _SERVICES.items():
        yield make.principal(
            name,
            2_400,
            app_id=app_id,
            home_tenant=MICROSOFT_SERVICES,
            keys=keys.get(name, ()),
            names=(f"{app_id}/*.{ground.domain}",) if name == SHAREPOINT else (),
        )
    yield make.principal(GRAPH_TOOLS, 900, app_id="14d82eec-204b-4c2f-b7e8-296a70dab67e", home_tenant=_MICROSOFT_TOOLS)
    yield make.principal(MIGRATION, 600, home_tenant=MICROSOFT)


def _applications(make: Maker, cluster: str, arc: str) -> Iterator[Application]:
    """The tenant's own registrations."""
    yield from _of_hybrid(make)
    yield from _of_services(make)
    yield from _of_deployment(make, cluster, arc)
    yield from _of_habits(make)


def _of_hybrid(make: Maker) -> Iterator[Application]:
    auth = replace(auth_certificate(make), key_id=make.ground.guid("certificate", "dedicated Auth"))
    yield make.application(HYBRID, 300, keys=(auth,))
    yield make.application(P2P, 1_500, identifier_uris=("urn:p2p_cert",))
    rotated = tuple(make.certificate(f"Connect {age}", "CN=Entra Connect Sync Provisioning", age, life=180) for age in (20, 50))
    yield make.application(CONNECT, 200, keys=rotated)
    yield make.application(OWN_CONNECT, 190, keys=(make.certificate("own Connect", "CN=sync.fabrikam.example", 60, life=180),))
    yield make.application(CLOUD_SYNC, 420, template="1a4721b3-e57f-4451-ae87-ef078703ec94")
    schema, custom, b2c = EXTENSIONS
    yield make.application(schema, 1_100)
    yield make.application(custom, 400, identifier_uris=(f"api://{make.ground.tenant}/CloudSyncCustomExtensionsApp",))
    yield make.application(b2c, 1_800, reply_urls=("https://fabrikam.onmicrosoft.com/cpimextensions",))
    yield make.application(DOMAIN_SERVICES, 800)


def _of_services(make: Maker) -> Iterator[Application]:
    start = make.ground.moment(300, "certificate", "Workday encryption")
    encrypts = make.certificate("Workday encryption", "CN=Workday Encryption", 300, years(start, 13))
    encrypts = replace(encrypts, usage="Encrypt")
    yield make.application(SAML, 500, template=make.ground.guid("template", SAML), owners=_owned(make, "it.operations"))
    yield make.application(
        ENCRYPTED,
        500,
        template=make.ground.guid("template", ENCRYPTED),
        keys=(encrypts,),
        encryption_key=encrypts.key_id,
        owners=_owned(make, "it.operations"),
    )
    yield make.application(BOT, 120)
    yield make.application(BLUEPRINT, 90, blueprint=True, sponsors=_owned(make, "it.operations"))


def _of_deployment(make: Maker, cluster: str, arc: str) -> Iterator[Application]:
    tenant = f"https://login.microsoftonline.com/{make.ground.tenant}/v2.0"
    step = "{6b1f0c5a-2f1d-4b61-9a0e-7f40c8d2b913}:{0e4a9d77-91c3-4d2a-b3c8-5a6f7d8e9f01}"
    workspace = "https://api.bitbucket.org/2.0/workspaces/fabrikam/pipelines-config/identity/oidc"
    yield make.application(
        GITHUB_APP,
        400,
        federated=(make.federated("main", GITHUB, "repo:fabrikam@7710023/shop@88120931:environment:production"),),
        owners=_owned(make, "it.operations", "dev.lead"),
    )
    yield make.application(
        DEVOPS_APP,
        400,
        federated=(
            make.federated(
                "connection",
                tenant,
                "/eid1/c/pub/t/ZGVtbw/a/cGlwZWxpbmVz/sc/5b0c6f1e-8a54-4c0e-9a43-6d2f7b1c9e10/0d8f2a5b-6c1e-4f6d-9b64-2a7c5e1d3f80",
            ),
        ),
        owners=_owned(make, "dev.lead"),
    )
    yield make.application(
        BITBUCKET_APP,
        400,
        federated=(make.federated("release", workspace, step),),
        owners=_owned(make, "it.operations", "dev.lead"),
    )
    yield make.application(
        AKS_APP,
        400,
        federated=(make.federated("pod", cluster, "system:serviceaccount:shop:worker"),),
        owners=_owned(make, "it.operations", "dev.lead"),
    )
    yield make.application(
        ARC_APP,
        400,
        federated=(make.federated("pod", arc, "system:serviceaccount:plant:worker"),),
        owners=_owned(make, "it.operations", "dev.lead"),
    )


def _of_habits(make: Maker) -> Iterator[Application]:
    both = _owned(make, "it.operations", "dev.lead")
    yield make.application(CLI_APP, 270, passwords=(make.secret(CLI_APP, 270, 365, "rbac"),), owners=both)
    yield make.application(ARO_APP, 240, passwords=(make.secret(ARO_APP, 240, 730),), owners=both)
    yield make.application(IMPORTER, 200, passwords=(make.secret(IMPORTER, 190, 731),), owners=both)
    recent = make.secret(MAILER, 20, 180)
    summer = replace(recent, end=(recent.end or 0) + 3_600)
    yield make.application(MAILER, 200, passwords=(summer,), owners=both)
    yield make.application(INTRANET, 2_200)
    yield make.application(LANDING_PAGE, 300, owners=_owned(make, GUEST))
    yield make.application(PUBLISHER, 290, owners=(make.ground.guid("principal", LANDING_PAGE),))
    yield make.application(RUN_AS, 1_500, keys=(make.certificate(RUN_AS, f"CN={RUN_AS}", 1_400, life=365),))


def _owned(make: Maker, *aliases: str) -> tuple[str, ...]:
    return tuple(make.ground.guid("user", alias) for alias in aliases)


_WITHOUT_PRINCIPAL = frozenset({*EXTENSIONS[2:], INTRANET, DOMAIN_SERVICES})


def _of_applications(make: Maker, applications: tuple[Application, ...]) -> Iterator[ServicePrincipal]:
    for one in applications:
        name = one.name or ""
        if name == P2P:
            start = make.ground.moment(120, "certificate", P2P)
            key = make.certificate(P2P, "CN=MS-Organization-P2P-Access [2026]", 120, years(start, 1))
            password = PasswordCredential(
                key_id=make.ground.guid("secret", P2P), start=key.start, end=key.end, display_name=key.display_name
            )
            yield make.principal(name, 1_500, names=("urn:p2p_cert",), keys=(key,), passwords=(password,))
        elif name == SAML:
            yield _saml(make)
        elif name == BLUEPRINT:
            yield make.principal(name, 90, agent="agentIdentityBlueprintPrincipal")
        elif name not in _WITHOUT_PRINCIPAL:
            yield make.principal(name, 200, template=one.template)


def _saml(make: Maker) -> ServicePrincipal:
    """A principal with one signing certificate: the entries Sign and Verify, and the password of the key."""
    start = make.ground.moment(300, "certificate", SAML)
    verify = make.certificate(SAML, "CN=Microsoft Azure Federated SSO Certificate", 300, years(start, 3))
    signs = make.ground.guid("certificate", SAML, "sign")
    password = PasswordCredential(
        key_id=signs, start=verify.start, end=verify.end, display_name=verify.display_name, thumbprint=verify.thumbprint
    )
    return make.principal(
        SAML,
        500,
        template=make.ground.guid("template", SAML),
        sso_mode="saml",
        preferred_thumbprint=verify.thumbprint,
        keys=(verify, replace(verify, key_id=signs, usage="Sign", type="X509CertAndPassword")),
        passwords=(password,),
    )


def _others(make: Maker) -> Iterator[ServicePrincipal]:
    yield make.principal(SURVEYS, 200, home_tenant="0d7a5f4e-3b62-4c19-8e55-b1f7c2a96d30")
    agent = make.ground.guid("principal", AGENT)
    yield make.principal(
        AGENT,
        60,
        app_id=agent,
        type="ServiceIdentity",
        agent="agentIdentity",
        blueprint=make.ground.guid("client", BLUEPRINT),
        sponsors=_owned(make, "it.operations"),
    )


def _users(ground: Ground) -> Iterator[User]:
    for alias in ("it.operations", "dev.lead", _ACCOUNT):
        yield User(id=ground.guid("user", alias), name=alias.replace(".", " ").title(), upn=f"{alias.lower()}@{ground.domain}")
    upn = f"{GUEST}_agency.example#EXT#@fabrikam.onmicrosoft.com"
    yield User(id=ground.guid("user", GUEST), name="Agency Editor", upn=upn, type="Guest")


def _okta(ground: Ground) -> Domain:
    """A domain whose users sign in at Okta."""
    start = ground.moment(100, "federation", OKTA)
    made = certificate(
        "CN=fabrikam,OU=SSOProvider,O=Okta", key_name=ground.guid("key", OKTA), start=start, end=start + 365 * DAY
    )
    return Domain(
        name=OKTA,
        federated=True,
        federation=Federation(
            id=ground.guid("federation", OKTA),
            name="Fabrikam people",
            host="fabrikam.okta.example",
            certificate=made,
            mfa_behavior="rejectMfaByFederatedIdp",
            updated=None,
        ),
    )
