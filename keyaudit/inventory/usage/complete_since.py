"""The day from which a log is complete, by the days on which each resource wrote it, and by the files it was read from."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

import duckdb
from msgspec import Struct

from keyaudit.inventory.usage.log_gaps import expected, missing_days, rhythm
from keyaudit.model.tables.usage import MAIL_LOG
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY


class Stretch(Struct, frozen=True, kw_only=True):
    """One log of one resource; an empty id is the tenant, or records without a resource."""

    source: str
    resource_id: str
    first_on: int
    last_on: int
    """Midnight UTC of the first and the last day with an event of any kind."""
    whole_since: int | None
    """Midnight UTC of the day from which nothing up to the last day is missing; None if there is no such day."""


def stretches(connection: duckdb.DuckDBPyConnection) -> Iterator[Stretch]:
    """Every log of every resource, in the order of their names. `connection` has the view and tables of the log store.

    A day is missing if the resource, or the log as a whole, has no event on a weekday on which it always has some. If there is
    no such weekday, or a file of the log was not read completely, completeness is unknown.
    """
    logs: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for source, resource_id, day in connection.execute("SELECT source, resource_id, day FROM written").fetchall():
        logs[source][resource_id].add(day)
    damage = _damage(connection, logs)
    for source, by_resource in sorted(logs.items()):
        whole = set[int]().union(*by_resource.values())
        until = max(whole) + DAY
        gone = _missing(whole, until)
        for resource_id, had in sorted(by_resource.items()):
            own = _missing(had, until) or set()
            unknown = source in damage.anywhere or (not resource_id and source in damage.unplaced)
            spoiled = [damage.until.get(source), None if resource_id else damage.unplaced_until.get(source)]
            until_then = max((day for day in spoiled if day is not None), default=None)
            since = None if gone is None or unknown else _since(had, {*gone, *own}, until_then)
            yield Stretch(source=source, resource_id=resource_id, first_on=min(had), last_on=max(had), whole_since=since)


class _Damage(Struct, frozen=True):
    """What could not be read of each log: of any day, or only of days before `until`."""

    anywhere: set[str]
    until: dict[str, int]
    unplaced: set[str]
    unplaced_until: dict[str, int]
    """The same for logs with an unread source, or an unread beginning. Resources that write elsewhere without a gap are not
    affected; records without a resource are.
    """


def _damage(connection: duckdb.DuckDBPyConnection, logs: Collection[str]) -> _Damage:
    found = _Damage(set(), {}, set(), {})
    query = (
        "SELECT list(DISTINCT source) FILTER (source IS NOT NULL), bool_or(source IS NULL), max(last_on), bool_and(complete),"
        " list(DISTINCT source) FILTER (quarantined > 0 AND source IS NOT NULL),"
        " bool_or(quarantined > 0 AND source IS NULL), max(lacks_before), bool_and(unread),"
        " max(asked_until) FROM log_file GROUP BY number"
    )
    for named, untold, last_on, complete, bad, bad_untold, before, unread, asked in connection.execute(query).fetchall():
        of = logs if untold or not named else named
        if not complete and before is not None:
            # The day may have begun earlier.
            _until(found.unplaced_until, of, before - DAY)
        elif not complete and asked is not None:
            _until(found.unplaced_until if unread else found.until, of, asked - DAY)
        elif not complete:
            (found.unplaced if unread else found.anywhere).update(of)
        # Unrecognised records may be of any log, on the days of the file, if it has any.
        spoiled = logs if bad_untold else bad or ()
        if last_on is None:
            found.anywhere.update(spoiled)
        else:
            _until(found.until, spoiled, last_on)
    # After throttling, MailItemsAccessed is not recorded for 24 hours, partly on the next day.
    [(day,)] = connection.execute("SELECT max(day) FROM throttled").fetchall()
    if day is not None:
        _until(found.until, [MAIL_LOG], day + DAY)
    return found


def _until(until: dict[str, int], logs: Collection[str], on: int) -> None:
    for source in logs:
        until[source] = max(until.get(source, on), on)


def _missing(had: set[int], until: int) -> set[int] | None:
    """The days without an event on weekdays that always have one; None if there is no such weekday."""
    window = Window(since=min(had), until=until)
    week: Mapping[str, list[tuple[int, int]]] = rhythm({"": had}, window)
    if not expected(week[""]):
        return None
    return {day for each in missing_days({"": had}, window, week) for day in each.days}


def _since(had: set[int], gone: set[int], spoiled: int | None) -> int | None:
    """The day after the first one with events again, because the beginning of that one may be missing."""
    after = max((*(day for day in gone if day > min(had)), *(() if spoiled is None else (spoiled,))), default=None)
    again = min((day for day in had if after is None or day > after), default=None)
    return None if again is None or again == max(had) else again + DAY
