"""The view of subscriptions."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views import log_sink
from keyaudit.model.reasons import Reason


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    unlisted = gap("listed")
    exported = f"CASE WHEN sinks.logged THEN NULL ELSE coalesce({unlisted}, sinks.logged_doubt) END"
    searchable = f"CASE WHEN sinks.searchable THEN NULL ELSE coalesce({unlisted}, sinks.searchable_doubt) END"
    categories = f"coalesce({unlisted}, named.doubt)"
    unasked = f"coalesce({gap('planned')}, '{Reason.INTERRUPTED}')"
    defender = f"CASE WHEN plan.id IS NULL THEN {unasked} ELSE plan.unknown['enabled'] END"
    return f"""
        SELECT {stored("subscription", "stored")},
            CASE WHEN {exported} IS NULL THEN coalesce(sinks.logged, false) END AS activity_log_exported,
            CASE WHEN {categories} IS NULL THEN coalesce(named.names, {sources.sql.texts(())}) END AS activity_log_categories,
            CASE WHEN {searchable} IS NULL THEN coalesce(sinks.searchable, false) END AS activity_log_searchable,
            plan.enabled AS defender_for_key_vault,
            {
        extended(
            sources.sql,
            {
                "activity_log_exported": exported,
                "activity_log_categories": categories,
                "activity_log_searchable": searchable,
                "defender_for_key_vault": defender,
            },
        )
    }
        FROM {sources["subscription"]} AS stored
        LEFT JOIN ({log_sink.audited(sources, "activity-log")}) AS sinks ON sinks.logged_id = stored.id
        LEFT JOIN ({log_sink.categories(sources, "activity-log")}) AS named ON named.logged_id = stored.id
        LEFT JOIN {sources["defender_plan"]} AS plan ON plan.scope_id = stored.id
        LEFT JOIN ({read_to_the_end(("defender.plan",))}) AS planned ON planned.scope_id = stored.id
        LEFT JOIN ({read_to_the_end(("activity_log.list",))}) AS listed ON listed.scope_id = stored.id"""
