"""Writes a log store with Spark: the uses are read, sorted and grouped by executors, into the same files as on one machine.

The driver reads what was found in each file, and the groups. Executors write to the folder of the store, which every node must
have under the same path.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import msgspec
from pyspark.sql import SparkSession

from keyaudit.inventory.dialect import DUCKDB, SPARK
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import counted, first_line, loading, one, parquet
from keyaudit.inventory.logs.groups import grouped, mailboxes
from keyaudit.inventory.logs.manifest import COLUMNS, USES
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.logs.token import Token, token_line
from keyaudit.inventory.logs.use import FileRead, Use, line
from keyaudit.inventory.spark import MASTER, pattern, session, uri
from keyaudit.logs.storing.parts import (
    COPIES,
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
from keyaudit.logs.storing.spool import OF_TOKENS, SPOOLED, Spool, relation
from keyaudit.logs.storing.write import Filled, Import, create, key_of, same_tenant
from keyaudit.model.errors import AccessError, AuditError, OutputError, UnsafeError, UsageError
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

if TYPE_CHECKING:
    from pyspark import RDD

AT_ONCE = 200_000
"""The number of uses that a task sorts: about 150 MB, so that two tasks fit into an executor with 1 GB."""
_PARTITIONS = 10_000
"""The most partitions of a shuffle, because each task writes a block for each of them."""
_ERRORS: dict[str, type[AuditError]] = {each.__name__: each for each in (UsageError, UnsafeError, OutputError)}


class Log(NamedTuple):
    """A file of logs that an executor reads: its number, what is learned, and the records as for `write_logs`."""

    number: int
    known: Import
    records: Iterator[Use | Token | FileRead]


class Found(msgspec.Struct, frozen=True):
    """Files of logs: their names by number, and the files themselves, which are read when they are needed."""

    names: Sequence[str]
    logs: "Sequence[RDD[Log]]"


class Refused(msgspec.Struct, frozen=True):
    """An error of an executor that ends the import."""

    error: str
    place: str
    what: str
    remedy: str

    @classmethod
    def of(cls, error: AuditError) -> "Refused":
        """One of _ERRORS, as text."""
        return cls(type(error).__name__, error.place, error.what, error.remedy)

    def raised(self) -> AuditError:
        """The error itself."""
        return _ERRORS[self.error](self.place, self.what, self.remedy)


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an executor found in one file, besides uses; or why it refused the file."""

    number: int
    read: FileRead | None = None
    tenant_id: str | None = None
    days: dict[str, dict[str, list[int]]] = {}
    hours: dict[str, list[tuple[int, bool]]] = {}
    refused: Refused | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task wrote of its files."""

    told: list[Told] = []
    paths: list[str] = []
    """The Parquet with their uses."""
    tokens: list[str] = []
    """The Parquet with their tokens."""
    uses: list[tuple[str, int, int]] = []
    """The number of uses by log and day (midnight UTC)."""
    refused: Refused | None = None


def spool(folder: Path, key: bytes, logs: Iterable[Log]) -> Iterator[bytes]:
    """Reads files on an executor, and writes their uses and tokens to a new folder in `folder`. Yields one `Task`, as JSON.

    `key`: by which the ids of tokens are hashed.
    """
    # A task that is repeated or given up leaves its folder behind, which nothing reads.
    aside = folder / secrets.token_hex(8)
    try:
        if not folder.is_dir():
            raise _not_shared()
        files.folder(aside)
        with loading(aside / "tmp") as connection:
            uses, tokens = Spool(aside, connection), Spool(aside, connection, OF_TOKENS)
            told = [_told(log, uses, tokens, key) for log in logs]
            paths, of_tokens = uses.converted(), tokens.converted()
            counts = connection.execute(by_day(relation(paths), DUCKDB)).fetchall()
        task = Task(told=told, paths=list(map(str, paths)), tokens=list(map(str, of_tokens)), uses=counts)
    except (OutputError, UsageError) as error:
        task = Task(refused=Refused.of(error))
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        task = Task(refused=Refused("OutputError", files.shown(aside), f"cannot be written: {first_line(error)}", files.REMEDY))
    yield msgspec.json.encode(task)


def _told(log: Log, uses: Spool, tokens: Spool, key: bytes) -> Told:
    told = Told(number=log.number)
    try:
        for record in log.records:
            if isinstance(record, Use):
                uses.add(line(record, log.number))
                continue
            if isinstance(record, Token):
                tokens.add(token_line(record, key))
                continue
            days = {
                source: {resource_id: sorted(found) for resource_id, found in by_resource.items()}
                for source, by_resource in log.known.days.items()
            }
            hours = {source: sorted(found) for source, found in log.known.hours.items()}
            told = Told(number=log.number, read=record, tenant_id=log.known.tenant_id, days=days, hours=hours)
    except (UsageError, UnsafeError) as error:
        return Told(number=log.number, refused=Refused.of(error))
    return told


def write_logs_with_spark(
    folder: Path, master: str, read: Callable[[SparkSession], Found], earlier: LogStore | None = None
) -> LogStore:
    """Creates a log store in `folder` from the files that `read` finds, and opens it.

    Otherwise as `create`, with the errors of `session`.
    """

    def fill(connection: duckdb.DuckDBPyConnection, beside: Path) -> Filled:
        # Spark is stopped before the folder is removed, since it may be writing to it.
        with session(master) as spark:
            found = read(spark)
            key = key_of(earlier)
            tasks = _spooled(spark, found.logs, beside / "spool", key)
            files_read, known = _learned(tasks, found.names, earlier)
            same_tenant(known, earlier)
            uses = _uses(tasks, files_read, known.tenant_id)
            tokens = _paths(path for task in tasks for path in task.tokens)
            return Filled(uses.new, known, _write_days(spark, connection, beside, uses, earlier), tokens, key)

    return create(folder, fill, earlier)


class _Uses(NamedTuple):
    """All new uses, and their number by day and log."""

    new: Spooled
    counts: Counter[tuple[int, str]]


def _spooled(spark: SparkSession, logs: "Sequence[RDD[Log]]", folder: Path, key: bytes) -> list[Task]:
    """Reads the files once. Raises the error of a task that has one."""
    context = spark.sparkContext
    rows = context.union([each.mapPartitions(partial(spool, folder, key)) for each in logs]).collect()
    tasks = [msgspec.json.decode(row, type=Task) for row in rows]
    for task in tasks:
        if task.refused is not None:
            raise task.refused.raised()
    return tasks


def _learned(tasks: Sequence[Task], names: Sequence[str], earlier: LogStore | None) -> tuple[list[FileRead], Import]:
    """What was read, by number of the file. Raises the error of the first file that has one."""
    found = sorted((told for task in tasks for told in task.told), key=lambda told: told.number)
    if [told.number for told in found] != list(range(len(names))):
        what = f"the executors read {len(found):,} files, where {len(names):,} were listed"
        raise AccessError(MASTER, what, "import again while no file is added or removed")
    known = Import(earlier.tenant_id if earlier else None)
    read = []
    for told in found:
        if told.refused is not None:
            raise told.refused.raised()
        if told.tenant_id is not None and known.tenant_id not in (None, told.tenant_id):
            what = f"is of tenant {told.tenant_id}, and others are of tenant {known.tenant_id}"
            raise UnsafeError(names[told.number], what, "import each tenant's logs into a folder of its own")
        known.tenant_id = known.tenant_id or told.tenant_id
        for source, by_resource in told.days.items():
            for resource_id, days in by_resource.items():
                known.days[source][resource_id].update(days)
        for source, hours in told.hours.items():
            known.hours[source].update(hours)
        if told.read is not None:
            read.append(told.read)
    return read, known


def _uses(tasks: Sequence[Task], read: Sequence[FileRead], tenant_id: str | None) -> _Uses:
    paths = _paths(path for task in tasks for path in task.paths)
    counts = Counter[tuple[int, str]]()
    for task in tasks:
        counts.update({(day, source): uses for source, day, uses in task.uses})
    return _Uses(Spooled(paths, 0, read, tenant_id), counts)


def _paths(named: Iterable[str]) -> list[Path]:
    """The files of executors. Raises UsageError for one that this machine does not see."""
    paths = [Path(path) for path in named]
    if not all(path.exists() for path in paths):
        raise _not_shared()
    return paths


def _not_shared() -> UsageError:
    what = "is not the same folder on every node"
    return UsageError("--out", what, "name a folder that each node of the cluster has under this path")


def _write_days(
    spark: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path, uses: _Uses, earlier: LogStore | None
) -> Days:
    """The same as `days.write_days`."""
    new = uses.new
    periods = periods_of(uses.counts, earlier)
    again = rewritten(uses.counts, periods, earlier)
    counts = with_earlier(uses.counts, earlier, again)
    writing = Parts(connection, folder, new.read)
    if earlier is not None:
        writing.take_over(earlier, again, periods)
    if not periods:
        return writing.done()
    _read(spark, "uses", new.paths, SPOOLED)
    _table(spark, "named", "file INT, source_url STRING, source_version STRING", zip(*named(new.read), strict=True))
    query = incoming(new, "uses", SPARK)
    if earlier is not None and again:
        found = [file for part in again for file in part.files]
        earlier.verify(found)
        _read(spark, "earlier", [earlier.folder / file.path for file in found], COLUMNS[USES])
        query += f" UNION ALL {earlier_uses('earlier', SPARK)}"
    spark.sql(query).createOrReplaceTempView("incoming")
    spark.conf.set("spark.sql.shuffle.partitions", str(min(1 + counts.total() // AT_ONCE, _PARTITIONS)))
    copies = spark.sql(repeated(f"({_COPIES})", SPARK)).collect()
    writing.subtract((row.file, row.source, row.records) for row in copies)
    for row in copies:
        counts[row.day, row.source] -= row.copies
    writing.count((source, day, number) for (day, source), number in counts.items())
    made, keys = _divided(spark, folder / "spool" / "divided", counts, periods, once=not copies)
    if sum(counted(connection, [path for of in made.values() for path in of]).values()) != counts.total():
        raise _not_shared()
    writing.place(made, keys, periods)
    written = writing.written(periods)
    _read(spark, "written_uses", written, COLUMNS[USES])
    periodic = days_of(periods)
    connection.execute("CREATE TEMP TABLE period AS SELECT unnest(?) AS day, unnest(?) AS since", list(periodic))
    results: list[str] = []
    for name, reduction in (("groups", grouped), ("mailboxes", mailboxes)):
        aside = folder / "spool" / name
        spark.sql(reduction("written_uses", sql=SPARK)).write.parquet(uri(aside), compression="snappy")
        results.append(f"FROM {parquet(*sorted(aside.glob('part-*')))}")
    # A node that writes to a folder of its own loses groups without an error.
    if len({one(connection, f"SELECT sum(uses) FROM ({of})") for of in (results[0], f"FROM {parquet(*written)}")}) > 1:
        raise _not_shared()
    writing.reduced(periods, *results)
    return writing.done()


_COPIES = f"SELECT *, row_number() OVER (PARTITION BY id ORDER BY {COPIES}) AS copy FROM incoming"
"""As `numbered`, without `most` and without the order of copies that are counted alike, so that few columns are read."""
_PLACED = (
    f"SELECT incoming.*, number FROM incoming JOIN key ON key.source = incoming.source AND key.day = incoming.used_on DIV {DAY}"
    f" AND key.slice = incoming.used_on % {DAY} * slices DIV {DAY} DISTRIBUTE BY number"
)
_IN_ORDER = "number, used_on, id"
_UNIQUE = ("id", "name")
"""Columns whose values are mostly different: a dictionary of them would be built in vain."""


def _divided(
    spark: SparkSession, aside: Path, counts: Counter[tuple[int, str]], periods: Sequence[Window], *, once: bool
) -> tuple[dict[int, list[Path]], list[tuple[int, int, str]]]:
    """Writes the uses of `incoming`, each once, in the order of their parts; a large day is divided by time.

    `counts`: by day and log their number. `once`: whether each is there once. Returns the files by number, and the numbers in
    order, each with its period and log.
    """
    of_day = {day: period for period in periods for day in period.days}
    slices = {
        (day, source): 1 if of_day[day].until - of_day[day].since > DAY else 1 + uses // AT_ONCE
        for (day, source), uses in counts.items()
    }
    of_part = sorted({(of_day[day].since, source, each) for (day, source), many in slices.items() for each in range(many)})
    number = {of: number for number, of in enumerate(of_part, 1)}
    keys = [
        (number[of_day[day].since, source, each], source, day // DAY, each, many)
        for (day, source), many in slices.items()
        for each in range(many)
    ]
    _table(spark, "key", "number BIGINT, source STRING, day BIGINT, slice BIGINT, slices BIGINT", keys)
    # Equal ids have equal times, so that one order serves to find copies, and to write.
    query = _PLACED if once else kept(f"({numbered(f'({_PLACED})', SPARK, _IN_ORDER)})", SPARK)
    columns = ", ".join(map(SPARK.name, STORED))
    written = spark.sql(f"SELECT number, {columns} FROM ({query}) SORT BY {_IN_ORDER}").write
    for column in _UNIQUE:
        written = written.option(f"parquet.enable.dictionary#{column}", "false")
    written.partitionBy("number").parquet(uri(aside), compression="zstd")
    made = defaultdict(list)
    for path in sorted(aside.glob("number=*/part-*")):
        made[int(path.parent.name.partition("=")[2])].append(path)
    return made, [(number, since, source) for number, (since, source, _) in enumerate(of_part, 1)]


def _table(spark: SparkSession, name: str, schema: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Creates a view of few rows, which every task gets whole."""
    spark.createDataFrame(list(rows), schema).hint("broadcast").createOrReplaceTempView(name)


def _read(spark: SparkSession, name: str, paths: Sequence[Path], columns: Mapping[str, str]) -> None:
    """Creates a view of files with these columns, which need not be opened for that."""
    schema = ", ".join(f"{SPARK.name(column)} {SPARK.type(type_)}" for column, type_ in columns.items())
    spark.read.schema(schema).parquet(*map(pattern, paths)).createOrReplaceTempView(name)
