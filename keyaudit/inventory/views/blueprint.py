"""The view of blueprints of agent identities: what their credentials open, and who can add some."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views import agents
from keyaudit.inventory.views.privileges import OF_APPLICATIONS, privileges
from keyaudit.model.tables import TABLES
from keyaudit.model.tiers import ADDS_AGENT_CREDENTIALS, GRAPH

_AGENTS = TABLES["agent"].listed_by
_NAMES = ", ".join(quoted(role.name) for role in ADDS_AGENT_CREDENTIALS if not role.id)


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    granted = privileges(
        sources.sql,
        OF_APPLICATIONS,
        "stored.app_id",
        unlisted="principal.unlisted, opened.unlisted",
        seen="(stored.principal_id IS NOT NULL)",
        blueprint="true",
    )
    counted = f"SELECT blueprint_app_id, count(*) AS agents FROM {sources['agent']} GROUP BY blueprint_app_id"
    nameless = f"SELECT min(unknown['blueprint_app_id']) AS doubt FROM {sources['agent']}"
    agents_doubt = f"coalesce(stored.unknown['app_id'], {gap('listed')}, nameless.doubt)"
    unread = f"coalesce({gap('assigned')}, {gap('granted')}, admins.doubt)"
    foreign = "CASE WHEN stored.home IS NULL THEN stored.unknown['home'] END"
    doubts = {
        "agents": agents_doubt,
        "tier0": granted.doubts["tier0"],
        "tenant_wide": granted.doubts["tenant_wide"],
        "credential_admins": f"CASE WHEN stored.home <> 'own' THEN NULL ELSE coalesce({foreign}, {unread}) END",
    }
    columns = {
        "agents": f"""coalesce(counted.agents, 0) AS agents_min,
            CASE WHEN {agents_doubt} IS NULL THEN coalesce(counted.agents, 0) END AS agents_max""",
        "tier0": granted.columns["tier0"],
        "tenant_wide": granted.columns["tenant_wide"],
        "credential_admins": f"""CASE WHEN stored.home = 'own' AND {unread} IS NULL
            THEN coalesce(admins.names, {sources.sql.texts(())}) END AS credential_admins""",
    }
    theirs = f"""
        SELECT split_part(id, '/', -1) AS object_id, unknown['app_roles_listed'] AS unlisted
        FROM {sources["service_principal"]}"""
    opened = f"SELECT app_id, min(unlisted) AS unlisted FROM ({agents.unlisted(sources)}) GROUP BY app_id"
    lists = {
        "listed": _AGENTS,
        "granted": ("service_principal.app_roles", "service_principal.app_roles_of"),
    }
    joins = {
        "counted": f"LEFT JOIN ({counted}) AS counted ON counted.blueprint_app_id = stored.app_id",
        "nameless": f"CROSS JOIN ({nameless}) AS nameless",
        "principal": f"LEFT JOIN ({theirs}) AS principal ON principal.object_id = stored.principal_id",
        "opened": f"LEFT JOIN ({opened}) AS opened ON opened.app_id = stored.app_id",
        "admins": f"LEFT JOIN ({_admins(sources)}) AS admins ON admins.id = stored.id",
        **{
            alias: f"LEFT JOIN ({read_to_the_end(operations)}) AS {alias} ON {alias}.scope_id = stored.scope_id"
            for alias, operations in lists.items()
        },
        **granted.joins,
    }
    return sql.view("blueprint", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def _admins(sources: Sources) -> str:
    """By blueprint, the names of who may add a credential to it now, and why there may be others.

    A role may be given over the one application alone. Whom a list does not name is called by the object id.
    """
    given = f"""
        SELECT principal_id, scope, scope_kind, CASE kind
                WHEN 'directory-role' THEN agent_credentials
                ELSE api_id = {quoted(GRAPH)} AND name IN ({_NAMES}) END AS adds,
            coalesce(unknown['agent_credentials'], unknown['name'], unknown['api_id'], unknown['scope_kind'],
                unknown['scope']) AS doubt
        FROM {sources["grant"]} WHERE kind = 'app-role' OR (kind = 'directory-role' AND standing)"""
    ways = f"""
        SELECT blueprint.id, given.principal_id, given.doubt, given.adds AND (given.scope_kind IN ('tenant', 'api')
            OR given.scope = replace(blueprint.id, '/applications/', '/directoryobjects/')) AS able
        FROM ({given}) AS given CROSS JOIN {sources["blueprint"]} AS blueprint"""
    who = f"""
        SELECT object_id, min(name) AS name FROM (
            SELECT object_id, name FROM {sources["principal"]}
            UNION ALL SELECT split_part(id, '/', -1), name FROM {sources["service_principal"]}
        ) GROUP BY object_id"""
    names = sources.sql.distinct("coalesce(who.name, ways.principal_id)", "able")
    return f"""
        SELECT ways.id, {names} AS names,
            min(ways.doubt) FILTER (WHERE able IS NULL) AS doubt
        FROM ({ways}) AS ways LEFT JOIN ({who}) AS who ON who.object_id = ways.principal_id
        WHERE able IS NOT FALSE GROUP BY ways.id"""
