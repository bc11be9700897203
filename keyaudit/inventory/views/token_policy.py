"""The view of token policies."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, stored


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    minutes = sources.sql.quotient("(stored.access_token_lifetime + 59)", 60)
    return f"""
        SELECT {stored("token_policy", "stored")}, {minutes} AS access_token_minutes,
            {extended(sources.sql, {"access_token_minutes": "stored.unknown['access_token_lifetime']"})}
        FROM {sources["token_policy"]} AS stored"""
