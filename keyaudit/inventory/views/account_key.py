"""The view of other services' keys."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.environment import BY_SUBSCRIPTION, DOUBT
from keyaudit.inventory.views.sql import Sources, extended, stored, tag


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    found = f"coalesce({tag(sources.sql, 'stored')}, {BY_SUBSCRIPTION.format('stored')})"
    doubt = f"coalesce(stored.unknown['tags'], CASE WHEN {found} IS NULL THEN {DOUBT.format('stored')} END)"
    return f"""
        SELECT {stored("account_key", "stored")},
            CASE WHEN stored.unknown['tags'] IS NULL THEN {found} END AS environment,
            {extended(sources.sql, {"environment": doubt})}
        FROM {sources["account_key"]} AS stored"""
