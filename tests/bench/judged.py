"""`python -m tests.bench.judged COPIES [--rows N] [--in DIR]`: Spark evaluates many key versions, and DuckDB some of them.

N key versions (a million) and their vaults are written once. Spark reads each of them so many times, in vaults of other names,
and adds to each the verdicts of all policies on keys. DuckDB does the same for the N. They agree if every combination of
verdicts is there so many times as often in Spark, and if each of some N rows, spread over all copies, has the verdicts and
reasons that it has in DuckDB. Spark runs as `local[2]`, with a heap of 1 GB for its driver, which is also the executor.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import DataFrame, SparkSession

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB, SPARK, DuckDB
from keyaudit.inventory.load import parquet
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.inventory.spark import session
from keyaudit.inventory.views import ledger
from keyaudit.model.tables import TABLES
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.judge import columns_judged
from keyaudit.policy.evaluation.queries import REASONS, judged
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from tests.bench.rows import main as write

_SETTINGS = "spark.driver.memory 1g\n"
_VAULT = "kv-"
"""What the names of all vaults begin with."""
_TABLE = "key"
_VIEWS: dict[str, Any] = {"names": tuple(TABLES), "small": (), "kept": (), "reach_known": False}


class Copies:
    """A snapshot in a session of Spark; each row that names a vault is there so many times."""

    def __init__(self, spark: SparkSession, count: int) -> None:
        self._spark = spark
        self._count = count

    def give(self, name: str, paths: Iterable[Path]) -> None:
        """Parquet files, as a view."""
        self._copied(name, self._spark.read.parquet(*map(str, paths)))

    def table(self, name: str, types: Mapping[str, str], rows: Iterable[tuple[object, ...]]) -> None:
        """Rows, as a view."""
        schema = ", ".join(f"{column} {SPARK.type(type_)}" for column, type_ in types.items())
        self._copied(name, self._spark.createDataFrame(list(rows), schema))

    def _copied(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(f"once_{name}")
        texts = [column for column, type_ in frame.dtypes if type_ == "string"]
        other = {each: f"replace({each}, '{_VAULT}', concat('{_VAULT}', copy, '-'))" for each in texts}
        columns = ", ".join(f"{other.get(each, each)} AS {each}" for each in frame.columns)
        named = f"contains(concat_ws(' ', {', '.join(texts)}), '{_VAULT}')"
        self._spark.sql(
            f"SELECT {columns} FROM once_{name} JOIN (SELECT CAST(id AS STRING) AS copy FROM range({self._count}))"
            f" ON copy = '0' OR {named}"
        ).createOrReplaceTempView(name)


def _judged(sql: DuckDB, as_of: int) -> str:
    """A query over the view of keys: by id all verdicts, and the reasons of what is unknown."""
    bounds = bind(_policies(), Judging(as_of=as_of).profile, {})
    verdicts = ", ".join(f"code{number}" for number, _ in enumerate(bounds))
    return f"SELECT id, {verdicts}, {REASONS} FROM {judged(TABLES[_TABLE], bounds, as_of, sql=sql)}"


def _with_spark(snapshot: Snapshot, copies: int, folder: Path) -> Path:
    """The files with Spark's verdicts of all copies."""
    as_of, filled = snapshot.run.as_of, [name for name, table in snapshot.tables.items() if table.rows]
    with session("local[2]", folder / "tables") as spark:
        read = Copies(spark, copies)
        for name in filled:
            read.give(f"stored_{name}", _files(snapshot, name))
        statements = views.statements(
            SPARK,
            {name: f"stored_{name}" for name in filled},
            snapshot.run,
            as_of,
            **_VIEWS,
            columns=_columns(),
            looked_at=None,
        )
        for name, (types, rows) in ledger.tables(snapshot.coverage, statements).items():
            read.table(name, types, rows)
        for statement in statements:
            spark.sql(statement.text)
        spark.sql(_judged(SPARK, as_of)).write.parquet(f"file://{folder / 'spark'}", compression="snappy")
    return folder / "spark"


def _files(snapshot: Snapshot, table: str) -> list[Path]:
    return [snapshot.folder / file.path for file in snapshot.tables[table].files]


def _columns() -> dict[str, frozenset[str]]:
    return views.needed(columns_judged(_policies(), ()))


def _policies() -> list[Policy]:
    return [policy for policy in load() if policy.table.name == _TABLE]


def _agreed(connection: duckdb.DuckDBPyConnection, theirs: Path, copies: int) -> int:
    """How many rows were compared one by one; stops where the engines differ."""
    connection.execute(f"CREATE VIEW theirs AS FROM read_parquet('{theirs}/part-*.parquet')")
    names = [name for name, *_ in connection.execute("DESCRIBE ours").fetchall() if name.startswith("code")]
    same = " AND ".join(f"ours.{name} = times.{name}" for name in names)
    counted = f"SELECT {', '.join(names)}, count(*) AS rows FROM {{}} GROUP BY ALL"
    [(wrong,)] = connection.execute(
        f"SELECT count(*) FROM ({counted.format('ours')}) AS ours FULL JOIN ({counted.format('theirs')}) AS times ON {same}"
        f" WHERE ours.rows * {copies} IS DISTINCT FROM times.rows"
    ).fetchall()
    if wrong:
        sys.exit(f"{wrong} combinations of verdicts are not there {copies} times as often")
    # The name of a vault of a copy is that of the first with the number of the copy in it.
    once = f"regexp_replace(id, '{_VAULT}[0-9]+-', '{_VAULT}')"
    same = " AND ".join(f"ours.{name} IS NOT DISTINCT FROM theirs.{name}" for name in ("id", *names, REASONS))
    [(compared, wrong)] = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE NOT ({same}))"
        f" FROM (SELECT * REPLACE ({once} AS id) FROM theirs WHERE hash(id) % {copies} = 0) AS theirs LEFT JOIN ours USING (id)"
    ).fetchall()
    if wrong:
        sys.exit(f"{wrong} of {compared} rows differ")
    return int(compared)


def main() -> None:
    """Print what it takes, and that the engines agree."""
    given = argparse.ArgumentParser(prog="python -m tests.bench.judged")
    given.add_argument("copies", type=int)
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--in", dest="folder", type=Path)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        (folder / "spark-defaults.conf").write_text(_SETTINGS, encoding="utf-8")
        os.environ["SPARK_CONF_DIR"] = name
        write(folder / "snapshot", asked.rows)
        snapshot = open_snapshot(folder / "snapshot")
        used = time.process_time()
        with duckdb.connect(config={"threads": 2, "temp_directory": str(folder / "spilled")}) as connection:
            stored = {name: parquet(*_files(snapshot, name)) for name, table in snapshot.tables.items() if table.rows}
            views.create(connection, stored, snapshot.coverage, snapshot.run, snapshot.run.as_of, **_VIEWS, columns=_columns())
            connection.execute(f"CREATE TABLE ours AS {_judged(DUCKDB, snapshot.run.as_of)}")
            print(f"DuckDB: {asked.rows:,} key versions, {time.process_time() - used:.1f} CPU-s", flush=True)
            begun, used = time.perf_counter(), _children()
            theirs = _with_spark(snapshot, asked.copies, folder)
            took, cpu, rows = time.perf_counter() - begun, _children() - used, asked.rows * asked.copies
            print(
                f"local[2]: {rows:,} key versions, {took:.0f} s wall, {cpu:.0f} CPU-s, {cpu / rows * 1e6:.1f} us each",
                flush=True,
            )
            print(f"the same verdicts, and of {_agreed(connection, theirs, asked.copies):,} rows each by itself")


def _children() -> float:
    """The CPU seconds of processes that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    main()
