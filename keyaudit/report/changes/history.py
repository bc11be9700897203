"""Findings over time for people, programs, spreadsheets and Prometheus."""

import csv
from collections.abc import Iterator
from typing import TextIO

from keyaudit import __version__
from keyaudit.model.changes.history import Episode, History, Point
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts, iso_duration
from keyaudit.report.formats.prometheus import metric, safe
from keyaudit.report.lines import Paint, joined, nth, paint, plural, wrap
from keyaudit.report.members import begun, document, exits, time_member
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.resource import label
from keyaudit.report.summary import WORST_FIRST, header
from keyaudit.report.tabular.cells import guarded
from keyaudit.report.tabular.grid import grid

_COLUMNS = (
    *("finding_id", "episode", "status", "severity", "policy_id", "resource_name", "subject", "owner"),
    *("first_seen", "earlier", "last_seen", "closed", "days", "deadline", "overdue", "waived"),
)
_SHOWN = 14
"""The number of snapshots in the table for people, the newest; the others are in JSON."""
_LATE = 20
"""The number of overdue findings for people; all are in CSV and JSON."""


def render_text(found: History, out: TextIO, options: Options) -> None:
    """Text for people: the findings by severity, the newest snapshots, and what is overdue."""
    width = options.page
    out.write(joined(header(found.newest, found.verdict, width, options.colour)))
    out.write("\n" + joined(wrap(_span(found), width)) + "\n")
    out.write(joined(_by_severity(found)))
    older = sum(found.pace(severity).earlier for severity in Severity)
    if older:
        note = (
            f"{plural(older, 'closed finding')} may have been open before the first snapshot that has it: its time is longer."
        )
        out.write(joined(wrap(note, width)))
    out.write("\n" + joined(_by_snapshot(found.points[-_SHOWN:])))
    if len(found.points) > _SHOWN:
        out.write(joined(wrap(f"{plural(len(found.points) - _SHOWN, 'earlier snapshot')}: -o json", width)))
    out.write("\n" + joined(_late(found, width, options.colour)))
    blocks = (incomplete(found.verdict, width, options.colour), unsafe(found.verdict, width, options.colour))
    out.writelines(joined(["", *block]) for block in blocks if block)


def _span(found: History) -> str:
    first, last = (times.iso_date(found.points[at].run.as_of) for at in (0, -1))
    missing = sum(not point.complete for point in found.points)
    of = f"of {last}" if first == last else f"from {first} to {last}"
    what = f"{plural(len(found.points), 'snapshot')} {of}"
    if missing:
        what += f", {missing} of them incomplete"
    return f"{what}; each is evaluated as of its own day with the policies of keyaudit {__version__}."


def _by_severity(found: History) -> Iterator[str]:
    rows = []
    for severity in WORST_FIRST:
        pace = found.pace(severity)
        took = "-" if pace.median is None else times.duration_text(pace.median)
        within = found.deadlines.get(severity)
        rows.append(
            [
                severity,
                f"{sum(each.finding.severity is severity for each in found.open):,}",
                "-" if within is None else f"{sum(each.finding.severity is severity for each in found.overdue):,}",
                "-" if within is None else times.duration_text(within),
                f"{pace.closed:,}",
                took,
            ]
        )
    return grid(["severity", "open", "overdue", "deadline", "closed", "median time to close"], rows)


def _by_snapshot(points: tuple[Point, ...]) -> Iterator[str]:
    days = [times.iso_date(point.run.as_of) for point in points]
    # Snapshots of one day are told apart by their times.
    named = days if len(set(days)) == len(days) else [times.iso_time(point.run.as_of) for point in points]
    rows = [
        [
            named[number],
            *(f"{point.open.get(severity, 0):,}" for severity in WORST_FIRST),
            # Nothing shows since when the findings of the first snapshot are open.
            f"{point.new:,}" if number else "-",
            f"{point.closed:,}",
            f"{point.unread:,}",
            "" if point.complete else "incomplete",
        ]
        for number, point in enumerate(points)
    ]
    return grid(["snapshot", *WORST_FIRST, "new", "closed", "unread", ""], rows)


def _late(found: History, width: int, colour: bool) -> Iterator[str]:
    late = found.overdue
    if not found.deadlines:
        yield from wrap("No finding can be overdue: [deadlines] in keyaudit.toml sets none.", width, rest="    ")
        return
    yield paint(f"OVERDUE: {len(late):,}", Paint.ALARM if late else Paint.FINE, colour)
    for each in late[:_LATE]:
        by = times.duration_text(found.newest.as_of - (each.deadline(found.deadlines) or 0))
        owner = one_line(", ".join(each.owners)) or "no owner"
        unread = "; not readable now" if each.unread else ""
        again = f"; open for the {nth(each.number)} time" if each.number > 1 else ""
        text = f"{each.finding.severity}  {_resource(each)}: {one_line(each.finding.policy.problem)}"
        yield from wrap(f"{text} ({each.finding.id[:6]}; {owner}; overdue by {by}{unread}{again})", width, "  ", "      ")
    if len(late) > _LATE:
        yield from wrap(f"{len(late) - _LATE:,} more: -o csv", width, "  ")


def _resource(each: Episode) -> str:
    return one_line(label(Facts.of(each.finding)))


def render_json(found: History, out: TextIO, _options: Options) -> None:
    """For programs: every snapshot and every episode."""
    late = set(map(id, found.overdue))
    document(
        out,
        {
            **begun(found.newest),
            "deadlines": {severity: iso_duration(found.deadlines[severity]) for severity in found.deadlines},
            "severities": {severity: _severity_member(found, severity) for severity in WORST_FIRST},
        },
        {
            "snapshots": map(_point_member, found.points),
            "findings": (_member(found, each, id(each) in late) for each in found.episodes),
        },
        {"evaluated_by": __version__, "verdict": exits(found.verdict)},
    )


def _severity_member(found: History, severity: Severity) -> dict[str, object]:
    pace = found.pace(severity)
    return {
        "open": sum(each.finding.severity is severity for each in found.open),
        "overdue": sum(each.finding.severity is severity for each in found.overdue) if severity in found.deadlines else None,
        "closed": pace.closed,
        "closed_with_unknown_start": pace.earlier,
        "median_seconds_to_close": pace.median,
    }


def _point_member(point: Point) -> dict[str, object]:
    return {
        "run": point.run.run_id,
        "as_of": times.iso_time(point.run.as_of),
        "complete": point.complete,
        "open": {severity: point.open.get(severity, 0) for severity in WORST_FIRST},
        "unread": point.unread,
        "new": point.new,
        "closed": point.closed,
    }


def _member(found: History, each: Episode, overdue: bool) -> dict[str, object]:
    return {
        "finding": each.finding.id,
        "episode": each.number,
        "status": _status(each),
        "severity": each.finding.severity,
        "policy": each.finding.policy.id,
        "resource": label(Facts.of(each.finding)),
        "subject": each.finding.subject,
        "owners": list(each.owners),
        "first_seen": times.iso_time(each.first_seen),
        "earlier": each.earlier,
        "last_seen": times.iso_time(each.last_seen),
        "closed": time_member(each.closed),
        "deadline": time_member(each.deadline(found.deadlines)),
        "overdue": overdue,
        "waived": each.finding.waiver is not None,
    }


def _status(each: Episode) -> str:
    return "closed" if each.closed is not None else "unread" if each.unread else "open"


def render_csv(found: History, out: TextIO, _options: Options) -> None:
    """For spreadsheets: one line an episode. `out` must not translate line ends."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    late = set(map(id, found.overdue))
    for each in found.episodes:
        due = each.deadline(found.deadlines)
        finding = each.finding
        texts = (label(Facts.of(finding)), finding.subject, ", ".join(each.owners))
        dates = ("" if seconds is None else times.iso_time(seconds) for seconds in (each.last_seen, each.closed))
        writer.writerow(
            [
                *(finding.id, each.number, _status(each), finding.severity, finding.policy.id),
                *(guarded(text) for text in texts),
                *(times.iso_time(each.first_seen), _yes(each.earlier), *dates),
                *(times.whole_days(each.age(found.newest.as_of)), "" if due is None else times.iso_time(due)),
                *(_yes(id(each) in late), _yes(finding.waiver is not None)),
            ]
        )


def _yes(value: bool) -> str:
    return "true" if value else "false"


def render_prometheus(found: History, out: TextIO, _options: Options) -> None:
    """A textfile for Prometheus' node exporter; a folder can have it beside those of `export prometheus=`."""
    tenant = {"tenant": safe(found.newest.tenant_id)}

    def by_severity(count: dict[Severity, int]) -> Iterator[tuple[dict[str, str], int]]:
        return (({**tenant, "severity": severity}, number) for severity, number in count.items())

    counts = {severity: [each.finding.severity for each in found.open].count(severity) for severity in WORST_FIRST}
    late = [each.finding.severity for each in found.overdue]
    pace = {severity: found.pace(severity) for severity in WORST_FIRST}
    medians = {severity: each.median for severity, each in pace.items() if each.median is not None}
    for name, help_, samples in (
        ("history_snapshots", "Number of snapshots that were compared.", iter([(tenant, len(found.points))])),
        ("history_open", "Number of open findings, including those that can no longer be read.", by_severity(counts)),
        (
            "history_overdue",
            "Number of open findings whose deadline has passed.",
            by_severity({severity: late.count(severity) for severity in WORST_FIRST if severity in found.deadlines}),
        ),
        (
            "history_closed",
            "Number of findings that were closed.",
            by_severity({severity: each.closed for severity, each in pace.items()}),
        ),
        ("history_median_seconds_to_close", "Median time from first seen to closed.", by_severity(medians)),
    ):
        out.writelines(metric(name, help_, samples))


FORMATS = {"text": render_text, "json": render_json, "csv": render_csv, "prometheus": render_prometheus}
