"""Expirations as CSV: one line per resource, then one line for each gap."""

from typing import TextIO

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending
from keyaudit.model.results.run import Expiring
from keyaudit.report.endings import days, status, thing
from keyaudit.report.resource import label
from keyaudit.report.tabular.cells import csv_rows, flag_cell, guarded, note_cell

_COLUMNS = (
    "status", "days", "expires_on", "owner", "owner_source", "table", "resource", "id", "kind", "enabled", "is_current",
    "retired", "coverage_note",
)  # fmt: skip


def render(found: Expiring, out: TextIO) -> None:
    """Write it. `days` are until or since the expiration, depending on `status`. `out` must not translate line ends."""
    write = csv_rows(out, found.run, _COLUMNS)
    for ending in found.endings():
        write(_ending(ending, found.run.as_of))
    for gap in found.verdict.gaps:
        place = {"status": "not-read", "resource": guarded(gap.scope.name), "id": guarded(gap.scope.id)}
        write({**place, "coverage_note": f"*:{gap.reason}"})


def _ending(ending: Ending, as_of: int) -> dict[str, str]:
    facts, owner, left = thing(ending), ending.owner, days(ending, as_of)
    shown = ("expires_on", "kind", "enabled", "is_current")
    unknown: dict[str, Reason] = {name: facts.unknown[name] for name in shown if name in facts.unknown}
    if owner.reason:
        unknown["owner"] = owner.reason
    return {
        "status": status(ending, as_of),
        "days": "" if left is None else str(left),
        "owner": guarded("|".join(owner.names) or None),
        "owner_source": owner.source,
        "table": ending.table,
        "resource": guarded(label(facts)),
        "id": guarded(facts.text("id")),
        **{name: guarded(facts.text(name)) for name in shown},
        "retired": flag_cell(ending.retired),
        "coverage_note": note_cell(unknown),
    }
