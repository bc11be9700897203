"""A new application is reported once and then counted: what an earlier check reported, and what is reported all the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.logs.check.reported import Reported, added, counted, read_reported, write_reported
from keyaudit.model.errors import UnsafeError
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.severity import Severity
from keyaudit.model.usage import Accepted, Kind, Unusual, Why, Window
from keyaudit.model.values.times import DAY
from tests.logs import START

KEY = "https://v.vault.azure.net/keys/k"
Reporting = Callable[..., list[str]]


def window(first: int, last: int) -> Window:
    return Window(since=START + first * DAY, until=START + (last + 1) * DAY)


def found(
    app: str = "stranger", *kinds: Kind, severity: Severity = Severity.HIGH, operation: str = "sign", target: str = KEY
) -> Unusual:
    """An application that is new to a key, unless it says otherwise."""
    why = [
        Why(
            kind=kind, severity=severity, count=1, values=(), elsewhere=False, usual=0, uses=1, refused=0, days=1,
            first_on=START, last_on=START, evidence=(),
        )
        for kind in kinds or (Kind.NEW_APP,)
    ]  # fmt: skip
    return Unusual(target_kind="key", target=target, operation=operation, app_id=app, app_name="", why=why)


@pytest.fixture
def checked() -> Reporting:
    """What is reported of the findings in the days from `first` to `last`, with the record of the checks before."""
    record = Reported()

    def run(findings: Sequence[Unusual], first: int, last: int) -> list[str]:
        nonlocal record
        compared = counted(findings, record, window(first, last))
        record = added(record, "t", compared, window(first, last))
        return sorted(f"{each.app_id} {each.operation}" for each in compared if each.open)

    return run


def test_a_new_application_is_reported_once_and_then_counted(checked: Reporting) -> None:
    assert checked([found()], 1, 1) == ["stranger sign"]
    assert checked([found(), found("another")], 2, 2) == ["another sign"]
    assert checked([found(), found("another")], 3, 3) == []


def test_what_is_counted_says_which_check_reported_it() -> None:
    record = added(Reported(), "t", [found()], window(1, 1))
    (later,) = counted([found()], record, window(2, 5))
    assert later.reported_until == window(1, 1).until


def test_days_that_are_checked_again_are_reported_again(checked: Reporting) -> None:
    """The first run may have been interrupted, or its logs may have come late."""
    for _ in range(2):
        assert checked([found()], 5, 5) == ["stranger sign"]
    assert checked([found()], 4, 4) == ["stranger sign"]
    assert checked([found()], 6, 6) == []


def test_a_window_that_grows_counts_what_it_had_before(checked: Reporting) -> None:
    assert checked([found()], 0, 1) == ["stranger sign"]
    assert checked([found()], 0, 2) == []


def test_it_is_reported_again_after_a_month(checked: Reporting) -> None:
    assert [checked([found()], day, day) for day in (1, 2, 30, 31, 32)] == [["stranger sign"], [], [], ["stranger sign"], []]


def test_what_is_worse_or_something_else_is_reported(checked: Reporting) -> None:
    assert checked([found(severity=Severity.MEDIUM)], 1, 1) == ["stranger sign"]
    assert checked([found(severity=Severity.LOW)], 2, 2) == []
    assert checked([found()], 3, 3) == ["stranger sign"]
    assert checked([found(target=f"{KEY}2")], 4, 4) == ["stranger sign"]
    assert checked([found(operation="decrypt")], 5, 5) == ["stranger decrypt"]
    assert checked([found("stranger", Kind.NEW_APP, Kind.MANY_MAILBOXES)], 6, 6) == ["stranger sign"]


@pytest.mark.parametrize("operation", ["add-credential", "backup", "release", "delete", "grant-mailbox-access"])
def test_what_is_a_new_event_each_time_is_always_reported(checked: Reporting, operation: str) -> None:
    for day in (1, 2):
        assert checked([found(operation=operation)], day, day) == [f"stranger {operation}"]


@pytest.mark.parametrize("kind", [Kind.PRIVILEGED, Kind.RETURNED_KEY, Kind.NEW_NETWORK, Kind.MANY_IN_AN_HOUR])
def test_what_is_not_a_new_application_is_always_reported(checked: Reporting, kind: Kind) -> None:
    for day in (1, 2):
        assert checked([found("app", kind)], day, day) == ["app sign"]


def test_an_announcement_that_ends_is_followed_by_a_report(checked: Reporting) -> None:
    accepted = Accepted(app_id="stranger", operation="sign", target=Glob("*"), owner="o", reason="r", ends=0, place="a:1")
    assert checked([structs.replace(found(), accepted=accepted)], 1, 1) == []
    assert checked([found()], 2, 2) == ["stranger sign"]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "record"
    assert read_reported(path) == Reported()
    record = added(Reported(), "t", [found()], window(1, 1))
    write_reported(record, path)
    assert (read_reported(path), len(record.entries)) == (record, 1)


@pytest.mark.parametrize(("old", "new"), [(b"stranger", b"whoever1"), (b"2025", b"1x25"), (b'"format": 1', b'"format": []')])
def test_a_record_that_was_edited_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "record"
    write_reported(added(Reported(), "t", [found()], window(1, 1)), path)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    with pytest.raises(UnsafeError, match="damaged"):
        read_reported(path)
