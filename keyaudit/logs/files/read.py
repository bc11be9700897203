"""Reads files and folders of logs: the uses of each file, followed by its reading result."""

import itertools
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import BEYOND, OTHERS, FileRead, SourceRead, Use
from keyaudit.logs.files import documents, tables
from keyaudit.logs.files.archives import Opened, open_log
from keyaudit.logs.files.documents import CutError, RawRecord, is_outer
from keyaudit.logs.files.lines import lines
from keyaudit.logs.files.window import TooLargeError, Window
from keyaudit.logs.formats.event import Event
from keyaudit.logs.formats.recognise import Recogniser
from keyaudit.logs.formats.sign_ins import ONLY_TOKENS
from keyaudit.logs.formats.values import BadRecordError, UnknownKindError
from keyaudit.logs.storing.write import Import
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.tokens import GRAPH_EVENTS, GRAPH_LOG, OLD_GRAPH_LOG
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date

_HEAD = 64 * 1024
_LOOKED_AT = 5
"""One of this many first lines must be an object for the format of one record per line."""
_HOUR = 3_600
_NAMELESS = 100_000
_ONLY_TOKENS = frozenset((*ONLY_TOKENS, GRAPH_LOG, GRAPH_EVENTS, OLD_GRAPH_LOG))
"""Logs without uses: a day without them hides none."""
_SHOWN = 5
"""The number of unreadable places that are listed for a file; others are counted."""
THROTTLING_UNTOLD = "exported without OperationProperties, so mailboxes that were no longer recorded are unknown"


def read_logs(paths: Iterable[Path], known: Import) -> Iterator[Use | Token | FileRead]:
    """Every use and token in these files and folders, in the order of their names.

    Errors of files, lines and records are in the `FileRead` that follows the uses of a file. `known` is filled during the
    reading. Raises UsageError for a missing path, UnsafeError for records of a second tenant, because a store that mixes
    tenants would attribute uses to the wrong one.
    """
    for path in paths:
        for file in files_below(path):
            yield from LogFile(one_line(str(file), 1024), open_log(file), known).read()


def files_below(path: Path) -> Sequence[Path]:
    """The files in a folder, in the order of their names, or the file. Raises UsageError for a folder that cannot be read."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise UsageError(
            one_line(str(error.filename), 1024), f"cannot be read: {error.strerror}", "make it readable"
        ) from error

    for folder, folders, names in os.walk(path, onerror=refuse):
        folders.sort()
        for below in (Path(folder, name) for name in folders):
            # Until Python 3.12 the walk goes into a junction of Windows.
            if below.is_symlink() or (sys.version_info >= (3, 12) and below.is_junction()):
                what = "a link to a folder, which is not followed"
                raise UsageError(one_line(str(below), 1024), what, "move the logs here, or name each folder with logs")
        found += (Path(folder, name) for name in names)
    if not found:
        raise UsageError(one_line(str(path), 1024), "an empty folder", "name files, or folders of them")
    return sorted(found)


class LogFile:
    """One file during its reading."""

    def __init__(self, name: str, opened: Opened, known: Import) -> None:
        self._name, self._opened = name, opened
        self._counted = Counted(name, known)
        self._form = ""

    def read(self) -> Iterator[Use | Token | FileRead]:
        """Its uses and tokens, then its reading result."""
        window = Window(self._opened.text())
        cut = ""
        number = 0
        try:
            for number, found in self._records(window):
                yield from self._counted.uses(number, found)
        except (CutError, TooLargeError) as error:
            cut = str(error)
        finally:
            window.close()
        whole = self._whole(window, number, self._opened.trouble or cut)
        yield FileRead(
            file=self._name,
            size=self._opened.size,
            sha256=self._opened.sha256,
            form=self._form + (", gzip" if self._opened.compressed else ""),
            complete=whole,
            sources=self._counted.settled(),
            trouble=tuple(self._counted.trouble),
        )

    def _whole(self, window: Window, number: int, cut: str) -> bool:
        """Whether the file is complete; otherwise the reason is listed first. `number`: of the last record."""
        counted = self._counted
        if cut:
            place = f"after {counted.unit} {number}" if number else "at its beginning"
            why = f"{place}: {cut}: the rest was not read"
        elif counted.unit == "line" and number == counted.bad and window.last != b"\n" and number:
            why = "the last line is cut off"
        elif counted.throttling_untold:
            why = THROTTLING_UNTOLD
        else:
            return True
        counted.trouble.insert(0, why)
        return False

    def _records(self, window: Window) -> Iterator[tuple[int, RawRecord]]:
        looked_at = window.peek(_HEAD)
        head = looked_at.lstrip()
        if len(looked_at) == _HEAD and not head:
            raise CutError("nothing but space")
        if not head:
            self._form = "empty"
            return iter(())
        if head[:1] == b"[" or (head[:1] == b"{" and not _by_line(head)):
            self._form = "JSON"
            return documents.records(window)
        self._counted.unit = "line"
        if head[:1] == b"{":
            self._form = "JSON lines"
            return lines(window)
        self._form = "CSV"
        return tables.rows(window)


class Counted:
    """Reads and counts the records of one file or place."""

    def __init__(self, name: str, known: Import, remedy: str = "import each tenant's logs into a folder of its own") -> None:
        """`remedy`: the advice for records of a second tenant."""
        self._name, self._known, self._remedy = name, known, remedy
        self._sources: dict[str, SourceRead] = {}
        self._unreadable = 0
        """Unrecognised records; in a file of one log they belong to that log."""
        self.trouble: list[str] = []
        self.bad = 0
        """The number of the last bad record."""
        self.throttling_untold = False
        """Whether a mailbox record does not say if recording continues."""
        self.unit = "record"
        self._read = Recogniser()
        self._nameless: set[tuple[object, ...]] = set()
        """The uses without a token's id that were returned."""

    def uses(self, number: int, found: RawRecord, times: int = 1) -> Sequence[Use | Token]:
        """The uses of the record with this number, which stands for as many equal ones of its day, and its token.

        Raises UnsafeError for a record of a second tenant.
        """
        try:
            event = self._told(found)
        except BadRecordError as error:
            self._quarantine(number, error, times)
            return ()
        if event is None:
            self._count("", times).ignored += times
            return ()
        if event.tenant_id is not None and event.tenant_id != self._known.tenant_id:
            self._belongs(number, event.tenant_id)
        counts = self._count(event.source, times)
        on = event.on
        if counts.first_on is None or on < counts.first_on:
            counts.first_on = on
        if counts.last_on is None or on > counts.last_on:
            counts.last_on = on
        if event.source not in _ONLY_TOKENS:
            self._known.days[event.source][event.resource_id or ""].add(on - on % DAY)
        if event.uses:
            counts.kept += times
        else:
            counts.ignored += times
        if event.operation is not None and not event.uses:
            _leave_out(event, event.operation, counts, times)
        for use in event.uses:
            self.throttling_untold |= use.throttled is None
            use.records, use.uses = times, use.uses * times
        return event.uses if event.token is None else self._with_token(event.uses, event.token, counts)

    def _with_token(self, uses: Sequence[Use], token: Token, counts: SourceRead) -> Sequence[Use | Token]:
        if token.token is not None:
            counts.tokens += 1
        return (*uses, token) if self._tells(token) else uses

    def _tells(self, token: Token) -> bool:
        """Whether a token is stored: a sign-in without its id is only counted, and so is a use that was seen on its day."""
        if token.issue:
            self._known.hours[token.source].add((token.on // _HOUR, token.token is not None))
            return token.token is not None
        if token.token is not None:
            return True
        same = (token.on // DAY, token.source, token.service, token.app, token.principal)
        if same in self._nameless:
            return False
        if len(self._nameless) >= _NAMELESS:
            self._nameless.clear()
        self._nameless.add(same)
        return True

    def _quarantine(self, number: int, error: BadRecordError, times: int) -> None:
        if isinstance(error, UnknownKindError):
            self._count("", times).quarantined += times
        else:
            self._unreadable += times
        if len(self.trouble) < _SHOWN and self.bad != number:
            self.trouble.append(f"{self.unit} {number}: {one_line(str(error))}")
        self.bad = number

    def _told(self, found: RawRecord) -> Event | None:
        if isinstance(found, BadRecordError):
            raise found
        return self._read(found)

    def _count(self, source: str, times: int) -> SourceRead:
        counts = self._sources.get(source)
        if counts is None:
            counts = self._sources[source] = SourceRead()
        counts.received += times
        return counts

    def _belongs(self, number: int, tenant_id: str) -> None:
        known = self._known.tenant_id
        if known is not None:
            what = f"{self.unit} {number} is of tenant {tenant_id}, and others are of tenant {known}"
            raise UnsafeError(self._name, what, self._remedy)
        self._known.tenant_id = tenant_id

    def settled(self) -> dict[str, SourceRead]:
        """The counts by log; under the empty name, of records that may be of any log."""
        sources = {source: structs.replace(counts) for source, counts in self._sources.items()}
        if self._unreadable:
            named = [source for source in sources if source]
            counts = sources.setdefault(named[0] if len(named) == 1 else "", SourceRead())
            counts.received += self._unreadable
            counts.quarantined += self._unreadable
        return dict(sorted(sources.items()))


def _leave_out(event: Event, operation: str, counts: SourceRead, times: int) -> None:
    """Counts a record that no use is made of by its operation."""
    name = one_line(operation, 100)
    counted = _among(name, counts.others)
    counts.others[counted] = counts.others.get(counted, 0) + times
    if event.unread:
        days, day = counts.unread.setdefault(_among(name, counts.unread), {}), iso_date(event.on)
        days[day] = days.get(day, 0) + times


def _among(name: str, names: Collection[str]) -> str:
    """The name under which another one is counted, beside these."""
    return name if name in names or len(names) < OTHERS else BEYOND


def _by_line(head: bytes) -> bool:
    """Whether the text has one record per line."""
    if is_outer(head):
        return False
    for line in itertools.islice(filter(None, map(bytes.strip, head.split(b"\n"))), _LOOKED_AT):
        try:
            msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except BROKEN:
            continue
        return True
    return False
