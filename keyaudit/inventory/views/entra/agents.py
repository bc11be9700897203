"""The blueprints of agents, and the permissions that agents inherit from the principals of their blueprints."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.facts.fact import TRUE, Derived, Doubt, Fact, Truth, case, strict, unless
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import NOTHING, Reads, cells, inside
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import One, Relation, Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources, no_rows
from keyaudit.inventory.rows import columns_of
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.entra.privileges import APP_ROLES

_PARENT = "agent_parent"
_NONE = "agent_none"
"""The table of the service principals, by `object_id`, that certainly have nothing to do with agents, although their type was
not told.
"""
_LISTS = TABLES["agent"].listed_by
_BLUEPRINTS = TABLES["blueprint"].listed_by
_PRINCIPALS = ("service_principal.list",)
_UNTOLD = ", ".join(f"'{reason}'" for reason in (Reason.BAD_BODY, Reason.BAD_VALUE))
"""Why the type is unknown where the answer states none, in contrast to one that keyaudit does not know."""


def none(sources: Sources) -> bool:
    """Whether there are certainly no agents."""
    return no_rows(sources, "agent", "blueprint")


def object_id(rows: Relation) -> Fact:
    """The object id of a service principal."""
    return rows["id"].map(lambda id_: f"split_part({id_}, '/', -1)")


def principal_of(key: Fact, sources: Sources, alias: str, scope: str) -> One:
    """The service principal with an object id that another list has."""
    who = Rows(sources, "service_principal", alias)
    unseen = unread(f"{alias}_listed", _PRINCIPALS, scope=scope) | because(Reason.INCONSISTENT)
    return one(who, key=key, by=object_id(who), missing=unseen)


def blueprint_of(app_id: Fact, sources: Sources, scope: str) -> One:
    """The blueprint with a client id that an agent names."""
    blueprint = Rows(sources, "blueprint", "blueprint")
    unseen = unread("blueprints", _BLUEPRINTS, scope=scope) | because(Reason.INCONSISTENT)
    return one(blueprint, key=app_id, by=blueprint["app_id"], missing=unseen)


def parents(sources: Sources) -> Prepared:
    """The table of `_parents`."""
    return sources.once(_parents)


def _parents(sources: Sources) -> Prepared:
    """The table of agents, and of service principals that may be one, by `object_id`.

    The client id of its blueprint, the object id of the blueprint's principal, and `publisher`, the other tenant that owns the
    blueprint; what is inheritable; whether its own app roles were all `listed`, and the app roles and consents that it may
    inherit.
    """
    who, agent = Rows(sources, "service_principal", "who"), Rows(sources, "agent", "agent")
    scope = f"{who.alias}.scope_id"
    unseen = unread("agents", _LISTS, scope=scope) | because(Reason.INCONSISTENT)
    origin = f"({may_be('agent-identity', sources)}) AS who"
    named = one(agent, key=object_id(who), by=agent["object_id"], missing=unseen)["blueprint_app_id"]
    # Only an agent has a blueprint.
    is_agent = Truth(f"({named.value} IS NOT NULL)", reads=named.reads) | who["agent_type"].eq("agent-identity")
    own: dict[str, Derived] = {
        "object_id": object_id(who),
        "app_id": who["app_id"].map(sources.sql.lower),
        "scope_id": who["scope_id"],
        "blueprint_app_id": named.where(is_agent),
        "listed": who.flag("app_roles_listed"),
    }
    held = shared(sources, own, origin, who.alias)
    blueprint = blueprint_of(held["blueprint_app_id"], sources, scope)
    principal_id, roles, scopes = (blueprint[name] for name in ("principal_id", "inheritable_roles", "inheritable_scopes"))
    # A principal that was not listed is not known as one of a blueprint, and so its consents are not.
    clients = unless(unread("clients", _PRINCIPALS, scope=scope))
    return Prepared(
        sources,
        _PARENT,
        {
            **{name: held[name] for name in ("object_id", "app_id", "blueprint_app_id", "listed")},
            "principal_id": principal_id,
            "publisher": blueprint["publisher"].where(blueprint["home"].eq("foreign")),
            "scopes": scopes,
            "roles": roles,
            "inherited_listed": _none_of(roles, sources) | _roles_listed(principal_id, sources, scope),
            "consents_listed": _none_of(scopes, sources) | principal_id.is_known | clients,
        },
        held.sql,
        "parent",
        types=dict.fromkeys(("scopes", "roles"), "VARCHAR[]"),
    )


def inheritance(sources: Sources) -> Reads:
    """What decides which grants agents inherit, and that those of agents count for their blueprint."""
    if none(sources):
        return NOTHING
    parent = parents(sources)
    names = ("blueprint_app_id", "principal_id", "roles", "scopes")
    inherited = inside(cells("grant.api_id", "grant.name"), grant=(*APP_ROLES, "delegated_grant.list"))
    return inherited.union(*(parent[name].everything for name in names))


def _none_of(inheritable: Fact, sources: Sources) -> Truth:
    return inheritable.told(lambda items: f"{sources.sql.size(items)} = 0")


def _roles_listed(principal_id: Fact, sources: Sources, scope: str) -> Truth:
    """Whether all app roles of a blueprint's principal were listed; if it is unknown which one it is, those of every one.

    A blueprint without a principal has none: that of a single-instance agent.
    """
    own = principal_of(principal_id, sources, "principal", scope)["app_roles_listed"]
    another = Rows(sources, "service_principal", "another", relation=f"({_principals(sources)})")
    unseen = unread("principals", _PRINCIPALS, scope=scope)
    of_any = groups(another, "every_principal", by=Fact("true"), key=Fact("true"), missing=unseen)
    every = unless(of_any.doubt_of("unlisted", another["app_roles_listed"]))
    none_there = principal_id.is_known & ~principal_id.present
    return case((none_there, TRUE), (principal_id.is_known, own.truth()), otherwise=every).truth()


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the table of `parents`, and what it rests on."""
    if none(sources):
        yield f"CREATE TABLE {_NONE} ({columns_of({'object_id': 'VARCHAR'}, sources.sql)})"
        yield parents(sources).empty
    else:
        yield f"CREATE TABLE {_NONE} AS {_settled(sources)}"
        yield parents(sources).created


def _principals(sources: Sources) -> str:
    """The principals of blueprints, and service principals that may be one."""
    return may_be("blueprint-principal", sources)


def may_be(kind: str, sources: Sources) -> str:
    """The service principals of this `agent_type`, and those that may be of it."""
    return f"""
        SELECT maybe.* FROM {sources["service_principal"]} AS maybe
        LEFT JOIN {_NONE} AS settled ON settled.object_id = split_part(maybe.id, '/', -1)
        WHERE maybe.agent_type = '{kind}' OR (maybe.unknown['agent_type'] IS NOT NULL AND settled.object_id IS NULL)"""


def _settled(sources: Sources) -> str:
    """Those without a type whose client id is that of an application which is no blueprint, also by what agents say.

    An agent has the client id of a blueprint, or one of its own without an application; a blueprint's principal has that of the
    blueprint, as every service principal has its application's:
    https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals
    """
    lower = sources.sql.lower
    return f"""
        SELECT DISTINCT split_part(untold.id, '/', -1) AS object_id FROM {sources["service_principal"]} AS untold
        JOIN {sources["application"]} AS plain ON {lower("plain.app_id")} = {lower("untold.app_id")}
        LEFT JOIN {sources["agent"]} AS named ON named.blueprint_app_id = {lower("plain.app_id")}
        WHERE untold.unknown['agent_type'] IN ({_UNTOLD}) AND plain.agent_blueprint IS FALSE AND named.id IS NULL"""


def inherited(sources: Sources, grants: str) -> str:
    """The rows of `grants` that agents inherit, or may inherit, from their blueprint's principal.

    With `given_to`, and `why`: the reason if it is not certain.
    """
    parent = parents(sources)
    principal_id = parent["principal_id"]
    principals = f"SELECT DISTINCT split_part(id, '/', -1) AS object_id FROM ({_principals(sources)})"
    of_blueprints = f"""
        SELECT granted.*, principals.object_id IS NOT NULL AS of_a_blueprint FROM ({grants}) AS granted
        LEFT JOIN ({principals}) AS principals ON principals.object_id = granted.principal_id
        WHERE granted.kind IN ('app-role', 'delegated')"""
    listed = case((Rows(sources, "grant", "grants")["kind"].eq("delegated"), parent["scopes"]), otherwise=parent["roles"])
    pairs = f"""
        SELECT grants.*, parent.object_id AS given_to, {unless(principal_id.why).value} AS certain,
            {principal_id.why.sql} AS certain_why, {listed.value} AS listed, {listed.doubt.sql} AS listed_why
        FROM {parent.sql} JOIN ({of_blueprints}) AS grants ON grants.principal_id = {principal_id.value}
            OR ({principal_id.why.sql} IS NOT NULL AND grants.of_a_blueprint)"""
    pair = Rows(sources, "grant", "pair")
    certain, listed = Truth("pair.certain", Doubt(("pair.certain_why",))), Fact("pair.listed", Doubt(("pair.listed_why",)))
    some = listed.told(lambda items: f"{sources.sql.size(items)} > 0")
    every = strict(lambda items, api: f"array_contains({items}, {api} || '/*')", listed, pair["api_id"])
    by_name = strict(
        lambda items, api, name: f"array_contains({items}, {api} || '/' || {name})", listed, pair["api_id"], pair["name"]
    )
    inherits = certain & some & (every.truth() | by_name.truth())
    return f"""
        SELECT *, CASE WHEN inherits IS NULL THEN doubt END AS why
        FROM (SELECT *, {inherits.value} AS inherits, {inherits.doubt.sql} AS doubt FROM ({pairs}) AS pair)
        WHERE inherits IS NOT FALSE"""


def opened(sources: Sources, given: Prepared, blueprints: str) -> str:
    """The grants of agents, rows of the table `given`, as grants of their blueprints, by `of_app_id`: the blueprint's
    credentials have them. An agent with an unknown blueprint may be of any of `blueprints`, SQL of client ids. A grant of an
    agent that shares the client id of its blueprint is a grant of that client id already.
    """
    parent = parents(sources)
    client_id, own = parent["blueprint_app_id"], parent["app_id"].value
    perhaps = {"certain": "CAST(NULL AS BOOLEAN)", "certain_why": client_id.why.sql}
    # In the order of the table, because the rows are united by position.
    shown = ", ".join(f"{perhaps[name]} AS {name}" if name in perhaps else f"given.{name}" for name in given.columns)
    return f"""
        SELECT {client_id.value} AS of_app_id, given.* FROM {parent.sql}
        JOIN {given.name} AS given ON given.given_to = parent.object_id
        WHERE {client_id.value} IS NOT NULL AND {client_id.value} IS DISTINCT FROM {own}
        UNION ALL
        SELECT blueprint.app_id, {shown} FROM {parent.sql}
        JOIN {given.name} AS given ON given.given_to = parent.object_id
        CROSS JOIN ({blueprints}) AS blueprint
        WHERE {client_id.why.sql} IS NOT NULL AND blueprint.app_id IS DISTINCT FROM {own}"""
