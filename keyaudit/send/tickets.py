"""A ticket as the JSON that a webhook gets, and as a line for people.

Ticket systems turn markup, mentions and links into what they stand for, so names of the tenant are written as in digests.
"""

from keyaudit.model.changes.history import Episode, History
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import nth
from keyaudit.report.members import SCHEMA, UNTRUSTED, time_member
from keyaudit.report.members import inert as as_json
from keyaudit.report.resource import label
from keyaudit.report.summary import SIMULATED
from keyaudit.send.digest import inert
from keyaudit.send.due_tickets import Event, Ticket

_LONG = 2_000


def body(ticket: Ticket, found: History) -> bytes:
    """The JSON object of one ticket, in UTF-8. Its `correlation_id` is the finding's id, the same when it is closed."""
    each, run = ticket.episode, found.newest
    finding = each.finding
    text = {
        "schema": SCHEMA,
        "untrusted": UNTRUSTED,
        **({"notice": SIMULATED} if run.simulated else {}),
        "event": ticket.event,
        "correlation_id": finding.id,
        "episode": each.number,
        "tenant_id": run.tenant_id,
        "tenant_name": inert(run.tenant_name),
        "summary": inert(f"{finding.severity}: {_resource(each)}: {finding.policy.problem}", 250),
        "description": _description(ticket, found),
        "severity": finding.severity,
        "policy": finding.policy.id,
        "resource": inert(_resource(each)),
        "subject": finding.subject,
        "owners": [inert(owner) for owner in each.owners],
        "first_seen": times.iso_time(each.first_seen),
        "last_seen": times.iso_time(each.last_seen),
        "closed": time_member(each.closed),
        "deadline": time_member(each.deadline(found.deadlines)),
    }
    return as_json(text).encode()


def _description(ticket: Ticket, found: History) -> str:
    each = ticket.episode
    if each.closed is not None:
        return f"Closed: the snapshot of {times.iso_time(each.closed)} shows that it is gone."
    facts = [inert(each.finding.message, _LONG)]
    if each.number > 1:
        facts.append(f"It was closed before, and is open for the {nth(each.number)} time.")
    due = each.deadline(found.deadlines)
    if due is not None:
        facts.append(f"It must be closed by {times.iso_time(due)}.")
    facts.append(f"What to do: keyaudit explain {each.finding.id[:6]} --from SNAPSHOT")
    return "\n".join(facts)


def line(ticket: Ticket) -> str:
    """One line for people: the event, and the finding with the first digits of its id."""
    finding = ticket.episode.finding
    owners = one_line(", ".join(ticket.episode.owners)) or "no owner"
    what = f"{finding.severity}  {_resource(ticket.episode)}: {one_line(finding.policy.problem)}"
    return f"{ticket.event:<{len(Event.OPENED)}}  {what} ({finding.id[:6]}; {owners})"


def _resource(each: Episode) -> str:
    return one_line(label(Facts.of(each.finding)))
