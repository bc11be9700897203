"""The permissions of service principals, and of their applications: in the directory, and over whole subscriptions in Azure."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping

from keyaudit.inventory.facts.fact import Count, Derived, Doubt, Fact, Items, Truth, reasons_of, strict, unknown, unless
from keyaudit.inventory.facts.groups import Groups, groups
from keyaudit.inventory.facts.joins import cells, joined, lists
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, because, by_hand, one, unread
from keyaudit.inventory.facts.sql import Sources, gap, no_rows, read_to_the_end, stored
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.entra import agents
from keyaudit.inventory.views.vaults.written_vaults import written
from keyaudit.model.directory.tiers import (
    DELEGATED_CONTROL,
    DELEGATED_DATA,
    GRAPH,
    MANAGES_OWNED,
    OF_DIRECTORY_SYNC,
    PERMISSIONS,
)
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.entra.privileges import APP_ROLES, AZURE_ROLES, DIRECTORY_ROLES
from keyaudit.model.tables.grant import Allows
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.model.tables.reach import STANDING
from keyaudit.model.values.times import HOUR

UNSEEN = "granted_unseen"
"""The table of one row: why principals may have unknown directory roles that control the tenant (`tier0_doubt`).
"""

_PRINCIPALS = ("service_principal.list",)
IN_GROUPS = cells("principal.kind", "principal.members_listed")
"""The columns that decide who has the grants of a group, which count as grants of its members."""
_CONSENTS = ("delegated_grant.list",)
_LOCAL = tuple(operation for operation in TABLES["grant"].parts if OPERATIONS[operation].surface is Surface.MANAGED_HSM)
_ASSIGNMENTS = ("directory_role.assignments",)
# Assignments were not read for a subscription that was not listed.
_AZURE_ROLES = ("subscription.list", "role_assignment.query")
_WIDE = ("root", "management-group", "subscription")
"""The kinds of scopes of a subscription or more."""
_SYNC_APIS = sorted({permission.split("/")[0] for permission in OF_DIRECTORY_SYNC})
_RANKED = [f"{api}/{permission.name}" for api, permissions in PERMISSIONS.items() for permission in permissions]


def controls(grant: Rows) -> Truth:
    """Whether a grant is one of control of the whole tenant."""
    return _of_tier(grant, 0)


def _of_tier(grant: Rows, tier: int) -> Truth:
    """A permission without a tier is of none, and a role on a part of the tenant does not reach all of it."""
    kind, of_tenant = grant["kind"], grant["scope_kind"].eq("tenant")
    return (kind.eq("app-role") | (kind.eq("directory-role") & of_tenant)) & grant["tier"].eq(tier)


def _manages_owned(grant: Rows) -> Truth:
    """Whether a grant lets an application change those that it owns. A role over one object may be over one of these."""
    owned_by = grant["kind"].eq("app-role") & grant["api_id"].eq(GRAPH) & grant["role_id"].eq(MANAGES_OWNED)
    of_object = grant["kind"].eq("directory-role") & grant["scope_kind"].eq("directory-object") & grant["tier"].eq(0)
    return controls(grant) | owned_by | of_object & unknown(because(Reason.UNRECOGNISED)).truth()


def _grants_access(grant: Rows) -> Truth:
    """Whether it is an active Azure role, over a subscription or more, that may assign roles or write vaults."""
    wide = grant["scope_kind"].among(_WIDE)
    access = grant["allows"].has_any((Allows.GRANT, Allows.SET_POLICY))
    return grant["kind"].eq("azure-role") & wide & access & grant.flag("standing")


def _on_vaults(grant: Rows) -> Truth:
    """Whether it is an active grant on the content of vaults or HSMs."""
    kind = grant["kind"].among(("azure-role", "access-policy", "hsm-role"))
    allows = grant["allows"].told(lambda each: f"{grant.sources.sql.size(each)} > 0")
    return kind & grant.flag("standing") & allows


def _unlisted_policies() -> Doubt:
    """Why access policies, or roles of HSMs, may be missing."""
    others = ", ".join(map(quoted, (VAULTS_FOUND[2], *HSMS_FOUND, *_LOCAL)))
    query = f"""
        SELECT coalesce({gap("listed")}, (SELECT min(reason) FROM coverage WHERE operation IN ({others})
            AND state <> 'assessed')) AS reason
        FROM (SELECT bool_and(whole) AS whole, min(reason) AS reason FROM ({read_to_the_end(VAULTS_FOUND[:2])})) AS listed"""
    reads = by_hand("policies_listed", f"CROSS JOIN ({query}) AS policies_listed")
    return Doubt(("policies_listed.reason",), reads | lists(*VAULTS_FOUND, *HSMS_FOUND, *_LOCAL))


def given(sources: Sources) -> Prepared:
    """The table of `_given_to`."""
    return sources.once(_given_to)


def _given_to(sources: Sources) -> Prepared:
    """The table of active grants by principal, `given_to`: its own, those of its groups, and what it inherits as an agent.

    `certain`: true, or unknown whether it has the grant. The principal is unknown, too, where a group has unknown members.
    """
    grant = Rows(sources, "grant", "given", relation=f"({_given(sources)})")
    kind, wide = grant["kind"], ", ".join(map(quoted, _WIDE))
    scopes = f"SELECT DISTINCT scope FROM {sources['grant']} WHERE kind = 'azure-role' AND scope_kind IN ({wide})"
    vaults = written(sources, grant["scope"], scopes)
    app_role, grants_access = kind.eq("app-role"), _grants_access(grant)
    assigns_roles = grants_access & grant["allows"].has(Allows.GRANT)
    directory_role = kind.eq("directory-role") & grant.flag("standing")
    for_everyone = kind.eq("delegated") & grant["on_behalf_of"].eq("everyone")
    principal_id = cells("grant.principal_id")
    given_to = Fact("given.given_to", Doubt(("given.given_to_why",), principal_id), reads=principal_id)
    facts: dict[str, Derived] = {
        "given_to": given_to,
        "certain": unless(Doubt(("given.why",))),
        "permission": grant["name"].or_else(grant["role_id"]),
        "app_role": app_role,
        "for_everyone": for_everyone,
        "directory_role": directory_role,
        "controls": controls(grant) & (app_role | directory_role),
        "manages_owned": _manages_owned(grant) & (app_role | directory_role),
        "tenant_wide": _of_tier(grant, 1) & (app_role | directory_role),
        "grants_access": grants_access,
        "assigns_roles": assigns_roles,
        "opens_vaults": _on_vaults(grant),
        "opens_signing": _on_vaults(grant) & grant["allows"].has("sign"),
        "opens": assigns_roles | (grants_access & vaults.some),
        "vaults": vaults.names,
        "vaults_unread": reasons_of(vaults.unread),
    }
    permission = strict(lambda api, name: f"({api} || '/' || {name})", grant["api_id"], grant["name"])
    facts["synchronizes"] = app_role & grant["api_id"].among(_SYNC_APIS) & permission.among(sorted(OF_DIRECTORY_SYNC))
    lowered = permission.map(sources.sql.lower)
    facts["delegated_control"] = for_everyone & lowered.among(sorted(DELEGATED_CONTROL))
    facts["delegated_data"] = for_everyone & lowered.told(lambda name: sources.sql.found(name, DELEGATED_DATA))
    if not agents.none(sources):
        facts["inherited"] = Truth("given.inherits", given_to.doubt) & (app_role | for_everyone)
        facts["ranked"] = permission.among(_RANKED)
    return Prepared(sources, "granted_given", facts, grant.sql, "given", types={"vaults": "VARCHAR[]"})


def _given(sources: Sources) -> str:
    """Grants by principal: with `given_to` or why it is unknown, whether they are inherited, and why one is uncertain."""
    grant = Rows(sources, "grant", "active")
    standing, access = grant.flag("standing"), _grants_access(grant) | _on_vaults(grant)
    active = f"""
        SELECT * FROM {grant.sql} WHERE kind IN ('app-role', 'delegated')
            OR (kind = 'directory-role' AND {standing.value} IS NOT FALSE) OR {access.value} IS NOT FALSE"""
    # Members of groups have their roles, but not their app roles.
    roles = f"SELECT * FROM ({active}) WHERE kind NOT IN ('app-role', 'delegated')"
    named = Rows(sources, "principal", "named")
    unseen = unread("looked", ("principal.lookup",), scope="roles.scope_id") | because(Reason.INTERRUPTED)
    # Members of another tenant's group are in no list, but none of them is a principal of this tenant.
    own = ~named["kind"].eq("foreign-group")
    known = unless(named["kind"].doubt | named["members_listed"].why.where(own))
    principal = one(named, key=Fact("roles.principal_id"), by=named["object_id"], missing=unseen, facts={"known": known})
    hidden = principal["known"].why
    none = "CAST(NULL AS STRING)"

    def every(of: str) -> str:
        return f"{stored('grant', of)}, {of}.unknown"

    query = f"""
        SELECT principal_id AS given_to, unknown['principal_id'] AS given_to_why, {none} AS why,
            CASE WHEN principal_id IS NOT NULL OR kind NOT IN ('app-role', 'delegated') THEN false END AS inherits,
            {every("active")}
        FROM ({active}) AS active
        UNION ALL
        SELECT member_id, NULL, NULL, false, {every("roles")} FROM ({roles}) AS roles
        JOIN {sources["membership"]} AS membership ON membership.group_id = roles.principal_id
        UNION ALL
        SELECT NULL, {hidden.sql}, NULL, false, {every("roles")} FROM ({roles}) AS roles {joined(hidden.reads)}
        WHERE roles.principal_id IS NOT NULL AND {hidden.sql} IS NOT NULL"""
    if agents.none(sources):
        return query
    inherited = agents.inherited(sources, active)
    return f"""
        {query}
        UNION ALL
        SELECT given_to, NULL, why, true, {every("inherited")} FROM ({inherited}) AS inherited"""


def grants_of(object_id: Fact, sources: Sources) -> Groups:
    """The grants of a principal, rows of the table `given`."""
    rows = given(sources).under("held")
    return groups(rows, "granted", by=rows["given_to"], key=object_id, each=rows.flag("certain"))


def facts(of: Groups, doubts: Mapping[str, Doubt]) -> dict[str, Derived]:
    """The columns of those grants. `doubts`: why app roles (`roles`) and those of `unassigned` may be missing."""
    roles, consents, assigned, azure = (doubts[name] for name in ("roles", "consents", "assigned", "azure"))
    permission, flags = of.rows["permission"], {name: of.rows.flag(name) for name in _FLAGS}
    groups_, agents_ = Doubt(reads=IN_GROUPS), Doubt(reads=agents.inheritance(of.rows.sources))
    roles, consents, assigned, azure = roles | agents_, consents | agents_, assigned | groups_, azure | groups_
    app_roles = of.lacking(roles).counting("grant", *APP_ROLES)
    directory_roles = of.lacking(assigned).counting("grant", *DIRECTORY_ROLES)
    azure_roles = of.lacking(azure).counting("grant", *AZURE_ROLES)
    on_vaults = of.lacking(azure).lacking(doubts["policies"]).counting("grant", *STANDING)
    consented = of.lacking(consents).counting("grant", *_CONSENTS)
    both = of.lacking(roles).lacking(assigned).counting("grant", *APP_ROLES, *DIRECTORY_ROLES)
    all_three = of.lacking(roles).lacking(assigned).lacking(consents)
    all_three = all_three.counting("grant", *APP_ROLES, *DIRECTORY_ROLES, *_CONSENTS)
    every = of.lacking(roles).lacking(assigned).lacking(azure)
    every = every.counting("grant", *APP_ROLES, *DIRECTORY_ROLES, *AZURE_ROLES)
    power = flags["app_role"] | flags["directory_role"] | flags["grants_access"]
    synchronizes = flags["synchronizes"]
    return {
        "app_roles": app_roles.items_of("app_roles", permission, flags["app_role"]),
        "app_role_count": app_roles.count_of("app_role_count", flags["app_role"]),
        "tenant_wide_app_roles": app_roles.items_of(
            "tenant_wide_app_roles", permission, flags["tenant_wide"] & flags["app_role"]
        ),
        "tenant_wide_directory_roles": directory_roles.items_of(
            "tenant_wide_directory_roles", permission, flags["tenant_wide"] & flags["directory_role"]
        ),
        "tenant_wide": both.any_of("tenant_wide", flags["tenant_wide"]),
        "delegated_for_everyone": consented.items_of("consents", permission, flags["for_everyone"]),
        "delegated_control": consented.items_of("delegated_control", permission, flags["delegated_control"]),
        "delegated_data": consented.items_of("delegated_data", permission, flags["delegated_data"]),
        "directory_roles": directory_roles.items_of("directory_roles", permission, flags["directory_role"]),
        "directory_role_count": directory_roles.count_of("directory_role_count", flags["directory_role"]),
        "tier0": both.any_of("tier0", flags["controls"]),
        "manages_owned": both.any_of("manages_owned", flags["manages_owned"]),
        "tier0_roles": both.items_of("tier0_roles", permission, flags["controls"]),
        "wide_azure_roles": azure_roles.items_of("azure", permission, flags["grants_access"]),
        "opens_subscriptions": azure_roles.any_of("opens_subscriptions", flags["opens"]),
        "policy_vaults": _policy_vaults(azure_roles, flags),
        **{name: on_vaults.any_of(name, flags[name]) for name in ("opens_vaults", "opens_signing")},
        "unprivileged": ~all_three.any_of(
            "any_permission", flags["app_role"] | flags["directory_role"] | flags["for_everyone"]
        ),
        "directory_sync": app_roles.any_of("synchronizes", synchronizes) & ~every.any_of("other_power", power & ~synchronizes),
    }


def _policy_vaults(of: Groups, flags: Mapping[str, Truth]) -> Items:
    """The vaults under access policies that it may write, if it may not assign roles over a subscription or more."""
    writes = flags["grants_access"]
    names = of.items_of("policy_vaults", of.rows["vaults"], writes, in_list=True)
    doubt = names.doubt | of.doubt_of("vaults_unread", of.rows["vaults_unread"], writes)
    known = f"CASE WHEN {of.rows.sources.sql.size(names.known)} > 0 OR {doubt.sql} IS NULL THEN {names.known} END"
    found = Items(known, doubt, names.reads | doubt.reads)
    return found.where(~of.any_of("assigns_roles", flags["assigns_roles"]))


def unassigned(scope: str) -> dict[str, Doubt]:
    """Why consents, directory roles, Azure roles, and access policies with the roles of HSMs may be missing."""
    return {
        "consents": unread("consented", _CONSENTS, scope=scope),
        "assigned": unread("assigned", _ASSIGNMENTS, scope=scope),
        "azure": unread("queried", _AZURE_ROLES, scope=scope),
        "policies": _unlisted_policies(),
    }


_FLAGS = (
    "app_role",
    "tenant_wide",
    "for_everyone",
    "delegated_control",
    "delegated_data",
    "directory_role",
    "controls",
    "manages_owned",
    "grants_access",
    "assigns_roles",
    "opens",
    "opens_vaults",
    "opens_signing",
    "synchronizes",
)


def applications(sources: Sources) -> Prepared:
    """The table of `_applications`, to be read: when the run began decides only what is in it."""
    return sources.once(_applications)


def _applications(sources: Sources, began: int = 0) -> Prepared:
    """The table of permissions by `app_id`, in lower case, of applications, service principals and blueprints.

    `began`: when the run began; only the content of the table depends on it. An application that was registered about then may
    have got its service principal after these were listed.
    """
    app_id, scope = Fact("app.app_id"), "app.scope_id"
    principal = Rows(sources, "service_principal", "principal")
    unseen = unread("principals", _PRINCIPALS, scope=scope)
    new = Doubt((f"CASE WHEN app.created_on > {began - HOUR} THEN '{Reason.INCONSISTENT}' END",))
    # App ids are unique: https://learn.microsoft.com/graph/api/serviceprincipal-get
    own = groups(principal, "own", by=principal["app_id"].map(sources.sql.lower), key=app_id, missing=unseen | new, single=True)
    hidden = own.hidden("hidden")
    unlisted = own.doubt_of("unlisted", principal["app_roles_listed"])
    if not agents.none(sources):
        # The credentials of a blueprint are those of its agents.
        blueprint, agent = Truth("app.blueprint"), agents.parents(sources).under("agent")
        of_agents = groups(agent, "agents", by=agent["blueprint_app_id"], key=app_id)
        listed = agent.flag("listed") & agent.flag("inherited_listed")
        hidden |= unseen.where(blueprint)
        unlisted |= of_agents.doubt_of("unlisted", listed).where(blueprint)
    doubts = {
        "roles": hidden | unlisted,
        **{name: hidden | doubt for name, doubt in unassigned(scope).items()},
    }
    known: dict[str, Derived] = {name: reasons_of(doubt) for name, doubt in doubts.items()}
    app = shared(sources, {"app_id": app_id, **known}, f"({_app_ids(sources)}) AS app", "app")
    opened = given(sources).under("opened", f"({_opened(sources)})")
    of_nobody = (
        f"SELECT CAST(NULL AS STRING) AS of_app_id, given_to_why AS of_app_id_why, * FROM {opened.name} WHERE given_to IS NULL"
    )
    unplaced = opened.under("opened", f"({of_nobody})")
    placed = cells("service_principal.app_id", "grant.principal_id") | agents.inheritance(sources)
    of_app_id = Fact("opened.of_app_id", Doubt(("opened.of_app_id_why",), placed))
    of = groups(opened, "granted", by=of_app_id, key=app["app_id"], each=opened.flag("certain"), unplaced=unplaced)
    made = facts(of, {name: app[name].doubt for name in known})
    return Prepared(sources, "granted_application", {"app_id": app["app_id"], **made}, app.sql, "app_grants")


def privileges(app_id: Fact, sources: Sources) -> dict[str, Derived]:
    """The columns of an application, by its client id in lower case: what its row in the table `applications` has."""
    rows = applications(sources)
    row = one(rows, key=app_id, by=rows["app_id"], missing=because(Reason.NOT_VISIBLE))

    def of_row(name: str, fact: Derived) -> Derived:
        if isinstance(fact, Count):
            return row.count(name, rows.count(name))
        if isinstance(fact, Items):
            return row.items(name, rows.items(name))
        return row.flag(name) if isinstance(fact, Truth) else row[name]

    return {name: of_row(name, fact) for name, fact in rows.facts.items() if name != "app_id"}


def _opened(sources: Sources) -> str:
    """The table `given` by application, `of_app_id`, where the principal is known."""
    rows = given(sources)
    app_id = sources.sql.lower("principal.app_id")
    query = f"""
        SELECT {app_id} AS of_app_id, given.*
        FROM {sources["service_principal"]} AS principal
        JOIN {rows.sql} ON given.given_to = split_part(principal.id, '/', -1) WHERE principal.app_id IS NOT NULL"""
    if agents.none(sources):
        return query
    blueprints = f"SELECT app_id FROM ({_app_ids(sources)}) WHERE blueprint"
    return f"{query} UNION ALL {agents.opened(sources, rows, blueprints)}"


def _app_ids(sources: Sources) -> str:
    """Every client id, in lower case, with its scope, when it was registered, and whether it may be one of a blueprint."""
    app_id = sources.sql.lower("app_id")
    return f"""
        SELECT app_id, min(scope_id) AS scope_id, bool_or(blueprint) AS blueprint, max(created_on) AS created_on FROM (
            SELECT {app_id} AS app_id, scope_id, agent_blueprint IS NOT FALSE AS blueprint, created_on
            FROM {sources["application"]}
            UNION ALL SELECT {app_id}, scope_id, false, NULL FROM {sources["service_principal"]}
            UNION ALL SELECT app_id, scope_id, true, NULL FROM {sources["blueprint"]}
        ) WHERE app_id IS NOT NULL GROUP BY app_id"""


def prepare(sources: Sources, began: int) -> Iterator[str]:
    """The statements that create the tables `given`, `applications` and `UNSEEN`, and those that they rest on.

    `began`: when the run began.
    """
    yield from agents.prepare(sources)
    rows, of_applications = given(sources), _applications(sources, began)
    yield rows.empty if no_rows(sources, "grant") else rows.created
    none = no_rows(sources, "application", "service_principal", "blueprint")
    yield of_applications.empty if none else of_applications.created
    yield f"""
        CREATE TABLE {UNSEEN} AS SELECT min(given_to_why) AS tier0_doubt FROM {rows.name}
        WHERE given_to IS NULL AND directory_role IS NOT FALSE AND controls IS NOT FALSE"""
