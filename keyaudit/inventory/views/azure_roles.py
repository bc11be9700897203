"""Azure roles of service principals at subscription scope or above that allow them to grant themselves access to keys."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows

_GRANTING = f"(array_contains(allows, '{Allows.GRANT}') OR array_contains(allows, '{Allows.SET_POLICY}'))"
# Assignments were not read for a subscription that was not listed.
_LISTED = ("subscription.list", "role_assignment.query")
_DOUBT = f"coalesce({gap('queried')}, wide.doubt, through.doubt)"

DOUBTS = {"wide_azure_roles": _DOUBT}


def columns(sql: DuckDB) -> dict[str, str]:
    """The column over `stored`, the service principals, and the relations of `joins`."""
    roles = f"coalesce(wide.roles, {sql.texts(())})"
    return {"wide_azure_roles": f"CASE WHEN {_DOUBT} IS NULL THEN {roles} END AS wide_azure_roles"}


def joins(sources: Sources) -> dict[str, str]:
    """The relations that the column depends on, to be joined to `stored`, the service principals."""
    # A role with unknown permissions may allow granting access.
    granting = f"""
        SELECT principal_id, unknown['principal_id'] AS unnamed, coalesce(name, role_id) AS role, scope_id,
            CASE WHEN {_GRANTING} THEN unknown['name'] ELSE unknown['allows'] END AS doubt
        FROM {sources["grant"]}
        WHERE kind = 'azure-role' AND standing IS NOT FALSE AND {_GRANTING} IS NOT FALSE
            AND scope_kind IN ('root', 'management-group', 'subscription')"""
    return {
        "wide": f"""
        LEFT JOIN (
            SELECT holder, {sources.sql.distinct("role")} AS roles, min(doubt) AS doubt FROM (
                SELECT principal_id AS holder, role, doubt FROM ({granting})
                UNION ALL
                SELECT membership.member_id, role, doubt FROM ({granting}) AS given
                JOIN {sources["membership"]} AS membership ON membership.group_id = given.principal_id
            ) GROUP BY holder
        ) AS wide ON wide.holder = split_part(stored.id, '/', -1)""",
        "through": f"""
        CROSS JOIN (
            SELECT min(CASE WHEN named.id IS NULL THEN coalesce(given.unnamed, {gap("looked")}, '{Reason.INTERRUPTED}')
                ELSE coalesce(named.unknown['kind'], named.unknown['members_listed']) END) AS doubt
            FROM ({granting}) AS given
            LEFT JOIN {sources["principal"]} AS named ON named.object_id = given.principal_id
            LEFT JOIN ({read_to_the_end(("principal.lookup",))}) AS looked ON looked.scope_id = given.scope_id
        ) AS through""",
        "queried": f"""
        LEFT JOIN ({read_to_the_end(_LISTED)}) AS queried ON queried.scope_id = stored.scope_id""",
    }
