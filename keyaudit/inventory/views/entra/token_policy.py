"""The view of token policies."""

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    lifetime = Rows(sources, "token_policy")["access_token_lifetime"]
    minutes = lifetime.map(lambda seconds: sources.sql.quotient(f"({seconds} + 59)", 60))
    return {"access_token_minutes": minutes}
