"""Principals that control the whole tenant, and the certificates that sign them in."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.facts.fact import Derived, Doubt, Fact, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import cells, lists
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, because, by_hand, single_row, unread
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.views.entra import agents, privileges, service_principal
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.inventory.views.entra.privileges import UNSEEN
from keyaudit.model.consumers import WRAPPED
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.key_use import USES_FOUND

_USER_ASSIGNED = "/providers/microsoft.managedidentity/userassignedidentities/"


def identities(sources: Sources) -> Prepared:
    """Every service principal, by `object_id`, and whether it is the identity of such a service (`encrypts`): the one that the
    system assigned to it, or one that users did.
    """
    rows, uses = Rows(sources, "service_principal", "identity"), Rows(sources, "key_use", "use")
    arm_id, missing = rows["arm_id"], unread("services_listed", USES_FOUND)
    # Azure Disk Encryption reaches its key without the identity of the machine, which may sign for its own programs.
    reaching = ~uses["kind"].among(WRAPPED)
    own = groups(uses, "uses", by=uses["consumer_id"], key=arm_id, missing=missing, each=reaching)
    given = groups(uses, "given", by=uses["identity_ids"], key=arm_id, missing=missing, each=reaching, in_list=True)
    by_users = arm_id.satisfies(lambda id_: f"{id_} LIKE '%{_USER_ASSIGNED}%'", absent=False)
    encrypts = arm_id.present & (own.any_of("some") | (by_users & given.any_of("some")))
    return shared(sources, {"object_id": object_id(rows), "encrypts": encrypts}, rows.sql, "encrypting")


_CREDENTIALS = (*TABLES["application"].listed_by, *TABLES["service_principal"].listed_by)


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the lookup tables of this module and of `reach`.

    reach_blind              one row: why service principals, or directory roles, may be missing
    reach_control            who was given control of the tenant, or may have been, by object id
    reach_service_principal  every service principal, with where it is at home, whether it controls the tenant, and whether it
                             is the identity of a service that encrypts
    """
    yield f"CREATE TABLE reach_blind AS {_blind()}"
    yield f"CREATE TABLE reach_control AS {_control(sources)}"
    yield f"""
        CREATE TABLE reach_service_principal AS
        SELECT object_id, app_id, app_id_why, encrypts, encrypts_why, environment, unnamed, environment_why,
            recorded, recorded_why, subscription, subscription_why,
            CASE WHEN controls THEN true WHEN why IS NULL THEN false END AS tier0,
            CASE WHEN controls THEN NULL ELSE why END AS tier0_doubt
        FROM (
            SELECT found.*, encrypting.encrypts, encrypting.encrypts_why, controls,
                coalesce(found.listed_why, control.doubt, blind.roles) AS why
            FROM {service_principal.environments(sources).relation} AS found
            LEFT JOIN reach_control AS control ON control.object_id = found.object_id
            LEFT JOIN {identities(sources).relation} AS encrypting ON encrypting.object_id = found.object_id
            CROSS JOIN reach_blind AS blind
        )"""


def _blind() -> str:
    def of_tenant(operation: str) -> str:
        return f"SELECT * FROM ({read_to_the_end((operation,))}) WHERE scope_id LIKE '/tenants/%'"

    return f"""
        SELECT {gap("listed")} AS principals, coalesce({gap("assigned")}, hidden.tier0_doubt) AS roles
        FROM {UNSEEN} AS hidden LEFT JOIN ({of_tenant("service_principal.list")}) AS listed ON true
        LEFT JOIN ({of_tenant("directory_role.assignments")}) AS assigned ON true"""


def _control(sources: Sources) -> str:
    """Principals that can activate such a directory role count too, because the key gives them nothing new."""
    grant = Rows(sources, "grant", "each")
    given = f"""
        SELECT principal_id, kind, standing, coalesce(unknown['tier'], unknown['scope_kind']) AS doubt,
            {privileges.controls(grant).value} AS controls
        FROM {grant.sql} WHERE kind IN ('app-role', 'directory-role')"""
    held = f"""
        SELECT principal_id AS object_id, standing, doubt, controls FROM ({given})
        UNION ALL
        SELECT member_id, standing, doubt, controls FROM ({given}) AS given
        JOIN {sources["membership"]} AS membership ON membership.group_id = given.principal_id
        WHERE given.kind = 'directory-role'"""
    if not agents.none(sources):
        held = _with_agents(sources, held)
    return f"""
        SELECT object_id, bool_or(controls) AS controls, min(doubt) FILTER (WHERE standing AND controls IS NULL) AS doubt
        FROM ({held}) WHERE controls IS NOT FALSE GROUP BY object_id"""


def _with_agents(sources: Sources, held: str) -> str:
    """With what agents inherit, as theirs; and all that agents hold as their blueprint's, whose credentials open them."""
    grant, parent = Rows(sources, "grant", "each"), agents.parents(sources)
    roles = f"SELECT *, {privileges.controls(grant).value} AS controls FROM {grant.sql} WHERE kind = 'app-role'"
    unlisted, nameless = parent["inherited_listed"].why.sql, parent["principal_id"].why.sql
    every = f"""
        {held}
        UNION ALL
        SELECT given_to, standing, coalesce(why, unknown['tier']), CASE WHEN why IS NULL OR NOT controls THEN controls END
        FROM ({agents.inherited(sources, roles)})
        UNION ALL
        SELECT object_id, true, {unlisted}, NULL FROM {parent.sql} WHERE {unlisted} IS NOT NULL"""
    return f"""
        {every}
        UNION ALL
        SELECT parent.principal_id, standing, coalesce({nameless}, held.doubt), controls
        FROM ({every}) AS held JOIN {parent.sql} ON parent.object_id = held.object_id
        WHERE parent.principal_id IS NOT NULL
        UNION ALL
        SELECT parent.principal_id, true, who.unknown['app_roles_listed'], NULL FROM {parent.sql}
        JOIN {sources["service_principal"]} AS who ON split_part(who.id, '/', -1) = parent.object_id
        WHERE parent.principal_id IS NOT NULL AND who.unknown['app_roles_listed'] IS NOT NULL"""


def doubt(kind: str) -> str:
    """SQL: why it is unknown whether a principal of that kind controls the tenant; `home`, `control` and `blind` are those
    tables.
    """
    return f"""CASE WHEN control.controls THEN NULL WHEN home.object_id IS NOT NULL THEN home.tier0_doubt
        ELSE coalesce(CASE WHEN {kind} IS DISTINCT FROM 'user' THEN '{Reason.NOT_VISIBLE}' END, control.doubt,
            blind.roles) END"""


def controls(kind: str) -> str:
    """SQL: whether a principal of that kind controls the tenant; NULL if unknown."""
    return f"CASE WHEN control.controls THEN true WHEN {doubt(kind)} IS NULL THEN false END"


def facts(rows: Rows, as_of: int, *, known: bool) -> dict[str, Derived]:
    """Whether the key of a certificate signs in an application that controls the tenant, over the tables of `prepare`; NULL if
    it did not run.

    A credential without its certificate in Graph may have any key, because its author chooses the thumbprint.
    """
    if not known:
        return dict.fromkeys(("authenticates_tier0", "authenticates_wide"), Truth("CAST(NULL AS BOOLEAN)"))
    sources = rows.sources
    credentials = Rows(sources, "credential", "credential")
    homes = Rows(sources, "service_principal", "home", "reach_service_principal")
    tier0 = single_row(
        homes,
        by=Fact("home.app_id", Doubt(("home.app_id_why",)), reads=cells("service_principal.app_id")),
        key=credentials["app_id"].map(sources.sql.lower),
        facts={"tier0": Truth("home.tier0", Doubt(("home.tier0_doubt",)), reads=cells("service_principal.tier0"))},
    ).flag("tier0")
    live = credentials["expires_on"].satisfies(lambda end: f"{end} > {as_of}", absent=True)
    certificate, key = credentials["kind"].eq("certificate") & live, "public_key_sha256"
    granted = privileges.applications(sources)
    holder = single_row(
        granted,
        key=credentials["app_id"].map(sources.sql.lower),
        by=granted["app_id"],
        missing=because(Reason.NOT_VISIBLE),
    )
    wide = holder.flag("tenant_wide") | holder.flag("opens_subscriptions") | holder.flag("opens_signing")
    missing = _unlisted()
    return {
        f"authenticates_{name}": groups(
            credentials, f"opening_{name}", by=credentials[key], key=rows[key], missing=missing, each=certificate & opens
        ).any_of("opens")
        for name, opens in (("tier0", tier0), ("wide", wide))
    }


def _unlisted() -> Doubt:
    """Why the tenant may have other credentials."""
    of_tenant = f"SELECT * FROM ({read_to_the_end(_CREDENTIALS)}) WHERE scope_id LIKE '/tenants/%'"
    listed = f"SELECT min({gap('listed')}) AS reason FROM ({of_tenant}) AS listed"
    reads = by_hand("credentials_listed", f"CROSS JOIN ({listed}) AS credentials_listed") | lists(*_CREDENTIALS)
    return Doubt(("credentials_listed.reason",), reads)
