"""A snapshot on disk: written once and whole, verified to the last byte before it is read, judged any number of times."""

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from keyaudit.inventory import files, views
from keyaudit.inventory.load import counted, described, first_line, load, loading, parquet, pattern
from keyaudit.inventory.manifest import MAX_MANIFEST, File, Manifest, TableFiles, decode, encode
from keyaudit.inventory.rows import declared
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run
from keyaudit.model.tables import TABLES, filled

_MEMORY = "400MB"
_TEMPORARY = "tmp-"
# Whatever the files hold, these come from our own SQL.
_BUGS = (duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException, duckdb.ParserException)
_DAMAGED = "take the snapshot from where it was made, or collect again"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A verified snapshot. Nothing derived is in it: the same snapshot can be judged at any `as_of`."""

    folder: Path
    run: Run
    coverage: tuple[Coverage, ...]
    tables: Mapping[str, TableFiles]

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each table has; a connection finds so in the files, or refuses the snapshot."""
        return {name: table.rows for name, table in self.tables.items()}

    def connect(self, as_of: int, *, reach_known: bool = True) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB with one view per table under the table's name, and `coverage`, the ledger, as a table.

        A view has the stored columns, the derived ones as of `as_of`, and `unknown` with the reasons of both. The connection
        can read this snapshot's folder and nothing else: no network, no extension, and no setting can be changed.
        Close it, or use it in `with`. `reach_known`: false for a reader of none of `model.tables.reach.COLUMNS`, which are
        work to make, and then are NULL. Raises UnsafeError where a file does not hold what the manifest says.
        """
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            # Each thread takes its part of that memory, whatever the machine has.
            "threads": 2,
            # Of its own, since two processes may judge one snapshot; DuckDB makes it on need, and removes it.
            "temp_directory": str(self.folder / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
        connection = duckdb.connect(":memory:", config=settings)
        with contextlib.ExitStack() as failed:
            failed.enter_context(connection)
            # DuckDB holds both against it: the pattern that it is asked to read, and the path that it then finds.
            connection.execute("SET allowed_directories = ?", [[str(self.folder), pattern(self.folder)]])
            connection.execute("SET enable_external_access = false")
            # It plans for half a second per query over a view with many conditions, however few the rows.
            connection.execute("SET disabled_optimizers = 'partial_aggregate_pushdown'")
            connection.execute("SET lock_configuration = true")
            self._check(connection)
            sources = {name: parquet(*self._paths(table)) for name, table in self.tables.items() if table.rows}
            views.create(connection, sources, self.coverage, self.run, as_of, reach_known=reach_known)
            failed.pop_all()
        return connection

    @contextlib.contextmanager
    def judging(self, as_of: int, *, reach_known: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """What `connect` gives, closed in the end.

        What a query fails of becomes UnsafeError where the files are not what was verified, or never were what they should be,
        and OutputError where memory or disk is short.
        """
        with self.connect(as_of, reach_known=reach_known) as connection:
            try:
                yield connection
            except duckdb.Error as error:
                try:
                    self.verify()
                except UnsafeError as damaged:
                    raise damaged from error
                if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
                    what = f"cannot be judged: {first_line(error)}"
                    raise OutputError(files.shown(self.folder), what, "check the memory, and the space there") from error
                if isinstance(error, _BUGS):
                    raise
                raise UnsafeError(files.shown(self.folder), "holds Parquet that cannot be read", _DAMAGED) from error

    def verify(self) -> None:
        """Raises UnsafeError unless every file has the digest that the manifest says."""
        for file in _files(self.tables):
            if files.digest(self.folder / file.path) != (file.size, file.sha256):
                raise UnsafeError(files.shown(self.folder / file.path), "damaged or edited: its digest differs", _DAMAGED)

    def paths(self, table: str) -> list[Path]:
        """The files of a table's stored rows."""
        return self._paths(self.tables[table])

    def _paths(self, table: TableFiles) -> list[Path]:
        return [self.folder / file.path for file in table.files]

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        try:
            rows = counted(connection, [self.folder / file.path for file in _files(self.tables)])
        except duckdb.Error:
            # The files are looked at one by one below, so as to name the one that is no Parquet.
            rows = {}
        for name, table in self.tables.items():
            paths = self._paths(table)
            try:
                columns = [described(connection, path) for path in paths]
            except duckdb.Error as error:
                raise UnsafeError(files.shown(self.folder / name), "not Parquet that can be read", _DAMAGED) from error
            if any(found != table.columns for found in columns) or sum(rows.get(str(path), -1) for path in paths) != table.rows:
                what = "does not hold the columns and rows that the manifest says"
                raise UnsafeError(files.shown(self.folder / name), what, _DAMAGED)


def write(spool: Spool, run: Run) -> Snapshot:
    """Turns a spool into a snapshot in the same folder, and removes the spool. Stopped half way, `Spool.resume` can go on.

    The snapshot's run is `run` with the tenant's name, where it was read, and the rows of each table counted. Raises
    OutputError where the disk refuses.
    """
    folder = spool.folder
    coverage = spool.coverage()
    tables: dict[str, TableFiles] = {}
    columns = declared()
    with loading(spool.place / "tmp") as connection:
        for table in TABLES.values():
            target = folder / table.name
            files.clear(target)
            segments = spool.settle(table.name)
            rows = spool.file(table.name) if segments else None
            longest = max((segment.longest for segment in segments), default=0)
            loaded = load(connection, table, rows, longest, target=target, aside=spool.place / "unsorted.parquet")
            files.sync(target)
            coverage = _dispute(coverage, loaded.disputed, table.listed_by)
            tables[table.name] = TableFiles(
                files=tuple(_file(folder, path) for path in loaded.files), rows=loaded.rows, columns=columns[table.name]
            )
        name = _tenant_name(connection, *(folder / file.path for file in tables["tenant"].files))
    counted = dataclasses.replace(run, tenant_name=name, rows={name: tables[name].rows for name in filled(run.evidence)})
    files.replace(folder / "manifest.json", encode(counted, tables, coverage))
    spool.remove()
    return Snapshot(folder, counted, coverage, tables)


def _tenant_name(connection: duckdb.DuckDBPyConnection, *paths: Path) -> str:
    """The tenant's display name; empty where it was not read."""
    found = connection.execute(f"SELECT name FROM {parquet(*paths)} WHERE name IS NOT NULL").fetchone()  # noqa: S608
    return str(found[0]) if found else ""


def open_snapshot(folder: Path) -> Snapshot:
    """The snapshot in `folder`, every byte of it checked against its manifest.

    Raises UnsafeError if it is damaged, edited or not keyaudit's, UsageError if it is not there, not finished, or was
    written by a version that this one cannot read.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    if folder.is_symlink() or not folder.is_dir():
        raise UsageError(place, "no such folder", "name the folder that collect wrote to")
    path = folder / "manifest.json"
    if not os.path.lexists(path):
        if (folder / "spool").exists():
            raise UsageError(place, "this collection was not finished", "go on with collect --resume")
        raise UsageError(place, "holds no snapshot", "name the folder that collect wrote to")
    manifest = decode(files.read(path, MAX_MANIFEST), files.shown(path), declared())
    _refuse_extra(folder, manifest)
    opened = Snapshot(folder, manifest.run, manifest.coverage, manifest.tables)
    opened.verify()
    return opened


def _refuse_extra(folder: Path, manifest: Manifest) -> None:
    # A run killed right after it wrote the manifest leaves spool and lock; a judgement that was killed, its temporary folder.
    expected = {"manifest.json", "spool", "lock", *manifest.tables}
    found = [entry for entry in folder.iterdir() if not entry.name.startswith(_TEMPORARY)]
    extra = [entry for entry in found if entry.name not in expected]
    known = {folder / file.path for file in _files(manifest.tables)}
    for name in manifest.tables:
        table = folder / name
        if table.is_symlink() or not table.is_dir():
            raise UnsafeError(files.shown(table), "missing, or not a folder", _DAMAGED)
        extra += [entry for entry in table.iterdir() if entry not in known]
    if extra:
        raise UnsafeError(files.shown(min(extra)), "does not belong to this snapshot", "remove it, or collect again")


def _file(folder: Path, path: Path) -> File:
    size, sha256 = files.digest(path)
    return File(path=path.relative_to(folder).as_posix(), size=size, sha256=sha256)


def _files(tables: Mapping[str, TableFiles]) -> list[File]:
    return [file for table in tables.values() for file in table.files]


def _dispute(coverage: tuple[Coverage, ...], scopes: tuple[str, ...], operations: tuple[str, ...]) -> tuple[Coverage, ...]:
    """Coverage in which those operations of those scopes are partial: they gave one id twice, with two contents."""
    return tuple(
        dataclasses.replace(record, state=State.PARTIAL, reason=Reason.INCONSISTENT_PAGES, detail="an object came twice")
        if record.scope.id in scopes and record.operation in operations and record.state is State.ASSESSED
        else record
        for record in coverage
    )
