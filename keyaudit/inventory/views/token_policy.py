"""The view of token policies."""

from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view as view_of


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    lifetime = Rows(sources, "token_policy")["access_token_lifetime"]
    minutes = lifetime.map(lambda seconds: sources.sql.quotient(f"({seconds} + 59)", 60))
    return view_of("token_policy", sources, {"access_token_minutes": minutes}, EVERY)
