"""The view of other services' keys."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources, extended, stored, tag


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    return f"""
        SELECT {stored("account_key", "stored")}, {tag("stored")} AS environment,
            {extended({"environment": "stored.unknown['tags']"})}
        FROM {sources["account_key"]} AS stored"""
