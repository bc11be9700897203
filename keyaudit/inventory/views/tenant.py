"""The view of the tenant."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views import log_sink
from keyaudit.model.tables import TABLES


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    heard = "(enabled AND notifies)"
    doubt = "coalesce(unknown['watches'], unknown['enabled'], unknown['notifies'])"
    alerts = f"""
        SELECT count(*) FILTER (WHERE watching) AS certain, count(*) FILTER (WHERE watching IS NOT FALSE) AS possible,
            min({doubt}) FILTER (WHERE watching IS NULL) AS doubt,
            {sources.sql.distinct_items("watches", "heard")} AS watched,
            min({doubt}) FILTER (WHERE heard IS NOT FALSE AND (heard IS NULL OR watches IS NULL)) AS watched_doubt
        FROM (SELECT *, {heard} AS heard, {heard} AND array_contains(watches, 'key-vault') AS watching
            FROM {sources["alert_rule"]})"""
    categories = f"coalesce({gap('exported')}, named.doubt)"
    unlisted = gap("ruled")
    watched = f"coalesce({unlisted}, alerts.watched_doubt)"
    elsewhere = "stored.unknown['federated_domains']"
    return f"""
        SELECT {stored("tenant", "stored")},
            CASE WHEN {categories} IS NULL THEN coalesce(named.names, {sources.sql.texts(())}) END AS entra_log_categories,
            alerts.certain AS key_alerts_min, CASE WHEN {unlisted} IS NULL THEN alerts.possible END AS key_alerts_max,
            CASE WHEN {watched} IS NULL THEN coalesce(alerts.watched, {sources.sql.texts(())}) END AS alerts_watch,
            {sources.sql.size("stored.federated_domains")} > 0 AS signs_in_elsewhere,
            {
        extended(
            sources.sql,
            {
                "entra_log_categories": categories,
                "key_alerts": f"coalesce({unlisted}, alerts.doubt)",
                "alerts_watch": watched,
                "signs_in_elsewhere": elsewhere,
            },
        )
    }
        FROM {sources["tenant"]} AS stored
        LEFT JOIN ({log_sink.categories(sources, "entra")}) AS named ON named.logged_id = stored.id
        CROSS JOIN ({alerts}) AS alerts
        LEFT JOIN ({read_to_the_end(("entra_log.list",))}) AS exported ON exported.scope_id = stored.id
        LEFT JOIN ({read_to_the_end(TABLES["alert_rule"].listed_by)}) AS ruled ON ruled.scope_id = stored.id"""
