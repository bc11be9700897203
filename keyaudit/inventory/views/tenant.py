"""The view of the tenant."""

from collections.abc import Mapping

from keyaudit.inventory.facts.fact import Derived, known
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views import log_sink

# Entra's logs go to the workspace whose rules watch applications and domains. Other settings that were not read may name one
# more workspace with rules: then a change counts as not watched.
_RULES_LISTED = ("subscription.list", "alert_rule.query", "entra_log.list", "sentinel_rule.list")


def view(sources: Sources, more: Mapping[str, Derived]) -> str:
    """SQL over `sources`: the stored columns, the derived ones with `more`, and the reasons of what is unknown."""
    rows, alerts = Rows(sources, "tenant"), Rows(sources, "alert_rule", "alert")
    unruled = unread("ruled", _RULES_LISTED, scope="stored.id")
    every = known("every one")
    rules = groups(alerts, "alerts", by=every, key=every, missing=unruled)
    heard = alerts.flag("enabled") & alerts.flag("notifies")
    domains = rows["federated_domains"].map(sources.sql.size)
    facts: dict[str, Derived] = {
        **more,
        "entra_log_categories": log_sink.categories(rows, "entra", unread("exported", ("entra_log.list",), scope="stored.id")),
        "key_alerts": rules.count_of("watching", heard & alerts["watches"].has("key-vault")),
        "alerts_watch": rules.items_of("watched", alerts["watches"], heard, in_list=True),
        "signs_in_elsewhere": domains.told(lambda number: f"{number} > 0"),
    }
    return view_of("tenant", sources, facts, EVERY)
