"""The view of agent identities, and the permissions that they inherit from the principals of their blueprints."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, no_rows, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import columns_of
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tiers import PERMISSIONS

PARENT = "agent_parent"
"""One row for each agent, and each service principal that may be one, by `object_id`: the client id of its blueprint, the
object id of the blueprint's principal, `doubt` (why the blueprint is unknown), the inheritable permissions or why they are
unknown, and `unlisted` (why inherited app roles may be missing).
"""

_TEXTS = ("object_id", "blueprint_app_id", "principal_id", "publisher", "publisher_doubt", "doubt")
_PARENT_COLUMNS = {
    **dict.fromkeys(_TEXTS, "VARCHAR"),
    "scopes": "VARCHAR[]",
    "scopes_doubt": "VARCHAR",
    "roles": "VARCHAR[]",
    "roles_doubt": "VARCHAR",
    "unlisted": "VARCHAR",
}
_AGENTS = TABLES["agent"].listed_by
_BLUEPRINTS = TABLES["blueprint"].listed_by
_PRINCIPALS = ("service_principal.list",)
_ID = "split_part({0}.id, '/', -1)"


def none(sources: Sources) -> bool:
    """Whether there are certainly no agents."""
    return no_rows(sources, "agent", "blueprint")


def prepare(sources: Sources) -> Iterator[str]:
    """The statement that creates the table `PARENT`."""
    if none(sources):
        yield f"CREATE TABLE {PARENT} ({columns_of(_PARENT_COLUMNS, sources.sql)})"
        return
    yield f"""
        CREATE TABLE {PARENT} AS
        SELECT object_id, blueprint_app_id, principal_id, publisher, publisher_doubt, doubt,
            scopes, scopes_doubt, roles, roles_doubt,
            CASE WHEN doubt IS NOT NULL
                    THEN coalesce((SELECT min(unknown['app_roles_listed']) FROM ({_principals(sources)})), unseen)
                WHEN {sources.sql.size("roles")} > 0 OR roles_doubt IS NOT NULL THEN unlisted END AS unlisted
        FROM (
            SELECT {_ID.format("who")} AS object_id, agent.blueprint_app_id, blueprint.principal_id,
                CASE WHEN blueprint.home = 'foreign' THEN blueprint.publisher END AS publisher,
                coalesce(blueprint.unknown['home'],
                    CASE WHEN blueprint.home = 'foreign' THEN blueprint.unknown['publisher'] END) AS publisher_doubt,
                CASE WHEN who.agent_type IS NULL THEN who.unknown['agent_type']
                    WHEN agent.id IS NULL THEN coalesce({gap("agents")}, '{Reason.INCONSISTENT}')
                    WHEN agent.blueprint_app_id IS NULL THEN agent.unknown['blueprint_app_id']
                    WHEN blueprint.id IS NULL THEN coalesce({gap("blueprints")}, '{Reason.INCONSISTENT}')
                    ELSE blueprint.unknown['principal_id'] END AS doubt,
                blueprint.inheritable_scopes AS scopes, blueprint.unknown['inheritable_scopes'] AS scopes_doubt,
                blueprint.inheritable_roles AS roles, blueprint.unknown['inheritable_roles'] AS roles_doubt,
                principal.unknown['app_roles_listed'] AS unlisted, {gap("principals")} AS unseen
            FROM {sources["service_principal"]} AS who
            LEFT JOIN {sources["agent"]} AS agent ON agent.object_id = {_ID.format("who")}
            LEFT JOIN {sources["blueprint"]} AS blueprint ON blueprint.app_id = agent.blueprint_app_id
            LEFT JOIN {sources["service_principal"]} AS principal ON {_ID.format("principal")} = blueprint.principal_id
            LEFT JOIN ({read_to_the_end(_AGENTS)}) AS agents ON agents.scope_id = who.scope_id
            LEFT JOIN ({read_to_the_end(_BLUEPRINTS)}) AS blueprints ON blueprints.scope_id = who.scope_id
            LEFT JOIN ({read_to_the_end(_PRINCIPALS)}) AS principals ON principals.scope_id = who.scope_id
            WHERE who.agent_type = 'agent-identity' OR who.unknown['agent_type'] IS NOT NULL
        )"""


def _principals(sources: Sources) -> str:
    """The principals of blueprints, and service principals that may be one."""
    return f"""
        SELECT * FROM {sources["service_principal"]}
        WHERE agent_type = 'blueprint-principal' OR unknown['agent_type'] IS NOT NULL"""


def inherited(sources: Sources, grants: str) -> str:
    """The rows of `grants` that agents inherit, or may inherit, from their blueprint's principal.

    With `given_to`, and `why`: the reason if it is not certain.
    """
    listed = "CASE WHEN grants.kind = 'delegated' THEN parent.scopes ELSE parent.roles END"
    doubt = "CASE WHEN grants.kind = 'delegated' THEN parent.scopes_doubt ELSE parent.roles_doubt END"
    principals = f"SELECT DISTINCT {_ID.format('who')} AS object_id FROM ({_principals(sources)}) AS who"
    told = f"""
        SELECT told.*, principals.object_id IS NOT NULL AS of_a_blueprint FROM ({grants}) AS told
        LEFT JOIN ({principals}) AS principals ON principals.object_id = told.principal_id"""
    return f"""
        SELECT {sources.sql.excluding("inherits", "of_a_blueprint")} FROM (
            SELECT parent.object_id AS given_to, grants.*,
                CASE WHEN parent.doubt IS NULL AND {sources.sql.size(listed)} = 0 THEN false
                    WHEN parent.doubt IS NULL AND (array_contains({listed}, grants.api_id || '/*')
                        OR array_contains({listed}, grants.api_id || '/' || grants.name)) THEN true
                    WHEN coalesce(parent.doubt, {doubt}, grants.unknown['api_id'], grants.unknown['name']) IS NULL THEN false
                END AS inherits,
                CASE WHEN inherits IS NULL
                    THEN coalesce(parent.doubt, {doubt}, grants.unknown['api_id'], grants.unknown['name']) END AS why
            FROM {PARENT} AS parent JOIN ({told}) AS grants ON grants.principal_id = parent.principal_id
                OR (parent.doubt IS NOT NULL AND grants.of_a_blueprint)
            WHERE grants.kind IN ('app-role', 'delegated')
        ) WHERE inherits IS NOT FALSE"""


def opened(sources: Sources, given: str) -> str:
    """The grants of agents in `given` as grants of their blueprints, by `of_app_id`: the blueprint's credentials have them.

    The last column of `given` is `why`.
    """
    perhaps = {"why": "parent.doubt"}
    return f"""
        SELECT parent.blueprint_app_id AS of_app_id, given.* FROM {PARENT} AS parent
        JOIN {given} AS given ON given.given_to = parent.object_id WHERE parent.blueprint_app_id IS NOT NULL
        UNION ALL
        SELECT {sources.sql.lower("blueprint.app_id")}, {sources.sql.replacing(perhaps, of="given")} FROM {PARENT} AS parent
        JOIN {given} AS given ON given.given_to = parent.object_id
        CROSS JOIN {sources["application"]} AS blueprint
        WHERE parent.blueprint_app_id IS NULL AND blueprint.agent_blueprint IS NOT FALSE"""


def unlisted(sources: Sources) -> str:
    """By the client id of a blueprint, why app roles of its agents may be missing."""
    return f"""
        SELECT parent.blueprint_app_id AS app_id, coalesce(who.unknown['app_roles_listed'], parent.unlisted) AS unlisted
        FROM {PARENT} AS parent JOIN {sources["service_principal"]} AS who ON {_ID.format("who")} = parent.object_id
        WHERE parent.blueprint_app_id IS NOT NULL"""


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL of agents over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    lost = f"CASE WHEN {{0}}.id IS NULL THEN coalesce({{1}}, '{Reason.INCONSISTENT}') END"
    no_blueprint = f"coalesce(stored.unknown['blueprint_app_id'], {lost.format('blueprint', gap('blueprints'))})"
    no_principal = lost.format("who", gap("principals"))
    owners = sources.sql.size("who.owner_ids")
    columns = {
        "blueprint_name": "blueprint.name AS blueprint_name",
        "blueprint_home": "blueprint.home AS blueprint_home",
        "publisher": "blueprint.publisher AS publisher",
        "enabled": "who.enabled AS enabled",
        "owner_count": f"coalesce({owners}, 0) AS owner_count_min, {owners} AS owner_count_max",
        "inherited": "CASE WHEN {0} IS NULL THEN coalesce(held.inherited, {1}) END AS inherited",
        "inherited_wide": "CASE WHEN {0} IS NULL THEN coalesce(held.inherited_wide, {1}) END AS inherited_wide",
    }
    doubts = {
        **{
            column: f"coalesce({no_blueprint}, blueprint.unknown['{name}'])"
            for column, name in (("blueprint_name", "name"), ("blueprint_home", "home"), ("publisher", "publisher"))
        },
        "enabled": f"coalesce({no_principal}, who.unknown['enabled'])",
        "owner_count": f"coalesce({no_principal}, who.unknown['owner_ids'])",
    }
    for name in ("inherited", "inherited_wide"):
        parent = f"CASE WHEN parent.object_id IS NULL THEN coalesce({gap('principals')}, '{Reason.INCONSISTENT}') END"
        doubts[name] = f"coalesce({parent}, parent.unlisted, {gap('consented')}, held.{name}_doubt)"
        columns[name] = columns[name].format(doubts[name], sources.sql.texts(()))
    lists = {"principals": _PRINCIPALS, "consented": ("delegated_grant.list",), "blueprints": _BLUEPRINTS}
    joins = {
        "blueprint": f"LEFT JOIN {sources['blueprint']} AS blueprint ON blueprint.app_id = stored.blueprint_app_id",
        "who": f"LEFT JOIN {sources['service_principal']} AS who ON {_ID.format('who')} = stored.object_id",
        "parent": f"LEFT JOIN {PARENT} AS parent ON parent.object_id = stored.object_id",
        "held": f"LEFT JOIN ({_inherited_by_agent(sources)}) AS held ON held.given_to = stored.object_id",
        **{
            alias: f"LEFT JOIN ({read_to_the_end(operations)}) AS {alias} ON {alias}.scope_id = stored.scope_id"
            for alias, operations in lists.items()
        },
    }
    return sql.view("agent", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def _inherited_by_agent(sources: Sources) -> str:
    given = f"SELECT * FROM {sources['grant']} WHERE kind = 'app-role' OR on_behalf_of IS NULL OR on_behalf_of = 'everyone'"
    # If it may be for one user only, it is uncertain.
    untold = "CASE WHEN kind = 'delegated' THEN unknown['on_behalf_of'] END"
    ranked = ", ".join(
        quoted(f"{api}/{permission.name}") for api, permissions in PERMISSIONS.items() for permission in permissions
    )
    wide = f"(api_id || '/' || name) IN ({ranked})"
    return f"""
        SELECT given_to, {sources.sql.distinct("name", "reason IS NULL")} AS inherited,
            {sources.sql.distinct("name", "reason IS NULL AND wide")} AS inherited_wide,
            min(reason) AS inherited_doubt, min(reason) FILTER (WHERE wide IS NOT FALSE) AS inherited_wide_doubt
        FROM (
            SELECT *, coalesce(why, {untold}, unknown['name']) AS reason, {wide} AS wide FROM ({inherited(sources, given)})
        ) GROUP BY given_to"""
