"""Several tenants side by side: what is open in each area of each, and the worst of all of them in one list."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from msgspec import Struct, field

from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.run import First, Report
from keyaudit.model.schema.columns import Area
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.files import as_text
from keyaudit.report.findings.first import INDENT, cut, page
from keyaudit.report.members import SCHEMA, exit_member
from keyaudit.report.missing import extent
from keyaudit.report.resource import label
from keyaudit.report.summary import WORST_FIRST, message
from keyaudit.report.tabular.cells import guarded
from keyaudit.report.tabular.grid import grid


class Results(Struct):
    """The results of the policies of one area."""

    open: Counter[Severity] = field(default_factory=Counter)
    """Open failures by severity."""
    unknown: int = 0
    evaluated: bool = False
    """Whether a policy of the area was evaluated: without one there is nothing to say of it."""


def by_area(report: Report) -> dict[Area, Results]:
    """The results of every area, in the order of display."""
    found = {area: Results() for area in Area}
    for tally in report.tallies:
        results = found[TABLES[tally.policy.table].area]
        results.open.update(tally.failed)
        results.unknown += sum(tally.unknown.values())
        results.evaluated = True
    return found


MOST = 20
"""The maximum number of causes in the list of the worst."""
_LISTED = 10
"""The causes of a screen."""
_NAME, _WORD = 40, 8


class Worst(Struct, frozen=True):
    """A cause, and the report that it is in."""

    report: Report
    first: First


def worst(reports: Sequence[Report], most: int = MOST) -> list[Worst]:
    """The causes to begin with in all tenants: by severity, then in the order of the tenants."""
    found = [Worst(report, first) for report in reports for first in page(report, most).rows]
    return sorted(found, key=lambda each: -each.first.finding.severity.rank)[:most]


def matrix_members(reports: Sequence[Report]) -> list[dict[str, object]]:
    """The matrix for programs: by tenant, every area with its open findings by severity and its unknown results."""
    return [
        {
            "tenant_id": report.run.tenant_id,
            "tenant_name": report.run.tenant_name,
            "as_of": times.iso_time(report.run.as_of),
            **exit_member(report.verdict.exit, report.verdict),
            "complete": report.verdict.complete,
            "areas": [_area_member(area, results) for area, results in by_area(report).items()],
        }
        for report in reports
    ]


def _area_member(area: Area, results: Results) -> dict[str, object]:
    """An area without an evaluated policy has null for numbers: nothing was looked at."""
    counts = {level: results.open[level] for level in WORST_FIRST}
    return {
        "area": area.value,
        "open": counts if results.evaluated else None,
        "unknown": results.unknown if results.evaluated else None,
    }


def worst_members(reports: Sequence[Report]) -> list[dict[str, object]]:
    """The worst for programs."""
    return [
        {
            "tenant_id": each.report.run.tenant_id,
            # Of an earlier version.
            "at_stake": None,
            "severity": each.first.finding.severity,
            "finding": each.first.finding.id,
            "policy": each.first.finding.policy.id,
            "resource": label(Facts.of(each.first.finding)),
            "times": each.first.times,
        }
        for each in worst(reports)
    ]


def write(report: Report, out: BinaryIO) -> None:
    """Write the matrix of one tenant as CSV."""
    write_all([report], out)


def write_all(reports: Sequence[Report], out: BinaryIO) -> None:
    """Write the matrix as CSV: a line for each area of each tenant."""
    with as_text(out) as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(
            ["schema_version", "tenant_id", "tenant_name", "as_of", "exit", "complete", "area", *WORST_FIRST, "unknown"]
        )
        for report in reports:
            run, verdict = report.run, report.verdict
            about = [SCHEMA, guarded(run.tenant_id), guarded(run.tenant_name), times.iso_time(run.as_of)]
            for area, results in by_area(report).items():
                counts = [*(results.open[level] for level in WORST_FIRST), results.unknown]
                writer.writerow(
                    [
                        *about,
                        int(verdict.exit),
                        "true" if verdict.complete else "false",
                        area.value,
                        *(counts if results.evaluated else [""] * len(counts)),
                    ]
                )


def name(report: Report) -> str:
    """A tenant by its name, else its id."""
    return report.run.tenant_name or report.run.tenant_id


def lines(reports: Sequence[Report], width: int) -> Iterator[str]:
    """For people: the matrix, then the worst with their tenants."""
    levels = [level for level in WORST_FIRST if any(level in report.verdict.failed for report in reports)]
    rows = [row for report in reports for row in _rows(report, levels)]
    yield from (line.rstrip() for line in grid(["Tenant, area", *levels, "unknown"], rows))
    found = worst(reports, _LISTED)
    if found:
        yield ""
    for each in found:
        finding, facts = each.first.finding, Facts.of(each.first.finding)
        more = f" and {each.first.times - 1:,} more" if each.first.times > 1 else ""
        where = one_line(facts.text("holder_name") or label(facts)) + more
        yield cut(f"{finding.severity:<{_WORD}} {finding.id[:SHORT]} {where}: {message(finding)}", width)
        yield f"{INDENT}in {cut(one_line(name(each.report)), width - len(INDENT) - 3)}"


def _rows(report: Report, levels: Sequence[Severity]) -> Iterator[list[str]]:
    """A line for the tenant, and one for each of its areas that has results or was not evaluated."""
    empty = [""] * (len(levels) + 1)
    yield [cut(one_line(name(report)), _NAME), *empty]
    areas = by_area(report)
    for area, results in areas.items():
        counts = [*(results.open[level] for level in levels), results.unknown]
        if not results.evaluated:
            yield [f"  {area.value}: not evaluated", *empty]
        elif any(counts):
            yield [f"  {area.value}", *(f"{count:,}" if count else "-" for count in counts)]
    if not any(each.open or each.unknown or not each.evaluated for each in areas.values()):
        yield [f"  nothing open{extent(report.verdict)}", *empty]
