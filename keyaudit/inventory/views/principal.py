"""The view of principals, with their environment."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views.service_principal import environments
from keyaudit.model.reasons import Reason


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    return f"""
        SELECT {stored("principal", "stored")}, home.environment,
            {extended(sources.sql, {"environment": home_doubt("stored.kind", gap("listed"))})}
        FROM {sources["principal"]} AS stored
        LEFT JOIN ({environments(sources)}) AS home ON home.object_id = stored.object_id
        LEFT JOIN ({read_to_the_end(("service_principal.list",))}) AS listed ON listed.scope_id = stored.scope_id"""


def home_doubt(kind: str, unlisted: str, doubt: str = "doubt") -> str:
    """SQL: why the environment of a principal of that kind is unknown; `home` is its row of `environments`, if any.

    Only service principals have one. `unlisted`: why service principals may be missing; `doubt`: the column of `home` with the
    reason, which differs for subscription and environment.
    """
    return f"""CASE WHEN home.object_id IS NOT NULL THEN home.{doubt}
        WHEN {kind} IN ('service-principal', 'managed-identity') THEN coalesce({unlisted}, '{Reason.NOT_VISIBLE}')
        WHEN {kind} IS NULL THEN {unlisted} END"""
