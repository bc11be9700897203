"""The record of the tickets that were sent: a line for each, so that a repeated run sends none twice."""

from pathlib import Path

import msgspec
from msgspec import Struct

from keyaudit.inventory import files
from keyaudit.inventory.growing import Growing
from keyaudit.model.errors import UnsafeError
from keyaudit.model.tickets import Event, Ticket

_MOST = 256 * 1024 * 1024


class _Line(Struct, forbid_unknown_fields=True):
    finding: str
    event: Event
    as_of: int
    """The time of the newest snapshot when it was sent, in seconds since 1970."""


class Told:
    """The record in a file, which the first ticket creates with mode 0600. One process at a time may use it."""

    def __init__(self, path: Path) -> None:
        """Raises UnsafeError if the file is not such a record; a last line that was not written whole does not count."""
        self.last: dict[str, Event] = {}
        """By the finding's id, what was sent last."""
        self._file = Growing(path)
        if not path.is_symlink() and not path.exists():
            return
        found = files.read(path, _MOST)
        whole = found[: found.rfind(b"\n") + 1]
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                line = msgspec.json.decode(text, type=_Line)
            except files.BROKEN as error:
                remedy = "restore it; without it every open finding is sent again"
                raise UnsafeError(f"{files.shown(path)}:{number}", "not a ticket that was sent", remedy) from error
            self.last[line.finding] = line.event
        self._file.keep([(0, len(whole))])

    def add(self, ticket: Ticket, as_of: int) -> None:
        """Records a ticket that was accepted, on disk before this returns."""
        finding = ticket.episode.finding.id
        self._file.add(msgspec.json.encode(_Line(finding, ticket.event, as_of)) + b"\n")
        files.sync(self._file.path)
        self.last[finding] = ticket.event
