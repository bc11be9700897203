"""The directory of Northgate, a haulier: what its vendors' setup guides, Microsoft's products and its own teams left there."""

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
    Group,
    PasswordCredential,
    ServicePrincipal,
    User,
)
from keyaudit.simulator.estates.contoso.privileges import LOCK
from keyaudit.simulator.estates.holder_plans import GITHUB, MICROSOFT_SERVICES
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.installer_credentials import Maker, years

GRAPH, EXCHANGE, SHAREPOINT = "Microsoft Graph", "Office 365 Exchange Online", "Office 365 SharePoint Online"
SYNC = "Microsoft Entra AD Synchronization Service"
HYBRID = "ExchangeServerApp-7c2e9d14-3a86-4f0b-b5d1-9e6a20c47f83"
CONNECT = "ConnectSyncProvisioning_NG-SYNC01_5b0f7c31a9de"
VEEAM, HR, AUTOMATION, ARCHIVE, SDK = (
    "Veeam Backup for M365",
    "hr-writeback",
    "tenant-automation",
    "mailbox-move-2021",
    "route-sdk-ci",
)
LANDING_ZONE, FREIGHT_CI, PAYROLL, SORTER = "terraform-landing-zone", "freight-ci", "Workday", "Inbox Sorter Pro"
STALE = frozenset({"fleet-intranet-2019", "legacy-edi-poller", "azure-cli-2025-11-03-09-12-44", ARCHIVE})
GUEST = "rowan.ellis"

# Client ids: https://github.com/merill/microsoft-info/blob/main/_info/MicrosoftApps.csv
_MICROSOFT = {
    GRAPH: "00000003-0000-0000-c000-000000000000",
    EXCHANGE: "00000002-0000-0ff1-ce00-000000000000",
    SHAREPOINT: "00000003-0000-0ff1-ce00-000000000000",
    "Skype for Business Online": "00000004-0000-0ff1-ce00-000000000000",
    SYNC: "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016",
    "Dataverse": "00000007-0000-0000-c000-000000000000",
    "WindowsDefenderATP": "fc780465-2017-40d4-a0c5-307022471b92",
    "Universal Print": "da9b70f6-5323-4ce6-ae5c-88dcc5082966",
    "Microsoft Azure CLI": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "Microsoft Azure PowerShell": "1950a258-227b-4e31-a9cf-717495945fc2",
    "Azure Cosmos DB": "a232010e-820c-4083-83bb-3ace5fc29d0b",
    "AzureDatabricks": "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
    "Azure Storage": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "Backup Management Service": "262044b1-e2ce-469f-a196-69ab7ada62d3",
    "Microsoft Azure App Service": "abfa0a7c-a6b6-4736-8310-5855508787cd",
    "Microsoft.AzureFrontDoor-Cdn": "205478c0-bd83-4e1b-a9d6-db63a3e1e1c8",
    "Azure SQL Database": "022907d3-0f1b-48f7-badc-1ba6abab6d66",
    "Disk Resource Provider": "60e6cd67-9c8c-4951-9b3c-23c25a2169af",
    "Azure Multi-Factor Auth Client": "981f26a1-7f43-403b-a875-f8b09b8cd720",
    "Azure Key Vault Managed HSM": "589d5083-6f11-4d30-a62a-a4b316a14abf",
    "Microsoft Purview": "73c2949e-da2d-457a-9607-fcc665198967",
}
# Role ids: https://learn.microsoft.com/graph/permissions-reference; the ids of the others do not matter here.
_IDS = {
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Sites.Read.All": "332a536c-c7ef-4017-ab91-336970924f0d",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    "Sites.FullControl.All": "678536fe-1083-478a-9c59-b99265e6b0d3",
}
_ROLES = {
    GRAPH: (
        "User.Read.All", "User.ReadWrite.All", "Group.Read.All", "Directory.Read.All", "Application.Read.All",
        "Policy.Read.All", "Mail.Read", "Mail.Send", "Sites.Read.All", "Sites.Selected", "Calendars.Read",
        "DeviceManagementManagedDevices.Read.All", "RoleManagement.ReadWrite.Directory", "Reports.Read.All",
        "SecurityEvents.Read.All",
    ),
    EXCHANGE: ("full_access_as_app",),
    SHAREPOINT: ("Sites.FullControl.All",),
    SYNC: ("ADSynchronization.ReadWrite.All",),
}  # fmt: skip
_HELD = (
    # https://helpcenter.veeam.com/docs/vbo365/guide/backup_app_permissions.html
    (VEEAM, EXCHANGE, "full_access_as_app"), (VEEAM, SHAREPOINT, "Sites.FullControl.All"), (VEEAM, GRAPH, "Sites.Read.All"),
    # https://docs.datadoghq.com/integrations/guide/azure-graph-api-permissions/
    ("Datadog Azure Integration", GRAPH, "Application.Read.All"), ("Datadog Azure Integration", GRAPH, "Directory.Read.All"),
    ("Datadog Azure Integration", GRAPH, "Group.Read.All"), ("Datadog Azure Integration", GRAPH, "Policy.Read.All"),
    # https://github.com/microsoft/CSS-Exchange/blob/main/Hybrid/ConfigureExchangeHybridApplication/ConfigureExchangeHybridApplication.ps1
    (HYBRID, EXCHANGE, "full_access_as_app"),
    # https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id
    (CONNECT, SYNC, "ADSynchronization.ReadWrite.All"),
    # A program of the company's own, which writes what its HR system changes: no product asks for this.
    (HR, GRAPH, "User.ReadWrite.All"),
    ("scan-to-mail", GRAPH, "Mail.Send"), ("dock-notifier", GRAPH, "Mail.Send"), ("room-panels", GRAPH, "Calendars.Read"),
    ("fleet-asset-sync", GRAPH, "DeviceManagementManagedDevices.Read.All"), ("org-chart-export", GRAPH, "User.Read.All"),
    ("licence-report", GRAPH, "Reports.Read.All"), ("siem-forwarder", GRAPH, "SecurityEvents.Read.All"),
    ("customs-documents", GRAPH, "Sites.Selected"), ("KnowBe4 Directory Reader", GRAPH, "User.Read.All"),
)  # fmt: skip

# Gallery applications: a self-signed certificate of three years.
# https://learn.microsoft.com/entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on
_SAML = {
    PAYROLL: 400, "ServiceNow": 300, "Salesforce": 620, "Zoom": 210, "Slack": 510, "Atlassian Cloud": 340, "KnowBe4": 95,
    "DocuSign": 700, "SAP Concur": 480, "Box": 130, "Miro": 260, "Figma": 60, "Tableau Cloud": 810, "Snowflake": 190,
    "AWS IAM Identity Center": 550, "GitHub Enterprise Cloud": 430, "Cisco Secure Client": 90, "FortiGate SSL VPN": 720,
    "Adobe Identity Management": 640, "Cornerstone OnDemand": 330, "SAP Cloud Identity Services": 280, "PagerDuty": 150,
    "Lucidchart": 45, "1Password": 230,
}  # fmt: skip
# Applications of vendors, which users or an administrator consented to; all of them sign users in.
_VENDORS = (
    "Zoom Rooms", "Calendly", "Grammarly", "Adobe Acrobat Sign", "Lucid", "HubSpot", "Notion", "Asana", "Trello", "Typeform",
    "SurveyMonkey", "Webex", "Dropbox", "LinkedIn Learning", "Samsara Fleet", "Descartes Routing", "project44", "Canva", "Loom",
    "DeepL", "Monday", "Smartsheet", "Mentimeter", "Toggl", "Airtable", "Deputy", "Rippling", "Gong", "Loopio", "Qualtrics",
)  # fmt: skip
# Web applications and APIs without a credential of their own: users sign in with PKCE, or a managed identity acts.
_WEB = (
    "Route Planner", "Route Planner API", "Dock Scheduler", "Dock Scheduler API", "Freight Portal", "Freight API", "Driver App",
    "Yard Map", "Customs Desk", "Claims Desk", "Fuel Card Viewer", "Tyre Log", "Depot Dashboard", "Rate Calculator",
    "Pallet Tracker", "Invoice Viewer", "Gate Kiosk", "Trailer Log", "Toll Report", "Shift Board", "Parts Store", "Audit Desk",
    "Quote Desk", "Cold Chain Viewer", "Permit Desk", "Returns Desk",
)  # fmt: skip
# Client secrets: age and lifetime in days. The portal offers up to 24 months.
# https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials
_SECRETS = {
    "Datadog Azure Integration": (200, 365), "scan-to-mail": (100, 365), "dock-notifier": (60, 180), "room-panels": (300, 730),
    "org-chart-export": (30, 180), "licence-report": (150, 365), "KnowBe4 Directory Reader": (90, 365), "edi-gateway": (20, 90),
    "telematics-import": (240, 365), "carrier-lookup": (70, 180), "weighbridge": (400, 730), "power-bi-embed": (45, 180),
    "azure-cli-2025-11-03-09-12-44": (360, 730), "jenkins-agent": (80, 180), "snow-discovery": (110, 365),
}  # fmt: skip
# Certificates of a year from the company's authority, renewed every year.
_CERTIFICATES = {
    VEEAM: 120, HR: 60, "siem-forwarder": 200, "fleet-asset-sync": 40, "customs-documents": 150, "bank-connector": 20,
    "sap-integration": 210, "mdm-bridge": 75,
}  # fmt: skip
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
# https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/azure-configuration
_TERRAFORM = "https://app.terraform.io"
_PIPELINES = {
    FREIGHT_CI: (GITHUB, "repo:northgate@5510277/freight@70112001:environment:production"),
    "route-ci": (GITHUB, "repo:northgate@5510277/route@70112002:environment:production"),
    "dock-ci": (GITHUB, "repo:northgate@5510277/dock@70112003:environment:production"),
    "freight-ci-test": (GITHUB, "repo:northgate@5510277/freight@70112001:environment:test"),
    "route-ci-test": (GITHUB, "repo:northgate@5510277/route@70112002:environment:test"),
    SDK: (GITHUB, "repo:northgate@5510277/route-sdk@70112009:environment:publish"),
    LANDING_ZONE: (_TERRAFORM, "organization:northgate:project:platform:workspace:landing-zone:run_phase:apply"),
    "terraform-landing-zone-plan": (
        _TERRAFORM,
        "organization:northgate:project:platform:workspace:landing-zone:run_phase:plan",
    ),
    "terraform-freight": (_TERRAFORM, "organization:northgate:project:freight:workspace:prod:run_phase:apply"),
}
_PODS = ("freight-worker", "route-worker", "dock-worker", "telematics-worker")
# The names of Copilot Studio's agents are as published Terraform configurations have them; no page of Microsoft says so.
_BARE = (
    "P2P Server", "Tenant Schema Extension App", "Helpdesk (Microsoft Copilot Studio)", "Depot FAQ (Microsoft Copilot Studio)",
    "fleet-intranet-2019", "legacy-edi-poller",
)  # fmt: skip
_OWNERLESS = frozenset({*_BARE, HYBRID, CONNECT, "weighbridge", "room-panels"})

ADMINISTRATORS = ("priya.nair", "marcus.holt", "ewa.lis")
EMERGENCY = ("emergency.one", "emergency.two")
_PLATFORM = ("ines.duarte", "tom.vreeland", "kofi.asante", "lena.brandt")
_DEVELOPERS = tuple(f"developer.{number:02}" for number in range(1, 41))
KEY_CUSTODIANS, PLATFORM_TEAM, DEVELOPERS, AUDITORS = (
    "Key Custodians",
    "Platform Engineers",
    "All Developers",
    "Security Readers",
)
GROUPS = {
    KEY_CUSTODIANS: ("anna.wirth", "joel.king", "mei.tan"),
    PLATFORM_TEAM: _PLATFORM,
    DEVELOPERS: _DEVELOPERS,
    AUDITORS: ("sofia.reyes", "nils.berg"),
    "Freight Team": _DEVELOPERS[:10],
    "Route Team": _DEVELOPERS[10:20],
    "Dock Team": _DEVELOPERS[20:30],
    "Contractors": (GUEST, "casey.morgan", "alex.petrov"),
}
# https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
_DIRECTORY_ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}


class Directory(Struct, frozen=True):
    """All of it."""

    applications: tuple[Application, ...]
    principals: tuple[ServicePrincipal, ...]
    grants: tuple[AppRoleGrant, ...]
    consents: tuple[Consent, ...]
    roles: tuple[DirectoryRole, ...]
    role_grants: tuple[DirectoryRoleGrant, ...]
    users: tuple[User, ...]
    groups: tuple[Group, ...]


def lay_directory(make: Maker, cluster: str) -> Directory:
    """The directory; `cluster` is the token issuer of the Kubernetes cluster."""
    applications = tuple(replace(one, lock=LOCK) for one in _applications(make, cluster))
    return Directory(
        applications=applications,
        principals=(*_microsoft(make), *_own(make, applications), *_vendors(make)),
        grants=tuple(granted(make, *each) for each in _HELD),
        consents=tuple(consented(make, name, "openid", "profile", "User.Read") for name in _VENDORS),
        roles=tuple(DirectoryRole(id=id_, name=name) for name, id_ in _DIRECTORY_ROLES.items()),
        role_grants=tuple(_role_grants(make.ground)),
        users=tuple(_users(make.ground)),
        groups=tuple(
            Group(id=make.ground.guid("group", name), name=name, members=_ids(make.ground, members))
            for name, members in GROUPS.items()
        ),
    )


def granted(make: Maker, holder: str, api: str, role: str) -> AppRoleGrant:
    """An app role of an API, for a service principal of that name."""
    return AppRoleGrant(
        principal_id=make.ground.guid("principal", holder),
        resource_id=make.ground.guid("principal", api),
        role_id=_role_id(make.ground, role),
        created=make.ground.moment(300, "app role", holder, role),
    )


def consented(make: Maker, client: str, *permissions: str) -> Consent:
    """Delegated permissions of Microsoft Graph for everyone."""
    ground = make.ground
    return Consent(
        client_id=ground.guid("principal", client), resource_id=ground.guid("principal", GRAPH), permissions=permissions
    )


def directory_role(name: str) -> str:
    """The id of a directory role."""
    return _DIRECTORY_ROLES[name]


def saml(make: Maker, name: str, age: int, end: int | None = None) -> ServicePrincipal:
    """A gallery application with one signing certificate, of three years unless it ends at `end`."""
    start = make.ground.moment(age, "certificate", name)
    verify = make.certificate(name, "CN=Microsoft Azure Federated SSO Certificate", age, end or years(start, 3))
    signs = make.ground.guid("certificate", name, "sign")
    password = PasswordCredential(
        key_id=signs, start=verify.start, end=verify.end, display_name=verify.display_name, thumbprint=verify.thumbprint
    )
    return make.principal(
        name,
        age + 30,
        template=make.ground.guid("template", name),
        sso_mode="saml",
        assignment_required=True,
        preferred_thumbprint=verify.thumbprint,
        keys=(verify, replace(verify, key_id=signs, usage="Sign", type="X509CertAndPassword")),
        passwords=(password,),
    )


def _role_id(ground: Ground, role: str) -> str:
    return _IDS.get(role) or ground.guid("app role", role)


def _ids(ground: Ground, aliases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(ground.guid("user", alias) for alias in aliases)


def _microsoft(make: Maker) -> Iterator[ServicePrincipal]:
    for name, app_id in _MICROSOFT.items():
        roles = tuple(AppRole(id=_role_id(make.ground, role), value=role) for role in _ROLES.get(name, ()))
        yield make.principal(name, 2_000, app_id=app_id, home_tenant=MICROSOFT_SERVICES, app_roles=roles)


def _applications(make: Maker, cluster: str) -> Iterator[Application]:
    def own(name: str, age: int = 600, **members: object) -> Application:
        owners = () if name in _OWNERLESS else _ids(make.ground, (_PLATFORM[0], _PLATFORM[1 + len(name) % 3]))
        return make.application(name, age, owners=owners, **members)

    for name in _WEB:
        url = f"https://{name.lower().replace(' ', '-')}.{make.ground.domain}/"
        api = name.endswith("API")
        uris = (f"api://{make.ground.guid('client', name)}",) if api else ()
        yield own(name, identifier_uris=uris, scopes=("access",) if api else (), spa_urls=() if api else (url,))
    for name, (age, life) in _SECRETS.items():
        yield own(name, age + 200, passwords=(make.secret(name, age, life, "rbac" if name.startswith("azure-cli") else None),))
    for name, age in _CERTIFICATES.items():
        made = make.certificate(name, f"CN={name}.{make.ground.domain}", age, life=365, issuer="CN=Northgate Issuing CA 1")
        yield own(name, age + 300, keys=(made,))
    for name, (issuer, subject) in _PIPELINES.items():
        yield own(name, 400, federated=(make.federated("pipeline", issuer, subject),))
    for name in _PODS:
        yield own(name, 350, federated=(make.federated("pod", cluster, f"system:serviceaccount:{name[:5]}:{name}"),))
    for name in _BARE:
        yield own(name, 1_400, identifier_uris=("urn:p2p_cert",) if name == "P2P Server" else ())
    # https://github.com/microsoft/CSS-Exchange/blob/main/Admin/MonitorExchangeAuthCertificate/MonitorExchangeAuthCertificate.ps1:
    # five years.
    auth = make.ground.moment(300, "certificate", HYBRID)
    yield own(
        HYBRID, 320, keys=(make.certificate(HYBRID, "CN=Microsoft Exchange Server Auth Certificate", 300, years(auth, 5)),)
    )
    # No page says which subject and lifetime Connect chooses.
    yield own(CONNECT, 260, keys=(make.certificate(CONNECT, "CN=Entra Connect Sync Provisioning", 40, life=180),))
    for name in _SAML:
        yield own(name, 900, template=make.ground.guid("template", name))


def _own(make: Maker, applications: tuple[Application, ...]) -> Iterator[ServicePrincipal]:
    for one in applications:
        name = one.name or ""
        yield saml(make, name, _SAML[name]) if name in _SAML else make.principal(name, 300)


def _vendors(make: Maker) -> Iterator[ServicePrincipal]:
    for name in _VENDORS:
        yield make.principal(name, 500, home_tenant=make.ground.guid("vendor", name), verified_publisher=f"{name} Inc.")


def _role_grants(ground: Ground) -> Iterator[DirectoryRoleGrant]:
    # Two emergency accounts are permanent, and everything else is activated.
    # https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
    for alias in EMERGENCY:
        yield DirectoryRoleGrant(principal_id=ground.guid("user", alias), role_id=directory_role("Global Administrator"))
    for role, aliases in (
        ("Global Administrator", ADMINISTRATORS),
        ("Application Administrator", _PLATFORM[:2]),
        ("User Administrator", _PLATFORM[2:]),
        ("Exchange Administrator", ADMINISTRATORS[:1]),
    ):
        for alias in aliases:
            yield DirectoryRoleGrant(
                principal_id=ground.guid("user", alias),
                role_id=directory_role(role),
                eligible=True,
                start=ground.moment(100, alias),
                end=ground.moment(-265, alias),
            )
    for alias in GROUPS[AUDITORS]:
        yield DirectoryRoleGrant(principal_id=ground.guid("user", alias), role_id=directory_role("Security Reader"))


def _users(ground: Ground) -> Iterator[User]:
    members = dict.fromkeys((*ADMINISTRATORS, *EMERGENCY, *(alias for group in GROUPS.values() for alias in group)))
    for alias in members:
        guest = alias in GROUPS["Contractors"]
        upn = f"{alias}_haulworks.example#EXT#@northgate.onmicrosoft.com" if guest else f"{alias}@{ground.domain}"
        kind = "Guest" if guest else "Member"
        yield User(id=ground.guid("user", alias), name=alias.replace(".", " ").title(), upn=upn, type=kind)
