"""The spool's journal: a line when a unit is opened, and a line when it is closed."""

from contextlib import suppress
from pathlib import Path

import msgspec

from keyaudit.inventory.disk import files
from keyaudit.inventory.disk.append_only import Growing
from keyaudit.model.coverage import Coverage, Scope

_MAX_JOURNAL = 1024 * 1024 * 1024


class Segment(msgspec.Struct, forbid_unknown_fields=True):
    """A segment of a table's file that one unit wrote. `longest`: size of its longest row in bytes.

    `until`: these rows count until a unit has settled this name.
    """

    table: str
    start: int
    size: int
    longest: int
    sha256: str
    until: str = ""


class Opened(msgspec.Struct, tag="opened", forbid_unknown_fields=True):
    """A journal line: a unit was opened."""

    surface: str
    scope: Scope
    operations: tuple[str, ...]


class Closed(msgspec.Struct, tag="closed", forbid_unknown_fields=True):
    """A journal line: a unit was closed, with its result."""

    surface: str
    scope: Scope
    operations: tuple[str, ...]
    segments: tuple[Segment, ...]
    coverage: tuple[Coverage, ...]
    settled: tuple[str, ...] = ()
    """The names in `Segment.until` whose rows it replaces."""


_DECODER = msgspec.json.Decoder(Opened | Closed)
_ENCODER = msgspec.json.Encoder()


class Journal:
    """The lines in the order in which they were written."""

    def __init__(self, path: Path) -> None:
        self._file = Growing(path)

    def append(self, line: Opened | Closed) -> None:
        """Adds a line."""
        self._file.add(_ENCODER.encode(line) + b"\n")

    def replay(self) -> list[Opened | Closed]:
        """Every complete line. The last may be truncated; the next write replaces it."""
        if not self._file.path.exists():
            return []
        found = files.read(self._file.path, _MAX_JOURNAL)
        whole = found[: found.rfind(b"\n") + 1]
        self._file.keep([(0, len(whole))])
        lines: list[Opened | Closed] = []
        for line in whole.splitlines():
            # After a loss of power a line can be garbage. Its unit is then read again.
            with suppress(*files.BROKEN):
                lines.append(_DECODER.decode(line))
        return lines
