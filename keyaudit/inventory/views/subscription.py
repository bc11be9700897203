"""The view of subscriptions."""

from keyaudit.inventory.facts.fact import Doubt, Fact
from keyaudit.inventory.facts.relation import Rows, because, by_hand, one, unread
from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views import log_sink
from keyaudit.model.reasons import Reason


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows = Rows(sources, "subscription")
    unlisted = unread("listed", ("activity_log.list",), scope="stored.id")
    sinks = by_hand("sinks", f"LEFT JOIN ({log_sink.audited(sources, 'activity-log')}) AS sinks ON sinks.logged_id = stored.id")

    def found(name: str) -> Fact:
        doubt = unlisted | Doubt((f"sinks.{name}_doubt",), sinks)
        value = f"CASE WHEN sinks.{name} THEN true WHEN {doubt.sql} IS NULL THEN false END"
        return Fact(value, doubt, exact=False, reads=sinks | doubt.reads)

    # Its answer is a row, so that without one it was not asked.
    unasked = unread("planned", ("defender.plan",), scope="stored.id") | because(Reason.INTERRUPTED)
    plan = one(Rows(sources, "defender_plan", "plan"), column="scope_id", key=rows["id"], missing=unasked)
    facts = {
        "activity_log_exported": found("logged"),
        "activity_log_categories": log_sink.categories(rows, "activity-log", unlisted),
        "activity_log_searchable": found("searchable"),
        "defender_for_key_vault": plan["enabled"],
    }
    return view_of("subscription", sources, facts, EVERY)
