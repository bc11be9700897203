"""The view of other services' keys."""

from keyaudit.inventory.facts.fact import Derived, Doubt, Fact
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.environment import BY_SUBSCRIPTION, DOUBT, in_test, tagged


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "account_key")
    found = BY_SUBSCRIPTION.format(rows.alias)
    by_rule = Fact(found, Doubt((f"CASE WHEN {found} IS NULL THEN {DOUBT.format(rows.alias)} END",)), absent=True)
    return {"environment": tagged(rows).or_else(by_rule), "in_test": in_test(rows, BY_SUBSCRIPTION)}
