"""A baseline on disk: what is usual as Parquet, beside a head that says from which logs it was learned, and its digest."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from keyaudit.inventory import files
from keyaudit.inventory.load import counted, described, first_line, parquet, quoted
from keyaudit.inventory.usage.facets import COLUMNS, KEYS
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY, iso_date, parse_date
from keyaudit.model.usage import Blind, Learned, Unseen, Window

SCHEMA = "keyaudit-usage/1"
HEAD, BELONGS = "baseline.json", "belongs.parquet"
WEEK = 7
MAX_HEAD = 16 * 1024 * 1024
_MEMORY = "200MB"
_BATCH = 10_000
_DAMAGED = "take the baseline from where it was made, or learn it again"
_TYPES = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
_ORDER = f"{KEYS}, facet, value"

Rhythm = Mapping[str, Sequence[tuple[int, int]]]
"""By source, and by weekday from Monday: how many such days were looked at, and how many of them had events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A verified baseline."""

    folder: Path
    tenant_id: str | None
    learned: tuple[Learned, ...]
    rhythm: Rhythm
    rows: int

    @property
    def until(self) -> int:
        """The first second after the last day that it was learned from."""
        return self.learned[-1].window.until

    def copy_into(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the table `belongs` there, which may be a connection that can read no file of this folder."""
        connection.execute(f"CREATE OR REPLACE TEMP TABLE belongs ({_TYPES})")
        with opened() as own:
            own.execute(f"FROM {parquet(self.folder / BELONGS)}")
            transfer(own, connection, "belongs")


class _Missing(msgspec.Struct, forbid_unknown_fields=True):
    blind: Blind
    subject: str
    reason: Reason
    days: list[str]
    count: int


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    since: str
    until: str
    """The last day."""
    uses: int
    sources: dict[str, int]
    undecided: int
    missing: list[_Missing]


class _Any(msgspec.Struct):
    schema: str


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    tenant: str | None
    learned: list[_Window]
    rhythm: dict[str, list[tuple[int, int]]]
    rows: int
    size: int
    sha256: str


def write(
    source: duckdb.DuckDBPyConnection,
    into: Path,
    *,
    tenant_id: str | None,
    learned: Learned,
    rhythm: Rhythm,
    merge: Baseline | None,
) -> Baseline:
    """Fills the empty folder `into` with a baseline of the table `belongs` in `source`, added to that of `merge`.

    The same rows give the same bytes. Raises OutputError where the disk refuses.
    """
    path = into / BELONGS
    with opened(into / "tmp") as own, _refused(path):
        own.execute(f"CREATE TABLE belongs ({_TYPES})")
        source.execute(f"SELECT {', '.join(COLUMNS)} FROM belongs")  # noqa: S608 - our own names
        transfer(source, own, "belongs")
        if merge is not None:
            own.execute(f"INSERT INTO belongs FROM {parquet(merge.folder / BELONGS)}")
        files.create(path)
        own.execute(
            f"COPY (SELECT {_ORDER}, sum(uses)::BIGINT AS uses, sum(days)::BIGINT AS days, min(first_on) AS first_on,"  # noqa: S608 - our own names
            f" max(last_on) AS last_on, max(mailboxes) AS mailboxes FROM belongs GROUP BY {_ORDER} ORDER BY {_ORDER})"
            f" TO {quoted(str(path))} (FORMAT parquet, USE_TMP_FILE false, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
        )
        rows = counted(own, [path])[str(path)]
    files.sync(path)
    size, sha256 = files.digest(path)
    before = merge.learned if merge else ()
    made = Baseline(
        folder=into,
        tenant_id=tenant_id or (merge.tenant_id if merge else None),
        learned=(*before, learned),
        rhythm=_added(merge.rhythm if merge else {}, rhythm),
        rows=rows,
    )
    head = _Head(
        schema=SCHEMA,
        tenant=made.tenant_id,
        learned=[_written(each) for each in made.learned],
        rhythm={name: list(made.rhythm[name]) for name in sorted(made.rhythm)},
        rows=rows,
        size=size,
        sha256=sha256,
    )
    files.create(into / HEAD, msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n")
    files.sync(into / HEAD)
    return made


def open_baseline(folder: Path) -> Baseline:
    """The baseline in `folder`, every byte checked against its head.

    Raises UnsafeError if it is damaged or edited, UsageError if it is not there, or of a version that this one cannot read.
    """
    folder = folder.absolute()
    place = files.shown(folder)
    if not os.path.lexists(folder / HEAD):
        raise UsageError(place, "holds no baseline of usage", "name the folder that usage learn wrote")
    data = files.read(folder / HEAD, MAX_HEAD)
    try:
        if msgspec.json.decode(data, type=_Any).schema != SCHEMA:
            raise UsageError(place, "not a baseline of this version", "learn it again with usage learn")
        head = msgspec.json.decode(data, type=_Head)
        learned = tuple(_read(each) for each in head.learned)
    except (ValueError, *files.BROKEN) as error:
        raise UnsafeError(files.shown(folder / HEAD), f"damaged or edited: {error}", _DAMAGED) from error
    if not learned or any(len(days) != WEEK for days in head.rhythm.values()):
        raise UnsafeError(files.shown(folder / HEAD), "damaged or edited: it was learned from nothing", _DAMAGED)
    path = folder / BELONGS
    if files.digest(path) != (head.size, head.sha256):
        raise UnsafeError(files.shown(path), "damaged or edited: its digest differs", _DAMAGED)
    try:
        with opened() as own:
            right = described(own, path) == COLUMNS and counted(own, [path])[str(path)] == head.rows
    except duckdb.Error as error:
        raise UnsafeError(files.shown(path), "not Parquet that can be read", _DAMAGED) from error
    if not right:
        raise UnsafeError(files.shown(path), "does not hold the columns and rows that its head says", _DAMAGED)
    return Baseline(folder=folder, tenant_id=head.tenant, learned=learned, rhythm=head.rhythm, rows=head.rows)


def transfer(result: duckdb.DuckDBPyConnection, target: duckdb.DuckDBPyConnection, table: str) -> None:
    """Puts what a query gave into a table of another connection that has COLUMNS, a batch at a time."""
    lists = ", ".join(f"unnest(${number}::{type_}[])" for number, type_ in enumerate(COLUMNS.values(), 1))
    while batch := result.fetchmany(_BATCH):
        target.execute(f"INSERT INTO {table} SELECT {lists}", [list(column) for column in zip(*batch, strict=True)])


@contextmanager
def opened(temporary: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads and writes baselines, bounded in memory, which spills to `temporary` if that is given."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        # One, so that rows keep their order, and files their bytes.
        "threads": 1,
        "temp_directory": str(temporary or ""),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        yield connection


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
        for name in {*before, *now}
    }


def _written(learned: Learned) -> _Window:
    return _Window(
        since=iso_date(learned.window.since),
        until=iso_date(learned.window.until - DAY),
        uses=learned.uses,
        sources=dict(sorted(learned.sources.items())),
        undecided=learned.undecided,
        missing=[
            _Missing(
                blind=each.blind,
                subject=each.subject,
                reason=each.reason,
                days=[iso_date(day) for day in each.days],
                count=each.count,
            )
            for each in learned.missing
        ],
    )


def _read(window: _Window) -> Learned:
    return Learned(
        window=Window(since=parse_date(window.since), until=parse_date(window.until) + DAY),
        uses=window.uses,
        sources=window.sources,
        undecided=window.undecided,
        missing=tuple(
            Unseen(
                blind=each.blind,
                subject=each.subject,
                reason=each.reason,
                days=tuple(parse_date(day) for day in each.days),
                count=each.count,
            )
            for each in window.missing
        ),
    )
