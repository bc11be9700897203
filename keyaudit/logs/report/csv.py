"""Unusual uses as CSV: one line per reason, then one line for each unknown."""

from typing import TextIO

from keyaudit.logs.report.words import reason
from keyaudit.model.usage import Unusual, UsageCheck, Why
from keyaudit.model.values.times import DAY, iso_date, iso_time
from keyaudit.report.log_gaps import unseen
from keyaudit.report.members import SCHEMA
from keyaudit.report.tabular.cells import csv_rows, guarded, text_cells

_COLUMNS = (
    "schema_version", "tenant_id", "window_from", "window_to", "status", "severity", "kind", "operation", "target_kind",
    "target", "app_id", "app_name", "reason", "values", "uses", "refused", "days", "first_on", "last_on", "evidence",
    "owner", "accepted_reason", "until", "reported_until", "part_of",
)  # fmt: skip


def render(found: UsageCheck, out: TextIO) -> None:
    """Write it. `out` must not translate line ends."""
    write = csv_rows(out, None, _COLUMNS)
    common = {
        "schema_version": SCHEMA,
        "tenant_id": guarded(found.tenant_id),
        "window_from": iso_date(found.window.since),
        "window_to": iso_date(found.window.until - DAY),
    }
    for each in found.findings:
        for why in each.why:
            write({**common, **_reason(each, why)})
    for blind in found.unseen:
        said = {"status": "unknown", "kind": blind.blind, "target": guarded(blind.subject or None)}
        write({**common, **said, "reason": guarded(unseen(blind)), "days": str(len(blind.days) or "")})


def _reason(found: Unusual, why: Why) -> dict[str, str]:
    cells = {
        "status": _status(found),
        "severity": why.severity,
        "kind": why.kind,
        **text_cells(found, "operation", "target_kind", "target"),
        "app_id": guarded(found.app_id or None),
        "app_name": guarded(found.app_name or None),
        "reason": guarded(reason(found, why)),
        "values": guarded("|".join(why.values) or None),
        "uses": str(why.uses),
        "refused": str(why.refused),
        "days": str(why.days),
        "first_on": iso_time(why.first_on),
        "last_on": iso_time(why.last_on),
        "evidence": guarded("|".join(use.id for use in why.evidence)),
        "part_of": guarded(found.part_of or None),
    }
    if found.reported_until is not None:
        cells["reported_until"] = iso_date(found.reported_until - DAY)
    if found.accepted:
        by = found.accepted
        cells |= {"owner": guarded(by.owner), "accepted_reason": guarded(by.reason), "until": by.last_day}
    return cells


def _status(found: Unusual) -> str:
    if found.open:
        return "open"
    return "accepted" if found.accepted else "part of another" if found.part_of else "reported before"
