"""The trend: open findings in each given snapshot."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.results.run import Past, Report
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.report.html.charts import Columns, columns

_DRAWN = 18
_ROOM = 8
"""The minimum number of column spaces, so that two columns do not fill the page; a phone has no room for more labels."""


class Point(Struct, frozen=True, kw_only=True):
    """One snapshot."""

    day: str
    open: tuple[int, ...]
    """By severity, the most severe first."""
    total: int
    unknown: int
    complete: bool


class Trend(Struct, frozen=True, kw_only=True):
    """The snapshots up to this one, the earliest first."""

    points: Sequence[Point]
    chart: Columns
    drawn: int
    change: int
    """The increase of open findings since the earliest one."""
    comparable: bool
    """Whether both were complete; otherwise a decrease may mean that less was read."""
    later: int
    """The number of later snapshots, which are left out."""


def trend(report: Report) -> Trend | None:
    """The trend; None without other snapshots."""
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
    """From the bottom: the lowest severity first, unknown results on top."""
    by_severity = dict(zip(reversed(Severity), point.open, strict=True))
    return {**{severity: by_severity[severity] for severity in Severity}, "unknown": point.unknown}


def _years(points: Sequence[Point]) -> dict[int, str]:
    """The label of each year at its first point."""
    years = [point.day[:4] for point in points]
    return {number: year for number, year in enumerate(years) if year not in years[:number]}
