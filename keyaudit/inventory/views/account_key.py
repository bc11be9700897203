"""The view of other services' keys."""

from keyaudit.inventory.facts.fact import Doubt, Fact
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views.environment import BY_SUBSCRIPTION, DOUBT, tagged


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows = Rows(sources, "account_key")
    found = BY_SUBSCRIPTION.format(rows.alias)
    by_rule = Fact(found, Doubt((f"CASE WHEN {found} IS NULL THEN {DOUBT.format(rows.alias)} END",)), absent=True)
    return view_of("account_key", sources, {"environment": tagged(rows).or_else(by_rule)}, EVERY)
