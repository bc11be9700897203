"""Writes a log store: uses are spooled, then sorted by time without duplicates, and put in place atomically."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
from msgspec import Struct, field

from keyaudit.inventory import files, platform
from keyaudit.inventory.growing import Growing
from keyaudit.inventory.load import (
    UNSORTED,
    first_line,
    loading,
    one,
    parquet,
    part_name,
    pattern,
    pieces,
    quoted,
    write_parquet,
)
from keyaudit.inventory.logs.manifest import COLUMNS, FORMAT, THROTTLED, USES, WRITTEN, LogManifest
from keyaudit.inventory.logs.store import LogStore, open_logs
from keyaudit.inventory.logs.use import FileRead, Use, line
from keyaudit.inventory.manifest import File, TableFiles, sealed
from keyaudit.model.errors import OutputError, UsageError
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.times import DAY

_FLUSH = 512 * 1024
_SHORT = 64 * 1024
# The sort key for pieces: the time, and a part number within a second with many rows.
_PLACE, _PARTS = "place", 1024
# With twice as much, sorting spills to disk, which takes longer than everything else.
_PIECE = 32 * 1024 * 1024
# Columns that do not come from a use but from the file, the tenant or the row's identity.
_GIVEN = ("id", "scope_id", "source_url", "source_version")
_SPOOLED = {"id": "VARCHAR", "file": "INTEGER", "part": "INTEGER", "throttled": "BOOLEAN"}


class Import(Struct):
    """What an import learns besides uses."""

    tenant_id: str | None = None
    days: dict[str, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """By log and resource, midnight UTC of each day with an event of any kind. An empty id: the tenant."""


def write_logs(folder: Path, records: Iterable[Use | FileRead], known: Import) -> LogStore:
    """Creates a log store in `folder`, which must be new or empty, and opens it.

    `records`: the uses of one file, then its reading result, and so on. The producer of `records` fills `known`, which is read
    at the end. On failure nothing is left in or beside `folder`. Raises UsageError if `folder` is in use, OutputError if it
    cannot be written.
    """
    folder = folder.absolute()
    refuse_used(folder)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    with files.writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        files.folder(beside)
        _write(beside, records, known)
        with files.writing(folder):
            platform.move_folder(beside, folder)
        files.sync_names(folder.parent)
    except OutputError as error:
        raise OutputError(files.shown(folder), error.what, "make room there, and import again") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_logs(folder)


def refuse_used(folder: Path) -> None:
    """Raises UsageError unless a store can be created there."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(files.shown(folder), "is there, and is not a folder", "name a new one")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(files.shown(folder), "is not empty", "name a new folder")


def _write(folder: Path, records: Iterable[Use | FileRead], known: Import) -> None:
    spool = folder / "spool"
    files.folder(spool)
    for name in COLUMNS:
        files.folder(folder / name)
    with loading(spool / "tmp") as connection:
        try:
            read, longest = _spool(Growing(spool / "uses.jsonl"), records)
            tables = _tables(connection, folder, read, longest, known)
            kept = _by_day(connection, [folder / file.path for file in tables[USES].files])
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise OutputError(files.shown(folder), f"cannot be written: {first_line(error)}") from error
    days = {
        source: [(day, kept.get((source, day), 0)) for day in sorted(set[int]().union(*by_resource.values()))]
        for source, by_resource in sorted(known.days.items())
    }
    with files.writing(spool):
        shutil.rmtree(spool)
    manifest = LogManifest(digest="", format=FORMAT, tenant_id=known.tenant_id, files=tuple(read), days=days, tables=tables)
    files.replace(folder / "manifest.json", sealed(manifest))


def _spool(growing: Growing, records: Iterable[Use | FileRead]) -> tuple[list[FileRead], int]:
    """The files in order, and the length of the longest line. The spool has the uses in the same order."""
    read: list[FileRead] = []
    longest = size = 0
    lines: list[bytes] = []
    for record in records:
        if isinstance(record, FileRead):
            read.append(record)
            continue
        lines.append(line(record, len(read)))
        size += len(lines[-1])
        longest = max(longest, len(lines[-1]))
        if size >= _FLUSH:
            growing.add(b"".join(lines))
            lines.clear()
            size = 0
    if lines:
        growing.add(b"".join(lines))
    return read, longest


def _tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, read: list[FileRead], longest: int, known: Import
) -> dict[str, TableFiles]:
    """Writes the tables. Duplicates are subtracted from the kept records of their file."""
    spooled, aside = folder / "spool" / "uses.jsonl", folder / "spool" / "unsorted.parquet"
    uses: list[Path] = []
    throttled: list[Path] = []
    if spooled.exists():
        write_parquet(connection, _lines(spooled, longest), aside, UNSORTED)
        _name_files(connection, read)
        for where in pieces(connection, aside, spooled.stat().st_size, _PLACE, _PIECE):
            source = f"(SELECT * FROM {parquet(aside)} WHERE {where})"
            if one(connection, f"SELECT count(*) - count(DISTINCT id) FROM {source}"):
                source = _once(connection, source, read)
            uses.append(folder / USES / part_name(len(uses)))
            write_parquet(connection, _rows(source, known.tenant_id), uses[-1])
        if one(connection, f"SELECT count(*) FROM {parquet(aside)} WHERE throttled"):
            throttled.append(folder / THROTTLED / part_name(0))
            write_parquet(
                connection,
                f"SELECT DISTINCT target_id AS mailbox, used_on - used_on % {DAY} AS day FROM {parquet(aside)}"
                " WHERE throttled ORDER BY day, mailbox",
                throttled[0],
            )
    written = _written(connection, folder, known)
    for name in COLUMNS:
        files.sync_names(folder / name)
    return {
        name: TableFiles(
            files=tuple(_file(folder, path) for path in paths),
            rows=one(connection, f"SELECT count(*) FROM {parquet(*paths)}") if paths else 0,
            columns=COLUMNS[name],
        )
        for name, paths in ((USES, uses), (THROTTLED, throttled), (WRITTEN, written))
    }


def _written(connection: duckdb.DuckDBPyConnection, folder: Path, known: Import) -> list[Path]:
    """The table of days on which each resource wrote each log."""
    if not known.days:
        return []
    path = folder / WRITTEN / part_name(0)
    connection.execute("CREATE TEMP TABLE written (source TEXT, resource_id TEXT, day BIGINT)")
    for source, by_resource in known.days.items():
        rows = [(resource_id, day) for resource_id, days in by_resource.items() for day in days]
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute("INSERT INTO written SELECT ?, unnest(?), unnest(?)", [source, *columns])
    write_parquet(connection, "FROM written ORDER BY source, resource_id, day", path)
    return [path]


def _lines(spooled: Path, longest: int) -> str:
    types = _SPOOLED | {name: type_ for name, type_ in COLUMNS[USES].items() if name not in _GIVEN}
    columns = ", ".join(f"{name}: {quoted(type_)}" for name, type_ in types.items())
    return (
        f"SELECT * REPLACE (coalesce(unknown, MAP {{}}) AS unknown, coalesce(part, 0) AS part,"
        f" coalesce(throttled, false) AS throttled), used_on * {_PARTS} + (hash(id) % {_PARTS})::BIGINT AS {_PLACE}"
        f" FROM read_json({quoted(pattern(spooled))}, records = true,"
        f" format = 'newline_delimited', compression = 'none', maximum_object_size = {max(longest, _SHORT)},"
        f" columns = {{{columns}}})"
    )


def _name_files(connection: duckdb.DuckDBPyConnection, read: list[FileRead]) -> None:
    connection.execute(
        "CREATE TEMP TABLE named AS SELECT unnest(?) AS file, unnest(?) AS source_url, unnest(?) AS source_version",
        [list(range(len(read))), [file.file for file in read], [file.form for file in read]],
    )


def _once(connection: duckdb.DuckDBPyConnection, rows: str, read: list[FileRead]) -> str:
    """`rows` with each id once, from the first file that has it, as a relation."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE numbered AS SELECT *, row_number() OVER (PARTITION BY id ORDER BY file) AS copy"
        f" FROM {rows}"
    )
    again = connection.execute(
        "SELECT file, source, count(*) FROM numbered WHERE copy > 1 AND part = 0 GROUP BY file, source"
    ).fetchall()
    for file, source, count in again:
        counts = read[file].sources[source]
        counts.kept -= count
        counts.duplicate += count
    return "(SELECT * EXCLUDE (copy) FROM numbered WHERE copy = 1)"


def _rows(rows: str, tenant_id: str | None) -> str:
    """The columns of the table, in its order."""
    tenant = quoted(f"/tenants/{tenant_id or ''}")
    given = {
        "resource_id": f"coalesce(resource_id, {tenant})",
        "scope_id": f"lower(coalesce(resource_id, {tenant}))",
    }
    columns = ", ".join(f"{given.get(name, name)} AS {name}" for name in (*(c.name for c in USAGE.stored), "unknown"))
    return f"SELECT {columns} FROM {rows} JOIN named USING (file) ORDER BY used_on, id"


def _by_day(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> Mapping[tuple[str, int], int]:
    if not paths:
        return {}
    rows = connection.execute(
        f"SELECT source, used_on - used_on % {DAY} AS day, count(*) FROM {parquet(*paths)} GROUP BY source, day"
    ).fetchall()
    return {(source, day): count for source, day, count in rows}


def _file(folder: Path, path: Path) -> File:
    size, sha256 = files.digest(path)
    return File(path=Path(os.path.relpath(path, folder)).as_posix(), size=size, sha256=sha256)
