"""Several tenants on one page: the answer of all, what is open in each area of each, and the worst of all in one list."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.run import Report, conditions
from keyaudit.model.schema.columns import Area
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.model.values.text import visible
from keyaudit.report.facts import Facts
from keyaudit.report.html.band import Tone, policies_digest
from keyaudit.report.lines import plural
from keyaudit.report.resource import label
from keyaudit.report.summary import SIMULATED, WORST_FIRST, message
from keyaudit.report.tenants import Results, Worst, by_area, name, worst

_NAME = 200


class Cell(Struct, frozen=True):
    """An area of a tenant."""

    counts: Sequence[tuple[Severity, int]]
    unknown: int
    evaluated: bool


class Row(Struct, frozen=True, kw_only=True):
    """A tenant."""

    name: str
    id: str
    as_of: str
    exit: str
    complete: bool
    cells: Sequence[Cell]


class Cause(Struct, frozen=True, kw_only=True):
    """One of the worst."""

    tenant: str
    severity: Severity
    policy: PolicyText
    id: str
    resource: str
    message: str


class Tenants(Struct, frozen=True, kw_only=True):
    """The page."""

    title: str
    simulated: str
    word: str
    tone: Tone
    meaning: str
    areas: Sequence[Area]
    rows: Sequence[Row]
    causes: Sequence[Cause]
    digests: Sequence[str]


def tenants(reports: Sequence[Report]) -> Tenants:
    """The content of the page."""
    held = conditions(reports)
    found = [by_area(report) for report in reports]
    areas = [area for area in Area if any(of[area].evaluated for of in found)]
    return Tenants(
        title=f"keyaudit: {plural(len(reports), 'tenant')}",
        simulated=SIMULATED if any(report.run.simulated for report in reports) else "",
        word=_word(held[0], reports),
        tone=_tone(held[0]),
        meaning=MEANINGS[held[0]] if held[0] is not Exit.CLEAN else "Everything required was read in every tenant",
        areas=areas,
        rows=[_row(report, [of[area] for area in areas]) for report, of in zip(reports, found, strict=True)],
        causes=_causes(worst(reports)),
        digests=sorted({policies_digest(report) for report in reports}),
    )


def _word(code: Exit, reports: Sequence[Report]) -> str:
    if code is not Exit.CLEAN:
        return "GATE FAILED" if code is Exit.FINDINGS else "INCOMPLETE" if code is Exit.INCOMPLETE else f"EXIT {int(code)}"
    return "NO GATE EVALUATED" if reports[0].verdict.gate is None else "PASSED"


def _tone(code: Exit) -> Tone:
    return {Exit.CLEAN: Tone.PLAIN, Exit.INCOMPLETE: Tone.DOUBT}.get(code, Tone.BAD)


def _row(report: Report, of: Sequence[Results]) -> Row:
    return Row(
        name=visible(name(report), _NAME),
        id=report.run.tenant_id,
        as_of=times.iso_time(report.run.as_of),
        exit=f"exit {int(report.verdict.exit)}",
        complete=report.verdict.complete,
        cells=[
            Cell([(level, each.open[level]) for level in WORST_FIRST if each.open[level]], each.unknown, each.evaluated)
            for each in of
        ],
    )


def _causes(found: Sequence[Worst]) -> list[Cause]:
    return [
        Cause(
            tenant=visible(name(each.report), _NAME),
            severity=each.first.finding.severity,
            policy=each.first.finding.policy,
            id=each.first.finding.id[:SHORT],
            resource=visible(label(Facts.of(each.first.finding)), _NAME) + _more(each),
            message=message(each.first.finding),
        )
        for each in found
    ]


def _more(each: Worst) -> str:
    return f" and {each.first.times - 1:,} more" if each.first.times > 1 else ""
