"""Evaluates a snapshot with Spark: it makes the views, and what policies add to them; DuckDB reads what it wrote."""

# ruff: noqa: S608 - every name in this SQL is declared in this program

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
from pyspark.sql import SparkSession

from keyaudit.inventory import views
from keyaudit.inventory.confinement import TEMPORARY
from keyaudit.inventory.dialect import DUCKDB, SPARK
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import parquet
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.inventory.spark import read, session, uri
from keyaudit.inventory.views import ledger
from keyaudit.model.tables import TABLES


class WithSpark:
    """A snapshot's views in a session of Spark, and a connection that can read what Spark writes."""

    def __init__(self, spark: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._spark = spark
        self.connection = connection
        self._folder = folder

    def execute(self, statement: str) -> None:
        """Executes a statement of the dialect SPARK."""
        self._spark.sql(statement)

    def table(self, name: str, types: Mapping[str, str], rows: Iterable[tuple[object, ...]]) -> None:
        """Creates a table of these rows; the types are declared as DuckDB writes them."""
        schema = ", ".join(f"{column} {SPARK.type(type_)}" for column, type_ in types.items())
        self._spark.createDataFrame(list(rows), schema).createOrReplaceTempView(name)

    def write(self, name: str, query: str) -> None:
        """Writes the rows of a query of the dialect SPARK: in Spark and in the connection, they are the view `name`."""
        folder = self._folder / "written" / name
        self._spark.sql(query).write.parquet(uri(folder), compression="snappy")
        paths = sorted(folder.glob("part-*"))
        read(self._spark, name, paths)
        self.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {parquet(*paths)}")

    def show(self, table: str, written: str | None = None) -> None:
        """Gives the view of a table to the connection, with the columns of the view `written`, or written for that."""
        if written is None:
            written = f"shown_{table}"
            self.write(written, f"SELECT * FROM {SPARK.name(table)}")
        names = [*view_types(TABLES[table])]
        columns = ", ".join(map(DUCKDB.name, names))
        self.connection.execute(DUCKDB.view(DUCKDB.name(table), f"SELECT {columns} FROM {written}"))
        self._spark.table(written).select(*map(SPARK.name, names)).createOrReplaceTempView(SPARK.name(table))


@contextlib.contextmanager
def judging_with_spark(
    snapshot: Snapshot,
    as_of: int,
    master: str,
    *,
    reach_known: bool,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, WithSpark]]:
    """Like `Snapshot.judging`, with the views in Spark.

    Every node has the snapshot under the same path, and executors write to a temporary folder in it. Raises the errors of
    `session`.
    """
    folder = snapshot.folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    filled = {name: table for name, table in snapshot.tables.items() if table.rows}
    with (
        snapshot.judging(as_of, reach_known=False, names=()) as connection,
        _temporary(folder),
        session(master, folder / "tables") as spark,
    ):
        rows = {name: snapshot.stored(name) for name in filled}
        ours = {name: f"stored_rows_of_{name}" for name in filled}
        for name, table in filled.items():
            read(spark, ours[name], [snapshot.folder / file.path for file in table.files])
        statements = views.statements(
            SPARK,
            ours,
            snapshot.run,
            as_of,
            names=tuple(TABLES),
            small=(),
            kept=(),
            reach_known=reach_known,
            columns=None,
            looked_at=views.window(connection, rows, snapshot.run, as_of, names=tuple(TABLES)),
            unread=views.unread_tables(snapshot.coverage),
        )
        within = WithSpark(spark, connection, folder)
        for name, (types, values) in ledger.tables(snapshot.coverage, statements).items():
            within.table(name, types, values)
        for statement in statements:
            within.execute(statement.text)
        yield connection, within


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    with files.writing(folder):
        files.folder(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
