"""Permissions of Contoso's applications in its directory, and their last use: a few are too powerful, some long unused."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    Consent,
    CredentialUse,
    DirectoryRole,
    DirectoryRoleGrant,
    Estate,
    Group,
    KeyCredential,
    ManagedIdentity,
    PasswordCredential,
    Plant,
    ServicePrincipal,
    SignIn,
    User,
)
from keyaudit.simulator.estates.defects import SYNC_BY_ACCOUNT
from keyaudit.simulator.estates.ids import DAY, Ground, directory_assignment_id

_GRAPH, _EXCHANGE, _SHAREPOINT = "Microsoft Graph", "Office 365 Exchange Online", "Office 365 SharePoint Online"
_PUBLISHED: Mapping[str, Mapping[str, str]] = {
    _GRAPH: {
        "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
        "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
        "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Files.Read.All": "01d4889c-1287-42c6-ac1f-5d1e02578ef6",
        "Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
        "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
        "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    },
    _EXCHANGE: {"full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40"},
    _SHAREPOINT: {"Sites.FullControl.All": "678536fe-1083-478a-9c59-b99265e6b0d3"},
}

_APP_ROLES = (
    # Principal, API and permissions. The first, with a secret valid for two years, can grant itself any other.
    ("Billing API", _GRAPH, "AppRoleAssignment.ReadWrite.All"),
    ("Integration Hub", _GRAPH, "Mail.ReadWrite"),
    ("Integration Hub", _GRAPH, "User.Read.All"),
    ("Backup Orchestrator", _EXCHANGE, "full_access_as_app"),
    ("Backup Orchestrator", _SHAREPOINT, "Sites.FullControl.All"),
    # No longer used, but still with its rights.
    ("Legacy Reporting", _GRAPH, "Directory.ReadWrite.All"),
    ("notification-sender-prod", _GRAPH, "Mail.Send"),
    ("customer-profile-prod", _GRAPH, "User.Read.All"),
    # An external application, with a secret that was added in this tenant.
    ("Alpine Ski House Booking", _GRAPH, "RoleManagement.ReadWrite.Directory"),
    ("Humongous Insurance Claims", _GRAPH, "Files.Read.All"),
    # Needed for one migration. Its certificate is in a vault whose secrets others can read.
    ("etl-runner", _GRAPH, "Directory.ReadWrite.All"),
    ("func-key-rotator", _GRAPH, "Application.ReadWrite.OwnedBy"),
    # It deploys the application that it owns.
    ("github-deploy-storefront", _GRAPH, "Application.ReadWrite.OwnedBy"),
    ("cart-api-prod", "Payments API", "Payments.Process"),
    ("id-orders-api-prod", "Payments API", "Payments.Process"),
)

_CONSENTS = (
    # Client, API, permissions, and the user who consented; None: an administrator, for all users.
    ("Tailspin CRM", _GRAPH, ("User.Read", "Contacts.Read", "offline_access"), None),
    ("Supplier Portal", _GRAPH, ("openid", "User.Read"), None),
    ("Margie's Travel Connector", _GRAPH, ("Mail.Read", "Calendars.ReadWrite", "offline_access"), None),
    ("Store Locator", _GRAPH, ("User.Read",), None),
    ("Proseware Learning", _GRAPH, ("Files.Read.All",), "amira.haddad"),
    ("cart-api-prod", "catalog-api-prod", ("access_as_user",), None),
)

_GLOBAL, _APPLICATIONS, _READERS, _SYNC = (
    DirectoryRole(id="62e90394-69f5-4237-9190-012177145e10", name="Global Administrator"),
    DirectoryRole(id="9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", name="Application Administrator"),
    DirectoryRole(id="88d8e3e3-8f55-4a1e-953a-9b9898b8876b", name="Directory Readers"),
    DirectoryRole(id="d29b2b05-8046-44ba-8758-1e26182fcf32", name="Directory Synchronization Accounts"),
)
_ROTATES = "Contoso Credential Rotator"
_SYNC_ACCOUNT = "Sync_ADCONNECT02_5d7a1c3e9f0b"
_OPERATORS = "Directory Automation"
"""A group with a directory role; a member is a pipeline that any pull request can run."""

_ASLEEP: Mapping[str, int] = {
    "Legacy Reporting": 412,
    "Intranet Kiosk": 780,
    "Data Lake Loader": 131,
    "Alpine Ski House Booking": 97,
}
"""Days since the last sign-in of principals that are not used daily."""
_SILENT = frozenset({"Store Wifi Portal", "Woodgrove Treasury", "Humongous Insurance Claims"})
"""Principals that are not in the report: never used, or not since it began."""

LOCK = {
    "isEnabled": True,
    "allProperties": True,
    "credentialsWithUsageVerify": True,
    "credentialsWithUsageSign": True,
    "tokenEncryptionKeyId": True,
}
"""The lock on properties that Entra gives to new applications."""


def with_privileges(estate: Estate, ground: Ground) -> Estate:
    """The estate with permissions of service principals, directory roles, and last uses."""
    ids = {one.name: one.id for one in estate.service_principals if one.name}
    own = DirectoryRole(
        id=ground.guid("directory role", _ROTATES),
        name=_ROTATES,
        built_in=False,
        actions=("microsoft.directory/applications/credentials/update",),
    )
    operators = Group(
        id=ground.guid("group", _OPERATORS), name=_OPERATORS, members=(ground.guid("user", "daniel.okoye"), ids["github-infra"])
    )
    people = (
        User(id=ground.guid("user", alias), name=name, upn=f"{alias}@{ground.domain}")
        for alias, name in (
            ("breakglass-01", "Break Glass 01"),
            ("daniel.okoye", "Daniel Okoye"),
            (_SYNC_ACCOUNT, "On-Premises Directory Synchronization Service Account"),
        )
    )
    known = {user.id for user in estate.users}
    identities = tuple(_identities(estate))
    return replace(
        estate,
        users=(*estate.users, *(user for user in people if user.id not in known)),
        groups=(*estate.groups, operators),
        applications=tuple(_locked(one, estate.as_of) for one in estate.applications),
        service_principals=tuple(_published(one, identities, ground) for one in estate.service_principals),
        app_role_grants=tuple(_app_roles(ids, ground)),
        consents=tuple(
            Consent(
                client_id=ids[client],
                resource_id=ids[api],
                permissions=permissions,
                user=ground.guid("user", user) if user else None,
            )
            for client, api, permissions, user in _CONSENTS
        ),
        directory_roles=(_GLOBAL, _APPLICATIONS, _READERS, _SYNC, own),
        directory_role_grants=(
            DirectoryRoleGrant(principal_id=ground.guid("user", "breakglass-01"), role_id=_GLOBAL.id),
            DirectoryRoleGrant(
                principal_id=ground.guid("user", "daniel.okoye"),
                role_id=_GLOBAL.id,
                eligible=True,
                start=ground.moment(120, "eligible"),
            ),
            DirectoryRoleGrant(principal_id=operators.id, role_id=_APPLICATIONS.id),
            DirectoryRoleGrant(principal_id=ids["stock-sync-prod"], role_id=_READERS.id),
            DirectoryRoleGrant(principal_id=ids["ConnectSyncProvisioning_ADCONNECT01_3f5c9e7a1b2d"], role_id=_SYNC.id),
            # The server that was there before the application.
            DirectoryRoleGrant(principal_id=ground.guid("user", _SYNC_ACCOUNT), role_id=_SYNC.id),
            DirectoryRoleGrant(
                principal_id=ids["func-key-rotator"],
                role_id=own.id,
                scope=f"/{ground.guid('application', 'notification-sender-prod')}",
            ),
        ),
        sign_ins=tuple(_sign_ins(estate, ground)),
        credential_uses=tuple(_credential_uses(estate, ids[_GRAPH], ground)),
        identities=identities,
        plants=estate.plants
        | {
            Plant(
                SYNC_BY_ACCOUNT,
                directory_assignment_id(estate.tenant_id, ground.guid("user", _SYNC_ACCOUNT), _SYNC.id),
            )
        },
    )


def _role_id(api: str, role: str, ground: Ground) -> str:
    return _PUBLISHED.get(api, {}).get(role) or ground.guid("app role", api, role)


def _published(principal: ServicePrincipal, identities: tuple[ManagedIdentity, ...], ground: Ground) -> ServicePrincipal:
    """The service principal with the app roles of its API, and its ARM id if it is a managed identity."""
    name = principal.name or ""
    roles = sorted({*_PUBLISHED.get(name, ()), *(role for _, api, role in _APP_ROLES if api == name)})
    its_own = next((one for one in identities if one.principal_id == principal.id), None)
    arm = f"/subscriptions/{its_own.subscription}/resourcegroups/{its_own.resource_group}" if its_own else ""
    return replace(
        principal,
        app_roles=tuple(AppRole(id=_role_id(name, role, ground), value=role) for role in roles),
        alternative_names=(
            ("isExplicit=True", f"{arm}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}") if its_own else ()
        ),
        verified_publisher="Alpine Ski House" if name.startswith("Alpine") else principal.verified_publisher,
    )


def _locked(application: Application, as_of: int) -> Application:
    """Entra locks new applications by default; of the older ones, one was locked later."""
    new = (application.created or 0) > as_of - 700 * DAY
    return replace(application, lock=LOCK) if new or application.name == "Supplier Portal" else application


def _app_roles(ids: Mapping[str, str], ground: Ground) -> Iterator[AppRoleGrant]:
    for nth, (holder, api, role) in enumerate(_APP_ROLES):
        yield AppRoleGrant(
            principal_id=ids[holder],
            resource_id=ids[api],
            role_id=_role_id(api, role, ground),
            created=ground.moment(200 + 40 * nth, "app role", holder, role),
        )


def _identities(estate: Estate) -> Iterator[ManagedIdentity]:
    """Names of user-assigned identities begin with `id-`; the others belong to one machine or function."""
    for one in estate.service_principals:
        if one.type == "ManagedIdentity" and one.name and one.name.startswith("id-"):
            production = one.name.endswith("-prod")
            yield ManagedIdentity(
                name=one.name,
                subscription=estate.subscriptions[0 if production else 1].id,
                resource_group="rg-identities",
                principal_id=one.id,
                client_id=one.app_id,
                federated=one.federated,
                # It signs, too, but only for resources of its region.
                isolation="Regional" if one.name == "id-orders-api-test" else "None",
            )


def _sign_ins(estate: Estate, ground: Ground) -> Iterator[SignIn]:
    for nth, one in enumerate(estate.service_principals):
        name = one.name or ""
        if one.home_tenant is None or name in _SILENT:
            continue
        last = ground.moment(_ASLEEP.get(name, 1 + nth % 19), "sign-in", one.id)
        yield SignIn(
            app_id=one.app_id,
            app_only=None if one.sso_mode else last,
            delegated=last if one.sso_mode else None,
            resource=last if one.app_roles else None,
        )


def _credential_uses(estate: Estate, graph: str, ground: Ground) -> Iterator[CredentialUse]:
    """For each application in use, the newest active credential, for two resources."""
    for nth, one in enumerate(estate.applications):
        every: list[PasswordCredential | KeyCredential] = [*one.passwords, *one.keys]
        held = [credential for credential in every if credential.end is None or credential.end > estate.as_of]
        if not held or one.name in _SILENT:
            continue
        newest = max(held, key=lambda credential: credential.start or 0)
        last = ground.moment(_ASLEEP.get(one.name or "", 1 + nth % 19), "use", one.id)
        if last < (newest.start or 0):
            continue
        for resource, before in ((graph, 0), (ground.guid("resource", one.id), 9 * DAY)):
            yield CredentialUse(
                key_id=newest.key_id,
                app_id=one.app_id,
                last=last - before,
                resource_id=resource,
                certificate=isinstance(newest, KeyCredential),
                end=newest.end,
            )
