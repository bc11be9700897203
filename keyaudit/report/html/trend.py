"""How the tenant has fared: what was open at each snapshot that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.model import times
from keyaudit.model.findings import Severity
from keyaudit.model.run import Past, Report
from keyaudit.report.html.charts import Columns, columns

_DRAWN = 18
_ROOM = 8
"""Columns that there is room for at the least: two alone would be as wide as the page. A phone has room for no more labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One snapshot."""

    day: str
    open: tuple[int, ...]
    """By severity, the gravest first."""
    total: int
    unknown: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The snapshots up to this one, the earliest first."""

    points: Sequence[Point]
    chart: Columns
    drawn: int
    change: int
    """How many more are open now than at the earliest one."""
    comparable: bool
    """Both were complete; else fewer may mean that less was seen."""
    later: int
    """How many were made after this one, and are left out."""


def trend(report: Report) -> Trend | None:
    """What became of it; None where there is nothing to compare with."""
    now = Past.of(report.run, report.verdict)
    others = [each for each in report.history if each.run_id != now.run_id]
    past = [each for each in others if each.as_of <= now.as_of]
    if not others:
        return None
    points = [_point(each) for each in (*sorted(past, key=lambda each: (each.as_of, each.run_id)), now)]
    drawn = points[-_DRAWN:]
    values = [(point.day[5:], _stacked(point)) for point in drawn]
    return Trend(
        points=points,
        chart=columns(values, under=_years(drawn), places=_ROOM, uncounted="unknown", kept=1 if len(drawn) <= _ROOM else 3),
        drawn=len(drawn),
        change=points[-1].total - points[0].total,
        comparable=points[0].complete and points[-1].complete,
        later=len(others) - len(past),
    )


def _point(past: Past) -> Point:
    counts = tuple(past.open.get(each, 0) for each in reversed(Severity))
    return Point(day=times.iso_date(past.as_of), open=counts, total=sum(counts), unknown=past.unknown, complete=past.complete)


def _stacked(point: Point) -> dict[str, int]:
    """From below: the mildest first, what is unknown on top."""
    by_severity = dict(zip(reversed(Severity), point.open, strict=True))
    return {**{severity: by_severity[severity] for severity in Severity}, "unknown": point.unknown}


def _years(points: Sequence[Point]) -> dict[int, str]:
    """Each year, where it is first met."""
    years = [point.day[:4] for point in points]
    return {number: year for number, year in enumerate(years) if year not in years[:number]}
