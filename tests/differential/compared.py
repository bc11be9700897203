"""Compares every view and policy of a snapshot in Spark with DuckDB.

Each statement is compared by itself: Spark reads what DuckDB gave for all that it rests on, so that one difference does not
become many.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from msgspec import Struct
from msgspec.structs import replace
from pyspark.sql import SparkSession

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB, SPARK
from keyaudit.inventory.load import parquet
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.inventory.spark import FAILURES, reason
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import MAX_TIME
from keyaudit.policy.evaluation.binding import Bound, bind, by_table, waived
from keyaudit.policy.evaluation.queries import BASELINE, RANGED, REASONS, doubted, judged
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging, PolicyClass

_STATEMENT = re.compile(
    r"\s*(?:CREATE (?:TABLE(?: IF NOT EXISTS)?|TEMPORARY VIEW)|INSERT INTO) (\w+)\s*(?:AS\s)?(.*)", re.DOTALL
)
_COLUMNS = re.compile(r"\([^()]*(\([^()]*\)[^()]*)*\)")
_BATCH = 10_000
_EXEMPT = Glob("*7e*")
_ACCEPTED = 1_000


def _waiver(resource: str, *, critical: bool) -> Waiver:
    return Waiver(
        id=resource,
        policy=Glob("*"),
        resource=Glob(resource),
        reason="r",
        owner="o",
        approved_by="a",
        ends=MAX_TIME,
        allow_critical=critical,
    )


_WAIVERS = (_waiver("*A?b*", critical=False), _waiver("*d1*", critical=True))
"""Some findings of every policy are waived, others are in the baseline, and some resources are exempt."""
STORED = "stored_rows_of_"
"""The prefix of the names of a snapshot's tables, as Spark reads them."""


class Found(Struct, frozen=True):
    """What came of one comparison. `why` is empty where both engines answer the same."""

    kind: str
    name: str
    rows: int
    why: str = ""


class Compared:
    """The comparisons of one snapshot. `work`: an empty folder. `chosen`: whether a view is compared, by its name."""

    def __init__(self, folder: Path, spark: SparkSession, work: Path, chosen: Callable[[str], bool] = lambda _: True) -> None:
        self._snapshot = open_snapshot(folder)
        # Views and functions are a session's own.
        self._spark = spark.newSession()
        self._work = work
        self._chosen = chosen
        self._duckdb = duckdb.connect(config={"threads": 2, "temp_directory": str(work / "spilled")})

    def all(self) -> Iterator[Found]:
        """Every view and policy."""
        with self._duckdb:
            yield from self._views()
            policies = sorted(load(), key=lambda policy: policy.text.id)
            exempt = PolicyClass(
                name="exempt", place="", resource=_EXEMPT, not_applicable=tuple(each.text.id for each in policies)
            )
            judging = Judging(as_of=self._snapshot.run.as_of, classes=(exempt,))
            bound = waived(bind(policies, judging.profile, judging.overrides, judging.classes), _WAIVERS)
            bounds = by_table(tuple(replace(each, in_baseline=True) for each in bound))
            self._accept(bounds)
            for name, of_table in bounds.items():
                if self._chosen(name):
                    yield from self._policies(name, of_table)

    def _views(self) -> Iterator[Found]:
        snapshot, as_of, names = self._snapshot, self._snapshot.run.as_of, tuple(TABLES)
        rows = _stored(snapshot)
        asked: dict[str, Any] = {"names": names, "small": (), "kept": names, "reach_known": True, "columns": None}
        connection = self._duckdb
        views.create(connection, rows, snapshot.coverage, snapshot.run, as_of, **asked)
        for name in rows:
            self._give(f"{STORED}{name}", [snapshot.folder / file.path for file in snapshot.tables[name].files])
        for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            self._give(name, [self._exported(name)])
        looked_at = views.window(connection, rows, snapshot.run, as_of, names=names)
        ours = {name: f"{STORED}{name}" for name in rows}
        statements = views.statements(SPARK, ours, snapshot.run, as_of, **asked, looked_at=looked_at)
        queries: dict[str, list[str]] = {}
        for text in (statement.text for statement in statements):
            found = _STATEMENT.fullmatch(text)
            if found is None:
                self._spark.sql(text)
            elif not _COLUMNS.fullmatch(found[2]):
                queries.setdefault(found[1], []).append(found[2])
        for name, texts in queries.items():
            if self._chosen(name):
                yield self._compared("view", name, " UNION ALL ".join(f"({text})" for text in texts))

    def _accept(self, bounds: dict[str, list[Bound]]) -> None:
        """Creates a baseline with findings of every policy about some subjects."""
        self._duckdb.execute(f"CREATE TABLE {BASELINE} (policy VARCHAR, subject VARCHAR, rank INTEGER)")
        for name, of_table in bounds.items():
            ids = ", ".join(f"'{bound.policy.text.id}'" for bound in of_table)
            subject = f'"{of_table[0].policy.subject}"'
            some = f"SELECT DISTINCT {subject} FROM \"{name}\" WHERE {subject} LIKE '%c%' ORDER BY ALL LIMIT {_ACCEPTED}"
            self._duckdb.execute(f"INSERT INTO {BASELINE} SELECT unnest([{ids}]), *, 2 FROM ({some})")
        self._give(BASELINE, [self._exported(BASELINE)])

    def _policies(self, name: str, bounds: Sequence[Bound]) -> Iterator[Found]:
        as_of, held = self._snapshot.run.as_of, f"judged_{name}"
        asked = frozenset(column for _, column in self._duckdb.execute(doubted((name,))).fetchall())
        ours, theirs = (judged(TABLES[name], bounds, as_of, asked, sql) for sql in (DUCKDB, SPARK))
        self._duckdb.execute(f"CREATE TABLE {held} AS SELECT * FROM {ours}")
        self._give(held, [self._exported(held)])
        yield from self._of_policies(held, f"SELECT * FROM {theirs}", bounds)

    def _of_policies(self, held: str, query: str, bounds: Sequence[Bound]) -> Iterator[Found]:
        written = self._written(held, query)
        if isinstance(written, str):
            yield from (Found("policy", bound.policy.text.id, 0, written) for bound in bounds)
            return
        theirs, ours = _rows(self._duckdb, f"SELECT * FROM {parquet(*written)}"), _rows(self._duckdb, f"SELECT * FROM {held}")
        for number, bound in enumerate(bounds):
            own = re.compile(
                rf"id|(code|class){number}|part{number}_\d+|policy{number}_rung\d+|opens_\d|opened|{RANGED}|{REASONS}"
            )
            columns = [name for name in ours if own.fullmatch(name)]
            yield Found("policy", bound.policy.text.id, len(ours["id"]), _difference(ours, theirs, columns))

    def _compared(self, kind: str, name: str, query: str, table: str = "") -> Found:
        written = self._written(name, query)
        ours = f"SELECT * FROM {table or name}"
        [(count,)] = self._duckdb.execute(f"SELECT count(*) FROM ({ours})").fetchall()
        if isinstance(written, str):
            return Found(kind, name, count, written)
        theirs = f"SELECT * FROM {parquet(*written)}"
        if _content(self._duckdb, ours) == _content(self._duckdb, theirs):
            return Found(kind, name, count)
        left, right = _rows(self._duckdb, ours), _rows(self._duckdb, theirs)
        return Found(kind, name, count, _difference(left, right, sorted(left.keys() | right.keys())))

    def _written(self, name: str, query: str) -> list[Path] | str:
        """The files with Spark's answer, or why it has none."""
        folder = self._work / "spark" / f"{name}-{len(list(self._work.glob('spark/*')))}"
        try:
            self._spark.sql(query).write.parquet(f"file://{folder}")
        except FAILURES as error:
            return f"fails: {' '.join(str(error).split())[:400] or reason(error)}"
        return sorted(folder.glob("part-*.parquet"))

    def _exported(self, name: str) -> Path:
        """A table of DuckDB as a file. Parquet has no integers of 128 bits."""
        columns = self._duckdb.execute(f'DESCRIBE SELECT * FROM "{name}"').fetchall()
        wide = [column for column, type_, *_ in columns if type_ == "HUGEINT"]
        replaced = f" REPLACE ({', '.join(f'CAST({each} AS DECIMAL(38, 0)) AS {each}' for each in wide)})" if wide else ""
        path = self._work / f"{name}.parquet"
        self._duckdb.execute(f"COPY (SELECT *{replaced} FROM \"{name}\") TO '{path}' (FORMAT parquet)")
        return path

    def _give(self, name: str, paths: Sequence[Path]) -> None:
        self._spark.read.parquet(*(f"file://{path}" for path in paths)).createOrReplaceTempView(SPARK.name(name))


def _stored(snapshot: Snapshot) -> dict[str, str]:
    return {
        name: parquet(*(snapshot.folder / file.path for file in table.files))
        for name, table in snapshot.tables.items()
        if table.rows
    }


def _content(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], Counter[int]]:
    """The names of the columns, and how often there is each row."""
    answer = connection.execute(f"FROM ({query}) LIMIT 0")
    names = sorted(column[0] for column in answer.description or ())
    columns = ", ".join(f'"{name}"' for name in names)
    answer = connection.execute(f"SELECT {columns} FROM ({query})")
    found: Counter[int] = Counter()
    while rows := answer.fetchmany(_BATCH):
        found.update(hash(tuple(map(_plain, row))) for row in rows)
    return names, found


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, list[Any]]:
    """The values by column, in the order of `id` if there is one."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or ()]
    found = answer.fetchall()
    if "id" in names:
        found.sort(key=lambda row: str(row[names.index("id")]))
    return {name: [_plain(row[number]) for row in found] for number, name in enumerate(names)}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return frozenset((key, _plain(each)) for key, each in value.items())
        case list() | tuple():
            return tuple(map(_plain, value))
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case bool():
            return str(value)
        case _:
            return value


def _difference(ours: dict[str, list[Any]], theirs: dict[str, list[Any]], columns: Sequence[str]) -> str:
    """In words, in which of the columns the relations differ; empty if in none."""
    if missing := [name for name in columns if (name in ours) != (name in theirs)]:
        return f"columns: {', '.join(missing)}"
    if not columns:
        return ""
    counts = len(ours[columns[0]]), len(theirs[columns[0]])
    if counts[0] != counts[1]:
        return f"rows: {counts[0]} in DuckDB, {counts[1]} in Spark"
    rows = (Counter(zip(*(relation[name] for name in columns), strict=True)) for relation in (ours, theirs))
    only_ours, only_theirs = next(rows), next(rows)
    only_ours, only_theirs = only_ours - only_theirs, only_theirs - only_ours
    if not only_ours and not only_theirs:
        return ""
    told = [f"{only_ours.total()} rows differ"]
    for name in columns:
        if Counter(ours[name]) != Counter(theirs[name]) or name == "unknown":
            pairs = (pair for pair in zip(ours[name], theirs[name], strict=True) if pair[0] != pair[1])
            one, other = next(pairs, ("", ""))
            if one != other:
                told.append(f"{name}: {one!r:.160} in DuckDB, {other!r:.160} in Spark")
    return "; ".join(told)
