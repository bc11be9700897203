"""The spool: collected rows, written to disk unit by unit, so that a stopped run can be resumed.

A unit is one surface of one scope. Its rows go to `spool/<table>.jsonl` in segments, between those of other units. One line of
the journal closes the unit, with its coverage and the digests of its segments. Rows without that line count as not read. There
is one file per table, because DuckDB takes half a millisecond for each file, and a tenant can have 10,000 vaults.

The answers to the requests of an open unit are kept, too, so that a resumed run goes on within it. They are removed with the
line that closes it.

Work that takes long is put off: its unit writes rows in which what is missing is unknown, and notes what remains to be read. A
later unit reads that in small parts, each a unit that replaces the rows of some names, so that a stopped run loses one part.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct, field

from keyaudit.inventory.collection_state import AGAIN, Begun, check_new, finished, refuse_used, run_begun
from keyaudit.inventory.disk import files
from keyaudit.inventory.disk.append_only import Growing
from keyaudit.inventory.disk.journal import Closed, Journal, Opened, Segment
from keyaudit.inventory.disk.lock import Lock
from keyaudit.inventory.disk.replies import Replies
from keyaudit.inventory.ledger import BreachError, Ledger
from keyaudit.inventory.rows import declared, encode
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import MAX_SKEW, Run
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables import TABLES

_FLUSH = 256 * 1024
_RESUMED = frozenset({Reason.INTERRUPTED, Reason.BUDGET})
"""Reasons that a resumed run clears: a unit closed with one of them is read again."""
_NOTES = ("put_off", "read_later")
"""Files of notes between units, which are no tables of the snapshot."""


_ENCODER = msgspec.json.Encoder()


class Spool:
    """A collection in progress in `folder`, locked against other processes. Close it, or use it in `with`."""

    def __init__(self, folder: Path, run: Run, lock: Lock) -> None:
        self.folder = folder
        self.run = run
        self.now: Callable[[], int] = lambda: self.run.as_of
        """The clock for plausibility checks. A long or resumed run reads events that happened after its start."""
        self.groups: Collection[str] = ()
        """Ids of groups whose members are read although no grant here names them."""
        self.place = folder / "spool"
        self._lock = lock
        self._journal = Journal(self.place / "journal.jsonl")
        self._tables = {table: Growing(self.place / f"{table}.jsonl") for table in (*TABLES, *_NOTES)}
        self._closed: dict[str, Closed] = {}
        self._settled: set[str] = set()
        self._left: dict[str, Opened] = {}
        self._open: dict[str, Replies] = {}
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
            refuse_used(folder)
            with files.writing(folder), contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder / "spool")
            spool = cls(folder, run, lock)
            files.folder(spool.place)
            files.folder(spool.place / "replies")
            files.replace(spool.place / "run.json", _ENCODER.encode(Begun(declared(), run)))
            failed.pop_all()
        return spool

    @classmethod
    def resume(cls, folder: Path) -> "Spool":
        """Resumes a stopped run: closed units are kept, everything else is dropped and read again.

        Raises UsageError if there is nothing to resume or another run is writing, UnsafeError if it is damaged.
        """
        folder = folder.absolute()
        files.need_folder(folder, "name the folder that collect wrote to")
        if finished(folder):
            raise UsageError(files.shown(folder), "this collection is complete", "read it with report --from")
        if (folder / "spool").is_symlink():
            raise UnsafeError(files.shown(folder / "spool"), "a symlink", AGAIN)
        if not (folder / "spool" / "run.json").exists():
            raise UsageError(files.shown(folder), "nothing was collected here yet", "run collect without --resume")
        lock = Lock(folder / "lock")
        with contextlib.ExitStack() as failed:
            failed.callback(lock.release)
            # The run that had the lock may have completed it in between.
            if (folder / "manifest.json").exists():
                lock.remove()
                raise UsageError(files.shown(folder), "this collection is complete", "read it with report --from")
            spool = cls(folder, run_begun(folder / "spool" / "run.json"), lock)
            files.folder(spool.place / "replies")
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
        self._settled.update(closed.settled)
        self._open.pop(name).remove()

    def replies(self, name: str) -> Replies:
        """The answers to the requests of a unit that is open, those that a stopped run left among them."""
        return self._open.setdefault(name, Replies.of_stopped(self.place / "replies" / name))

    def settled(self, name: str) -> bool:
        """Whether a closed unit has settled what was put off under that name."""
        return name in self._settled

    def segment(self, table: str, lines: Sequence[bytes], until: str = "") -> Segment:
        """Writes rows of one unit unchanged. They count until a unit has settled the name `until`, if one is given."""
        data = b"".join(lines)
        start = self._tables[table].add(data)
        return Segment(table, start, len(data), max(map(len, lines)), digest(data), until)

    def file(self, table: str) -> Path:
        """The path of a table's file, which may not exist."""
        return self._tables[table].path

    def segments(self, table: str) -> list[Segment]:
        """The segments of closed units in a table's file, in file order, without those that a later unit replaced."""
        kept = [
            segment
            for unit in self._closed.values()
            for segment in unit.segments
            if segment.table == table and segment.until not in self._settled
        ]
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
        """Releases the folder for a later `resume`, which goes on within the units that are open."""
        for replies in self._open.values():
            # Where they cannot be written, that unit is read from its beginning.
            with contextlib.suppress(OutputError):
                replies.flush()
        self._lock.release()

    def remove(self) -> None:
        """Removes the spool after the snapshot is written. The folder stays locked until `close`."""
        self._open.clear()
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
            self._settled.update(unit.settled)
            # A run that was killed between closing a unit and removing them leaves them.
            Replies.of_stopped(self.place / "replies" / _unit(unit.surface, unit.scope)).remove()
        for table in self._tables:
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
        self._settled: list[str] = []
        self.replies = spool.replies(name)
        """The answers to its requests."""
        self._over = False

    def row(self, table: str, row: Mapping[str, object]) -> None:
        """Adds a row: `id`, a value per stored column (left out or None: absent or unknown), and `unknown`: column -> reason.

        An implausible time (`model.plausible`) becomes unknown as bad_value, for every collector.

        Raises BreachError for a row that violates the table's declaration.
        """
        self._line(table, self._encoded(table, row))

    def put_off(self, name: str, note: bytes, rows: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Adds rows, each with its table, that count until a unit has settled `name`, and a note of one line for that unit."""
        by_table: dict[str, list[bytes]] = {}
        for table, row in rows:
            by_table.setdefault(table, []).append(self._encoded(table, row))
        self._segments += [self._spool.segment(table, lines, name) for table, lines in by_table.items()]
        self._line("put_off", note + b"\n")

    def settle(self, name: str, note: bytes, rows: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Adds rows in place of those that were put off under `name`, and a note of one line on how they were read."""
        for table, row in rows:
            self.row(table, row)
        self._line("read_later", note + b"\n")
        self._settled.append(name)

    def _encoded(self, table: str, row: Mapping[str, object]) -> bytes:
        if self._over:
            raise BreachError(f"{table} {row.get('id')}: written after its unit was closed")
        return encode(table, _plausible(table, row, self.latest))

    def _line(self, table: str, line: bytes) -> None:
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
        self._settled.clear()

    def close(self, coverage: Sequence[Coverage]) -> None:
        """Closes the unit with exactly one record per opened operation; records of further operations may be added."""
        if self._over:
            raise BreachError(f"{self._opened.surface} of {self._opened.scope.id}: closed twice")
        for table in list(self._parts):
            self._flush(table)
        opened = self._opened
        closed = Closed(
            opened.surface,
            opened.scope,
            opened.operations,
            tuple(self._segments),
            tuple(coverage),
            tuple(self._settled),
        )
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


def implausible(table: str, row: Mapping[str, object], latest: int) -> Sequence[str]:
    """The stored columns of a row with implausible times.

    These are a past time (`Column.past`) after `latest`, and both ends of a span whose end (`Column.follows`) is before its
    start. Absent and unknown times are ignored.
    """
    past, spans = _times(table)
    found = [name for name in past if isinstance(value := row.get(name), int) and value > latest]
    for start, end in spans:
        first, last = row.get(start), row.get(end)
        if isinstance(first, int) and isinstance(last, int) and last < first:
            found += [name for name in (start, end) if name not in found]
    return found


@cache
def _times(table: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The past columns of a table, and its spans as (start, end)."""
    declared: Table | None = TABLES.get(table)
    stored = declared.stored if declared else ()
    return (
        tuple(column.name for column in stored if column.past),
        tuple((column.follows, column.name) for column in stored if column.follows),
    )
