"""The view of subscriptions."""

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.relation import Rows, because, single_row, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views import log_sink
from keyaudit.model.reasons import Reason


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "subscription")
    unlisted = unread("listed", ("activity_log.list",), scope="stored.id")
    audited = log_sink.audited(rows, unlisted, "activity-log")
    # Its answer is a row, so that without one it was not asked.
    unasked = unread("planned", ("defender.plan",), scope="stored.id") | because(Reason.INTERRUPTED)
    plans = Rows(sources, "defender_plan", "plan")
    plan = single_row(plans, by=plans["scope_id"], key=rows["id"], missing=unasked)
    return {
        "activity_log_exported": audited["logged"],
        "activity_log_categories": log_sink.categories(rows, "activity-log", unlisted),
        "activity_log_searchable": audited["searchable"],
        "defender_for_key_vault": plan["enabled"],
    }
