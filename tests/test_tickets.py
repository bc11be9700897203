"""A finding has one ticket while it is open: what another system is told, and what it is never told twice."""

import json
from collections.abc import Container, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.cli.send.ticketing import _tell_unconfirmed
from keyaudit.model.changes.history import History
from keyaudit.model.errors import UnsafeError
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.send.due_tickets import Event, due
from keyaudit.send.sent_tickets import Told
from keyaudit.send.tickets import body, line
from tests.report.example import OVERDUE, finding
from tests.report.excused import WAIVER
from tests.report.test_difference import BROKEN, CUT, OLD, read
from tests.test_history import FIXED, SLOW, followed


def told_by_runs(reports: Sequence[tuple[int, Report]], record: Path, lenient: Container[int] = ()) -> list[tuple[int, str]]:
    """A run after each snapshot, which keeps its record in a file: the days on which each event of the finding was told.

    `lenient`: the days on which the policies let it pass. Every run evaluates all snapshots with the policies of its own day.
    """
    found: list[tuple[int, str]] = []
    for number, (day, _) in enumerate(reports, 1):
        until = reports[:number]
        history = followed([(each, read(FIXED)) for each, _ in until] if day in lenient else until)
        told = Told(record)
        for ticket in due(history, told.last, Severity.HIGH):
            assert ticket.episode.finding.id == BROKEN.id
            told.begin(ticket, history.newest.as_of)
            told.accepted(ticket, history.newest.as_of)
            found.append((day, ticket.event))
    return found


def test_ninety_days_give_no_ticket_twice(tmp_path: Path) -> None:
    """Open on days 10 to 29 and again from 60: day 20 is run twice, and day 25 could not read it."""
    days = sorted([day for day in range(0, 90, 5) if day != 5] + [20])
    reports = [(day, read(BROKEN if 10 <= day < 30 or day >= 60 else FIXED)) for day in days]
    reports = [(day, read(coverage=CUT)) if day == 25 else (day, report) for day, report in reports]
    assert told_by_runs(reports, tmp_path / "tickets.jsonl") == [(10, "opened"), (30, "closed"), (60, "opened")]


@pytest.mark.parametrize(
    ("lenient", "told"),
    [
        # It was open before and after: a policy that changes is no fix, and one that changes back finds nothing new.
        (range(15, 21), [(10, "opened"), (30, "closed"), (60, "opened")]),
        # It was closed in that time, which the next run with the old policy shows.
        (range(25, 41), [(10, "opened"), (45, "closed"), (60, "opened")]),
        # It was closed and had come back in that time: its ticket is still open.
        (range(25, 66), [(10, "opened")]),
        (range(10, 90), []),
        # The policy is new on day 20: it finds what older snapshots already have.
        (range(20), [(20, "opened"), (30, "closed"), (60, "opened")]),
    ],
)
def test_a_policy_that_changes_between_two_runs_closes_no_ticket_and_opens_none_twice(
    lenient: range, told: list[tuple[int, str]], tmp_path: Path
) -> None:
    reports = [(day, read(BROKEN if 10 <= day < 30 or day >= 60 else FIXED)) for day in range(0, 90, 5)]
    assert told_by_runs(reports, tmp_path / "tickets.jsonl", lenient) == told


def test_what_was_closed_and_opened_between_two_runs_keeps_its_ticket() -> None:
    came_back = followed([(0, read(BROKEN)), (1, read(FIXED)), (2, read(BROKEN))])
    assert due(came_back, {BROKEN.id: Event.OPENED}, Severity.HIGH) == ()
    (again,) = due(came_back, {BROKEN.id: Event.CLOSED}, Severity.HIGH)
    assert (again.event, again.episode.number) == (Event.OPENED, 2)
    # Whose ticket was never opened needs none closed; and without the snapshots that had it, nothing shows it closed.
    gone = followed([(0, read(BROKEN)), (1, read(FIXED))])
    assert due(gone, {}, Severity.HIGH) == ()
    assert [each.event for each in due(gone, {BROKEN.id: Event.OPENED}, Severity.CRITICAL)] == [Event.CLOSED]
    assert due(followed([(1, read(FIXED))]), {BROKEN.id: Event.OPENED}, Severity.HIGH) == ()


def test_what_a_waiver_covers_and_what_is_less_severe_opens_no_ticket() -> None:
    accepted = followed([(0, read(structs.replace(BROKEN, waiver=WAIVER)))])
    assert due(accepted, {}, Severity.HIGH) == ()
    # A waiver is no fix: a ticket that is open stays open.
    assert due(accepted, {BROKEN.id: Event.OPENED}, Severity.HIGH) == ()
    both = followed([(0, read(BROKEN, SLOW))])
    assert [each.episode.finding.id for each in due(both, {}, Severity.CRITICAL)] == [BROKEN.id]
    assert [each.episode.finding.id for each in due(both, {}, Severity.INFO)] == [BROKEN.id, SLOW.id]


def sent(found: History, told: dict[str, Event] | None = None) -> dict[str, object]:
    (ticket,) = due(found, told or {}, Severity.HIGH)
    made: dict[str, object] = json.loads(body(ticket, found))
    return made


def test_both_messages_of_a_finding_have_its_id() -> None:
    opened = sent(followed([(0, read(FIXED)), (1, read(BROKEN)), (2, read(FIXED)), (3, read(BROKEN))]))
    assert (opened["event"], opened["correlation_id"], opened["severity"]) == ("opened", BROKEN.id, "critical")
    assert "open for the second time" in str(opened["description"])
    assert f"keyaudit explain {BROKEN.id[:6]} --from" in str(opened["description"])
    assert opened["deadline"] == "2026-12-04T13:30:00Z"
    closed = sent(followed([(0, read(BROKEN)), (2, read(FIXED))]), {BROKEN.id: Event.OPENED})
    assert (closed["event"], closed["correlation_id"], closed["closed"]) == ("closed", BROKEN.id, "2026-11-26T13:30:00Z")


def test_names_of_the_tenant_are_no_markup_mentions_or_links() -> None:
    hostile = "@all [x](https://evil.example) {code}\n## <b>"
    named = finding(OVERDUE, Outcome.FAIL, {**OLD, "name": hostile, "tags": {"owner": hostile}}, hostile)
    raw = structs.replace(named, severity=Severity.CRITICAL)
    made = sent(followed([(0, read(raw))]))
    texts = "".join(map(str, (made["summary"], made["description"], made["resource"], made["owners"])))
    assert not any(mark in texts for mark in ("@all", "https://", "[x]", "<b>"))
    (ticket,) = due(followed([(0, read(raw))]), {}, Severity.HIGH)
    assert "\n" not in line(ticket)


def test_a_ticket_that_a_stopped_run_was_sending_is_not_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "tickets.jsonl"
    history = followed([(0, read(BROKEN))])
    (ticket,) = due(history, {}, Severity.HIGH)
    begun = Told(record)
    start = begun.begin(ticket, 0)
    stopped = Told(record)
    assert stopped.unconfirmed == stopped.last == {BROKEN.id: Event.OPENED}
    assert due(history, stopped.last, Severity.HIGH) == ()
    _tell_unconfirmed(tmp_path, stopped)
    said = capsys.readouterr().err
    assert f"the ticket for {BROKEN.id[:6]} (opened) may not have been accepted" in said
    assert f"look for correlation_id {BROKEN.id} in the other system" in said
    # It was not accepted, or it was.
    begun.refused(start)
    assert (Told(record).last, record.read_bytes()) == ({}, b"")
    begun.begin(ticket, 0)
    begun.accepted(ticket, 0)
    assert (Told(record).last, Told(record).unconfirmed) == ({BROKEN.id: Event.OPENED}, {})


def test_a_line_that_was_cut_off_counts_as_not_sent_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "tickets.jsonl"
    (ticket,) = due(followed([(0, read(BROKEN))]), {}, Severity.HIGH)
    Told(record).accepted(ticket, 0)
    whole = record.read_bytes()
    assert record.stat().st_mode & 0o777 == 0o600
    record.write_bytes(whole + whole[:20])
    again = Told(record)
    assert again.last == {BROKEN.id: Event.OPENED}
    again.accepted(ticket, 1)
    assert len(Told(record).last) == 1
    assert len(record.read_bytes().splitlines()) == 2
    record.write_bytes(b'{"finding": 3}\n' + whole)
    with pytest.raises(UnsafeError, match=r"tickets\.jsonl:1: not a sent ticket; restore it"):
        Told(record)
    record.unlink()
    record.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeError):
        Told(record)
