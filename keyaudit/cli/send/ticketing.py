"""`keyaudit send tickets`: opens a ticket for each finding in another system, and closes it there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Choice, ConfigFile, FailOn, Live, flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyaudit.model.changes.history import History
    from keyaudit.send.due_tickets import Ticket
    from keyaudit.send.sent_tickets import Told
    from keyaudit.send.webhook import Webhook

RECORD = "tickets.jsonl"
MOST = 50
"""The maximum number of tickets of one run: the first run in a tenant with a past would flood the other system."""


_PATIENCE = 3
"""The number of tickets in a row that are not accepted, after which the others are left for the next run."""


@flags(Choice)
def tickets(
    choice: Choice,
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the snapshots of one tenant.")],
    severity: Annotated[
        FailOn, typer.Option("--severity", metavar="LEVEL", help="Open tickets for findings of this severity and above.")
    ] = FailOn.HIGH,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the tickets, and send none.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False,
    config: ConfigFile = None,
) -> int:
    """Open a ticket for each finding, and close it if it is gone.

    Sends JSON to the webhook in KEYAUDIT_TICKETS_URL, with the header in KEYAUDIT_TICKETS_HEADER if there is one; neither is
    printed. tickets.jsonl in FOLDER records each, so that a repeated run sends nothing twice. At most 50 are sent. Exit 70:
    a ticket was not accepted.
    """
    import asyncio

    from keyaudit.cli.sources.snapshot_folder import followed
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.inventory.disk.lock import Lock
    from keyaudit.model.errors import PRECEDENCE, Exit
    from keyaudit.model.severity import Severity
    from keyaudit.send.due_tickets import due
    from keyaudit.send.sent_tickets import Told
    from keyaudit.send.tickets import line
    from keyaudit.send.webhook import webhook

    to = None if dry_run else webhook()
    found = followed(folder, Live(config=config, quiet=quiet), choice, "send tickets")
    if to is None:
        waiting = due(found, Told(folder / RECORD).last, Severity(severity))
        with printing() as out:
            out.writelines(f"{line(ticket)}\n" for ticket in waiting)
            out.write(f"{_counted(waiting, 'to send')}\n")
        return found.verdict.exit
    lock = Lock(folder / "tickets.lock")
    try:
        told = Told(folder / RECORD)
        _tell_unconfirmed(folder, told)
        waiting = due(found, told.last, Severity(severity))
        sent, failed = asyncio.run(_send(waiting[:MOST], found, to, told))
    finally:
        lock.remove()
        lock.release()
    left = len(waiting) - len(sent)
    with printing() as out:
        out.writelines(f"{line(ticket)}\n" for ticket in sent)
        out.write(f"{_counted(sent, 'sent')}{f'; {left:,} left for the next run' if left else ''}\n")
    held = {found.verdict.exit, *([Exit.BUG] if failed else [])}
    return next(code for code in PRECEDENCE if code in held)


async def _send(waiting: "Sequence[Ticket]", found: "History", to: "Webhook", told: "Told") -> "tuple[list[Ticket], int]":
    """Sends one after the other, and gives up after a few in a row that were not accepted. The tickets that were, and the
    number of those that were not.
    """
    from keyaudit.cli.terminal.streams import tell
    from keyaudit.send.tickets import body
    from keyaudit.send.webhook import ADDRESS, session

    sent: list[Ticket] = []
    failed = in_a_row = 0
    async with session() as opened:
        for ticket in waiting:
            begun = told.begin(ticket, found.newest.as_of)
            why = await to.post(opened, body(ticket, found))
            if not why:
                told.accepted(ticket, found.newest.as_of)
                sent.append(ticket)
                in_a_row = 0
                continue
            told.refused(begun)
            id_ = ticket.episode.finding.id[:6]
            tell(f"keyaudit: {ADDRESS}: the ticket for {id_} was rejected: {why}; the next run sends it again")
            failed, in_a_row = failed + 1, in_a_row + 1
            if in_a_row == _PATIENCE:
                break
    return sent, failed


def _tell_unconfirmed(folder: Path, told: "Told") -> None:
    from keyaudit.cli.terminal.streams import tell
    from keyaudit.model.values.text import one_line

    for finding, event in told.unconfirmed.items():
        what = f"the ticket for {finding[:6]} ({event}) may not have been accepted: the run that sent it was stopped"
        remedy = f"look for correlation_id {finding} in the other system; if it is not there, delete the last line with it"
        tell(f"keyaudit: {one_line(str(folder / RECORD))}: {what}; {remedy}, and run this again")


def _counted(some: "Sequence[Ticket]", what: str) -> str:
    """ "12 opened and 3 closed sent"."""
    from keyaudit.send.due_tickets import Event

    opened = sum(ticket.event is Event.OPENED for ticket in some)
    return f"Tickets {what}: {opened:,} opened, {len(some) - opened:,} closed"
