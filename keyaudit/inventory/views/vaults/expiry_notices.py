"""Who is told before the objects of a vault expire, and which of them somebody has to renew."""

import functools
import operator

from keyaudit.inventory.facts.fact import TRUE, Count, Derived, Doubt, Truth, case, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, unread
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.event_subscription import DELIVERS, OBJECTS
from keyaudit.model.tables.vaults.secret_use import ORDER, SECRETS_NAMED

_ROTATOR = "keyaudit:rotator"


def facts(rows: Rows, as_of: int, unlisted: Doubt) -> dict[str, Derived]:
    """The facts of each vault. `unlisted`: why its objects may not all have been listed."""
    of_vault = rows["kind"].eq("key-vault")
    told = Rows(rows.sources, "event_subscription", "told")
    # No list ends earlier: a row stands for the subscriptions of a system topic that were not read.
    missing = unread("topics", ("event_topic.query",))
    its = groups(told, "listeners", by=told["vault_id"], key=rows["id"], missing=missing, each=_delivers(told, as_of))
    # A subscription with filters of its own may be told of none of these objects.
    whole = case((told.flag("filtered"), unknown(because(Reason.FILTERED))), otherwise=TRUE).truth()
    some = told["near_expiry"].told(lambda objects: f"{rows.sources.sql.size(objects)} > 0")
    heard = its.texts_of("heard", told["near_expiry"], some & whole, in_list=True)
    by_hand = {table: _by_hand(rows, table, as_of, unlisted) for table in OBJECTS}
    unheard = {
        table: each.where(~its.any_of(f"of_{table}", told["near_expiry"].has(table) & whole)) for table, each in by_hand.items()
    }
    return {
        "near_expiry_heard": heard.where(of_vault),
        "expiring_by_hand": functools.reduce(operator.add, by_hand.values()).where(of_vault),
        "expiring_unheard": functools.reduce(operator.add, unheard.values()).where(of_vault),
    }


def _delivers(told: Rows, as_of: int) -> Truth:
    """Whether a subscription delivers events, and has not ended."""
    return told["state"].among(DELIVERS) & told["expires_on"].told(lambda end: f"{end} > {as_of}", absent=True)


def _by_hand(rows: Rows, table: str, as_of: int, unlisted: Doubt) -> Count:
    """The enabled current objects that will expire, and that nothing renews."""
    held = Rows(rows.sources, table, f"{table}_held")
    renewed = _renewed(held, table) | held["tags"].told(lambda tags: f"{tags}['{_ROTATOR}'] IS NOT NULL")
    ends = held["expires_on"].told(lambda end: f"{end} > {as_of}")
    own = groups(held, f"{table}s_held", by=held["vault_id"], key=rows["id"], missing=unlisted)
    return own.count_of("by_hand", held.flag("enabled") & held.flag("is_current") & ends & ~renewed)


def _renewed(held: Rows, table: str) -> Truth:
    if table == "certificate":
        return held.flag("auto_renews") | held.flag("emails_contacts")
    of_certificate = held.flag("managed")
    return of_certificate | (held["auto_rotates"].truth() if table == "key" else _bought(held))


def _bought(held: Rows) -> Truth:
    """Whether an App Service certificate is stored in a secret: its service renews both."""
    uses = Rows(held.sources, "secret_use", "stored_in")
    orders = groups(uses, "orders", by=uses["secret_id"], key=held["secret_id"], missing=unread("orders_listed", SECRETS_NAMED))
    orders = orders.counting("secret_use", *SECRETS_NAMED[-1:])
    return orders.any_of("bought", uses["kind"].eq(ORDER) & uses.flag("active"))
