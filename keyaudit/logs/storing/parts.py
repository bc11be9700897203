"""The files of a log store that is being written, by period and log, and the queries that every engine makes for them.

A period is a day. A month with few uses is one period, because each file takes time whenever it is written or opened.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import part_name, write_parquet
from keyaudit.inventory.logs.groups import MAILBOX_ORDER, ORDER
from keyaudit.inventory.logs.manifest import GROUPED, READ, Part, Reduced, month_of
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import File
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

FEW = 20_000
"""The most uses of a month that is one period."""
STORED = (*(column.name for column in USAGE.stored), "unknown")
"""The columns of `usage` in a store."""
_EARLIER = -1
"""The number of the file that stands for all uses of an earlier store; of equal uses, the earlier one is kept."""
COPIES = "file, uses"
"""The columns by which the copies of a use are ordered first: they decide what is counted as a duplicate."""


Key = tuple[Window, str]
"""A period and a log."""


class Spooled(Struct, frozen=True):
    """New uses: Parquet files with the columns of `spool.SPOOLED`."""

    paths: Sequence[Path]
    size: int
    """In bytes, as JSON."""
    read: Sequence[FileRead]
    """The files by their number."""
    tenant_id: str | None


class Days(Struct, frozen=True):
    """The tables that have files for each period, and the number of uses by log and day."""

    parts: Sequence[Part]
    reduced: Sequence[Reduced]
    uses: Mapping[tuple[str, int], int]


def periods_of(counts: Mapping[tuple[int, str], int], earlier: LogStore | None) -> list[Window]:
    """The periods, in order, of the months with new uses that have to be written."""
    before = earlier.manifest.parts if earlier else ()
    months: dict[Window, set[int]] = defaultdict(set)
    for day, _ in counts:
        months[month_of(day)].add(day)
    found = []
    for month, days in months.items():
        parts = [part for part in before if part.since in month.days]
        rows = sum(count for (day, _), count in counts.items() if day in days) + sum(part.rows for part in parts)
        by_month = any(part.period == month for part in parts)
        if rows <= FEW and (by_month or not parts):
            found.append(month)
            continue
        if by_month and earlier is not None:
            days |= {day for told in earlier.manifest.days.values() for day, uses in told if uses and day in month.days}
        found += [Window(since=day, until=day + DAY) for day in days]
    return sorted(found, key=lambda period: period.since)


def rewritten(counts: Collection[tuple[int, str]], periods: Sequence[Window], earlier: LogStore | None) -> list[Part]:
    """The parts of the earlier store that get new uses, or are divided into days."""
    if earlier is None:
        return []
    of_day = {day: period for period in periods for day in period.days}
    touched = {(of_day[day], source) for day, source in counts}
    return [
        part
        for part in earlier.manifest.parts
        if (part.period, part.source) in touched
        or (part.period not in periods and any(day in of_day for day in part.period.days))
    ]


def with_earlier(
    counts: Mapping[tuple[int, str], int], earlier: LogStore | None, again: Sequence[Part]
) -> Counter[tuple[int, str]]:
    """By day and log the number of uses that are written: the new ones, and those of the parts `again` of an earlier store."""
    found = Counter(counts)
    if earlier is not None:
        for part in again:
            days = {*part.period.days}
            uses = earlier.manifest.days[part.source]
            found.update({(day, part.source): count for day, count in uses if count and day in days})
    return found


def named(read: Sequence[FileRead]) -> tuple[list[int], list[str], list[str]]:
    """The columns of the relation `named`: for each file its number, name and format."""
    return list(range(len(read))), [file.file for file in read], [file.form for file in read]


def by_day(relation: str, sql: DuckDB) -> str:
    """A query: by log and day (midnight UTC) the number of uses."""
    return f"SELECT source, {sql.quotient('used_on', DAY)} * {DAY} AS day, count(*) AS uses FROM {relation} GROUP BY ALL"


def incoming(new: Spooled, relation: str, sql: DuckDB) -> str:
    """A query: the new uses with all columns of `usage`, and their file and part. `relation`: of them; it needs `named`."""
    tenant = sql.text(f"/tenants/{new.tenant_id or ''}")
    given = {
        "resource_id": f"coalesce(resource_id, {tenant})",
        "scope_id": sql.lower(f"coalesce(resource_id, {tenant})"),
    }
    columns = ", ".join(f"{given.get(name, sql.name(name))} AS {sql.name(name)}" for name in STORED)
    return f"SELECT {columns}, file, part, records FROM {relation} JOIN named USING (file)"


def earlier_uses(relation: str, sql: DuckDB) -> str:
    """A query: the uses of an earlier store, as in `incoming`."""
    given = f"{_EARLIER} AS file, 0 AS part, CAST(1 AS BIGINT) AS records"
    return f"SELECT {', '.join(map(sql.name, STORED))}, {given} FROM {relation}"


def numbered(relation: str, sql: DuckDB, by: str = "id") -> str:
    """A query over uses of `incoming`: `copy` numbers those with the same id, from 1 for the one that is kept.

    `most`: the largest number of uses that one of them stands for. `by`: the id, and before it columns that are the same for
    equal ids, such as the time.
    """
    # The order is total, so that the kept copy does not depend on the order of records in a file.
    content = (sql.in_order(sql.name(name)) if name == "unknown" else sql.name(name) for name in STORED)
    copies = f"PARTITION BY {by} ORDER BY {', '.join(f'{each} NULLS LAST' for each in (COPIES, *content))}"
    most = f"max(uses) OVER ({copies} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS most"
    return f"SELECT *, {most}, row_number() OVER ({copies}) AS copy FROM {relation}"


def repeated(relation: str, sql: DuckDB) -> str:
    """A query over `numbered` uses: by file, log and day (midnight UTC) the numbers of records and uses that are not kept."""
    return (
        f"SELECT file, source, {sql.quotient('used_on', DAY)} * {DAY} AS day,"
        " CAST(coalesce(sum(records) FILTER (WHERE part = 0), 0) AS BIGINT) AS records, count(*) AS copies"
        f" FROM {relation} WHERE copy > 1 GROUP BY ALL"
    )


def kept(relation: str, sql: DuckDB) -> str:
    """A query over `numbered` uses: those that are kept."""
    return f"SELECT {sql.replacing({'uses': 'most'})} FROM {relation} WHERE copy = 1"


def days_of(periods: Sequence[Window]) -> tuple[list[int], list[int]]:
    """The columns of the relation `period`."""
    days = [(day // DAY, period.since) for period in periods for day in period.days]
    return [day for day, _ in days], [since for _, since in days]


class Parts:
    """The files of a new store in `folder`, and the number of uses by log and day."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, read: Sequence[FileRead]) -> None:
        self._connection, self._folder, self._read = connection, folder, read
        self._earlier: LogStore | None = None
        self._files: dict[Key, list[File]] = defaultdict(list)
        self._uses = Counter[tuple[str, int]]()
        self._reduced: list[Reduced] = []

    def take_over(self, earlier: LogStore, again: Collection[Part], periods: Collection[Window]) -> None:
        """Links the files of an earlier store that stay as they are: all but those of the parts `again`."""
        self._earlier = earlier
        days = {day for period in periods for day in period.days}
        rewritten = {(day, part.source) for part in again for day in part.period.days}
        for source, counts in earlier.manifest.days.items():
            self._uses.update({(source, day): uses for day, uses in counts if uses and (day, source) not in rewritten})
        found: list[File] = []
        for part in earlier.manifest.parts:
            if part not in again:
                self._files[part.period, part.source] = list(part.files)
                found += part.files
        for each in earlier.manifest.reduced:
            if days.isdisjoint(each.period.days):
                self._reduced.append(each)
                found += each.files
        for file in found:
            files.link(earlier.folder / file.path, self._folder / file.path)

    def subtract(self, again: Iterable[tuple[int, str, int]]) -> None:
        """Counts records as duplicates, by file and log."""
        for file, source, count in again:
            counts = self._read[file].sources[source]
            counts.kept -= count
            counts.duplicate += count

    def count(self, uses: Iterable[tuple[str, int, int]]) -> None:
        """Counts uses that were written, by log and day."""
        self._uses.update({(source, day): number for source, day, number in uses})

    def rows(self, periods: Sequence[Window]) -> int:
        """The number of uses in these periods."""
        days = {day for period in periods for day in period.days}
        return sum(count for (_, day), count in self._uses.items() if day in days)

    def place(
        self, made: Mapping[int, Sequence[Path]], keys: Iterable[tuple[int, int, str]], periods: Sequence[Window]
    ) -> None:
        """Moves new files of uses to their places. `made`: by number; `keys`: the numbers in order, with period and log."""
        of = {period.since: period for period in periods}
        for number, since, source in keys:
            found = self._files[of[since], source]
            for path in made.get(number, ()):
                found.append(self._settled(path, Part.path(of[since], source, len(found))))

    def written(self, periods: Sequence[Window]) -> list[Path]:
        """The files of all uses of these periods. Raises UnsafeError if one that was taken over was changed."""
        found = [file for (period, _), of in sorted(self._files.items(), key=_in_order) if period in periods for file in of]
        if self._earlier is not None:
            # Those that were taken over have not been read yet.
            taken = {file.path: file for file in self._earlier.manifest.stored()}
            self._earlier.verify(file for file in found if taken.get(file.path) == file)
        return [self._folder / file.path for file in found]

    def reduced(self, periods: Sequence[Window], groups: str, boxes: str) -> None:
        """Writes the groups and the numbers of mailboxes of these periods from queries for them; `period` has their days."""
        by_period = self._by_period(GROUPED, periods, groups, ORDER)
        read = self._by_period(READ, periods, boxes, MAILBOX_ORDER)
        self._reduced += [
            Reduced(since=period.since, until=period.until, groups=by_period[period], mailboxes=read.get(period))
            for period in periods
        ]

    def done(self) -> Days:
        """All that was written and taken over."""
        parts = [
            Part(
                source=source,
                since=period.since,
                until=period.until,
                rows=sum(self._uses[source, day] for day in period.days),
                files=tuple(found),
            )
            for (period, source), found in sorted(self._files.items(), key=_in_order)
        ]
        return Days(parts, sorted(self._reduced, key=lambda each: each.since), self._uses)

    def _by_period(self, table: str, periods: Sequence[Window], query: str, order: str) -> dict[Window, File]:
        """Writes a table's files of these periods from a query with their days, in a total order."""
        made = self.divided(f"SELECT since AS number, found.* FROM ({query}) AS found JOIN period USING (day)", order)
        return {
            period: self._settled(made[period.since][0], Reduced.path(table, period))
            for period in periods
            if period.since in made
        }

    def divided(self, query: str, order: str) -> dict[int, list[Path]]:
        """Writes the rows of a query in files by its column `number`, which they do not have, each in a total order."""
        aside = self._folder / "spool" / "divided"
        files.discard(aside)
        files.folder(aside)
        # PARTITION_BY would write all files at once, but some of them not in order.
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE divided AS {query}")
        numbers = self._connection.execute("SELECT DISTINCT number FROM divided").fetchall()
        made = {number: aside / part_name(number) for (number,) in numbers}
        # A file would say which of its columns are never NULL, by statistics that are also of the other files.
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        for number, path in made.items():
            rows = f"SELECT * EXCLUDE (number) FROM divided WHERE number = {number}"
            write_parquet(self._connection, f"{rows} ORDER BY {order}", path)
        self._connection.execute("RESET disabled_optimizers")
        self._connection.execute("DROP TABLE divided")
        return {number: [path] for number, path in made.items()}

    def _settled(self, made: Path, name: str) -> File:
        """Moves a new file to its place."""
        path = self._folder / name
        files.settle(made, path)
        size, sha256 = files.digest(path)
        return File(path=name, size=size, sha256=sha256)


def _in_order(found: tuple[Key, list[File]]) -> tuple[int, str]:
    (period, source), _ = found
    return period.since, source
