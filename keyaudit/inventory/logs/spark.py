"""Writes a log store with Spark: the uses are read, sorted and grouped by executors, into the same files as on one machine.

The driver reads what was found in each file, and the groups. Executors write to the folder of the store, which every node must
have under the same path.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec
from pyspark import StorageLevel
from pyspark.sql import SparkSession

from keyaudit.inventory.dialect import SPARK
from keyaudit.inventory.load import parquet
from keyaudit.inventory.logs.groups import grouped, mailboxes
from keyaudit.inventory.logs.parts import (
    Days,
    Parts,
    Spooled,
    by_day,
    days_of,
    earlier_uses,
    in_order,
    incoming,
    kept,
    named,
    numbered,
    periods_of,
    repeated,
    rewritten,
)
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.logs.use import FileRead, Use, line
from keyaudit.inventory.logs.write import SPOOLED, Filled, Import, create, same_tenant
from keyaudit.inventory.spark import pattern, session, uri
from keyaudit.inventory.spark import read as read_parquet
from keyaudit.model.errors import AuditError, OutputError, UnsafeError, UsageError

if TYPE_CHECKING:
    from pyspark import RDD

Row = tuple[int, str | None, str | None]
"""The number of a file with a use or, after its uses, with what was read: both as JSON."""
_SCHEMA = "file INT, use STRING, told STRING"


class Found(msgspec.Struct, frozen=True):
    """Files of logs by number, and the rows of all of them, which are read when they are needed."""

    names: Sequence[str]
    rows: "RDD[Row]"


class Told(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an executor found in one file, besides uses; or why it refused the file."""

    read: FileRead | None = None
    tenant_id: str | None = None
    days: dict[str, dict[str, list[int]]] = {}
    unsafe: bool = False
    refused: tuple[str, str, str] | None = None
    """Place, what and remedy."""


def told_rows(number: int, records: Iterable[Use | FileRead], known: Import) -> Iterator[Row]:
    """The rows of one file, of `records` as for `write_logs`. An error of the file is its last row."""
    told = Told(refused=("", "", ""))
    try:
        for record in records:
            if isinstance(record, Use):
                yield number, line(record, number).decode(), None
                continue
            days = {
                source: {resource_id: sorted(found) for resource_id, found in by_resource.items()}
                for source, by_resource in known.days.items()
            }
            told = Told(read=record, tenant_id=known.tenant_id, days=days)
    except (UsageError, UnsafeError) as error:
        told = Told(unsafe=isinstance(error, UnsafeError), refused=(error.place, error.what, error.remedy))
    yield number, None, msgspec.json.encode(told).decode()


def write_logs_with_spark(
    folder: Path, master: str, read: Callable[[SparkSession], Found], earlier: LogStore | None = None
) -> LogStore:
    """Creates a log store in `folder` from the rows that `read` finds, and opens it.

    Otherwise as `create`, with the errors of `session`.
    """

    def fill(connection: duckdb.DuckDBPyConnection, beside: Path) -> Filled:
        spooled = beside / "spool" / "uses"
        # Spark is stopped before the folder is removed, since it may be writing to it.
        with session(master) as spark:
            found = read(spark)
            _spool(spark, found.rows, spooled)
            files_read, known = _learned(spark, found.names, earlier)
            same_tenant(known, earlier)
            new = Spooled(
                f"(FROM {parquet(*sorted(spooled.glob('part-*')))} WHERE told IS NULL)", 0, files_read, known.tenant_id
            )
            return Filled(new, known, _write_days(spark, connection, beside, new, earlier))

    return create(folder, fill, earlier)


def _spool(spark: SparkSession, rows: "RDD[Row]", spooled: Path) -> None:
    """Reads the files once, and creates the views `uses` and `told` of what was found."""
    given = spark.createDataFrame(rows, _SCHEMA, verifySchema=False)
    given.createOrReplaceTempView("given")
    types = ", ".join(f"{SPARK.name(name)} {SPARK.type(type_)}" for name, type_ in SPOOLED.items())
    empty = {"unknown": SPARK.entries({}), "part": "0", "uses": "1", "throttled": "false"}
    columns = ", ".join(
        f"coalesce(use.{SPARK.name(name)}, {empty[name]}) AS {SPARK.name(name)}" if name in empty else f"use.{SPARK.name(name)}"
        for name in SPOOLED
        if name != "file"
    )
    spark.sql(
        f"SELECT file, {columns}, told FROM (SELECT file, told, from_json(use, {SPARK.text(types)}, map('mode', 'FAILFAST'))"
        " AS use FROM given)"
    ).write.parquet(uri(spooled), compression="snappy")
    read = spark.read.parquet(pattern(spooled))
    read.filter("told IS NULL").drop("told").createOrReplaceTempView("uses")
    read.filter("told IS NOT NULL").select("file", "told").createOrReplaceTempView("told")


def _learned(spark: SparkSession, names: Sequence[str], earlier: LogStore | None) -> tuple[list[FileRead], Import]:
    """What was read, by number of the file. Raises the error of the first file that has one."""
    rows = spark.sql("SELECT file, told FROM told ORDER BY file").collect()
    if [number for number, _ in rows] != list(range(len(names))):
        what = "does not hold what every executor wrote"
        raise OutputError("--out", what, "name a folder that each node of the cluster has under this path")
    known = Import(earlier.tenant_id if earlier else None)
    read = []
    for number, text in rows:
        told = msgspec.json.decode(text, type=Told)
        if told.read is None:
            raise _refusal(told)
        if told.tenant_id is not None and known.tenant_id not in (None, told.tenant_id):
            what = f"is of tenant {told.tenant_id}, and others are of tenant {known.tenant_id}"
            raise UnsafeError(names[number], what, "import each tenant's logs into a folder of its own")
        known.tenant_id = known.tenant_id or told.tenant_id
        for source, by_resource in told.days.items():
            for resource_id, days in by_resource.items():
                known.days[source][resource_id].update(days)
        read.append(told.read)
    return read, known


def _refusal(told: Told) -> AuditError:
    place, what, remedy = told.refused or ("", "", "")
    return (UnsafeError if told.unsafe else UsageError)(place, what, remedy)


def _write_days(
    spark: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path, new: Spooled, earlier: LogStore | None
) -> Days:
    """The same as `days.write_days`."""
    counts = {(row.day, row.source): row.uses for row in spark.sql(by_day("uses", SPARK)).collect()}
    periods = periods_of(counts, earlier)
    again = rewritten(counts, periods, earlier)
    writing = Parts(connection, folder, new.read)
    if earlier is not None:
        writing.take_over(earlier, again, periods)
    if not periods:
        return writing.done()
    _table(spark, "named", "file INT, source_url STRING, source_version STRING", zip(*named(new.read), strict=True))
    query = incoming(new, "uses", SPARK)
    if earlier is not None and again:
        found = [file for part in again for file in part.files]
        earlier.verify(found)
        read_parquet(spark, "earlier", [earlier.folder / file.path for file in found])
        query += f" UNION ALL {earlier_uses('earlier', SPARK)}"
    spark.sql(query).createOrReplaceTempView("incoming")
    copies = spark.sql(numbered("incoming", SPARK)).persist(StorageLevel.DISK_ONLY)
    copies.createOrReplaceTempView("copies")
    spark.sql(kept("copies", SPARK)).createOrReplaceTempView("piece")
    writing.subtract((row.file, row.source, row.records) for row in spark.sql(repeated("copies")).collect())
    written = [(row.source, row.day, row.uses) for row in spark.sql(by_day("piece", SPARK)).collect()]
    writing.count(written)
    periodic = days_of(periods)
    _table(spark, "period", "day BIGINT, since BIGINT", zip(*periodic, strict=True))
    connection.execute("CREATE TEMP TABLE period AS SELECT unnest(?) AS day, unnest(?) AS since", list(periodic))
    of_day = {day: period.since for period in periods for day in period.days}
    keys = [(number, *key) for number, key in enumerate(sorted({(of_day[day], source) for source, day, _ in written}), 1)]
    _table(spark, "key", "number BIGINT, since BIGINT, source STRING", keys)
    aside = folder / "spool" / "divided"
    spark.sql(in_order("piece", SPARK)).write.partitionBy("number").parquet(uri(aside), compression="zstd")
    writing.place(_divided(aside), keys, periods)
    copies.unpersist()
    read_parquet(spark, "written_uses", writing.written(periods))
    made = []
    for name, reduction in (("groups", grouped), ("mailboxes", mailboxes)):
        spark.sql(reduction("written_uses", sql=SPARK)).write.parquet(uri(folder / "spool" / name), compression="snappy")
        made.append(f"FROM {parquet(*sorted((folder / 'spool' / name).glob('part-*')))}")
    writing.reduced(periods, *made)
    return writing.done()


def _table(spark: SparkSession, name: str, schema: str, rows: Iterable[tuple[object, ...]]) -> None:
    spark.createDataFrame(list(rows), schema).createOrReplaceTempView(name)


def _divided(aside: Path) -> dict[int, list[Path]]:
    """New files by the number of their part, in order."""
    found = defaultdict(list)
    for path in sorted(aside.glob("number=*/part-*")):
        found[int(path.parent.name.partition("=")[2])].append(path)
    return found
