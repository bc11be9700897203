"""The manifest of a log store: its source files, the result of each, and the digests of its own files."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import starmap

import msgspec

from keyaudit.inventory.logs import token
from keyaudit.inventory.logs.groups import GROUP, MAILBOXES
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import File, Sealed, TableFiles, check_files, unsealed
from keyaudit.inventory.rows import stored_types
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, iso_date, parse_date

FORMAT = 10
"""Increased when an older keyaudit could misread a newer format."""
USES = "usage"
GROUPED = "groups"
READ = "mailboxes"
THROTTLED = "throttled"
WRITTEN = "written"
BY_DAY: dict[str, dict[str, str]] = {USES: stored_types(USAGE), GROUPED: GROUP, READ: MAILBOXES}
"""The columns of the tables that have files for each day, with their SQL types."""
WHOLE: dict[str, dict[str, str]] = {
    THROTTLED: {"mailbox": "VARCHAR", "day": "BIGINT"},
    WRITTEN: {"source": "VARCHAR", "resource_id": "VARCHAR", "day": "BIGINT"},
    token.HOURS: token.HOUR_COLUMNS,
    token.TOKENS: token.COLUMNS,
}
"""The columns of the tables that are kept as a whole."""
COLUMNS = BY_DAY | WHOLE
AGAIN = "import or collect the logs again"
DAMAGED = f"copy the folder from its origin again, or {AGAIN}"
# A name that is the same in every file system.
_LOG = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LATEST = parse_date("9998-12-31")


class Part(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The uses of one log in one period, in the order of time over its files. A period is a day, or a month with few uses."""

    source: str
    since: int
    until: int
    """Midnight UTC of the first day, and of the day after the last."""
    rows: int
    files: tuple[File, ...]

    @staticmethod
    def path(period: Window, source: str, number: int) -> str:
        """The path of one of its files, below the store's folder."""
        return f"{USES}/{_named(period)}.{source}.{number:05}.parquet"

    @property
    def period(self) -> Window:
        """Its days."""
        return Window(since=self.since, until=self.until)


class Reduced(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The groups of all uses of one period, and the numbers of mailboxes that were read, by day."""

    since: int
    until: int
    groups: File
    mailboxes: File | None
    """None if no mail was read."""

    @staticmethod
    def path(table: str, period: Window) -> str:
        """The path of the period's file of GROUPED or READ, below the store's folder."""
        return f"{table}/{_named(period)}.parquet"

    @property
    def period(self) -> Window:
        """Its days."""
        return Window(since=self.since, until=self.until)

    @property
    def files(self) -> tuple[File, ...]:
        """Its files, the one of GROUPED first."""
        return (self.groups, *([self.mailboxes] if self.mailboxes else []))


class LogManifest(Sealed):
    """The content of a log store."""

    format: int
    tenant_id: str | None
    """The tenant of the records; None if no record names one."""
    files: tuple[FileRead, ...]
    days: dict[str, list[tuple[int, int]]]
    """By log, each day with an event of any kind, and the number of rows of that day."""
    parts: tuple[Part, ...]
    """In the order of periods, and of logs within a period."""
    reduced: tuple[Reduced, ...]
    """In the order of periods: those of the parts."""
    tables: dict[str, TableFiles]
    """The tables of WHOLE."""
    key: File | None
    """The file with the key by which the ids of tokens are hashed; None if no record names one."""
    columns: dict[str, dict[str, str]]
    """The columns of every table, with their SQL types."""

    def stored(self) -> Iterator[File]:
        """Every file of the store but the manifest."""
        for part in self.parts:
            yield from part.files
        for each in self.reduced:
            yield from each.files
        for table in self.tables.values():
            yield from table.files
        if self.key is not None:
            yield self.key


def decode(data: bytes, place: str) -> LogManifest:
    """The manifest in `data`. Raises UnsafeError if keyaudit did not write it, UsageError for another format version."""
    manifest = unsealed(data, place, LogManifest, reads=FORMAT, again=AGAIN, remedy=DAMAGED)
    whole = {name: table.columns for name, table in manifest.tables.items()}
    if manifest.columns != COLUMNS or whole != WHOLE:
        raise UsageError(place, "written with other columns", AGAIN)
    check_files(manifest.tables, place, DAMAGED)
    if manifest.key is not None and manifest.key.path != token.KEY:
        raise UnsafeError(place, "names a file that is not its key", DAMAGED)
    if not all(_LOG.fullmatch(part.source) for part in manifest.parts):
        raise UnsafeError(place, "names files that are not those of a log", DAMAGED)
    if disagreement := _disagreement(manifest):
        raise UnsafeError(place, f"damaged or edited: {disagreement}", DAMAGED)
    return manifest


def month_of(day: int) -> Window:
    """The calendar month of a day, both in seconds."""
    year, month = map(int, iso_date(day).split("-")[:2])
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    since, until = (parse_date(f"{in_year:04}-{number:02}-01") for in_year, number in ((year, month), following))
    return Window(since=since, until=until)


def _named(period: Window) -> str:
    """A day as in 2026-11-24, or a month as in 2026-11."""
    date = iso_date(period.since)
    return date if period.until - period.since == DAY else date[:7]


def _disagreement(manifest: LogManifest) -> str:
    """A contradiction between its parts, in words; empty if there is none."""
    parts = [(part.since, part.until, part.source) for part in manifest.parts]
    reduced = [(each.since, each.until) for each in manifest.reduced]
    periods = [period for period, _ in itertools.groupby(part[:2] for part in parts)]
    if not _ascending(parts) or reduced != periods or not all(starmap(_is_period, reduced)) or _overlap(reduced):
        return "its days are out of order"
    for part in manifest.parts:
        paths = [Part.path(part.period, part.source, number) for number in range(len(part.files))]
        if not paths or [file.path for file in part.files] != paths:
            return f"it names other files for {part.source} of {_named(part.period)}"
    for each in manifest.reduced:
        paths = [Reduced.path(table, each.period) for table in (GROUPED, READ)]
        if [file.path for file in each.files] != paths[: len(each.files)]:
            return f"it names other files for {_named(each.period)}"
    kept = Counter({(part.source, part.since): part.rows for part in manifest.parts})
    since = {day: each.since for each in manifest.reduced for day in each.period.days}
    told = Counter[tuple[str, int]]()
    for source, days in manifest.days.items():
        for day, uses in days:
            told[source, since.get(day, day)] += uses
    for source, day in sorted({*kept, *told}):
        if kept[source, day] != told[source, day]:
            of = f"{source} from {iso_date(day)} on"
            return f"its days have {told[source, day]:,} uses of {of}, and its files {kept[source, day]:,}"
    return ""


def _is_period(since: int, until: int) -> bool:
    """Whether it is a day or a month that keyaudit writes."""
    if not 0 <= since <= _LATEST or since % DAY:
        return False
    return until in (since + DAY, month_of(since).until) and (until == since + DAY or month_of(since).since == since)


def _overlap(periods: Sequence[tuple[int, int]]) -> bool:
    return any(until > since for (_, until), (since, _) in itertools.pairwise(periods))


def _ascending(found: Sequence[tuple[int, int, str]]) -> bool:
    return all(before < after for before, after in itertools.pairwise(found))
