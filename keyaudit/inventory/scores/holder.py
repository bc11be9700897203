"""The rungs of a credential's holder: anyone who has the credential has the holder's permissions."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.scores.ladder import Facts, Rung, every, more_than
from keyaudit.model.reasons import Reason
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES

_ROLES = ("role_assignment.query", "role_definition.query", "subscription.list")

_RIGHTS = ("tier0", "tenant_wide_app_roles", "app_role_count", "directory_role_count")
_IDENTITY = ", ".join(bound for name in _RIGHTS for bound in view_name(TABLES["application"].by_name[name]))


def _holders(sql: DuckDB) -> str:
    app_id = sql.lower("app_id")
    return f"""
    SELECT id, {app_id} AS app_id, {_IDENTITY}, audience <> 'AzureADMyOrg' AS accepts_others, unknown FROM application
    UNION ALL
    SELECT id, {app_id}, {_IDENTITY}, FALSE, unknown FROM service_principal"""


# A group's role applies to its members. Its reach is the value of a factor; 1: no role that matters for keys.
def _given(sql: DuckDB) -> str:
    return f"""
    SELECT principal_id AS who, scope_kind, allows, unknown FROM {sql.name("grant")}
    WHERE kind IN ('azure-role', 'access-policy', 'hsm-role') AND standing"""


# The credentials of a blueprint are those of its agents.
def _acts_as(sql: DuckDB) -> str:
    return f"""
    SELECT {sql.lower("app_id")} AS app_id, split_part(id, '/', -1) AS object_id FROM service_principal
    UNION ALL SELECT blueprint_app_id, object_id FROM agent"""


def _azure(sql: DuckDB) -> str:
    return f"""
    SELECT app_id, max(CASE WHEN {sql.size("allows")} = 0 THEN 1 WHEN scope_kind IN ('root', 'management-group') THEN 4
        WHEN scope_kind = 'subscription' THEN 3 ELSE 2 END) AS width
    FROM ({_acts_as(sql)}) JOIN (
        SELECT * FROM ({_given(sql)})
        UNION ALL
        SELECT member_id, scope_kind, allows, given.unknown FROM ({_given(sql)}) AS given
        JOIN membership ON membership.group_id = given.who
    ) AS given ON given.who = object_id
    WHERE allows IS NOT NULL AND scope_kind IS NOT NULL GROUP BY ALL"""


def _azure_doubt(sql: DuckDB) -> str:
    return f"""
    SELECT coalesce(
        (SELECT min(reason) FROM coverage WHERE operation IN {_ROLES} AND state <> 'assessed'),
        (SELECT min(coalesce(unknown['allows'], unknown['scope_kind'])) FROM ({_given(sql)})
            WHERE allows IS NULL OR scope_kind IS NULL),
        (SELECT min(principal.unknown['members_listed']) FROM principal JOIN ({_given(sql)}) AS given
            ON given.who = principal.object_id)
    ) AS doubt"""


_OWN = {"fact_tier0": "tier0", "fact_tenant_wide_roles": "tenant_wide_app_roles", "fact_accepts_others": "audience"}
_COUNTED = {"fact_app_roles": "app_role_count", "fact_directory_roles": "directory_role_count"}
_DISPUTED = {
    **{
        fact: f"CASE WHEN holder.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE holder.unknown['{column}'] END"
        for fact, column in (_OWN | _COUNTED).items()
    },
    "fact_azure_roles": "doubtful.doubt",
}
_COUNTS = ", ".join(f"holder.{column}_{end} AS {fact}_{end}" for fact, column in _COUNTED.items() for end in ("min", "max"))


def _of_holder(sql: DuckDB) -> str:
    roles = "holder.tenant_wide_app_roles"
    return f"""
    SELECT judged.*, holder.tier0 AS fact_tier0, {sql.size(roles)} > 0 AS fact_tenant_wide_roles,
        nullif({sql.joined(roles, ", ")}, '') AS fact_roles, holder.accepts_others AS fact_accepts_others,
        {_COUNTS}, coalesce(azure.width, 1) AS fact_azure_roles_min,
        CASE WHEN doubtful.doubt IS NULL THEN coalesce(azure.width, 1) END AS fact_azure_roles_max,
        {sql.present(_DISPUTED)} AS fact_unknown
    FROM judged LEFT JOIN ({_holders(sql)}) AS holder ON holder.id = judged.holder_id
    LEFT JOIN ({_azure(sql)}) AS azure ON azure.app_id = {sql.lower("judged.app_id")}
    CROSS JOIN ({_azure_doubt(sql)}) AS doubtful"""


OF_HOLDER = Facts(
    _of_holder,
    {
        **dict.fromkeys(("application", "service_principal"), frozenset(_RIGHTS)),
        **dict.fromkeys(("agent", "grant", "membership", "principal"), frozenset[str]()),
    },
)
"""The facts of the holder of a credential."""


def rungs(alive: str, *reads: str) -> tuple[Rung, ...]:
    """The rungs from 5 to 2, for a credential that is `alive`, SQL that depends on the columns `reads`."""
    found = (
        (5, "fact_tier0", "its holder has a role that leads to control of the tenant", "fact_tier0"),
        # Not all permissions of Microsoft's own applications are visible to the tenant.
        (5, "CASE WHEN holder_home <> 'microsoft' THEN FALSE END", "", "rights_of_holder"),
        (5, "fact_accepts_others", "its application accepts accounts of other tenants", "fact_accepts_others"),
        (4, "fact_tenant_wide_roles", "its holder has {fact_roles} over the whole tenant", "fact_tenant_wide_roles"),
        (4, more_than("fact_directory_roles", 0), "its holder has a directory role", "fact_directory_roles"),
        (4, more_than("fact_azure_roles", 3), "its holder reaches vaults of several subscriptions", "fact_azure_roles"),
        (3, more_than("fact_azure_roles", 2), "its holder reaches the vaults of a subscription", "fact_azure_roles"),
        (3, more_than("fact_app_roles", 0), "its holder has an app role", "fact_app_roles"),
        (2, more_than("fact_azure_roles", 1), "its holder reaches a vault or resource group", "fact_azure_roles"),
    )
    return tuple(Rung(value, every(alive, holds), because, (*reads, fact)) for value, holds, because, fact in found)
