"""A log store on disk: fully verified when opened, then queried by SQL."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory import files
from keyaudit.inventory.load import counted, described, parquet
from keyaudit.inventory.locked import TEMPORARY, judged, locked
from keyaudit.inventory.logs.manifest import COLUMNS, DAMAGED, THROTTLED, USES, WRITTEN, LogManifest, decode
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import MAX_MANIFEST, TableFiles
from keyaudit.inventory.rows import no_rows
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.times import DAY


class LogStore(Struct, frozen=True):
    """A verified log store."""

    folder: Path
    manifest: LogManifest

    @property
    def tenant_id(self) -> str | None:
        """The tenant of its records, in lower case; None if no record names one."""
        return self.manifest.tenant_id

    @property
    def digest(self) -> str:
        """SHA-256 of its content, in hex."""
        return self.manifest.digest

    @property
    def files(self) -> tuple[FileRead, ...]:
        """Its source files."""
        return self.manifest.files

    @property
    def until(self) -> int:
        """The end of the last day with an event of any kind; 0 if there is none."""
        return max((day + DAY for days in self.manifest.days.values() for day, _ in days), default=0)

    @contextlib.contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An in-memory DuckDB that can only read this folder, closed after the block. It has

        - the view `usage`: the stored columns of that table, and `unknown`, in the order of `used_on`;
        - `log_day`: by log the days with an event of any kind (midnight UTC), with the kept uses of each;
        - `log_file`: by file and log what was read; without a log (NULL) the unrecognised records;
        - `throttled`: the mailboxes that a log stopped recording because of throttling, with the day;
        - `written`: by log and resource (empty for the tenant), the days on which that resource wrote an event of any kind.

        Query errors are raised as in `inventory.locked.judged`.
        """
        with locked(self.folder) as connection, judged(self.folder, self.verify, DAMAGED):
            self._check(connection)
            for name, kind in ((USES, "VIEW"), (THROTTLED, "TABLE"), (WRITTEN, "VIEW")):
                table = self.manifest.tables[name]
                rows = f"SELECT * FROM {parquet(*self._paths(table))}" if table.files else no_rows(COLUMNS[name])  # noqa: S608
                connection.execute(f"CREATE {kind} {name} AS {rows}")
            connection.execute("CREATE TABLE log_day (source TEXT, day BIGINT, events BIGINT)")
            _insert(connection, "log_day", [(name, *day) for name, days in self.manifest.days.items() for day in days])
            connection.execute(
                "CREATE TABLE log_file (file TEXT, source TEXT, first_on BIGINT, last_on BIGINT, kept BIGINT,"
                " duplicate BIGINT, quarantined BIGINT, complete BOOLEAN, lacks_before BIGINT, unread BOOLEAN)"
            )
            _insert(connection, "log_file", [row for file in self.files for row in _told(file)])
            yield connection

    def verify(self) -> None:
        """Raises UnsafeError unless every file has the digest that the manifest says."""
        for table in self.manifest.tables.values():
            for file in table.files:
                if files.digest(self.folder / file.path) != (file.size, file.sha256):
                    raise UnsafeError(files.shown(self.folder / file.path), "damaged or edited: its digest differs", DAMAGED)

    def copy_uses(self, into: Path) -> TableFiles:
        """Copies the files of the table `usage` to the new folder `into`, and returns their description.

        Raises UnsafeError if a file has changed since the store was opened, OutputError if it cannot be written.
        """
        table = self.manifest.tables[USES]
        if table.files:
            files.folder(into)
        for file in table.files:
            copy = into / Path(file.path).name
            files.copy(self.folder / file.path, copy)
            if files.digest(copy) != (file.size, file.sha256):
                raise UnsafeError(files.shown(self.folder / file.path), "was changed while it was read", DAMAGED)
        if table.files:
            files.sync_names(into)
        return table

    def _paths(self, table: TableFiles) -> list[Path]:
        return [self.folder / file.path for file in table.files]

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Raises UnsafeError if a file does not match the manifest."""
        for table in self.manifest.tables.values():
            paths = self._paths(table)
            if any(described(connection, path) != table.columns for path in paths) or (
                paths and sum(counted(connection, paths).values()) != table.rows
            ):
                what = "does not hold the columns and rows that the manifest says"
                raise UnsafeError(files.shown(self.folder), what, DAMAGED)


def open_logs(folder: Path) -> LogStore:
    """The log store in `folder`, every byte of it checked against its manifest.

    Raises UnsafeError if it is damaged, edited or not written by keyaudit, UsageError if it does not exist or has another
    format version.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    if folder.is_symlink() or not folder.is_dir():
        raise UsageError(place, "no such folder", "name the folder that usage import wrote to")
    path = folder / "manifest.json"
    if not os.path.lexists(path):
        raise UsageError(place, "holds no logs", "name the folder that usage import wrote to")
    opened = LogStore(folder, decode(files.read(path, MAX_MANIFEST), files.shown(path)))
    _refuse_extra(opened)
    opened.verify()
    return opened


def _refuse_extra(store: LogStore) -> None:
    known = {store.folder / file.path for table in store.manifest.tables.values() for file in table.files}
    extra = [
        entry
        for entry in store.folder.iterdir()
        if entry.name not in {"manifest.json", *store.manifest.tables} and not entry.name.startswith(TEMPORARY)
    ]
    for name in store.manifest.tables:
        table = store.folder / name
        if table.is_symlink() or not table.is_dir():
            raise UnsafeError(files.shown(table), "missing, or not a folder", DAMAGED)
        extra += [entry for entry in table.iterdir() if entry not in known]
    if extra:
        raise UnsafeError(files.shown(min(extra)), "does not belong to these logs", "remove it, or import the logs again")


def _told(file: FileRead) -> Iterator[tuple[object, ...]]:
    of_file = (file.complete, file.lacks_before, file.unread)
    for source, read in file.sources.items():
        counts = (read.kept, read.duplicate, read.quarantined)
        yield file.file, source or None, read.first_on, read.last_on, *counts, *of_file
    if not file.sources:
        yield file.file, None, None, None, 0, 0, 0, *of_file


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[object, ...]]) -> None:
    """Inserts by column; by row it takes a hundred times as long."""
    if rows:
        names = [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]
        values = ", ".join(f"unnest(${number + 1})" for number in range(len(names)))
        connection.execute(f"INSERT INTO {table} SELECT {values}", [list(column) for column in zip(*rows, strict=True)])
