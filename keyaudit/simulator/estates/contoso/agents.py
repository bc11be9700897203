"""Contoso's agents: three of another company's blueprint, and two of its own blueprint, which has a client secret."""

from collections.abc import Iterator

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    Consent,
    DirectoryRole,
    DirectoryRoleGrant,
    Estate,
    Inheritable,
    PasswordCredential,
    Plant,
    RoleAssignment,
    ServicePrincipal,
    SignIn,
    User,
)
from keyaudit.simulator.estates.defects import (
    AGENT_CREDENTIAL_ADMINS,
    AGENT_FOREIGN,
    AGENT_INHERITS,
    AGENT_NO_SPONSOR,
    AGENT_OVERPRIVILEGED,
    AGENT_SECRET,
    BLUEPRINT_NO_SPONSOR,
    CONSENT_FOR_EVERYONE,
    CREDENTIAL_BEYOND_POLICY,
    CREDENTIAL_UNUSED,
    INACTIVE_WITH_PRIVILEGE,
    INSTANCE_LOCK_OFF,
    MULTI_TENANT,
    POWERFUL_WITH_USER_OWNER,
    PRIVILEGED_WITH_SECRET,
    SECRET_TOO_LONG,
    TENANT_WIDE_APP_ROLE,
)
from keyaudit.simulator.estates.ids import DAY, Ground, application_id, credential_id, principal_id

GRAPH, _GRAPH_ID = "Microsoft Graph", "00000003-0000-0000-c000-000000000000"
PUBLISHED, OWN, UNUSED = "Fabrikam Agents", "Store Assistant Blueprint", "Gift Card Blueprint"
RETURNS, SHELVES = "Returns Agent", "Shelf Planning Agent"
INVOICES, TRAVEL, MEETINGS = "Fabrikam Invoice Agent", "Fabrikam Travel Agent", "Fabrikam Meeting Agent"
_FABRIKAM = "5f1e2b6c-90a4-4c1d-8d0b-3e7a61c2f9d4"
_FILES, _MAIL = "Files.Read.All", "Mail.ReadWrite"
_AGENT_ADMINISTRATOR = DirectoryRole(id="db506228-d27e-4b7d-95e5-295956d6615f", name="Agent ID Administrator")


def with_agents(estate: Estate, ground: Ground) -> Estate:
    """The estate with its agents, their permissions, and their last sign-ins."""
    published = _client(PUBLISHED, ground)
    own = _client(OWN, ground)
    agents = {
        RETURNS: own,
        SHELVES: own,
        INVOICES: published,
        TRAVEL: published,
        MEETINGS: published,
    }
    graph = next(one for one in estate.service_principals if one.name == GRAPH)
    published_roles: dict[str | None, AppRole] = {role.value: role for role in graph.app_roles}
    return replace(
        estate,
        applications=(*estate.applications, _blueprint(ground), _unused(ground)),
        service_principals=(
            *estate.service_principals,
            _principal(PUBLISHED, _FABRIKAM, ground),
            _principal(OWN, ground.tenant, ground),
            _principal(UNUSED, ground.tenant, ground),
            *(_agent(name, blueprint_id, ground) for name, blueprint_id in agents.items()),
        ),
        app_role_grants=(
            *estate.app_role_grants,
            *(
                AppRoleGrant(
                    principal_id=ground.guid("principal", name),
                    resource_id=graph.id,
                    role_id=published_roles[role].id,
                    created=ground.moment(160, "app role", name),
                )
                for name, role in ((INVOICES, _MAIL), (RETURNS, _FILES))
            ),
        ),
        consents=(
            *estate.consents,
            Consent(
                client_id=ground.guid("principal", OWN),
                resource_id=graph.id,
                permissions=("User.Read", "Mail.Read"),
            ),
        ),
        directory_roles=(*estate.directory_roles, _AGENT_ADMINISTRATOR),
        directory_role_grants=(
            *estate.directory_role_grants,
            DirectoryRoleGrant(principal_id=ground.guid("user", "noor.bakker"), role_id=_AGENT_ADMINISTRATOR.id),
        ),
        role_assignments=(*estate.role_assignments, _assigned(estate, ground)),
        users=(*estate.users, *_users(estate, ground)),
        plants=estate.plants | set(_plants(ground)),
        sign_ins=(*estate.sign_ins, *_sign_ins(ground)),
    )


def _client(name: str, ground: Ground) -> str:
    return ground.guid("client", name)


def _blueprint(ground: Ground) -> Application:
    key = ground.guid("credential", OWN)
    start = ground.moment(120, "credential", OWN)
    return Application(
        id=ground.guid("application", OWN),
        app_id=_client(OWN, ground),
        name=OWN,
        created=ground.moment(300, OWN),
        blueprint=True,
        audience="AzureADMultipleOrgs",
        passwords=(PasswordCredential(key_id=key, start=start, end=start + 365 * DAY, display_name="pilot"),),
        owners=(ground.guid("user", "amira.haddad"),),
        inheritable=(Inheritable(api=_GRAPH_ID, scopes=None),),
    )


def _unused(ground: Ground) -> Application:
    """A blueprint without defects and without agents."""
    return Application(
        id=ground.guid("application", UNUSED),
        app_id=_client(UNUSED, ground),
        name=UNUSED,
        created=ground.moment(20, UNUSED),
        blueprint=True,
        owners=tuple(ground.guid("user", alias) for alias in ("amira.haddad", "noor.bakker")),
        sponsors=(ground.guid("user", "amira.haddad"),),
    )


def _principal(name: str, home: str, ground: Ground) -> ServicePrincipal:
    return ServicePrincipal(
        id=ground.guid("principal", name),
        app_id=_client(name, ground),
        name=name,
        created=ground.moment(299, "principal", name),
        home_tenant=home,
        agent="agentIdentityBlueprintPrincipal",
    )


def _agent(name: str, blueprint: str, ground: Ground) -> ServicePrincipal:
    id_ = ground.guid("principal", name)
    owned = blueprint == _client(OWN, ground)
    return ServicePrincipal(
        id=id_,
        app_id=id_,
        name=name,
        created=ground.moment(260, "principal", name),
        type="ServiceIdentity",
        agent="agentIdentity",
        blueprint=blueprint,
        owners=(ground.guid("principal", OWN),) if owned else (ground.guid("user", "amira.haddad"),),
        sponsors=() if name == SHELVES else (ground.guid("user", "amira.haddad"),),
    )


def _assigned(estate: Estate, ground: Ground) -> RoleAssignment:
    """To restart the machines of the test shops, it got Contributor on their subscription."""
    subscription = next(one for one in estate.subscriptions if one.name == "contoso-nonprod")
    return RoleAssignment(
        id=ground.guid("assignment", SHELVES),
        scope=f"/subscriptions/{subscription.id}",
        role=roles.CONTRIBUTOR,
        principal=ground.guid("principal", SHELVES),
        principal_type="ServicePrincipal",
        created=ground.moment(40, "assignment", SHELVES),
    )


def _plants(ground: Ground) -> Iterator[Plant]:
    blueprint = application_id(ground.tenant, ground.guid("application", OWN))
    secret = credential_id(blueprint, ground.guid("credential", OWN))
    row = {name: principal_id(ground.tenant, ground.guid("principal", name)) for name in (RETURNS, SHELVES, INVOICES, OWN)}
    for policy in (AGENT_SECRET, BLUEPRINT_NO_SPONSOR, AGENT_CREDENTIAL_ADMINS):
        yield Plant(policy, blueprint)
    for policy in (POWERFUL_WITH_USER_OWNER, MULTI_TENANT, INSTANCE_LOCK_OFF):
        yield Plant(policy, blueprint)
    for policy in (SECRET_TOO_LONG, CREDENTIAL_BEYOND_POLICY, CREDENTIAL_UNUSED, PRIVILEGED_WITH_SECRET):
        yield Plant(policy, secret)
    yield Plant(BLUEPRINT_NO_SPONSOR, principal_id(ground.tenant, ground.guid("principal", PUBLISHED)))
    yield Plant(AGENT_FOREIGN, row[INVOICES])
    yield Plant(AGENT_NO_SPONSOR, row[SHELVES])
    yield Plant(AGENT_OVERPRIVILEGED, row[SHELVES])
    yield Plant(INACTIVE_WITH_PRIVILEGE, row[RETURNS])
    yield from (Plant(AGENT_INHERITS, row[name]) for name in (RETURNS, SHELVES))
    yield from (Plant(CONSENT_FOR_EVERYONE, row[name]) for name in (RETURNS, SHELVES, OWN))
    yield from (Plant(TENANT_WIDE_APP_ROLE, row[name]) for name in (RETURNS, INVOICES))


def _users(estate: Estate, ground: Ground) -> Iterator[User]:
    known = {user.id for user in estate.users}
    noor = ground.guid("user", "noor.bakker")
    if noor not in known:
        yield User(id=noor, name="Noor Bakker", upn=f"noor.bakker@{ground.domain}")
    yield User(
        id=ground.guid("user", RETURNS),
        name=RETURNS,
        upn=f"returns.agent@{ground.domain}",
        parent=ground.guid("principal", RETURNS),
    )


def _sign_ins(ground: Ground) -> Iterator[SignIn]:
    """The one that reads every file has not been used for four months."""
    for name, days in ((RETURNS, 121), (SHELVES, 2), (INVOICES, 1), (TRAVEL, 3), (MEETINGS, 5)):
        yield SignIn(app_id=ground.guid("principal", name), app_only=ground.moment(days, "sign-in", name))
    for name in (PUBLISHED, OWN):
        yield SignIn(app_id=_client(name, ground), app_only=ground.moment(1, "sign-in", name))
