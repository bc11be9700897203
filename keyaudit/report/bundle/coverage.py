"""The coverage as CSV: every record of the ledger, then every gap with the affected policies and its acceptance."""

from typing import TextIO

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.run import Gap, Report
from keyaudit.report.tabular.cells import csv_rows, flag_cell, guarded

COLUMNS = (
    "record", "scope_kind", "scope_name", "scope_id", "operations", "state", "reason", "meaning", "detail",
    "received", "kept", "duplicate", "quarantined", "refused", "required", "allowed", "blinds",
)  # fmt: skip
"""This order is stable; new columns are added at the end."""


def render(report: Report, out: TextIO) -> None:
    """Write it. `record` says whether a line is a record of the ledger or a gap. `out` must not translate line ends."""
    write = csv_rows(out, report.run, COLUMNS)
    for record in report.verdict.coverage:
        write(_record(record))
    for gap in report.verdict.gaps:
        write(_gap(gap))


def _record(record: Coverage) -> dict[str, object]:
    return {
        "record": "ledger",
        "scope_kind": record.scope.kind,
        "scope_name": guarded(record.scope.name),
        "scope_id": guarded(record.scope.id),
        "operations": guarded(record.operation),
        "state": record.state,
        "reason": record.reason or "",
        "meaning": ADVICE[record.reason].meaning if record.reason else "",
        "detail": guarded(record.detail or None),
        "received": record.received,
        "kept": record.kept,
        "duplicate": record.duplicate,
        "quarantined": record.quarantined,
        "refused": record.refused,
    }


def _gap(gap: Gap) -> dict[str, object]:
    return {
        "record": "gap",
        "scope_kind": gap.scope.kind,
        "scope_name": guarded(gap.scope.name),
        "scope_id": guarded(gap.scope.id),
        "operations": guarded("|".join(gap.operations) or None),
        "reason": gap.reason,
        "meaning": ADVICE[gap.reason].meaning,
        "detail": guarded(gap.detail or None),
        "refused": gap.refused,
        "required": flag_cell(gap.required),
        "allowed": flag_cell(gap.allowed),
        "blinds": "|".join(gap.blinds),
    }
