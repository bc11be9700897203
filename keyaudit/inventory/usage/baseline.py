"""A baseline on disk: usual uses as Parquet, and a head with its source logs and digest."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory.confinement import locked
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import (
    UNSORTED,
    counted,
    described,
    first_line,
    loading,
    parquet,
    part_name,
    quoted,
    write_parquet,
)
from keyaudit.inventory.logs.groups import KEYS
from keyaudit.inventory.manifest import MAX_MANIFEST, File, TableFiles
from keyaudit.inventory.rows import stored_types
from keyaudit.inventory.usage.baseline_header import DAMAGED, WEEK, Head, Rhythm, decode, encode
from keyaudit.inventory.usage.facets import COLUMNS
from keyaudit.inventory.usage.rates import RATES as OF_RATES
from keyaudit.inventory.usage.rates import added
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.tables.usage import USAGE_BASELINE
from keyaudit.model.usage import Learned

HEAD, BELONGS, RATES = "baseline.json", "belongs.parquet", "rates.parquet"
_ORDER = f"{KEYS}, facet, value"


class Baseline(Struct, frozen=True, kw_only=True):
    """A verified baseline."""

    folder: Path
    tenant_id: str | None
    learned: tuple[Learned, ...]
    rhythm: Rhythm
    rows: int
    digest: str
    """SHA-256 of its content, in hex."""

    @property
    def until(self) -> int:
        """The first second after the last day that it was learned from."""
        return self.learned[-1].window.until

    def create_view(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Creates the view `belongs`, with COLUMNS, in a connection that can read this folder."""
        connection.execute(f"CREATE OR REPLACE TEMP VIEW belongs AS FROM {parquet(self.folder / BELONGS)}")

    def create_rates(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Creates the view `rate`, with the columns of `rates.RATES`, in a connection that can read this folder."""
        connection.execute(f"CREATE OR REPLACE TEMP VIEW rate AS FROM {parquet(self.folder / RATES)}")

    def copy_rows(self, connection: duckdb.DuckDBPyConnection, into: Path, scope_id: str) -> TableFiles:
        """Creates the folder `into` with the rows of the table `usage_baseline`, using a connection with file access.

        Raises OutputError where the disk refuses.
        """
        columns = ", ".join(
            f"({_ROW.get(name, name)})::{type_} AS {name}" for name, type_ in stored_types(USAGE_BASELINE).items()
        )
        files.folder(into)
        path = into / part_name(0)
        with _refused(path):
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE learned AS SELECT {quoted(scope_id)} AS scope, {self.until} AS until"
            )
            rows = f"SELECT {columns} FROM {parquet(self.folder / BELONGS)}, learned ORDER BY id"  # noqa: S608 - our own names
            write_parquet(connection, rows, path)
        files.sync_names(into)
        size, sha256 = files.digest(path)
        file = File(path=f"{USAGE_BASELINE.name}/{path.name}", size=size, sha256=sha256)
        return TableFiles(files=(file,), rows=self.rows, columns=stored_types(USAGE_BASELINE))


_ID = f"scope || '/usage_baseline/' || md5(concat_ws('\n', {_ORDER}))"
_ROW = {
    "id": _ID,
    "name": "operation || ' by ' || coalesce(nullif(app, ''), 'no application')",
    "resource_id": _ID,
    "scope_id": "scope",
    "source_url": "'usage learn'",
    "source_version": "''",
    "target_class": "target",
    "app_id": "nullif(app, '')",
    "learned_until": "until",
    "unknown": "MAP {}::MAP(VARCHAR, VARCHAR)",
}
"""Columns of the table `usage_baseline` with another name in a baseline."""


def write(
    source: duckdb.DuckDBPyConnection,
    into: Path,
    *,
    tenant_id: str | None,
    learned: Learned,
    rhythm: Rhythm,
    merge: Baseline | None,
) -> Baseline:
    """Fills the empty folder `into` with a baseline of the tables `seen` and `rate` in `source`, added to that of `merge`.

    `source` can write to `into`. The same rows give the same bytes. Raises OutputError if it cannot be written.
    """
    path, unsorted = into / BELONGS, into / "unsorted.parquet"
    with loading(into / "tmp") as own, _refused(path):
        write_parquet(source, f"SELECT {', '.join(COLUMNS)} FROM seen", unsorted, UNSORTED)  # noqa: S608 - our own names
        belongs = parquet(unsorted, *([merge.folder / BELONGS] if merge else []))
        # A table first: the bytes of the result would differ by the encoding of what it was read from.
        own.execute(f"CREATE TABLE belongs AS FROM {belongs}")
        files.create(path)
        own.execute(
            f"COPY (SELECT {_ORDER}, sum(uses)::BIGINT AS uses, sum(days)::BIGINT AS days, min(first_on) AS first_on,"  # noqa: S608 - our own names
            f" max(last_on) AS last_on, max(mailboxes) AS mailboxes, max(reads) AS reads FROM belongs"
            f" GROUP BY {_ORDER} ORDER BY {_ORDER})"
            f" TO {quoted(str(path))} (FORMAT parquet, USE_TMP_FILE false, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
        )
        rows = counted(own, [path])[str(path)]
        write_parquet(source, "FROM rate", unsorted, UNSORTED)
        rates = parquet(unsorted, *([merge.folder / RATES] if merge else []))
        write_parquet(own, added(rates), into / RATES)
        unsorted.unlink()
    files.sync(path)
    of_rates = _file(into, RATES)
    head = encode(
        tenant_id=tenant_id or (merge.tenant_id if merge else None),
        learned=(*(merge.learned if merge else ()), learned),
        rhythm=_added(merge.rhythm, rhythm) if merge else rhythm,
        rows=rows,
        file=_file(into, BELONGS),
        rates=of_rates,
    )
    files.create(into / HEAD, head)
    files.sync(into / HEAD)
    return _of(into, decode(head, files.shown(into / HEAD)))


def open_baseline(folder: Path) -> Baseline:
    """The baseline in `folder`, every byte checked against its head.

    Raises UnsafeError if it is damaged or edited, UsageError if it does not exist or has another format version.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    if not os.path.lexists(folder / HEAD):
        raise UsageError(place, "holds no baseline of usage", "name the folder that usage learn wrote")
    head = decode(files.read(folder / HEAD, MAX_MANIFEST), files.shown(folder / HEAD))
    for name, file, columns, rows in ((BELONGS, head.file, COLUMNS, head.rows), (RATES, head.rates, OF_RATES, None)):
        path = folder / name
        if files.digest(path) != (file.size, file.sha256):
            raise UnsafeError(files.shown(path), "damaged or edited: its digest differs", DAMAGED)
        try:
            with locked(folder) as own:
                right = described(own, path) == columns and rows in (None, counted(own, [path])[str(path)])
        except duckdb.Error as error:
            raise UnsafeError(files.shown(path), "not Parquet that can be read", DAMAGED) from error
        if not right:
            raise UnsafeError(files.shown(path), "does not hold the columns and rows that its head says", DAMAGED)
    return _of(folder, head)


def _file(folder: Path, name: str) -> File:
    size, sha256 = files.digest(folder / name)
    return File(path=name, size=size, sha256=sha256)


def _of(folder: Path, head: Head) -> Baseline:
    return Baseline(
        folder=folder,
        tenant_id=head.tenant_id,
        learned=head.learned,
        rhythm=head.rhythm,
        rows=head.rows,
        digest=head.digest,
    )


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise OutputError(
            files.shown(path), f"cannot be written: {first_line(error)}", "check the space and permissions there"
        ) from error


def _added(before: Rhythm, now: Rhythm) -> dict[str, list[tuple[int, int]]]:
    none = [(0, 0)] * WEEK
    return {
        name: [(old[0] + new[0], old[1] + new[1]) for old, new in zip(before.get(name, none), now.get(name, none), strict=True)]
        for name in sorted({*before, *now})
    }
