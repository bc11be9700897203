"""Writes a log store: uses are spooled, then written by day and log, and put in place atomically."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

import secrets
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct, field

from keyaudit.inventory.disk import files, platform
from keyaudit.inventory.load import first_line, loading, one, parquet, part_name, write_parquet
from keyaudit.inventory.logs import token as tokens
from keyaudit.inventory.logs.manifest import COLUMNS, FORMAT, THROTTLED, WHOLE, WRITTEN, LogManifest
from keyaudit.inventory.logs.store import LogStore, open_logs
from keyaudit.inventory.logs.token import Token, token_line
from keyaudit.inventory.logs.use import FileRead, Use, line
from keyaudit.inventory.manifest import File, TableFiles, sealed
from keyaudit.inventory.rows import columns_of
from keyaudit.logs.storing.days import write_days
from keyaudit.logs.storing.parts import Days, Spooled
from keyaudit.logs.storing.spool import OF_TOKENS, OF_USES, Spool, relation
from keyaudit.model.errors import OutputError, UsageError
from keyaudit.model.values.times import DAY


class Import(Struct):
    """What an import learns besides uses."""

    tenant_id: str | None = None
    days: dict[str, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """By log and resource, midnight UTC of each day with an event of any kind. An empty id: the tenant."""
    hours: dict[str, set[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(set))
    """By sign-in log, each hour since 1970 with a record, and whether that names a token."""


class Filled(Struct, frozen=True):
    """A store that has all but the tables that are kept as a whole, and the manifest."""

    new: Spooled
    known: Import
    days: Days
    tokens: Sequence[Path]
    """Parquet of tokens, each once for a day in its file."""
    key: bytes
    """The key by which their ids are hashed."""


def write_logs(
    folder: Path, records: Iterable[Use | Token | FileRead], known: Import, earlier: LogStore | None = None
) -> LogStore:
    """Creates a log store in `folder`, which must be new or empty, and opens it.

    `records`: the uses and tokens of one file, then its reading result, and so on. The producer of `records` fills `known`,
    which is read at the end. Raises as `create`.
    """

    def fill(connection: duckdb.DuckDBPyConnection, beside: Path) -> Filled:
        spool, of_tokens = (Spool(beside / "spool", connection, kind) for kind in (OF_USES, OF_TOKENS))
        key = key_of(earlier)
        read: list[FileRead] = []
        for record in records:
            if isinstance(record, Use):
                spool.add(line(record, len(read)))
            elif isinstance(record, Token):
                of_tokens.add(token_line(record, key))
            else:
                read.append(record)
        same_tenant(known, earlier)
        new = Spooled(spool.converted(), spool.size, read, known.tenant_id)
        return Filled(new, known, write_days(connection, beside, new, earlier), of_tokens.converted(), key)

    return create(folder, fill, earlier)


def create(
    folder: Path, fill: Callable[[duckdb.DuckDBPyConnection, Path], Filled], earlier: LogStore | None = None
) -> LogStore:
    """Creates a log store in `folder`, which must be new or empty, and opens it.

    `fill` writes uses and groups to the folder that it is given, whose `spool` it may use. The new store also has all that is
    in the store `earlier`, of the same tenant; it costs as much as the days of the new uses. On failure nothing is left in or
    beside `folder`. Raises UsageError if `folder` is in use or `earlier` is another tenant's, OutputError if it cannot be
    written, UnsafeError if `earlier` is damaged.
    """
    folder = folder.absolute()
    refuse_used(folder)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    with files.writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        files.folder(beside)
        _write(beside, fill, earlier)
        with files.writing(folder):
            platform.move_folder(beside, folder)
        files.sync_names(folder.parent)
    except OutputError as error:
        raise OutputError(files.shown(folder), error.what, "free some space there, and import again") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_logs(folder)


def refuse_used(folder: Path) -> None:
    """Raises UsageError unless a store can be created there."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(files.shown(folder), "exists, but is not a folder", "name a new one")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(files.shown(folder), "is not empty", "name a new folder")


def _write(folder: Path, fill: Callable[[duckdb.DuckDBPyConnection, Path], Filled], earlier: LogStore | None) -> None:
    spool = folder / "spool"
    files.folder(spool)
    for name in COLUMNS:
        files.folder(folder / name)
    with loading(spool / "tmp") as connection:
        try:
            filled = fill(connection, folder)
            tables = _tables(connection, folder, relation(filled.new.paths), filled.known, earlier)
            before = (earlier.folder, earlier.manifest.tables[tokens.TOKENS]) if earlier else None
            tables[tokens.TOKENS] = tokens.write_tokens(connection, folder, filled.tokens, before)
            key = tokens.write_key(connection, folder, filled.key, tables[tokens.TOKENS])
            written = _days(connection, folder, filled.days)
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise OutputError(files.shown(folder), f"cannot be written: {first_line(error)}") from error
    for name in COLUMNS:
        files.sync_names(folder / name)
    with files.writing(spool):
        shutil.rmtree(spool)
    manifest = LogManifest(
        digest="",
        format=FORMAT,
        tenant_id=filled.known.tenant_id,
        files=(*(earlier.files if earlier else ()), *filled.new.read),
        days=written,
        parts=tuple(filled.days.parts),
        reduced=tuple(filled.days.reduced),
        tables=tables,
        key=key,
        columns=COLUMNS,
    )
    files.replace(folder / "manifest.json", sealed(manifest))


def key_of(earlier: LogStore | None) -> bytes:
    """The key for the ids of tokens: that of the earlier store, so that equal ids stay equal, or a new one.

    Raises UnsafeError if the earlier one was changed.
    """
    if earlier is None or earlier.manifest.key is None:
        return tokens.new_key()
    earlier.verify([earlier.manifest.key])
    return tokens.read_key(earlier.folder)


def same_tenant(known: Import, earlier: LogStore | None) -> None:
    """Raises UsageError if the earlier store is of another tenant."""
    if earlier is not None and known.tenant_id != earlier.tenant_id:
        of = f"of tenant {earlier.tenant_id}" if earlier.tenant_id else "of no tenant that they name"
        what = f"the earlier logs are {of}, and these are of tenant {known.tenant_id}"
        raise UsageError("--merge", what, "import all of them together, if they are of one tenant")


def _tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, uses: str, known: Import, earlier: LogStore | None
) -> dict[str, TableFiles]:
    """Writes the tables that are kept as a whole, but TOKENS."""
    connection.execute(f"CREATE TEMP TABLE {WRITTEN} ({columns_of(WHOLE[WRITTEN])})")
    for source, by_resource in known.days.items():
        rows = [(resource_id, day) for resource_id, days in by_resource.items() for day in days]
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(f"INSERT INTO {WRITTEN} SELECT ?, unnest(?), unnest(?)", [source, *columns])
    connection.execute(f"CREATE TEMP TABLE {tokens.HOURS} ({columns_of(tokens.HOUR_COLUMNS)})")
    for source, hours in known.hours.items():
        columns = [list(column) for column in zip(*hours, strict=True)]
        connection.execute(f"INSERT INTO {tokens.HOURS} SELECT ?, unnest(?), unnest(?)", [source, *columns])
    new = {
        THROTTLED: f"SELECT target_id AS mailbox, used_on // {DAY} * {DAY} AS day FROM {uses} WHERE throttled",
        WRITTEN: f"FROM {WRITTEN}",
        tokens.HOURS: f"FROM {tokens.HOURS}",
    }
    order = {THROTTLED: "day, mailbox", WRITTEN: "source, resource_id, day", tokens.HOURS: "source, hour, named"}
    made = {}
    for name, of_new in new.items():
        query = f"{of_new} UNION ALL {earlier.rows(name)}" if earlier else of_new
        count = one(connection, f"SELECT count(*) FROM (SELECT DISTINCT * FROM ({query}))")
        path = f"{name}/{part_name(0)}"
        if count:
            write_parquet(connection, f"SELECT DISTINCT * FROM ({query}) ORDER BY {order[name]}", folder / path)
        made[name] = TableFiles(files=(_file(folder, path),) if count else (), rows=count, columns=WHOLE[name])
    return made


def _days(connection: duckdb.DuckDBPyConnection, folder: Path, days: Days) -> dict[str, list[tuple[int, int]]]:
    """By log, each day with an event of any kind, and the number of its uses."""
    path = folder / WRITTEN / part_name(0)
    if not path.exists():
        return {}
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    query = f"SELECT DISTINCT source, day FROM {parquet(path)} ORDER BY source, day"
    for source, day in connection.execute(query).fetchall():
        found[source].append((day, days.uses.get((source, day), 0)))
    return dict(found)


def _file(folder: Path, path: str) -> File:
    size, sha256 = files.digest(folder / path)
    return File(path=path, size=size, sha256=sha256)
