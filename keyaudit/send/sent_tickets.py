"""The record of the tickets that were sent, so that a repeated run sends none twice: a line before each, and one after it."""

from pathlib import Path

import msgspec
from msgspec import Struct

from keyaudit.inventory.disk import files
from keyaudit.inventory.disk.append_only import Growing
from keyaudit.model.errors import UnsafeError
from keyaudit.send.due_tickets import Event, Ticket

_MOST = 256 * 1024 * 1024


class _Line(Struct, forbid_unknown_fields=True):
    finding: str
    event: Event
    as_of: int
    """The time of the newest snapshot when it was sent, in seconds since 1970."""
    sent: bool = True
    """False before it is sent: as the last line, that nobody knows whether it was accepted."""


class Told:
    """The record in a file, which the first ticket creates with mode 0600. One process at a time may use it."""

    def __init__(self, path: Path) -> None:
        """Raises UnsafeError if the file is not such a record; a last line that was not written whole does not count."""
        self.last: dict[str, Event] = {}
        """By the finding's id, what was sent last, or what the run that sent it did not live to see accepted."""
        self.unconfirmed: dict[str, Event] = {}
        """The latter alone."""
        self._file = Growing(path)
        if not path.is_symlink() and not path.exists():
            return
        found = files.read(path, _MOST)
        whole = found[: found.rfind(b"\n") + 1]
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                line = msgspec.json.decode(text, type=_Line)
            except files.BROKEN as error:
                remedy = "restore it; without it, keyaudit sends every open finding again"
                raise UnsafeError(f"{files.shown(path)}:{number}", "not a sent ticket", remedy) from error
            self._note(line)
        self._file.keep([(0, len(whole))])

    def begin(self, ticket: Ticket, as_of: int) -> int:
        """Records a ticket that is about to be sent, on disk before this returns. Returns what `refused` needs."""
        return self._add(_Line(ticket.episode.finding.id, ticket.event, as_of, sent=False))

    def accepted(self, ticket: Ticket, as_of: int) -> None:
        """Records that it was accepted, on disk before this returns."""
        line = _Line(ticket.episode.finding.id, ticket.event, as_of)
        self._add(line)
        self._note(line)

    def refused(self, begun: int) -> None:
        """Takes back the last line, which `begin` added: the ticket was not accepted."""
        self._file.keep([(0, begun)])
        files.sync(self._file.path)

    def _add(self, line: _Line) -> int:
        start = self._file.add(msgspec.json.encode(line) + b"\n")
        files.sync(self._file.path)
        return start

    def _note(self, line: _Line) -> None:
        self.last[line.finding] = line.event
        if line.sent:
            self.unconfirmed.pop(line.finding, None)
        else:
            self.unconfirmed[line.finding] = line.event
