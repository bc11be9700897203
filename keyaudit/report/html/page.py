"""All data of the templates, computed before anything is written."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from keyaudit.model.gating.waivers import Use
from keyaudit.model.results.overview import Span
from keyaudit.model.results.run import Report
from keyaudit.model.values import times
from keyaudit.report.html.ages import Aged, aged
from keyaudit.report.html.band import Band, band, policies_digest
from keyaudit.report.html.controls import TONES, Controls, by_framework
from keyaudit.report.html.custody import COLUMNS, KINDS, Kept, Reached, kept, reached
from keyaudit.report.html.expiry import Expiry, expiry
from keyaudit.report.html.findings import Findings, findings
from keyaudit.report.html.first import PRINTED, FirstPage, first_page
from keyaudit.report.html.migration import WAVES, Moves, moves
from keyaudit.report.html.signing import Timeline, timeline
from keyaudit.report.html.trend import Trend, trend
from keyaudit.report.html.unseen import Unseen, unseen
from keyaudit.report.missing import outlived, waiver_lines
from keyaudit.report.settings import setting_lines
from keyaudit.report.summary import SIMULATED, WORST_FIRST


class Section(Struct, frozen=True):
    """A heading in the table of contents."""

    anchor: str
    title: str
    note: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """The page. `None` is a section without content."""

    title: str
    simulated: str
    band: Band
    sections: Sequence[Section]
    unseen: Unseen
    top: FirstPage
    expiry: Expiry
    findings: Findings
    aged: Sequence[Aged]
    kept: Kept
    moves: Moves
    reached: Sequence[Reached] | None
    reach_left_out: int
    timeline: Timeline
    trend: Trend | None
    waivers: Sequence[Use]
    exceptions: Sequence[str]
    controls: Controls
    settings: Sequence[str]
    """The settings of the run, one sentence each."""
    digest: str
    as_of: str


WORDS: Mapping[str, object] = {
    "severities": WORST_FIRST,
    "spans": tuple(Span),
    "custodies": KINDS,
    "waves": WAVES,
    "reach_columns": COLUMNS,
    "states": TONES,
}
"""The headings of tables."""


def page(report: Report) -> Page:
    """The content of the page."""
    overview = report.overview()
    gaps, found, ends = unseen(report), findings(report), expiry(overview.calendar, report.run.as_of)
    over_time, mapped = trend(report), by_framework(report)
    return Page(
        title=f"keyaudit: {report.run.tenant_name or report.run.tenant_id}, {times.iso_date(report.run.as_of)}",
        simulated=SIMULATED if report.run.simulated else "",
        band=band(report),
        sections=_sections(report, gaps),
        unseen=gaps,
        top=first_page(report, PRINTED),
        expiry=ends,
        findings=found,
        aged=aged(overview.ages),
        kept=kept(overview.custody),
        moves=moves(overview.migration),
        reached=None if overview.reach is None else reached(overview.reach),
        reach_left_out=overview.reach_left_out,
        timeline=timeline(report),
        trend=over_time,
        waivers=report.verdict.waivers,
        exceptions=[*waiver_lines(report), *filter(None, [outlived(report)])],
        controls=mapped,
        settings=setting_lines(report.settings),
        digest=policies_digest(report),
        as_of=times.iso_time(report.run.as_of),
    )


def _sections(report: Report, gaps: Unseen) -> Sequence[Section]:
    open_ = sum(report.verdict.failed.values())
    unknown = sum(report.verdict.unknown.values())
    return [
        Section("findings", "Findings", f"{open_:,} open"),
        Section("expiry", "Expiry calendar"),
        *([Section("coverage", "Coverage", f"{len(gaps.missing):,} missing")] if gaps.incomplete else []),
        Section("unseen", "Not read, not evaluated", _left_out(unknown, len(report.verdict.not_judged))),
        Section("controls", "Controls"),
        Section("waivers", "Waivers", f"{len(report.verdict.waivers):,}" if report.verdict.waivers else ""),
        Section("signing", "Token-signing certificates"),
        Section("access", "Who can use which key"),
        Section("custody", "Custody"),
        Section("ages", "Age and cryptoperiod"),
        Section("migration", "Quantum-vulnerable algorithms"),
        Section("trend", "Trend"),
        Section("method", "This run, method and limits"),
    ]


def _left_out(unknown: int, not_evaluated: int) -> str:
    parts = [f"{unknown:,} unknown"] * bool(unknown) + [f"{not_evaluated:,} not evaluated"] * bool(not_evaluated)
    return ", ".join(parts)
