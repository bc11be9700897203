"""The waivers of a run as CSV: each with its coverage and state."""

import csv
from typing import TextIO

from keyaudit.model.run import Report
from keyaudit.model.times import iso_date
from keyaudit.model.waivers import Use
from keyaudit.report.cells import common_cells, guarded

COLUMNS = (
    "waiver_id", "state", "covered", "covers", "policy", "resource", "reason", "owner", "approved_by", "created", "expires",
    "ticket", "compensating_control", "allow_critical",
)  # fmt: skip
"""This order is stable; new columns are added at the end."""


def render(report: Report, out: TextIO) -> None:
    """Write it. `out` must not translate line ends."""
    common = common_cells(report.run)
    writer = csv.DictWriter(out, (*common, *COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({**common, **_use(each)} for each in report.verdict.waivers)


def _use(use: Use) -> dict[str, object]:
    waiver = use.waiver
    return {
        "waiver_id": guarded(waiver.id),
        "state": use.state,
        "covered": use.count,
        "covers": "coverage" if waiver.covers_coverage else "findings",
        "policy": guarded(waiver.policy.text),
        "resource": guarded(waiver.resource.text),
        "reason": guarded(waiver.reason),
        "owner": guarded(waiver.owner),
        "approved_by": guarded(waiver.approved_by),
        "created": "" if waiver.created is None else iso_date(waiver.created),
        "expires": waiver.last_day,
        "ticket": guarded(waiver.ticket or None),
        "compensating_control": guarded(waiver.compensating_control or None),
        "allow_critical": "true" if waiver.allow_critical else "false",
    }
