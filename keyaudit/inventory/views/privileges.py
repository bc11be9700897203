"""The directory permissions of service principals, and of their applications."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping

from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources, gap, no_rows, read_to_the_end
from keyaudit.inventory.rows import columns_of
from keyaudit.inventory.views import agents
from keyaudit.model.reasons import Reason

_LISTS = {
    # By column: the kind of grants, the selected ones, and the column that decides.
    "app_roles": ("app-role", "true", "name"),
    "tenant_wide_app_roles": ("app-role", "CASE WHEN unknown['tier'] IS NULL THEN tier IS NOT DISTINCT FROM 1 END", "tier"),
    "delegated_for_everyone": ("delegated", "on_behalf_of = 'everyone'", "on_behalf_of"),
    "directory_roles": ("directory-role", "true", "name"),
}
_COUNTS = {"app_role_count": "app-role", "directory_role_count": "directory-role"}
_FLAGS = ("tenant_wide", "tier0")
# A permission without a tier is not tier 0, and a role on a part of the tenant does not control all of it.
CONTROLS = """(kind = 'app-role' OR (kind = 'directory-role' AND scope_kind = 'tenant'))
    AND CASE WHEN unknown['tier'] IS NULL THEN tier IS NOT DISTINCT FROM 0 END"""
"""SQL: whether a grant, a row with these columns, gives control of the whole tenant."""


OF_PRINCIPALS, OF_APPLICATIONS = "granted_principal", "granted_application"
"""The tables of permissions by service principal (object id) and by application (app id in lower case); without permissions
there is no row.
"""

GIVEN = "granted_given"
"""The table of grants by principal, as `_given` describes them; without grants there is none."""
_READ = (
    *("given_to", "kind", "name", "permission", "tier", "on_behalf_of", "scope_kind", "standing", "unknown"),
    *("controls", "why"),
)
"""Its columns."""

UNSEEN = "granted_unseen"
"""The table of one row: why principals may have unknown directory roles through groups (`doubt`), and such that control the
tenant (`tier0_doubt`); and why a service principal may belong to any application (`nameless`).
"""


class Privileges(Struct, frozen=True):
    """The derived columns of one view, the joins that they need, and why each may be unknown."""

    columns: Mapping[str, str]
    joins: Mapping[str, str]
    doubts: Mapping[str, str]


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the tables that `privileges` looks up: those three, and those that they rest on."""
    yield from agents.prepare(sources)
    if no_rows(sources, "grant"):
        yield from (
            f"CREATE TABLE {name} ({columns_of(_nothing_granted(), sources.sql)})" for name in (OF_PRINCIPALS, OF_APPLICATIONS)
        )
    else:
        # Read several times, and narrow: a table costs less than to plan for it each time.
        yield f"CREATE TABLE {GIVEN} AS SELECT {', '.join(_READ)} FROM ({_given(sources)})"
        yield f"CREATE TABLE {OF_PRINCIPALS} AS {_granted(sources.sql, GIVEN, 'given_to')}"
        # Entra does not document that app ids of service principals are unique.
        of_applications = f"""
            SELECT {sources.sql.lower("principal.app_id")} AS of_app_id, given.*
            FROM {sources["service_principal"]} AS principal
            JOIN {GIVEN} AS given ON given_to = split_part(principal.id, '/', -1)"""
        if not agents.none(sources):
            # The credentials of a blueprint are those of its agents.
            of_applications += f" UNION ALL ({agents.opened(sources, GIVEN)})"
        yield f"CREATE TABLE {OF_APPLICATIONS} AS {_granted(sources.sql, f'({of_applications})', 'of_app_id')}"
    yield f"""
        CREATE TABLE {UNSEEN} AS SELECT hidden.*, nameless.doubt AS nameless FROM ({_hidden(sources)}) AS hidden
        CROSS JOIN (SELECT min(unknown['app_id']) AS doubt FROM {sources["service_principal"]}) AS nameless"""


def privileges(
    sql: DuckDB, table: str, match: str, *, unlisted: str, seen: str | None = None, blueprint: str = ""
) -> Privileges:
    """The columns for `stored`, whose key in one of the two tables is `match`.

    `unlisted`: why the app roles of its service principal were not listed; `seen`: whether it has one, None if it is one.
    `blueprint`: whether it is one, in which case it has the permissions of its agents.
    """
    # Without a service principal there are no permissions, but it may be unlisted.
    unseen = ""
    if seen is not None:
        unseen = f"CASE WHEN NOT {seen} THEN coalesce(stored.unknown['app_id'], {gap('principals')}, unseen.nameless) END, "
    if blueprint:
        unseen += f"CASE WHEN {blueprint} THEN {gap('principals')} END, "
    doubts = {
        "app_roles": f"coalesce({unseen}{unlisted}, held.app_roles_doubt)",
        "app_role_count": f"coalesce({unseen}{unlisted}, held.app_role_count_doubt)",
        "tenant_wide_app_roles": f"coalesce({unseen}{unlisted}, held.tenant_wide_app_roles_doubt)",
        "delegated_for_everyone": f"coalesce({unseen}{gap('consented')}, held.delegated_for_everyone_doubt)",
        "directory_roles": f"coalesce({unseen}{gap('assigned')}, held.directory_roles_doubt, unseen.doubt)",
        "directory_role_count": f"coalesce({unseen}{gap('assigned')}, held.directory_role_count_doubt, unseen.doubt)",
        "tenant_wide": f"CASE WHEN held.tenant_wide THEN NULL ELSE coalesce({unseen}{unlisted}, held.tenant_wide_doubt) END",
        "tier0": f"CASE WHEN held.tier0 THEN NULL ELSE coalesce({unseen}{unlisted}, {gap('assigned')}, held.tier0_doubt,"
        " unseen.tier0_doubt) END",
    }
    none = sql.texts(())
    columns = {name: f"CASE WHEN {doubts[name]} IS NULL THEN coalesce(held.{name}, {none}) END AS {name}" for name in _LISTS}
    columns |= {name: f"CASE WHEN {doubts[name]} IS NULL THEN coalesce(held.{name}, false) END AS {name}" for name in _FLAGS}
    for name in _COUNTS:
        count = f"coalesce(held.{name}, 0)"
        columns[name] = f"{count} AS {name}_min, CASE WHEN {doubts[name]} IS NULL THEN {count} END AS {name}_max"
    lists = {
        "principals": "service_principal.list",
        "consented": "delegated_grant.list",
        "assigned": "directory_role.assignments",
    }
    joins = {
        "held": f"LEFT JOIN {table} AS held ON held.holder = {match}",
        "unseen": f"CROSS JOIN {UNSEEN} AS unseen",
        **{
            alias: f"LEFT JOIN ({read_to_the_end((operation,))}) AS {alias} ON {alias}.scope_id = stored.scope_id"
            for alias, operation in lists.items()
        },
    }
    return Privileges(columns, joins, doubts)


def grants(sources: Sources) -> str:
    """The directory grants that are, or may be, active, with `controls`: whether each gives control of the whole tenant, NULL
    if unknown.
    """
    return f"""
        SELECT *, coalesce(name, role_id) AS permission, {CONTROLS} AS controls FROM {sources["grant"]}
        WHERE kind IN ('app-role', 'delegated') OR (kind = 'directory-role' AND standing IS NOT FALSE)"""


def _given(sources: Sources) -> str:
    """Grants by principal, with `why` a grant is uncertain; NULL if it is certain.

    A group's directory role applies to its members, and agents have what their blueprint lets them inherit.
    """
    given = f"""
        SELECT principal_id AS given_to, *, unknown['standing'] AS why FROM ({grants(sources)})
        UNION ALL
        SELECT member_id AS given_to, roles.*, roles.unknown['standing'] FROM ({grants(sources)}) AS roles
        JOIN {sources["membership"]} AS membership ON membership.group_id = roles.principal_id
        WHERE roles.kind = 'directory-role'"""
    return given if agents.none(sources) else f"{given} UNION ALL ({agents.inherited(sources, grants(sources))})"


def _granted(sql: DuckDB, given: str, key: str) -> str:
    """The grants in the relation `given`, summarised by `key`."""
    certain = {name: f"kind = '{kind}' AND {which} AND why IS NULL" for name, (kind, which, _) in _LISTS.items()}
    lists = (
        f"{sql.distinct('permission', certain[name])} AS {name},"
        f" min(coalesce(CASE WHEN {which} THEN why END, unknown['{told}'], unknown['name']))"
        f" FILTER (WHERE kind = '{kind}' AND ({which}) IS NOT FALSE) AS {name}_doubt"
        for name, (kind, which, told) in _LISTS.items()
    )
    counts = (
        f"count(*) FILTER (WHERE kind = '{kind}' AND why IS NULL) AS {name},"
        f" min(why) FILTER (WHERE kind = '{kind}') AS {name}_doubt"
        for name, kind in _COUNTS.items()
    )
    return f"""
        SELECT {key} AS holder, {", ".join(lists)}, {", ".join(counts)},
            bool_or(kind = 'app-role' AND tier = 1 AND why IS NULL) AS tenant_wide,
            min(CASE WHEN tier = 1 THEN why ELSE unknown['tier'] END)
                FILTER (WHERE kind = 'app-role' AND (tier IS NULL OR tier = 1)) AS tenant_wide_doubt,
            bool_or(controls AND why IS NULL) AS tier0,
            min(CASE WHEN controls THEN why ELSE coalesce(unknown['tier'], unknown['scope_kind']) END)
                FILTER (WHERE controls IS NOT FALSE) AS tier0_doubt
        FROM {given} WHERE {key} IS NOT NULL GROUP BY {key}"""


def _nothing_granted() -> dict[str, str]:
    """The columns of `_granted` with their SQL types."""
    types = {"holder": "VARCHAR", **dict.fromkeys(_LISTS, "VARCHAR[]"), **dict.fromkeys(_COUNTS, "BIGINT")}
    return types | dict.fromkeys(_FLAGS, "BOOLEAN") | {f"{name}_doubt": "VARCHAR" for name in (*_LISTS, *_FLAGS, *_COUNTS)}


def _hidden(sources: Sources) -> str:
    """Why a principal may have a directory role through a group that is not known as one, or with unknown members."""
    return f"""
        SELECT min(doubt) AS doubt, min(doubt) FILTER (WHERE controls IS NOT FALSE) AS tier0_doubt FROM (
            SELECT controls, CASE WHEN named.id IS NULL THEN coalesce({gap("looked")}, '{Reason.INTERRUPTED}')
                ELSE coalesce(named.unknown['kind'], named.unknown['members_listed']) END AS doubt
            FROM ({grants(sources)}) AS roles
            LEFT JOIN {sources["principal"]} AS named ON named.object_id = roles.principal_id
            LEFT JOIN ({read_to_the_end(("principal.lookup",))}) AS looked ON looked.scope_id = roles.scope_id
            WHERE roles.kind = 'directory-role')"""
