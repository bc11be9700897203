"""A log store on disk: its manifest is checked when it is opened, and the files of a day when that day is read."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory.confinement import TEMPORARY, judged, locked
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import counted, parquet, part_name, write_parquet
from keyaudit.inventory.logs.manifest import (
    AGAIN,
    COLUMNS,
    DAMAGED,
    GROUPED,
    READ,
    THROTTLED,
    USES,
    WRITTEN,
    LogManifest,
    Part,
    decode,
)
from keyaudit.inventory.logs.token import HOURS, TOKENS
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import MAX_MANIFEST, File, TableFiles
from keyaudit.inventory.rows import no_rows
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

_MANY = 20_000
"""The number of rows from which a file is worth the time that opening it takes."""


class LogStore(Struct, frozen=True):
    """A log store."""

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
    def connect(
        self, window: Window | None = None, *, uses: bool = True, tokens: bool = False, besides: Sequence[Path] = ()
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """An in-memory DuckDB that can only access this folder and those `besides`, closed after the block. It has

        - the view `usage`, with `uses`: the stored columns of that table, and `unknown`, of the days of the window and possibly
          others of their months;
        - the views `groups` and `mailboxes` of the same days, with the columns of `groups.GROUP` and `MAILBOXES`;
        - `log_day`: by log the days with an event of any kind (midnight UTC), with the kept uses of each;
        - `log_file`: by file and log what was read; without a log (NULL) the unrecognised records. Several files may have one
          name, and are told apart by their number;
        - `throttled`: the mailboxes that a log stopped recording because of throttling, with the day;
        - `written`: by log and resource (empty for the tenant), the days on which that resource wrote an event of any kind;
        - `hours` and, with `tokens`, the view `tokens`: of all days, with the columns of `token.HOUR_COLUMNS` and `COLUMNS`. A
          token may be in several rows, each with a part of its uses.

        Without a window, all days are read. Raises UnsafeError if a file of these days was changed. Query errors are raised as
        in `inventory.locked.judged`.
        """
        tables = self._of(window)
        if not uses:
            del tables[USES]
        if not tokens:
            del tables[TOKENS]
        every = [file for found, _ in tables.values() for file in found]
        every += [self.manifest.key] if self.manifest.key else []
        self.verify(every)
        # A store has a file for each log and day, whose metadata is read by each query otherwise.
        opened = locked(self.folder, *besides, parquet_metadata_cache="true")
        with opened as connection, judged(self.folder, lambda: self.verify(every), DAMAGED):
            for name, (found, rows) in tables.items():
                self._create(connection, name, found, rows)
            connection.execute("CREATE TABLE log_day (source TEXT, day BIGINT, events BIGINT)")
            _insert(connection, "log_day", [(name, *day) for name, days in self.manifest.days.items() for day in days])
            connection.execute(
                "CREATE TABLE log_file (number BIGINT, file TEXT, source TEXT, first_on BIGINT, last_on BIGINT, kept BIGINT,"
                " duplicate BIGINT, quarantined BIGINT, complete BOOLEAN, lacks_before BIGINT, unread BOOLEAN,"
                " asked_since BIGINT, asked_until BIGINT)"
            )
            told = [(number, *row) for number, file in enumerate(self.files) for row in _told(file)]
            _insert(connection, "log_file", told)
            yield connection

    def add_uses(self, connection: duckdb.DuckDBPyConnection, days: Collection[int]) -> None:
        """Adds the view `usage`, of these days (midnight UTC) and possibly others, to a connection of `connect`.

        Raises UnsafeError if a file of these days was changed.
        """
        parts = [part for part in self.manifest.parts if any(day in part.period.days for day in days)]
        found = [file for part in parts for file in part.files]
        self.verify(found)
        self._create(connection, USES, found, sum(part.rows for part in parts))

    def verify(self, of: Iterable[File] | None = None) -> None:
        """Raises UnsafeError unless these files, by default all, have the digests that the manifest says."""
        for file in self.manifest.stored() if of is None else of:
            if files.digest(self.folder / file.path) != (file.size, file.sha256):
                raise UnsafeError(files.shown(self.folder / file.path), "damaged or edited: its digest differs", DAMAGED)

    def rows(self, table: str) -> str:
        """A query for all rows of a table that is kept as a whole. Raises UnsafeError if it was changed."""
        found = self.manifest.tables[table].files
        self.verify(found)
        return f"FROM {parquet(*(self.folder / file.path for file in found))}" if found else no_rows(COLUMNS[table])

    def _of(self, window: Window | None) -> dict[str, tuple[Sequence[File], int | None]]:
        """By table the files of the days of a window, and the number of their rows if it is known."""
        manifest = self.manifest
        parts = [part for part in manifest.parts if _meet(part.period, window)]
        reduced = [each for each in manifest.reduced if _meet(each.period, window)]
        return {
            USES: ([file for part in parts for file in part.files], sum(part.rows for part in parts)),
            GROUPED: ([each.groups for each in reduced], None),
            READ: ([each.mailboxes for each in reduced if each.mailboxes], None),
            **{name: (manifest.tables[name].files, manifest.tables[name].rows) for name in (THROTTLED, WRITTEN, HOURS, TOKENS)},
        }

    def _create(self, connection: duckdb.DuckDBPyConnection, table: str, found: Sequence[File], rows: int | None) -> None:
        """Creates a view of a table's files. Raises UnsafeError if they do not match the manifest."""
        paths = [self.folder / file.path for file in found]
        if not paths:
            connection.execute(f"CREATE VIEW {table} AS {no_rows(COLUMNS[table])}")
            return
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {parquet(*paths)}")
        columns = {name: type_ for name, type_, *_ in connection.execute(f"DESCRIBE {table}").fetchall()}
        if columns != COLUMNS[table] or (rows is not None and sum(counted(connection, paths).values()) != rows):
            what = "does not hold the columns and rows that the manifest says"
            raise UnsafeError(files.shown(self.folder), what, DAMAGED)

    def copy_uses(self, connection: duckdb.DuckDBPyConnection, into: Path) -> TableFiles:
        """Copies the table `usage` to the new folder `into`, by a connection with file access, and returns its description.

        Days with few uses are put in one file together, because each file takes time whenever the table is read. Raises
        UnsafeError if a file of this store was changed, OutputError if the copy cannot be written.
        """
        made: list[Path] = []
        for parts in _bundles(self.manifest.parts):
            found = [file for part in parts for file in part.files]
            if not made:
                files.folder(into)
            if len(parts) == 1:
                for file in found:
                    made.append(into / part_name(len(made)))
                    self._copy(file, made[-1])
                continue
            self.verify(found)
            made.append(into / part_name(len(made)))
            paths = parquet(*(self.folder / file.path for file in found))
            write_parquet(connection, f"FROM {paths} ORDER BY used_on, id", made[-1])
        if made:
            files.sync_names(into)
        copied = [(f"{into.name}/{path.name}", *files.digest(path)) for path in made]
        return TableFiles(
            files=tuple(File(path=path, size=size, sha256=sha256) for path, size, sha256 in copied),
            rows=sum(part.rows for part in self.manifest.parts),
            columns=COLUMNS[USES],
        )

    def _copy(self, file: File, copy: Path) -> None:
        files.copy(self.folder / file.path, copy)
        if files.digest(copy) != (file.size, file.sha256):
            raise UnsafeError(files.shown(self.folder / file.path), "changed while it was read", DAMAGED)


def open_logs(folder: Path) -> LogStore:
    """The log store in `folder`, with a manifest that was not changed, and exactly the files that it names.

    The content of a file is checked when it is read. Raises UnsafeError if the store is damaged, edited or not written by
    keyaudit, UsageError if it does not exist or has another format version.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    files.need_folder(folder, "name the folder that usage import wrote to")
    path = folder / "manifest.json"
    if not os.path.lexists(path):
        raise UsageError(place, "holds no logs", "name the folder that usage import wrote to")
    opened = LogStore(folder, decode(files.read(path, MAX_MANIFEST), files.shown(path)))
    _refuse_extra(opened)
    _refuse_missing(opened)
    return opened


def _meet(period: Window, window: Window | None) -> bool:
    return window is None or (period.since < window.until and window.since < period.until)


def _refuse_extra(store: LogStore) -> None:
    known = {store.folder / file.path for file in store.manifest.stored()}
    extra = [
        entry
        for entry in store.folder.iterdir()
        if entry not in known and entry.name not in {"manifest.json", *COLUMNS} and not entry.name.startswith(TEMPORARY)
    ]
    for name in COLUMNS:
        table = store.folder / name
        if table.is_symlink() or not table.is_dir():
            raise UnsafeError(files.shown(table), "missing, or not a folder", DAMAGED)
        extra += [entry for entry in table.iterdir() if entry not in known]
    if extra:
        raise UnsafeError(files.shown(min(extra)), "does not belong to these logs", f"remove it, or {AGAIN}")


def _refuse_missing(store: LogStore) -> None:
    for file in store.manifest.stored():
        path = store.folder / file.path
        try:
            size = path.lstat().st_size
        except OSError as error:
            raise UnsafeError(files.shown(path), f"cannot be read: {error.strerror}", DAMAGED) from error
        if size != file.size:
            raise UnsafeError(files.shown(path), f"{size:,} bytes, where the manifest says {file.size:,}", DAMAGED)


def _bundles(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts in order: a large one by itself, small ones together."""
    bundle: list[Part] = []
    rows = 0
    for part in parts:
        if bundle and (part.rows >= _MANY or rows >= _MANY):
            yield bundle
            bundle, rows = [], 0
        bundle.append(part)
        rows += part.rows
    if bundle:
        yield bundle


def _told(file: FileRead) -> Iterator[tuple[object, ...]]:
    of_file = (file.complete, file.lacks_before, file.unread, *(file.asked or (None, None)))
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
