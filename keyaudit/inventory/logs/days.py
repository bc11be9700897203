"""Writes uses by period and log, each use once, and reduces each period to groups.

A period is a day. A month with few uses is one period, because each file takes time whenever it is written or opened.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory import files
from keyaudit.inventory.load import UNSORTED, one, parquet, part_name, pieces, quoted, write_parquet
from keyaudit.inventory.logs.groups import MAILBOX_ORDER, ORDER, grouped, mailboxes, merged
from keyaudit.inventory.logs.manifest import GROUPED, READ, Part, Reduced, month_of
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import File
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.times import DAY
from keyaudit.model.usage import Window

FEW = 20_000
"""The most uses of a month that is one period."""
# The sort key for pieces: the time, and a part number within a second with many rows.
_PARTS = 1024
_PLACE = f"used_on * {_PARTS} + (hash(id) % {_PARTS})::BIGINT AS place"
# With twice as much, sorting spills to disk, which takes longer than everything else.
_PIECE = 32 * 1024 * 1024
_HELD = 20_000
AT_ONCE = 100_000
"""The number of uses that are grouped at once: what a group holds while it is counted cannot be moved to disk."""
_STORED = (*(column.name for column in USAGE.stored), "unknown")
_EARLIER = -1
"""The number of the file that stands for all uses of an earlier store; of equal uses, the earlier one is kept."""

Key = tuple[Window, str]
"""A period and a log."""


class Spooled(Struct, frozen=True):
    """New uses: a relation with the columns of `Use`, `id` and `file`."""

    relation: str
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


def write_days(connection: duckdb.DuckDBPyConnection, folder: Path, new: Spooled, earlier: LogStore | None) -> Days:
    """Writes the tables that have files for each period to `folder`, where their empty folders are.

    Each use is kept once, from the first file that has it; duplicates are subtracted from the kept records of their file.
    Periods of `earlier` without new uses are taken over as they are. Raises UnsafeError if a file of its other periods was
    changed.
    """
    by_day = Counter[tuple[int, str]]()
    query = f"SELECT used_on // {DAY} * {DAY} AS day, source, count(*) FROM {new.relation} GROUP BY ALL"
    for day, source, count in connection.execute(query).fetchall():
        by_day[day, source] = count
    periods = _periods(by_day, earlier)
    again = _rewritten(by_day, periods, earlier)
    writing = _Writing(connection, folder, new.read)
    if earlier is not None:
        writing.take_over(earlier, again, periods)
    _incoming(connection, new, earlier, again)
    for bundle, conditions in _bundles(connection, new, periods):
        for where in conditions:
            writing.write(f"used_on >= {bundle[0].since} AND used_on < {bundle[-1].until} AND {where}", bundle)
        writing.reduce(bundle)
    return writing.done()


def _periods(by_day: Mapping[tuple[int, str], int], earlier: LogStore | None) -> list[Window]:
    """The periods, in order, of the months with new uses that have to be written."""
    before = earlier.manifest.parts if earlier else ()
    months: dict[Window, set[int]] = defaultdict(set)
    for day, _ in by_day:
        months[month_of(day)].add(day)
    found = []
    for month, days in months.items():
        parts = [part for part in before if part.since in month.days]
        rows = sum(count for (day, _), count in by_day.items() if day in days) + sum(part.rows for part in parts)
        by_month = any(part.period == month for part in parts)
        if rows <= FEW and (by_month or not parts):
            found.append(month)
            continue
        if by_month and earlier is not None:
            days |= {day for told in earlier.manifest.days.values() for day, uses in told if uses and day in month.days}
        found += [Window(since=day, until=day + DAY) for day in days]
    return sorted(found, key=lambda period: period.since)


def _rewritten(by_day: Collection[tuple[int, str]], periods: Sequence[Window], earlier: LogStore | None) -> list[Part]:
    """The parts of the earlier store that get new uses, or are divided into days."""
    if earlier is None:
        return []
    of_day = {day: period for period in periods for day in period.days}
    touched = {(of_day[day], source) for day, source in by_day}
    return [
        part
        for part in earlier.manifest.parts
        if (part.period, part.source) in touched
        or (part.period not in periods and any(day in of_day for day in part.period.days))
    ]


def _incoming(connection: duckdb.DuckDBPyConnection, new: Spooled, earlier: LogStore | None, again: Sequence[Part]) -> None:
    """Creates the view `incoming`: the new uses, and those of parts of the earlier store."""
    connection.execute(
        "CREATE TEMP TABLE named AS SELECT unnest(?) AS file, unnest(?) AS source_url, unnest(?) AS source_version",
        [list(range(len(new.read))), [file.file for file in new.read], [file.form for file in new.read]],
    )
    tenant = quoted(f"/tenants/{new.tenant_id or ''}")
    given = {
        "resource_id": f"coalesce(resource_id, {tenant})",
        "scope_id": f"lower(coalesce(resource_id, {tenant}))",
    }
    columns = ", ".join(f"{given.get(name, name)} AS {name}" for name in _STORED)
    query = f"SELECT {columns}, file, part, {_PLACE} FROM {new.relation} JOIN named USING (file)"
    if earlier is not None and again:
        found = [file for part in again for file in part.files]
        earlier.verify(found)
        paths = parquet(*(earlier.folder / file.path for file in found))
        query += f" UNION ALL SELECT {', '.join(_STORED)}, {_EARLIER}, 0, {_PLACE} FROM {paths}"
    connection.execute(f"CREATE TEMP VIEW incoming AS {query}")


def _bundles(
    connection: duckdb.DuckDBPyConnection, new: Spooled, periods: Sequence[Window]
) -> Iterator[tuple[list[Window], list[str]]]:
    """The periods in order, as many at once as fit into memory, and conditions that divide a day that does not."""
    counts = connection.execute(
        f"SELECT used_on // {DAY} * {DAY} AS day, count(*) FROM incoming GROUP BY day ORDER BY day"
    ).fetchall()
    rows = dict(counts)
    width = new.size / max(1, one(connection, f"SELECT count(*) FROM {new.relation}"))
    bundle: list[Window] = []
    size = 0.0
    for period in periods:
        of_period = sum(rows.get(day, 0) for day in period.days) * width
        if bundle and size + of_period > _PIECE:
            yield bundle, ["true"]
            bundle, size = [], 0.0
        if of_period > _PIECE:
            within = f"(SELECT id, place FROM incoming WHERE used_on >= {period.since} AND used_on < {period.until})"
            yield [period], pieces(connection, within, int(of_period), "place", _PIECE)
            continue
        bundle.append(period)
        size += of_period
    if bundle:
        yield bundle, ["true"]


class _Writing:
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

    def write(self, where: str, periods: Sequence[Window]) -> None:
        """Writes the uses of `incoming` that meet a condition, in these periods, in the order of time."""
        self._once(where)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE period (day BIGINT, since BIGINT)")
        days = [(day // DAY, period.since) for period in periods for day in period.days]
        columns = [list(column) for column in zip(*days, strict=True)]
        self._connection.execute("INSERT INTO period SELECT unnest(?), unnest(?)", columns)
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE key AS SELECT row_number() OVER (ORDER BY since, source) AS number, * FROM"
            f" (SELECT DISTINCT since, source FROM piece JOIN period ON day = used_on // {DAY})"
        )
        query = (
            f"SELECT number, {', '.join(f'piece.{name}' for name in _STORED)} FROM piece"
            f" JOIN period ON day = used_on // {DAY} JOIN key ON key.source = piece.source AND key.since = period.since"
            " ORDER BY number, used_on, id"
        )
        made = self._divided(query)
        of = {period.since: period for period in periods}
        for number, since, source in self._connection.execute("FROM key ORDER BY number").fetchall():
            found = self._files[of[since], source]
            found += [self._settled(path, Part.path(of[since], source, len(found))) for path in made[number]]
        counts = f"SELECT source, used_on // {DAY} * {DAY} AS day, count(*) FROM piece GROUP BY ALL"
        self._uses.update({(source, day): rows for source, day, rows in self._connection.execute(counts).fetchall()})

    def reduce(self, periods: Sequence[Window]) -> None:
        """Writes the groups and the numbers of mailboxes of these periods, after all of their uses."""
        found = [file for (period, _), of in sorted(self._files.items(), key=_in_order) if period in periods for file in of]
        if self._earlier is not None:
            # Those that were taken over have not been read yet.
            taken = {file.path: file for file in self._earlier.manifest.stored()}
            self._earlier.verify(file for file in found if taken.get(file.path) == file)
        paths = [self._folder / file.path for file in found]
        days = {day for period in periods for day in period.days}
        rows = sum(count for (_, day), count in self._uses.items() if day in days)
        query = grouped(parquet(*paths)) if rows <= AT_ONCE else self._merged(paths, rows)
        groups = self._by_period(GROUPED, periods, query, ORDER)
        boxes = self._by_period(READ, periods, mailboxes(parquet(*paths)), MAILBOX_ORDER)
        self._reduced += [
            Reduced(since=period.since, until=period.until, groups=groups[period], mailboxes=boxes.get(period))
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

    def _once(self, where: str) -> None:
        """Creates the table `piece`: the uses of `incoming` that meet a condition, each id once."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE piece AS FROM incoming WHERE {where}")
        if not one(self._connection, "SELECT count(*) - count(DISTINCT id) FROM piece"):
            return
        # The order is total, so that the kept copy does not depend on the order of records in a file.
        content = ", ".join(name if name != "unknown" else "unknown::VARCHAR" for name in _STORED)
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE numbered AS"
            " SELECT *, max(uses) OVER (PARTITION BY id) AS most,"
            f" row_number() OVER (PARTITION BY id ORDER BY file, {content}) AS copy FROM piece"
        )
        again = self._connection.execute(
            "SELECT file, source, sum(uses)::BIGINT FROM numbered WHERE copy > 1 AND part = 0 GROUP BY file, source"
        ).fetchall()
        for file, source, count in again:
            counts = self._read[file].sources[source]
            counts.kept -= count
            counts.duplicate += count
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE piece AS SELECT * EXCLUDE (copy, most) REPLACE (most AS uses)"
            " FROM numbered WHERE copy = 1"
        )

    def _merged(self, paths: Sequence[Path], rows: int) -> str:
        """A query for the groups of many uses: grouped file by file, then merged in slices that fit into memory."""
        aside = self._folder / "spool" / "groups"
        files.discard(aside)
        files.folder(aside)
        slices = -(-rows // AT_ONCE)
        parts = [aside / f"part-{part_name(number)}" for number in range(len(paths))]
        for path, part in zip(paths, parts, strict=True):
            query = f"SELECT *, hash({ORDER}) % {slices} AS slice FROM ({grouped(parquet(path))})"
            write_parquet(self._connection, query, part, UNSORTED)
        whole = [aside / f"slice-{part_name(number)}" for number in range(slices)]
        for number, path in enumerate(whole):
            write_parquet(self._connection, merged(parquet(*parts), f"slice = {number}"), path, UNSORTED)
        return f"FROM {parquet(*whole)}"

    def _by_period(self, table: str, periods: Sequence[Window], query: str, order: str) -> dict[Window, File]:
        """Writes a table's files of these periods from a query with their days, in a total order."""
        made = self._divided(
            f"SELECT since AS number, found.* FROM ({query}) AS found JOIN period USING (day) ORDER BY number, {order}"
        )
        return {
            period: self._settled(made[period.since][0], Reduced.path(table, period))
            for period in periods
            if period.since in made
        }

    def _divided(self, query: str) -> dict[int, list[Path]]:
        """Writes rows in the order of a query, in files by the value of its column `number`, which they do not have."""
        aside = self._folder / "spool" / "divided"
        files.discard(aside)
        # By default, half a million rows of a file are held in memory.
        self._connection.execute(f"SET partitioned_write_flush_threshold = {_HELD}")
        self._connection.execute(
            f"COPY ({query}) TO {quoted(str(aside))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (number))"
        )
        if not aside.exists():
            return {}
        return {int(of.name.partition("=")[2]): sorted(of.iterdir()) for of in aside.iterdir()}

    def _settled(self, made: Path, name: str) -> File:
        """Moves a new file to its place."""
        path = self._folder / name
        files.settle(made, path)
        size, sha256 = files.digest(path)
        return File(path=name, size=size, sha256=sha256)


def _in_order(found: tuple[Key, list[File]]) -> tuple[int, str]:
    (period, source), _ = found
    return period.since, source
