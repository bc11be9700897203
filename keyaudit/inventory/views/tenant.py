"""The view of the tenant."""

from keyaudit.inventory.facts.fact import Derived, known
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views import log_sink

# Entra's logs go to the workspace whose rules watch applications and domains. Other settings that were not read may name one
# more workspace with rules: then a change counts as not watched.
_RULES_LISTED = ("subscription.list", "alert_rule.query", "entra_log.list", "sentinel_rule.list")


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, alerts = Rows(sources, "tenant"), Rows(sources, "alert_rule", "alert")
    unruled = unread("ruled", _RULES_LISTED, scope="stored.id")
    every = known("every one")
    rules = groups(alerts, "alerts", by=every, key=every, missing=unruled)
    heard = alerts.flag("enabled") & alerts.flag("notifies")
    domains = rows["federated_domains"].map(sources.sql.size)
    return {
        "entra_log_categories": log_sink.categories(rows, "entra", unread("exported", ("entra_log.list",), scope="stored.id")),
        "key_alerts": rules.count_of("watching", heard & alerts["watches"].has("key-vault")),
        "alerts_watch": rules.items_of("watched", alerts["watches"], heard, in_list=True),
        "signs_in_elsewhere": domains.satisfies(lambda number: f"{number} > 0"),
    }
