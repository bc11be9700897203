"""A finding is open from the snapshot that first has it to the one that shows it closed; nothing else closes it."""

import csv
import json
from collections.abc import Sequence
from io import StringIO

import pytest
from msgspec import structs

from keyaudit.gate.history import Course
from keyaudit.model.changes.history import Episode, History
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.severity import Severity
from keyaudit.report.changes.history import render_csv, render_json, render_prometheus, render_text
from keyaudit.report.options import Options
from tests.report.example import AS_OF, DAY, EXPIRED, LOGS, OVERDUE, finding
from tests.report.excused import WAIVER
from tests.report.test_difference import BROKEN, CUT, NEW, OLD, UNWATCHED, read

FIXED = finding(EXPIRED, Outcome.PASS, OLD, "")
UNKNOWN = finding(EXPIRED, Outcome.UNKNOWN, OLD, "", unknown={"expires_on": Reason.PERMISSION})
SLOW = finding(OVERDUE, Outcome.FAIL, {**OLD, "tags": {"owner": "payments"}}, "signer is three years old")
DEADLINES = {Severity.CRITICAL: 7 * DAY, Severity.HIGH: 30 * DAY}


def followed(reports: Sequence[tuple[int, Report]]) -> History:
    """The history of reports, each with the day of its snapshot."""
    course = Course()
    for day, report in reports:
        run = structs.replace(report.run, as_of=AS_OF + day * DAY, run_id=str(day))
        course.add(structs.replace(report, run=run))
    return course.history(DEADLINES)


def spans(found: History, of: Finding = BROKEN) -> list[tuple[int, int, int | None, bool]]:
    """Of each episode of a finding the first and the last day, the day it was closed, and whether it may be older."""

    def day(seconds: int) -> int:
        return (seconds - AS_OF) // DAY

    episodes = sorted((each for each in found.episodes if each.finding.id == of.id), key=lambda each: each.number)
    return [
        (day(each.first_seen), day(each.last_seen), None if each.closed is None else day(each.closed), each.earlier)
        for each in episodes
    ]


def test_ninety_days_with_missed_ones_and_an_incomplete_one_give_the_episodes_that_were() -> None:
    """Open on days 10 to 29 and again from 60: days 5, 12, 13 and 61 were missed, 20 was made twice, 25 could not read keys."""
    days = [day for day in range(90) if day not in (5, 12, 13, 61)]
    reports = [(day, read(BROKEN if 10 <= day < 30 or day >= 60 else FIXED)) for day in sorted([*days, 20])]
    reports = [(day, read(coverage=CUT)) if day == 25 else (day, report) for day, report in reports]
    found = followed(reports)
    assert spans(found) == [(10, 29, 30, False), (60, 89, None, False)]
    assert [each.number for each in found.overdue] == [2]
    assert found.pace(Severity.CRITICAL).median == 20 * DAY
    by_day = {point.run.run_id: point for point in found.points}
    assert (by_day["25"].unread, by_day["25"].open[Severity.CRITICAL], by_day["25"].closed) == (1, 1, 0)
    assert (by_day["30"].closed, by_day["30"].new, by_day["60"].new, by_day["62"].new) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    "between",
    [
        read(UNKNOWN),
        read(coverage=CUT),
        read(coverage=()),
        read(not_judged=(NotJudged(policy=EXPIRED, needs=("logs",)),)),
        read(structs.replace(BROKEN, outcome=Outcome.FAIL, waiver=WAIVER)),
    ],
    ids=["unknown", "not listed", "not read", "not evaluated", "waived"],
)
def test_what_does_not_show_it_gone_closes_nothing(between: Report) -> None:
    assert spans(followed([(0, read(FIXED)), (1, read(BROKEN)), (2, between), (3, read(BROKEN))])) == [(1, 3, None, False)]
    # It is closed by a later list that was read to its end and lacks it, even right after a snapshot that showed nothing.
    closed = followed([(0, read(FIXED)), (1, read(BROKEN)), (2, between), (3, read())])
    assert [(first, end) for first, _, end, _ in spans(closed)] == [(1, 3)]


def test_one_that_the_first_snapshot_has_may_be_older_and_so_may_one_that_was_not_readable_before() -> None:
    assert spans(followed([(0, read(BROKEN)), (4, read(FIXED))])) == [(0, 0, 4, True)]
    assert spans(followed([(0, read(coverage=CUT)), (4, read(BROKEN))])) == [(4, 4, None, True)]
    assert spans(followed([(0, read()), (4, read(BROKEN))])) == [(4, 4, None, False)]


def test_a_replaced_version_closes_the_finding_of_its_subject_and_another_finding_stays() -> None:
    replaced = finding(EXPIRED, Outcome.PASS, NEW, "")
    found = followed([(0, read(BROKEN, UNWATCHED)), (1, read(replaced, UNWATCHED))])
    assert spans(found) == [(0, 0, 1, True)]
    assert spans(found, UNWATCHED) == [(0, 1, None, True)]


def test_overdue_counts_from_the_first_snapshot_that_has_it_by_the_deadline_of_its_severity() -> None:
    found = followed([(0, read(BROKEN, SLOW)), (7, read(BROKEN, SLOW))])
    assert found.overdue == ()
    found = followed([(0, read(BROKEN, SLOW)), (8, read(BROKEN, SLOW))])
    assert [each.finding.policy.id for each in found.overdue] == [EXPIRED.id]
    found = followed([(0, read(BROKEN, SLOW)), (40, read(coverage=CUT))])
    assert [(each.finding.policy.id, each.unread) for each in found.overdue] == [(EXPIRED.id, True), (OVERDUE.id, True)]

    found = followed([(0, read(BROKEN)), (40, read(structs.replace(BROKEN, waiver=WAIVER)))])
    assert found.overdue == ()


FOLLOWED = followed([(0, read(SLOW)), (1, read(SLOW, BROKEN)), (3, read(SLOW, FIXED)), (40, read(SLOW, BROKEN))])


def rendered(render: object, options: Options | None = None) -> str:
    out = StringIO()
    assert callable(render)
    render(FOLLOWED, out, options or Options())
    return out.getvalue()


def test_text_says_what_is_open_closed_and_overdue() -> None:
    text = rendered(render_text)
    assert "4 snapshots from 2026-11-24 to 2027-01-03" in text
    assert [line.split() for line in text.splitlines() if line.startswith(("critical ", "high "))] == [
        ["critical", "1", "0", "7", "days", "1", "2", "days"],
        ["high", "1", "1", "30", "days", "0", "-"],
    ]
    assert "OVERDUE: 1\n" in text
    assert "payments; overdue by 10 days)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_snapshots_of_one_day_are_told_apart_by_their_times() -> None:
    found = followed([(0, read(BROKEN)), (1, read(BROKEN))])
    days = [
        structs.replace(point, run=structs.replace(point.run, as_of=AS_OF + hour * 3_600))
        for hour, point in enumerate(found.points)
    ]
    out = StringIO()
    render_text(structs.replace(found, points=tuple(days)), out, Options())
    text = out.getvalue()
    assert "2 snapshots of 2026-11-24;" in text
    assert [line.split()[0] for line in text.splitlines() if line.startswith("2026-11-24")] == [
        "2026-11-24T13:30:00Z",
        "2026-11-24T14:30:00Z",
    ]
    assert max(map(len, text.splitlines())) <= 80


def test_every_format_has_the_same_episodes() -> None:
    whole = json.loads(rendered(render_json))
    lines = list(csv.DictReader(StringIO(rendered(render_csv))))
    told = [(each["finding"], each["episode"], each["status"], each["overdue"]) for each in whole["findings"]]
    assert told == [
        (BROKEN.id, 2, "open", False),
        (SLOW.id, 1, "open", True),
        (BROKEN.id, 1, "closed", False),
    ]
    assert [(each["finding_id"], int(each["episode"]), each["status"], each["overdue"] == "true") for each in lines] == told
    assert [each["days"] for each in lines] == ["0", "40", "2"]
    assert whole["severities"]["critical"]["median_seconds_to_close"] == 2 * DAY
    metrics = rendered(render_prometheus).splitlines()
    tenant = FOLLOWED.newest.tenant_id
    assert f'keyaudit_history_overdue{{tenant="{tenant}",severity="high"}} 1' in metrics
    assert f'keyaudit_history_median_seconds_to_close{{tenant="{tenant}",severity="critical"}} {2 * DAY}' in metrics
    assert not any("median" in line and '"high"' in line for line in metrics)


def test_evidence_that_is_not_supplied_again_closes_nothing() -> None:
    needed = structs.replace(UNWATCHED, policy=LOGS)
    found = followed([(0, read(needed)), (1, read(not_judged=(NotJudged(policy=LOGS, needs=("logs",)),)))])
    assert spans(found, needed) == [(0, 0, None, True)]
    assert [each.unread for each in found.open] == [True]


def test_the_ends_of_an_episode_are_ordered() -> None:
    every: list[Episode] = list(FOLLOWED.episodes)
    assert all(each.first_seen <= each.last_seen <= (each.closed or each.last_seen) for each in every)
