"""The waivers of a run as CSV: each with its coverage and state."""

from typing import TextIO

from keyaudit.model.gating.waivers import Use
from keyaudit.model.results.run import Report
from keyaudit.model.values.times import iso_date
from keyaudit.report.tabular.cells import csv_rows, flag_cell, guarded, text_cells

COLUMNS = (
    "waiver_id", "state", "covered", "covers", "policy", "resource", "reason", "owner", "approved_by", "created", "expires",
    "ticket", "compensating_control", "allow_critical",
)  # fmt: skip
"""This order is stable; new columns are added at the end."""


def render(report: Report, out: TextIO) -> None:
    """Write it. `out` must not translate line ends."""
    write = csv_rows(out, report.run, COLUMNS)
    for use in report.verdict.waivers:
        write(_use(use))


def _use(use: Use) -> dict[str, object]:
    waiver = use.waiver
    return {
        "waiver_id": guarded(waiver.id),
        "state": use.state,
        "covered": use.count,
        "covers": "coverage" if waiver.covers_coverage else "findings",
        "policy": guarded(waiver.policy.text),
        "resource": guarded(waiver.resource.text),
        **text_cells(waiver, "reason", "owner", "approved_by"),
        "created": "" if waiver.created is None else iso_date(waiver.created),
        "expires": waiver.last_day,
        "ticket": guarded(waiver.ticket or None),
        "compensating_control": guarded(waiver.compensating_control or None),
        "allow_critical": flag_cell(waiver.allow_critical),
    }
