"""Tickets: which findings another system has to be told of, given what it was told before."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.changes.history import Episode, History
from keyaudit.model.severity import Severity


class Event(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    CLOSED = "closed"


class Ticket(Struct, frozen=True):
    """One message about a finding."""

    event: Event
    episode: Episode


def due(found: History, told: Mapping[str, Event], least: Severity) -> tuple[Ticket, ...]:
    """What has to be told now: what was closed first, then what was opened, the most severe first.

    `told`: by the finding's id, what was told last. Opened are findings of severity `least` or above that no waiver covers;
    closed are those that were told as opened, and that a snapshot shows closed. A finding that comes back is opened again.
    """
    opened = [
        Ticket(Event.OPENED, each)
        for each in found.open
        if told.get(each.finding.id) is not Event.OPENED
        and each.finding.severity.rank >= least.rank
        and each.finding.waiver is None
    ]
    still = {each.finding.id for each in found.open}
    # Of several episodes of a finding, the one that was closed last.
    gone = {each.finding.id: each for each in sorted(found.episodes, key=lambda each: each.number) if each.closed is not None}
    closed = [Ticket(Event.CLOSED, each) for id_, each in gone.items() if id_ not in still and told.get(id_) is Event.OPENED]
    return (*sorted(closed, key=_order), *opened)


def _order(ticket: Ticket) -> tuple[int, str]:
    return -ticket.episode.finding.severity.rank, ticket.episode.finding.id
