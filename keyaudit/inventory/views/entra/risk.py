"""The views of risky workload identities and of risk detections."""

from keyaudit.inventory.facts.fact import Derived, Doubt, Fact, Items, known
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.privileges import applications
from keyaudit.model.reasons import Reason
from keyaudit.model.surfaces.entra.risk import LIVE_KEYS_OF


def principals(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, granted = Rows(sources, "risky_principal"), applications(sources)
    app_id = rows["app_id"].map(sources.sql.lower)
    holder = one(granted, key=app_id, by=granted["app_id"], missing=because(Reason.NOT_VISIBLE))
    return {name: holder.flag(name) for name in ("tier0", "tenant_wide")}


def detections(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The same of risk detections."""
    rows = Rows(sources, "risk_detection")
    return {"live_keys": _live(rows, as_of)}


def _live(rows: Rows, as_of: int) -> Items:
    """The key ids that are those of credentials in force: one of them is known to be from its credential alone."""
    sql, every = rows.sources.sql, known("every one")
    credential = Rows(rows.sources, "credential", "credential")
    unlisted = unread("holders", LIVE_KEYS_OF, scope=f"{rows.alias}.scope_id")
    live = credential["expires_on"].told(lambda end: f"{end} > {as_of}", absent=True)
    of = groups(credential, "credentials", by=every, key=every, missing=unlisted)
    held = of.items_of("live", credential["key_id"].map(sql.lower), live)
    named = rows["key_ids"]
    found = sql.chosen(named.value, "key", sql.has(f"coalesce({held.known}, {sql.texts(())})", "key"))
    # Where each is among those that are known, there is nothing else to know.
    rest = Doubt((f"CASE WHEN {sql.size(found)} < {sql.size(named.value)} THEN {held.doubt.sql} END",), held.everything)
    doubt = named.why | rest
    shown = Fact(f"CASE WHEN {sql.size(found)} > 0 OR {doubt.sql} IS NULL THEN {found} END")
    return Items(shown.value, doubt, named.reads | held.reads | doubt.reads)
