"""Expirations as JSON: one resource per line, with the whole row."""

from typing import TextIO

from keyaudit.model.results.expiring import Ending
from keyaudit.model.results.run import Expiring
from keyaudit.model.values import times
from keyaudit.report.endings import days, status, thing
from keyaudit.report.members import about_run, row_member, time_member
from keyaudit.report.resource import label


def render(found: Expiring, out: TextIO) -> None:
    """Write one JSON object."""
    members = {
        "before": times.iso_time(found.before),
        "expired": found.overdue,
        "expiring": found.soon,
        "unknown": found.unknown,
        "retired": found.retired,
        "looked_at": dict(found.looked),
    }
    items = (_item(ending, found.run.as_of) for ending in found.endings())
    about_run(out, found.run, found.verdict, members, {"items": items})


def _item(ending: Ending, as_of: int) -> dict[str, object]:
    facts, owner = thing(ending), ending.owner
    return {
        "table": ending.table,
        "id": ending.row["id"],
        "resource": label(facts),
        "status": status(ending, as_of),
        "expires_on": time_member(ending.expires_on),
        "retired": ending.retired,
        "days": days(ending, as_of),
        "owners": list(owner.names),
        "owner_source": owner.source or None,
        "owner_unknown": owner.reason,
        "row": row_member(facts),
        "row_unknown": dict(sorted(facts.unknown.items())),
    }
