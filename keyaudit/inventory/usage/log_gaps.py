"""The gaps of a window of logs: days without a log, sources that ended, throttled mailboxes, incomplete files."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import duckdb

from keyaudit.inventory.logs.groups import within
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.baseline_header import WEEK, Rhythm
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Blind, Unseen, Window
from keyaudit.model.values.times import DAY, iso_date

_LEAST = 4
"""The number of observed weekdays before events are expected on that weekday."""
_HOLES = 10
"""The tolerated share of days without events: one, or one in so many."""
_THURSDAY = 3
"""The weekday of 1970-01-01, from Monday."""

Days = dict[str, set[int]]
"""By source, the starts of the days with events of any kind."""


def days_with_events(connection: duckdb.DuckDBPyConnection, window: Window) -> Days:
    """The days of the window in `log_day`."""
    found: Days = defaultdict(set)
    query = "SELECT source, day FROM log_day WHERE day >= ? AND day < ?"
    for source, day in connection.execute(query, [window.since, window.until]).fetchall():
        found[source].add(day)
    return dict(found)


def rhythm(days: Days, window: Window) -> dict[str, list[tuple[int, int]]]:
    """By source and weekday, from the first day with events: stored in a baseline."""
    found = {}
    for source, had in days.items():
        week = [(0, 0)] * WEEK
        for day in range(min(had), window.until, DAY):
            looked, events = week[_weekday(day)]
            week[_weekday(day)] = looked + 1, events + (day in had)
        found[source] = week
    return found


def expected(week: Sequence[tuple[int, int]]) -> set[int]:
    """The weekdays that always had events."""
    return {
        number for number, (looked, had) in enumerate(week) if looked >= _LEAST and looked - had <= max(1, looked // _HOLES)
    }


def missing_days(days: Days, window: Window, *known: Rhythm) -> Iterator[Unseen]:
    """By source, the days of the window without events, on weekdays that always had some in one of these rhythms."""
    for source in sorted({name for each in known for name in each}):
        always = {number for each in known for number in expected(each.get(source, ()))}
        had = days.get(source, set())
        gone = tuple(day for day in window.days if day not in had and _weekday(day) in always)
        if not had and (gone or len(window.days) >= WEEK):
            yield Unseen(blind=Blind.ABSENT_SOURCE, subject=source, reason=Reason.NOT_SUPPLIED)
        elif gone:
            yield Unseen(blind=Blind.MISSING_DAYS, subject=source, reason=Reason.NOT_SUPPLIED, days=gone)


def damaged(connection: duckdb.DuckDBPyConnection, window: Window) -> Iterator[Unseen]:
    """The throttled mailboxes of the window, the columns that its uses lack, and the incomplete files."""
    bounds = [window.since, window.until]
    query = (
        "SELECT name || ' of ' || source, sum(uses)::BIGINT FROM"  # noqa: S608 - our own names
        f" (SELECT source, unnest(lacking) AS name, uses FROM groups WHERE {within(window)}) GROUP BY ALL ORDER BY ALL"
    )
    for subject, uses in connection.execute(query).fetchall():
        yield Unseen(blind=Blind.NOT_TOLD, subject=subject, reason=Reason.NOT_SUPPLIED, count=uses)
    throttled: dict[str, list[int]] = defaultdict(list)
    query = (
        "SELECT DISTINCT coalesce(mailbox, '(not named)') AS mailbox, day FROM throttled WHERE day >= ? AND day < ?"
        " ORDER BY ALL"
    )
    for mailbox, day in connection.execute(query, bounds).fetchall():
        throttled[mailbox].append(day)
    for mailbox, on in throttled.items():
        yield Unseen(blind=Blind.THROTTLED, subject=mailbox, reason=Reason.THROTTLED, days=tuple(on))
    query = (
        "SELECT file, bool_and(whole), sum(quarantined) FILTER (timely)::BIGINT FROM (SELECT any_value(file) AS file,"
        " bool_and(complete OR coalesce(lacks_before <= ? OR asked_since >= ? OR asked_until <= ?, false)) AS whole,"
        " sum(quarantined) AS quarantined,"
        " bool_or(coalesce(last_on >= ? AND first_on < ?, true)) AS timely FROM log_file GROUP BY number)"
        " GROUP BY file ORDER BY file"
    )
    for file, whole, quarantined in connection.execute(query, [window.since, window.until, window.since, *bounds]).fetchall():
        if not whole:
            # The missing part may be of any day, whichever days the file begins with.
            yield Unseen(blind=Blind.INCOMPLETE_FILE, subject=file, reason=Reason.TRUNCATED)
        if quarantined:
            yield Unseen(blind=Blind.BAD_LINES, subject=file, reason=Reason.BAD_ITEM, count=quarantined)


def not_read(store: LogStore, window: Window) -> Iterator[Unseen]:
    """By log and operation, the acts of the window that may touch keys and that no use was made of."""
    wanted = {iso_date(day): day for day in window.days}
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for source, read in (each for file in store.files for each in file.sources.items()):
        for operation, days in read.unread.items():
            found[f"{operation} of {source}"].update({wanted[day]: count for day, count in days.items() if day in wanted})
    for subject, counts in found.items():
        if counts:
            on = tuple(sorted(counts))
            yield Unseen(blind=Blind.NOT_READ, subject=subject, reason=Reason.UNRECOGNISED, days=on, count=sum(counts.values()))


def new_sources(days: Days, baseline: Baseline) -> Iterator[Unseen]:
    """The sources without an expected rhythm: never learned, or too briefly."""
    for source in sorted(days):
        week = baseline.rhythm.get(source)
        if week is None:
            yield Unseen(blind=Blind.NEW_SOURCE, subject=source, reason=Reason.NOT_SUPPLIED)
        elif any(looked < _LEAST for looked, _ in week):
            yield Unseen(blind=Blind.NO_RHYTHM, subject=source, reason=Reason.NOT_SUPPLIED)


def in_order(found: Iterable[Unseen]) -> tuple[Unseen, ...]:
    """Ordered by cause, then by subject."""
    causes = list(Blind)
    return tuple(sorted(found, key=lambda each: (causes.index(each.blind), each.subject, each.days)))


def _weekday(day: int) -> int:
    return (day // DAY + _THURSDAY) % WEEK
