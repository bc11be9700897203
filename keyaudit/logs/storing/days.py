"""Writes uses by period and log, each use once, and reduces each period to groups, with DuckDB on one machine."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import UNSORTED, one, parquet, part_name, pieces, write_parquet
from keyaudit.inventory.logs.groups import ORDER, grouped, mailboxes, merged
from keyaudit.inventory.logs.manifest import Part
from keyaudit.inventory.logs.store import LogStore
from keyaudit.logs.storing.parts import (
    STORED,
    Days,
    Parts,
    Spooled,
    by_day,
    days_of,
    earlier_uses,
    incoming,
    kept,
    named,
    numbered,
    periods_of,
    repeated,
    rewritten,
    with_earlier,
)
from keyaudit.logs.storing.spool import relation
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

# The sort key for pieces: the time, and a part number within a second with many rows.
_PARTS = 1024
_PLACE = f"used_on * {_PARTS} + (hash(id) % {_PARTS})::BIGINT AS place"
# With twice as much, sorting spills to disk, which takes longer than everything else.
_PIECE = 32 * 1024 * 1024
_COLUMNS = ", ".join(f"piece.{DUCKDB.name(name)}" for name in STORED)
_NUMBERED = (
    f"SELECT number, {_COLUMNS} FROM piece JOIN period ON period.day = {DUCKDB.quotient('piece.used_on', DAY)}"
    " JOIN key ON key.source = piece.source AND key.since = period.since"
)
"""The uses of the table `piece`, with the number of their part."""
AT_ONCE = 100_000
"""The number of uses that are grouped at once: what a group holds while it is counted cannot be moved to disk."""


def write_days(connection: duckdb.DuckDBPyConnection, folder: Path, new: Spooled, earlier: LogStore | None) -> Days:
    """Writes the tables that have files for each period to `folder`, where their empty folders are.

    Each use is kept once, from the first file that has it; duplicates are subtracted from the kept records of their file.
    Periods of `earlier` without new uses are taken over as they are. Raises UnsafeError if a file of its other periods was
    changed.
    """
    rows = connection.execute(by_day(relation(new.paths), DUCKDB)).fetchall()
    counts = {(day, source): uses for source, day, uses in rows}
    periods = periods_of(counts, earlier)
    again = rewritten(counts, periods, earlier)
    writing = _Writing(connection, folder, new.read)
    if earlier is not None:
        writing.take_over(earlier, again, periods)
    uses = Counter[int]()
    for (day, _), count in with_earlier(counts, earlier, again).items():
        uses[day] += count
    width = new.size / max(1, sum(counts.values()))
    source = _Incoming(connection, new, earlier, again)
    for bundle, count in _bundles(periods, uses, _PIECE / max(1, width)):
        source.create(bundle[0].since, bundle[-1].until)
        for where in pieces(connection, "(SELECT id, place FROM incoming)", int(count * width), "place", _PIECE):
            writing.write(where, bundle)
        writing.reduce(bundle)
    return writing.done()


class _Incoming:
    """The new uses, and those of parts of an earlier store, as the view `incoming`.

    Opening a file takes time, and most files of many have uses of few days.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, new: Spooled, earlier: LogStore | None, again: Sequence[Part]
    ) -> None:
        self._connection, self._new, self._earlier, self._again = connection, new, earlier, again
        if earlier is not None:
            earlier.verify(file for part in again for file in part.files)
        self._spans = [
            (path, *connection.execute(f"SELECT min(used_on), max(used_on) FROM {parquet(path)}").fetchall()[0])
            for path in new.paths
        ]
        connection.execute(
            "CREATE TEMP TABLE named AS SELECT unnest(?) AS file, unnest(?) AS source_url, unnest(?) AS source_version",
            list(named(new.read)),
        )

    def create(self, since: int, until: int) -> None:
        """Creates the view of the uses with a time of at least `since` and before `until`."""
        found = [path for path, first, last in self._spans if first < until and last >= since]
        query = incoming(self._new, relation(found), DUCKDB)
        before = [file for part in self._again if part.since < until and part.until > since for file in part.files]
        if self._earlier is not None and before:
            paths = parquet(*(self._earlier.folder / file.path for file in before))
            query += f" UNION ALL {earlier_uses(paths, DUCKDB)}"
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT *, {_PLACE} FROM ({query})"
            f" WHERE used_on >= {since} AND used_on < {until}"
        )


def _bundles(periods: Sequence[Window], uses: Mapping[int, int], most: float) -> Iterator[tuple[list[Window], int]]:
    """The periods in order, and the number of their uses: as many at once as have `most`, or one that has more."""
    bundle: list[Window] = []
    count = 0
    for period in periods:
        of_period = sum(uses[day] for day in period.days)
        if bundle and count + of_period > most:
            yield bundle, count
            bundle, count = [], 0
        bundle.append(period)
        count += of_period
    if bundle:
        yield bundle, count


class _Writing(Parts):
    def write(self, where: str, periods: Sequence[Window]) -> None:
        """Writes the uses of `incoming` that meet a condition, in these periods, in the order of time."""
        self._once(where)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE period (day BIGINT, since BIGINT)")
        self._connection.execute("INSERT INTO period SELECT unnest(?), unnest(?)", list(days_of(periods)))
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE key AS SELECT row_number() OVER (ORDER BY since, source) AS number, * FROM"
            f" (SELECT DISTINCT since, source FROM piece JOIN period ON day = used_on // {DAY})"
        )
        made = self.divided(_NUMBERED, "used_on, id")
        self.place(made, self._connection.execute("FROM key ORDER BY number").fetchall(), periods)
        self.count(self._connection.execute(by_day("piece", DUCKDB)).fetchall())

    def reduce(self, periods: Sequence[Window]) -> None:
        """Writes the groups and the numbers of mailboxes of these periods, after all of their uses."""
        paths, rows = self.written(periods), self.rows(periods)
        groups = grouped(parquet(*paths)) if rows <= AT_ONCE else self._merged(paths, rows)
        self.reduced(periods, groups, mailboxes(parquet(*paths)))

    def _once(self, where: str) -> None:
        """Creates the table `piece`: the uses of `incoming` that meet a condition, each id once."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE piece AS FROM incoming WHERE {where}")
        if not one(self._connection, "SELECT count(*) - count(DISTINCT id) FROM piece"):
            return
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE numbered AS {numbered('piece', DUCKDB)}")
        copies = self._connection.execute(repeated("numbered", DUCKDB)).fetchall()
        self.subtract((file, source, records) for file, source, _, records, _ in copies)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE piece AS {kept('numbered', DUCKDB)}")

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
