"""Learns a baseline from a window of logs."""

from pathlib import Path

import duckdb

from keyaudit.inventory.logs.groups import within
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.usage import baseline as stored
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.facets import counting, refuse_too_long
from keyaudit.inventory.usage.log_gaps import damaged, days_with_events, in_order, missing_days, rhythm
from keyaudit.inventory.usage.tokens import learn_rates
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.usage import Learned, Window
from keyaudit.model.values.times import DAY


def learn(store: LogStore, window: Window, *, into: Path, merge: Baseline | None = None) -> Baseline:
    """Fills the empty folder `into` with a baseline of the window's successful uses, added to the baseline `merge`.

    Refused uses, and uses without a result in the log, are not learned. Raises UsageError for a window without uses, or with
    days that `merge` has already, UnsafeError if `merge` is another tenant's or the logs of these days were changed,
    OutputError if it cannot be written.
    """
    if merge is not None:
        same_tenant(store.tenant_id, merge.tenant_id)
        if window.since < merge.until:
            what = f"the window {window} begins on a day that the baseline was learned from already"
            raise UsageError("--merge", what, "name a later one with --first-day")
    refuse_too_long(window)
    with store.connect(window, uses=False, tokens=True, besides=[into]) as connection:
        for statement in counting(window, "groups", "mailboxes", succeeded=True):
            connection.execute(statement)
        uses = one(connection, "SELECT coalesce(sum(uses), 0)::BIGINT FROM seen WHERE facet = 'app'")
        if not uses:
            raise UsageError("usage learn", f"the logs hold no uses in {window}", "name another window, or import more logs")
        bounds = [window.since, window.until]
        sources = connection.execute(
            "SELECT source, sum(events)::BIGINT FROM log_day WHERE day >= ? AND day < ? GROUP BY source ORDER BY source", bounds
        ).fetchall()
        days = days_with_events(connection, window)
        week = rhythm(days, window)
        known = [week, merge.rhythm] if merge else [week]
        learned = Learned(
            window=window,
            uses=uses,
            sources=dict(sources),
            undecided=one(
                connection,
                f"SELECT coalesce(sum(uses), 0)::BIGINT FROM groups WHERE succeeded IS NULL AND {within(window)}",  # noqa: S608
            ),
            missing=in_order([*missing_days(days, window, *known), *damaged(connection, window)]),
        )
        learn_rates(connection, window)
        return stored.write(connection, into, tenant_id=store.tenant_id, learned=learned, rhythm=week, merge=merge)


def window_of(store: LogStore, since: int | None, until: int | None) -> Window:
    """The window between two days, by default all days of the logs. Raises UsageError if there are none."""
    days = {day for found in store.manifest.days.values() for day, _ in found}
    if not days:
        raise UsageError("the logs", "hold no events", "import some with usage import")
    first, last = min(days), max(days)
    window = Window(since=first if since is None else since, until=(last if until is None else until) + DAY)
    if not window.days:
        what = f"the window would end before it begins; the logs hold {Window(since=first, until=last + DAY)}"
        raise UsageError("--first-day", what, "name an earlier day, or import later logs")
    return window


def same_tenant(tenant_id: str | None, other: str | None, what: str = "the baseline") -> None:
    """Raises UnsafeError if the logs of one tenant, and `what` of the other, are known to be of different tenants."""
    if tenant_id and other and tenant_id.lower() != other.lower():
        raise UnsafeError(what, f"the logs are of tenant {tenant_id}, {what} of {other}", "name one of the same tenant")


def one(connection: duckdb.DuckDBPyConnection, query: str, values: list[int] | None = None) -> int:
    """The single number that a query returns."""
    row = connection.execute(query, values or []).fetchone()
    return int(row[0]) if row else 0
