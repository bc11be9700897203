"""The spool: collected rows, written to disk unit by unit, so that a stopped run can be resumed.

A unit is one surface of one scope. Its rows go to `spool/<table>.jsonl` in segments, between those of other units. One line of
the journal closes the unit, with its coverage and the digests of its segments. Rows without that line count as not read. There
is one file per table, because DuckDB takes half a millisecond for each file, and a tenant can have 10,000 vaults.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct, field

from keyaudit.inventory import files
from keyaudit.inventory.growing import Growing
from keyaudit.inventory.journal import Closed, Journal, Opened, Segment
from keyaudit.inventory.ledger import BreachError, Ledger
from keyaudit.inventory.lock import Lock
from keyaudit.inventory.rows import declared, encode
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.filters import Filters
from keyaudit.model.plausible import implausible
from keyaudit.model.reasons import Reason
from keyaudit.model.run import MAX_SKEW, Run
from keyaudit.model.tables import TABLES
from keyaudit.model.text import one_line

_FLUSH = 256 * 1024
_MAX_RUN = 1024 * 1024
_RESUMED = frozenset({Reason.INTERRUPTED, Reason.BUDGET})
"""Reasons that a resumed run clears: a unit closed with one of them is read again."""
_AGAIN = "collect into another folder"


class Begun(msgspec.Struct, forbid_unknown_fields=True):
    """The first record: the run, and the columns that this version stores."""

    columns: dict[str, dict[str, str]]
    run: Run


_ENCODER = msgspec.json.Encoder()


class Spool:
    """A collection in progress in `folder`, locked against other processes. Close it, or use it in `with`."""

    def __init__(self, folder: Path, run: Run, lock: Lock) -> None:
        self.folder = folder
        self.run = run
        self.now: Callable[[], int] = lambda: self.run.as_of
        """The clock for plausibility checks. A long or resumed run reads events that happened after its start."""
        self.place = folder / "spool"
        self._lock = lock
        self._journal = Journal(self.place / "journal.jsonl")
        self._tables = {table: Growing(self.place / f"{table}.jsonl") for table in TABLES}
        self._closed: dict[str, Closed] = {}
        self._left: dict[str, Opened] = {}
        self._ledger = Ledger()

    @classmethod
    def create(cls, folder: Path, run: Run) -> Self:
        """Begins a collection in a folder that is new, empty, or left by a run that had not read anything.

        Raises UsageError if the folder has other content or another run is writing, OutputError if it cannot be written.
        """
        folder = folder.absolute()
        check_new(folder)
        with files.writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
        files.folder(folder)
        lock = Lock(folder / "lock")
        with contextlib.ExitStack() as failed:
            failed.callback(lock.release)
            _refuse_used(folder)
            with files.writing(folder), contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder / "spool")
            spool = cls(folder, run, lock)
            files.folder(spool.place)
            files.replace(spool.place / "run.json", _ENCODER.encode(Begun(declared(), run)))
            failed.pop_all()
        return spool

    @classmethod
    def resume(cls, folder: Path) -> "Spool":
        """Resumes a stopped run: closed units are kept, everything else is dropped and read again.

        Raises UsageError if there is nothing to resume or another run is writing, UnsafeError if it is damaged.
        """
        folder = folder.absolute()
        if folder.is_symlink() or not folder.is_dir():
            raise UsageError(files.shown(folder), "no such folder", "name the folder that collect wrote to")
        if finished(folder):
            raise UsageError(files.shown(folder), "this collection is complete", "read it with report --from")
        if (folder / "spool").is_symlink():
            raise UnsafeError(files.shown(folder / "spool"), "a symlink", _AGAIN)
        if not (folder / "spool" / "run.json").exists():
            raise UsageError(files.shown(folder), "nothing was collected here yet", "run collect without --resume")
        lock = Lock(folder / "lock")
        with contextlib.ExitStack() as failed:
            failed.callback(lock.release)
            # The run that had the lock may have completed it in between.
            if (folder / "manifest.json").exists():
                lock.remove()
                raise UsageError(files.shown(folder), "this collection is complete", "read it with report --from")
            spool = cls(folder, _begun(folder / "spool" / "run.json"), lock)
            spool._replay()
            failed.pop_all()
        return spool

    def done(self, surface: str, scope: Scope) -> bool:
        """Whether that unit is closed, so that it need not be read again."""
        return _unit(surface, scope) in self._closed

    def unit(self, surface: str, scope: Scope, operations: Sequence[str]) -> "Unit":
        """Opens a coverage record per operation, on disk, before the first request. Raises BreachError if one exists."""
        opened = Opened(surface, scope, tuple(operations))
        name = _unit(surface, scope)
        left = self._left.pop(name, None)
        if left:
            self._ledger.forget(left.scope, left.operations)
        self._ledger.open(scope, operations)
        self._journal.append(opened)
        return self._begin(name, opened)

    def _begin(self, name: str, opened: Opened) -> "Unit":
        return Unit(self, name, opened)

    def commit(self, name: str, closed: Closed) -> None:
        """Closes a unit, on disk first, so that a resumed run knows everything that memory does."""
        self._ledger.check(closed.scope, closed.operations, closed.coverage)
        self._journal.append(closed)
        self._ledger.close(closed.scope, closed.operations, closed.coverage)
        self._closed[name] = closed

    def segment(self, table: str, lines: Sequence[bytes]) -> Segment:
        """Writes rows of one unit unchanged."""
        data = b"".join(lines)
        start = self._tables[table].add(data)
        return Segment(table, start, len(data), max(map(len, lines)), digest(data))

    def file(self, table: str) -> Path:
        """The path of a table's file, which may not exist."""
        return self._tables[table].path

    def segments(self, table: str) -> list[Segment]:
        """The segments of closed units in a table's file, in file order."""
        kept = [segment for unit in self._closed.values() for segment in unit.segments if segment.table == table]
        return sorted(kept, key=lambda segment: segment.start)

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of closed units, one JSON object each."""
        for segment in self.segments(table):
            yield from self._tables[table].piece(segment.start, segment.size).splitlines()

    def settle(self, table: str) -> list[Segment]:
        """`segments`, after overwriting everything else in the file. Only when no unit is open, because its rows would be
        overwritten.
        """
        kept = self.segments(table)
        self._tables[table].keep([(segment.start, segment.size) for segment in kept])
        return kept

    def coverage(self) -> tuple[Coverage, ...]:
        """Every coverage record, by scope and operation; records that were never closed are interrupted."""
        return self._ledger.records()

    def close(self) -> None:
        """Releases the folder for a later `resume`."""
        self._lock.release()

    def remove(self) -> None:
        """Removes the spool after the snapshot is written. The folder stays locked until `close`."""
        with files.writing(self.place):
            shutil.rmtree(self.place)
        self._lock.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _replay(self) -> None:
        """Keeps closed, undamaged units of an earlier run; everything else counts as interrupted."""
        for line in self._journal.replay():
            name = _unit(line.surface, line.scope)
            # The last line of a unit counts.
            self._closed.pop(name, None)
            self._left.pop(name, None)
            if isinstance(line, Closed) and self._whole(line):
                self._closed[name] = line
            else:
                self._left[name] = Opened(line.surface, line.scope, line.operations)
        for left in self._left.values():
            self._ledger.open(left.scope, left.operations)
        for unit in self._closed.values():
            self._ledger.open(unit.scope, unit.operations)
            self._ledger.close(unit.scope, unit.operations, unit.coverage)
        for table in TABLES:
            self.settle(table)

    def _whole(self, unit: Closed) -> bool:
        if not _RESUMED.isdisjoint(record.reason for record in unit.coverage):
            return False
        # After a loss of power a file can be truncated or contain zeros: nothing is flushed before the snapshot.
        return all(
            digest(self._tables[segment.table].piece(segment.start, segment.size)) == segment.sha256
            for segment in unit.segments
        )


class Unit:
    """One surface of one scope while it is read. Nothing of it counts before `close` returns."""

    def __init__(self, spool: Spool, name: str, opened: Opened) -> None:
        self._spool = spool
        self._name = name
        self._opened = opened
        self._parts: dict[str, _Part] = {}
        self._segments: list[Segment] = []
        self._over = False

    def row(self, table: str, row: Mapping[str, object]) -> None:
        """Adds a row: `id`, a value per stored column (left out or None: absent or unknown), and `unknown`: column -> reason.

        An implausible time (`model.plausible`) becomes unknown as bad_value, for every collector.

        Raises BreachError for a row that violates the table's declaration.
        """
        if self._over:
            raise BreachError(f"{table} {row.get('id')}: written after its unit was closed")
        line = encode(table, _plausible(table, row, self.latest))
        part = self._parts.setdefault(table, _Part())
        part.lines.append(line)
        part.size += len(line)
        if part.size >= _FLUSH:
            self._flush(table)

    @property
    def latest(self) -> int:
        """The latest plausible time of an event that is read now: the clock's, plus the allowed skew."""
        return self._spool.now() + MAX_SKEW

    def discard(self) -> None:
        """Drops the rows added so far, because their object no longer exists."""
        self._parts.clear()
        self._segments.clear()

    def close(self, coverage: Sequence[Coverage]) -> None:
        """Closes the unit with exactly one record per opened operation; records of further operations may be added."""
        if self._over:
            raise BreachError(f"{self._opened.surface} of {self._opened.scope.id}: closed twice")
        for table in list(self._parts):
            self._flush(table)
        opened = self._opened
        closed = Closed(opened.surface, opened.scope, opened.operations, tuple(self._segments), tuple(coverage))
        self._spool.commit(self._name, closed)
        self._over = True

    def _flush(self, table: str) -> None:
        self._segments.append(self._spool.segment(table, self._parts.pop(table).lines))


class _Part(Struct):
    """Rows of one table that are not written yet."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0


def _plausible(table: str, row: Mapping[str, object], latest: int) -> Mapping[str, object]:
    """The row, with implausible times unknown as bad_value."""
    wrong = implausible(table, row, latest)
    if not wrong:
        return row
    unknown = row.get("unknown")
    reasons = {**(unknown if isinstance(unknown, Mapping) else {}), **dict.fromkeys(wrong, str(Reason.BAD_VALUE))}
    return {**row, **dict.fromkeys(wrong), "unknown": reasons}


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def _unit(surface: str, scope: Scope) -> str:
    return hashlib.sha256(f"{surface}\n{scope.id}".encode()).hexdigest()[:32]


def same_collection(begun: Run, now: Run) -> None:
    """Raises UsageError unless a resumed collection has the same tenant, cloud and evidence.

    Its filters are kept, and other filters are refused.
    """
    if (begun.tenant_id, begun.environment) != (now.tenant_id, now.environment):
        raise UnsafeError(
            "--resume",
            f"begun in tenant {begun.tenant_id} ({begun.environment}), signed in to {now.tenant_id} ({now.environment})",
            "sign in to the first, or collect into another folder",
        )
    if now.filters not in (Filters(), begun.filters):
        raise UsageError(
            "--resume",
            f"begun with {'; '.join(begun.filters.shown) or 'no filters'}, and other filters are given",
            "leave them out, or collect into another folder",
        )
    if dict(begun.evidence) != dict(now.evidence):
        raise UsageError(
            "--import", "not what this collection was begun with", "give the same file, or collect into another folder"
        )


def _begun(path: Path) -> Run:
    try:
        begun = msgspec.json.decode(files.read(path, _MAX_RUN), type=Begun)
    except files.BROKEN as error:
        raise UnsafeError(files.shown(path), f"damaged: {one_line(str(error))}", _AGAIN) from error
    if begun.columns != declared():
        raise UsageError(files.shown(path), f"begun by keyaudit {begun.run.tool_version}, which stores other columns", _AGAIN)
    return begun.run


def begun(folder: Path) -> Run | None:
    """The run of a collection in that folder that was begun and is not complete; None if there is none that can be resumed."""
    if finished(folder) or not (folder / "spool" / "run.json").exists():
        return None
    try:
        return _begun(folder / "spool" / "run.json")
    except (UsageError, UnsafeError):
        return None


def finished(folder: Path) -> bool:
    """Whether the collection in a folder is complete. Removes the spool of a run that was killed after it completed it."""
    if not (folder / "manifest.json").exists():
        return False
    if any((folder / name).exists() for name in ("spool", "lock")):
        _clear_remains(folder)
    return True


def _clear_remains(folder: Path) -> None:
    lock = Lock(folder / "lock")
    try:
        with files.writing(folder), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder / "spool")
        lock.remove()
    finally:
        lock.release()


def check_new(folder: Path) -> None:
    """Raises UsageError if a collection cannot begin in that folder, like `Spool.create`."""
    folder = folder.absolute()
    if folder.is_symlink():
        raise UsageError(files.shown(folder), "a symlink", "name the folder itself")
    if folder.exists():
        if (folder / "spool").is_dir() and (folder / "lock").is_file() and not (folder / "manifest.json").exists():
            # Raises UsageError while another run is writing there.
            Lock(folder / "lock").release()
        _refuse_used(folder)


def _refuse_used(folder: Path) -> None:
    remains = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    place = files.shown(folder)
    if "manifest.json" in remains:
        raise UsageError(place, "holds a finished collection", _AGAIN)
    if (folder / "spool" / "run.json").exists():
        raise UsageError(place, "holds an unfinished collection", "go on with collect --resume, or collect into another folder")
    # A run stopped before it wrote run.json leaves these two.
    if remains - {"lock", "spool"}:
        raise UsageError(place, "not an empty folder", _AGAIN)
