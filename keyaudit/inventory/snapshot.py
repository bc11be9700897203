"""A snapshot on disk: written once and atomically, fully verified before it is read, evaluated any number of times."""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from msgspec import Struct, structs

from keyaudit.inventory import views
from keyaudit.inventory.confinement import TEMPORARY, judged, locked
from keyaudit.inventory.contradictions import contradicted
from keyaudit.inventory.disk import files
from keyaudit.inventory.engine_choice import fits_sqlite
from keyaudit.inventory.load import counted, described, load, loading, parquet
from keyaudit.inventory.manifest import MAX_MANIFEST, File, Manifest, TableFiles, decode, encode, is_bundle
from keyaudit.inventory.rows import declared, no_rows, stored_types
from keyaudit.inventory.usage.deviations import MOST
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.evidence import USAGE_BASELINE as USAGE_BASELINE_EVIDENCE
from keyaudit.model.results.run import Run
from keyaudit.model.scope.owners import NO_RULES, OwnerRules
from keyaudit.model.tables import TABLES, filled
from keyaudit.model.tables.usage import SHOWN_BY, UNUSUAL_USE, USAGE, USAGE_BASELINE

if TYPE_CHECKING:
    from keyaudit.inventory.logs.store import LogStore
    from keyaudit.inventory.spool import Spool
    from keyaudit.inventory.usage.baseline import Baseline
    from keyaudit.inventory.with_sqlite import WithSQLite

_FEW = 2_000
"""The maximum rows of a snapshot whose queries are not optimized: that saves a fifth of the time of their planning."""
_DAMAGED = "copy the snapshot from its origin, or collect again"


class Snapshot(Struct, frozen=True):
    """A verified snapshot. It contains no derived data, so it can be evaluated at any `as_of`."""

    folder: Path
    run: Run
    coverage: tuple[Coverage, ...]
    tables: Mapping[str, TableFiles]
    owners: OwnerRules = NO_RULES
    """The rules for owners in evaluations of it; they are not stored."""

    @property
    def sizes(self) -> dict[str, int]:
        """The maximum number of rows of each view; a connection checks it against the files, or refuses the snapshot."""
        besides: dict[str, int] = {}
        if USAGE.needs in self.run.evidence:
            besides = {USAGE.name: len(SHOWN_BY), UNUSUAL_USE.name: min(self.tables[USAGE.name].rows, MOST) + len(SHOWN_BY)}
        return {name: table.rows + besides.get(name, 0) for name, table in self.tables.items()}

    def reading(self) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB that can only read this snapshot's folder: no network, no extensions, and locked settings. It can
        query the relations of `stored`; close it, or use it in `with`.

        Raises UnsafeError if a file does not match the manifest.
        """
        with contextlib.ExitStack() as failed:
            # Otherwise planning a query over a view with many conditions takes half a second, even for few rows.
            few = sum(table.rows for table in self.tables.values()) <= _FEW
            connection = failed.enter_context(locked(self.folder, few=few, disabled_optimizers="partial_aggregate_pushdown"))
            self._check(connection)
            failed.pop_all()
        return connection

    def connect(
        self,
        as_of: int,
        *,
        reach_known: bool = True,
        often: Collection[str] = (),
        names: Collection[str] = tuple(TABLES),
        columns: Mapping[str, Collection[str]] | None = None,
        prepared: bool = False,
    ) -> duckdb.DuckDBPyConnection:
        """Like `reading`, with one view per table under the table's name, and the ledger as the table `coverage`.

        A view has the stored columns, the derived ones as of `as_of`, and `unknown` with the reasons of both.
        `reach_known`: false for a reader of none of `model.tables.reach.COLUMNS`, which are work to make, and then are NULL.
        `often`: the tables that will be read more than once; it changes how long that takes, and nothing else. `names`: those
        that will be read at all; the others have no view. `columns`: by table the derived columns that will be read; None: all.
        `prepared`: for a reader of what the views rest on, too.
        """
        with contextlib.ExitStack() as failed:
            connection = failed.enter_context(self.reading())
            how: dict[str, Any] = {"reach_known": reach_known, "names": names, "columns": columns and views.needed(columns)}
            made = None if prepared else self._in_sqlite(connection, as_of, **how)
            if made is None:
                self._create(connection, as_of, often, prepared=prepared, **how)
            else:
                made.give(connection)
            failed.pop_all()
        return connection

    def _in_sqlite(self, connection: duckdb.DuckDBPyConnection, as_of: int, *together: int, **how: Any) -> "WithSQLite | None":
        """The views in SQLite, if it evaluates this snapshot. `together` as in `few.fits_sqlite`."""
        rows = (table.rows for table in self.tables.values())
        if not fits_sqlite(self.run, rows, len(self.owners.rules), *together):
            return None
        from keyaudit.inventory import with_sqlite  # noqa: PLC0415 - some builds of Python have no SQLite

        return with_sqlite.create(connection, self._sources, self.coverage, self.run, as_of, owner_rules=self.owners, **how)

    def _create(self, connection: duckdb.DuckDBPyConnection, as_of: int, often: Collection[str], **how: Any) -> None:
        """The views in DuckDB."""
        sizes = self.sizes
        views.create(
            connection,
            self._sources,
            self.coverage,
            self.run,
            as_of,
            small={name for name, table in self.tables.items() if table.rows <= views.SMALL},
            kept={name for name in often if sizes[name] <= views.SMALL},
            owner_rules=self.owners,
            **how,
        )

    @property
    def _sources(self) -> dict[str, str]:
        """The stored rows of the tables that have some, as SQL relations."""
        return {name: parquet(*self._paths(table)) for name, table in self.tables.items() if table.rows}

    @contextlib.contextmanager
    def judging(self, as_of: int, **how: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        """Like `connect`, closed after the block.

        Query errors are raised as in `locked.judged`.
        """
        with judged(self.folder, self.verify, _DAMAGED), self.connect(as_of, **how) as connection:
            yield connection

    @contextlib.contextmanager
    def evaluating(
        self,
        as_of: int,
        *together: int,
        often: Collection[str],
        columns: Mapping[str, Collection[str]] | None,
        **how: Any,
    ) -> Iterator["tuple[duckdb.DuckDBPyConnection, WithSQLite | None]"]:
        """Like `judging`; or, if SQLite evaluates it, with the views in SQLite, which can give them to the connection.

        `together` as in `few.fits_sqlite`.
        """
        with judged(self.folder, self.verify, _DAMAGED), self.reading() as connection:
            how["columns"] = columns and views.needed(columns)
            made = self._in_sqlite(connection, as_of, *together, **how)
            if made is None:
                self._create(connection, as_of, often, **how)
            yield connection, made

    def verify(self) -> None:
        """Raises UnsafeError unless every file has the digest in the manifest."""
        for file in _files(self.tables):
            if files.digest(self.folder / file.path) != (file.size, file.sha256):
                raise UnsafeError(files.shown(self.folder / file.path), "damaged or edited: its digest differs", _DAMAGED)

    def stored(self, table: str) -> str:
        """A table's stored rows, as an SQL relation."""
        return _stored(self.folder, self.tables)[table]

    def _paths(self, table: TableFiles) -> list[Path]:
        return [self.folder / file.path for file in table.files]

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        try:
            rows: dict[str, int] | None = counted(connection, [self.folder / file.path for file in _files(self.tables)])
        except duckdb.Error:
            # The files are checked one by one below, so that the error names the file that is not Parquet.
            rows = None
        for name, table in self.tables.items():
            paths = self._paths(table)
            try:
                columns = [described(connection, path) for path in paths]
                found = counted(connection, paths) if rows is None else rows
            except duckdb.Error as error:
                raise UnsafeError(files.shown(self.folder / name), "not readable Parquet", _DAMAGED) from error
            if any(each != table.columns for each in columns) or sum(found.get(str(path), -1) for path in paths) != table.rows:
                what = "does not hold the columns and rows that the manifest says"
                raise UnsafeError(files.shown(self.folder / name), what, _DAMAGED)


def write(
    spool: "Spool", run: Run, uses: "LogStore | None" = None, usual: "Baseline | None" = None, beside: Snapshot | None = None
) -> Snapshot:
    """Turns a spool into a snapshot in the same folder, and removes the spool. If stopped half way, `Spool.resume` can
    continue.

    The table `usage` is that of the log store `uses`, file by file: its rows may be too many to be read and written again.
    `usual`: the baseline whose rows are the table `usage_baseline`. `beside`: an earlier snapshot of the same tenant, whose
    tables and ledger are taken over but for the tables that the spool or these two give.

    The snapshot's run is `run` with the tenant's name, where it was read, and the rows of each table counted. Raises
    OutputError where the disk refuses.
    """
    folder = spool.folder
    coverage = spool.coverage() if beside is None else beside.coverage
    tables: dict[str, TableFiles] = {}
    torn: frozenset[tuple[str, str]] = frozenset()
    columns = declared()
    with loading(spool.place / "tmp") as connection:
        for table in TABLES.values():
            target = folder / table.name
            files.discard(target)
            if uses is not None and table.name == USAGE.name:
                tables[table.name] = uses.copy_uses(connection, target)
                continue
            if usual is not None and table.name == USAGE_BASELINE.name:
                tables[table.name] = usual.copy_rows(connection, target, f"/tenants/{run.tenant_id}".lower())
                continue
            segments = spool.settle(table.name)
            if not segments and beside is not None and not _replaced(table.name, run, beside):
                tables[table.name] = _taken_over(beside, table.name, target)
                continue
            if not segments:
                tables[table.name] = TableFiles(files=(), rows=0, columns=columns[table.name])
                continue
            files.folder(target)
            longest = max(segment.longest for segment in segments)
            rows, aside = spool.file(table.name), spool.place / "unsorted.parquet"
            loaded = load(connection, table, rows, longest, target=target, aside=aside, torn=torn)
            files.sync_names(target)
            torn |= loaded.repeated
            tables[table.name] = TableFiles(
                files=tuple(_file(folder, path) for path in loaded.files), rows=loaded.rows, columns=columns[table.name]
            )
        if beside is None:
            coverage = contradicted(connection, _stored(folder, tables), coverage)
        name = _tenant_name(connection, *(folder / file.path for file in tables["tenant"].files))
    counted = structs.replace(run, tenant_name=name, rows={name: tables[name].rows for name in filled(run.evidence)})
    files.replace(folder / "manifest.json", encode(counted, tables, coverage))
    spool.remove()
    return Snapshot(folder, counted, coverage, tables)


def _replaced(name: str, run: Run, beside: Snapshot) -> bool:
    """Whether the rows of a table come from other evidence than the earlier snapshot's."""
    needs = TABLES[name].needs
    of = USAGE_BASELINE_EVIDENCE if name == USAGE_BASELINE.name else needs
    return bool(needs) and run.evidence.get(of) != beside.run.evidence.get(of)


def _taken_over(beside: Snapshot, name: str, into: Path) -> TableFiles:
    """The table's files in another folder, as hard links if possible."""
    table = beside.tables[name]
    if table.files:
        files.folder(into)
    for file in table.files:
        files.link(beside.folder / file.path, into / Path(file.path).name)
    return table


def _stored(folder: Path, tables: Mapping[str, TableFiles]) -> dict[str, str]:
    """Each table's stored rows, as an SQL relation."""
    return {
        name: parquet(*(folder / file.path for file in table.files))
        if table.files
        else f"({no_rows(stored_types(TABLES[name]))})"
        for name, table in tables.items()
    }


def _tenant_name(connection: duckdb.DuckDBPyConnection, *paths: Path) -> str:
    """The tenant's display name; empty if it was not read."""
    if not paths:
        return ""
    found = connection.execute(f"SELECT name FROM {parquet(*paths)} WHERE name IS NOT NULL").fetchone()  # noqa: S608
    return str(found[0]) if found else ""


def open_snapshot(folder: Path) -> Snapshot:
    """The snapshot in `folder`, every byte of it checked against its manifest.

    Raises UnsafeError if it is damaged, edited or not written by keyaudit, UsageError if it does not exist, is not finished,
    has another format version, or is an evidence bundle.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    files.need_folder(folder, "name the folder that collect wrote to")
    path = folder / "manifest.json"
    if not os.path.lexists(path):
        if (folder / "spool").exists():
            raise UsageError(place, "this collection was not finished", "continue with collect --resume")
        raise UsageError(place, "holds no snapshot", "name the folder that collect wrote to")
    data = files.read(path, MAX_MANIFEST)
    if is_bundle(data):
        what = "an evidence bundle, which contains the results, not the snapshot"
        raise UsageError(place, what, "name the folder that collect wrote to; keyaudit export verify DIR checks a bundle")
    manifest = decode(data, files.shown(path), declared())
    _refuse_extra(folder, manifest)
    opened = Snapshot(folder, manifest.run, manifest.coverage, manifest.tables)
    opened.verify()
    return opened


def _refuse_extra(folder: Path, manifest: Manifest) -> None:
    # A run killed right after it wrote the manifest leaves spool and lock; a killed evaluation leaves its temporary folder.
    tables = [name for name, table in manifest.tables.items() if table.files]
    expected = {"manifest.json", "spool", "lock", *tables}
    found = [entry for entry in folder.iterdir() if not entry.name.startswith(TEMPORARY)]
    extra = [entry for entry in found if entry.name not in expected]
    known = {folder / file.path for file in _files(manifest.tables)}
    for name in tables:
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
