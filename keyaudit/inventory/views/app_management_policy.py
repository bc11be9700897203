"""The view of app management policies."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.model.reasons import Reason

_UNKNOWN = "stored.unknown"
_BLOCKED = f"coalesce({_UNKNOWN}['password_blocked'], {_UNKNOWN}['password_blocked_from'])"
_LIFETIME = f"coalesce({_UNKNOWN}['password_lifetime'], {_UNKNOWN}['password_lifetime_from'])"


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # If secrets are blocked for all objects, their lifetime does not matter.
    old_blocked = "stored.password_blocked AND stored.password_blocked_from IS NULL"
    old_doubt = f"CASE WHEN {_BLOCKED} IS NULL AND {old_blocked} THEN NULL ELSE coalesce({_BLOCKED}, {_LIFETIME}) END"
    new_doubt = (
        f"CASE WHEN stored.password_blocked THEN NULL"
        f" ELSE coalesce({_UNKNOWN}['password_blocked'], {_UNKNOWN}['password_lifetime']) END"
    )
    return f"""
        SELECT {stored("app_management_policy", "stored")},
            CASE WHEN {old_doubt} IS NOT NULL THEN NULL WHEN {old_blocked} THEN 0
                WHEN stored.password_lifetime_from IS NULL THEN stored.password_lifetime END AS secret_limit,
            CASE WHEN {new_doubt} IS NOT NULL THEN NULL WHEN stored.password_blocked THEN 0
                ELSE stored.password_lifetime END AS new_secret_limit,
            {extended(sources.sql, {"secret_limit": old_doubt, "new_secret_limit": new_doubt})}
        FROM {sources["app_management_policy"]} AS stored"""


class InForce(Struct, frozen=True):
    """The policy in force for a credential: the limit, why it may be unknown, and the joins that both need."""

    limit: str
    doubt: str
    joins: Mapping[str, str]


# By kind of credential, the columns that say whether it can be added, and its maximum lifetime.
_RULES = {
    "password": ("password_blocked", "password_lifetime"),
    "symmetric-key": ("symmetric_key_blocked", "symmetric_key_lifetime"),
    "certificate": (None, "certificate_lifetime"),
}


def in_force(sources: Sources, made: str, made_doubt: str) -> InForce:
    """For `stored`, a credential whose holder was created at `made`; `made_doubt`: why that is unknown."""

    def holds(name: str) -> tuple[str, str]:
        """SQL: whether an enabled restriction applies to this holder, and why that is unknown."""
        since = f"rule.{name}_from"
        undated = f"CASE WHEN {since} IS NOT NULL AND {made} IS NULL THEN coalesce({made_doubt}, '{Reason.NOT_VISIBLE}') END"
        return f"({since} IS NULL OR {made} >= {since})", f"coalesce(rule.{name}_from_doubt, {undated})"

    (blocks, blocks_doubt), (limits, limits_doubt) = holds("blocked"), holds("lifetime")
    # The first of two restrictions decides if it certainly applies.
    blocked_doubt = f"coalesce(rule.blocked_doubt, CASE WHEN rule.blocked THEN {blocks_doubt} END)"
    lifetime_doubt = f"coalesce(rule.lifetime_doubt, CASE WHEN rule.lifetime IS NOT NULL THEN {limits_doubt} END)"
    blocked = f"({blocked_doubt} IS NULL AND rule.blocked AND {blocks})"
    unassigned = f"CASE WHEN assigned.object_id IS NULL THEN coalesce({gap('customs')}, unsure.doubt, {gap('defaults')}) END"
    doubt = f"""CASE WHEN stored.kind = 'federated' THEN NULL ELSE coalesce(stored.unknown['kind'], {unassigned},
        CASE WHEN rule.kind IS NULL OR {blocked} THEN NULL ELSE coalesce({blocked_doubt}, {lifetime_doubt}) END) END"""
    policies = sources["app_management_policy"]
    joins = {
        "assigned": f"""
        LEFT JOIN (SELECT DISTINCT {sources.sql.lower("object_id")} AS object_id
            FROM (SELECT {sources.sql.each("assigned_to")} AS object_id FROM {policies})) AS assigned
            ON assigned.object_id = split_part(stored.holder_id, '/', -1)""",
        "rule": f"""
        LEFT JOIN ({_rules(sources.sql, policies)}) AS rule ON rule.kind = stored.kind AND rule.whose = CASE
            WHEN assigned.object_id IS NOT NULL THEN assigned.object_id
            WHEN stored.holder_kind = 'application' THEN 'applications'
            WHEN stored.holder_kind = 'service_principal' THEN 'service-principals' END""",
        "unsure": f"CROSS JOIN (SELECT min(unknown['assigned_to']) AS doubt FROM {policies}) AS unsure",
        "customs": f"""
        LEFT JOIN ({read_to_the_end(("app_management.list",))}) AS customs ON customs.scope_id = stored.scope_id""",
        "defaults": f"""
        LEFT JOIN ({read_to_the_end(("app_management.default",))}) AS defaults ON defaults.scope_id = stored.scope_id""",
    }
    limit = f"""CASE WHEN {doubt} IS NOT NULL THEN NULL WHEN {blocked} THEN 0 WHEN {limits} THEN rule.lifetime END"""
    return InForce(limit, doubt, joins)


def _rules(sql: DuckDB, policies: str) -> str:
    """A row per kind of credential and target of a rule: an object by id, or all objects of a kind without a rule."""
    return " UNION ALL ".join(
        f"""
        SELECT {quoted(kind)} AS kind, {sql.lower("whose")} AS whose, {_rule("blocked", blocked)}, {_rule("lifetime", lifetime)}
        FROM (SELECT *, {sql.each(f"coalesce(assigned_to, {sql.items('applies_to')})")} AS whose FROM {policies})"""
        for kind, (blocked, lifetime) in _RULES.items()
    )


def _rule(name: str, column: str | None) -> str:
    if column is None:
        nulls = {f"{name}_doubt": "STRING", f"{name}_from": "BIGINT", f"{name}_from_doubt": "STRING"}
        return ", ".join((f"false AS {name}", *(f"CAST(NULL AS {type_}) AS {null}" for null, type_ in nulls.items())))
    told = ((column, name), (f"{column}_from", f"{name}_from"))
    return ", ".join(f"{each} AS {as_}, unknown['{each}'] AS {as_}_doubt" for each, as_ in told)
