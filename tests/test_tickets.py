"""A finding has one ticket while it is open: what another system is told, and what it is never told twice."""

import io
import json
import threading
from collections.abc import Container, Iterator, Sequence
from http.server import HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from msgspec import structs

from keyaudit.cli.send.ticketing import _tell_unconfirmed
from keyaudit.model.changes.history import History
from keyaudit.model.errors import UnsafeError
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.report.topics import topic
from keyaudit.send.due_tickets import Event, due
from keyaudit.send.sent_tickets import Told
from keyaudit.send.tickets import body, line
from keyaudit.send.webhook import Webhook, session
from tests.documents import fenced
from tests.report.example import OVERDUE, finding
from tests.report.excused import WAIVER
from tests.report.test_difference import BROKEN, CUT, OLD, read
from tests.test_history import FIXED, SLOW, followed

Asked = list[tuple[str, str, Any]]
RECORDED = json.loads((Path(__file__).parent / "recorded" / "tickets" / "answers.json").read_bytes())


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


@pytest.fixture
def receiver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Asked, dict[str, Any]]]:
    """The program of the topic with a word in it, on a free port: its address, what it asks, and what it is answered."""
    monkeypatch.setenv("GITHUB_REPOSITORY", "octokit-fixture-org/add-labels-to-issue")
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    monkeypatch.setenv("BOARDS_PROJECT", "https://dev.azure.com/fabrikam/Fabrikam-Fiber-Git")
    monkeypatch.setenv("BOARDS_TOKEN", "t0ken")
    [text] = [block for block in fenced(topic("tickets"), "python") if request.param in block]
    code, last = text.rstrip().rsplit("\n", 1)
    assert last == 'HTTPServer(("127.0.0.1", 8731), Receiver).serve_forever()'
    program: dict[str, Any] = {}
    exec(compile(code, "receiver", "exec"), program)
    asked: Asked = []
    answers: dict[str, Any] = {}

    def urlopen(sent: Request, timeout: int) -> io.BytesIO:
        assert (sent.get_header("Authorization"), timeout) == ("Bearer t0ken", 20)
        asked.append((sent.get_method(), sent.full_url, json.loads(sent.data) if isinstance(sent.data, bytes) else None))
        return io.BytesIO(json.dumps(answers[sent.get_method() + sent.full_url.rpartition("/")[2].partition("?")[0]]).encode())

    program["urlopen"] = urlopen
    program["Receiver"].log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), program["Receiver"])
    monkeypatch.setattr(server, "handle_error", lambda *_: None)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked, answers
    server.shutdown()
    thread.join()
    server.server_close()


async def posted(address: str, message: bytes) -> str:
    async with session() as opened:
        return await Webhook(address, {}).post(opened, message)


def messages() -> tuple[bytes, bytes]:
    """The messages for a finding that opens and for one that closes."""
    found = followed([(0, read(BROKEN))])
    gone = followed([(0, read(BROKEN)), (2, read(FIXED))])
    [opened], [closed] = due(found, {}, Severity.HIGH), due(gone, {BROKEN.id: Event.OPENED}, Severity.HIGH)
    return body(opened, found), body(closed, gone)


@pytest.mark.parametrize("receiver", ["GITHUB_TOKEN"], indirect=True)
async def test_the_receiver_for_github_opens_one_issue_and_closes_it(receiver: tuple[str, Asked, dict[str, Any]]) -> None:
    address, asked, answers = receiver
    issues, label = "https://api.github.com/repos/octokit-fixture-org/add-labels-to-issue/issues", f"keyaudit-{BROKEN.id}"
    opened, closed = messages()
    unlabelled = RECORDED["github"]["created"]
    issue = {**unlabelled, "labels": [{**RECORDED["github"]["label"], "name": label}]}
    # GitHub drops the labels of a token that must not set any: the ticket counts as not sent.
    answers.update({"GETissues": [], "POSTissues": unlabelled})
    assert await posted(address, opened) != ""
    answers.update({"POSTissues": issue, "POSTcomments": {}, "PATCH1": issue})
    assert await posted(address, opened) == ""
    answers["GETissues"] = [issue]
    assert await posted(address, opened) == ""
    assert await posted(address, closed) == ""
    listed, text = ("GET", f"{issues}?state=open&labels={label}", None), json.loads(opened)
    made = ("POST", issues, {"title": text["summary"], "body": text["description"], "labels": [label]})
    said = ("POST", f"{issues}/1/comments", {"body": json.loads(closed)["description"]})
    assert asked == [listed, made, listed, made, listed, listed, said, ("PATCH", f"{issues}/1", {"state": "closed"})]


@pytest.mark.parametrize("receiver", ["BOARDS_TOKEN"], indirect=True)
async def test_the_receiver_for_azure_boards_opens_one_work_item_and_closes_it(
    receiver: tuple[str, Asked, dict[str, Any]],
) -> None:
    address, asked, answers = receiver
    opened, closed = messages()
    found, created = RECORDED["boards"]["query"], RECORDED["boards"]["created"]
    answers.update({"POSTwiql": {**found, "workItems": []}, "POST$Issue": created, "PATCH300": created})
    assert await posted(address, opened) == ""
    answers["POSTwiql"] = found
    assert await posted(address, opened) == ""
    assert await posted(address, closed) == ""
    assert [(method, address.partition("/_apis/wit/")[2]) for method, address, _ in asked] == [
        ("POST", "wiql?api-version=7.1"),
        ("POST", "workitems/$Issue?api-version=7.1"),
        ("POST", "wiql?api-version=7.1"),
        ("POST", "wiql?api-version=7.1"),
        ("PATCH", "workitems/300?api-version=7.1"),
    ]
    assert f"CONTAINS 'keyaudit-{BROKEN.id}' AND [System.State] <> 'Done'" in asked[0][2]["query"]
    made = {each["path"].rpartition(".")[2]: each["value"] for each in asked[1][2]}
    assert made["Title"] == json.loads(opened)["summary"]
    assert made["Tags"] == f"keyaudit-{BROKEN.id}"
    assert [each["value"] for each in asked[4][2]] == ["Done", json.loads(closed)["description"]]
    # A broken answer, such as the page of a sign-in: the ticket counts as not sent.
    answers["POSTwiql"] = "sign in"
    assert await posted(address, opened) != ""
