"""A new application is reported once and then counted: what an earlier check reported, and what is reported all the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.check import check
from keyaudit.inventory.usage.learn import learn
from keyaudit.inventory.usage.reported import Reported, added, read_reported, write_reported
from keyaudit.model.errors import UnsafeError
from keyaudit.model.times import DAY
from keyaudit.model.usage import UsageCheck, Window
from tests.logs import START, mail, store, use

LEARNED = 28
FIRST = LEARNED + 2
"""The day of the first check."""
Reporting = Callable[..., UsageCheck]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    made = [each for day in range(LEARNED) for each in (use(day), use(day, operation="add-credential", target_kind="tenant"))]
    logs = store(tmp_path_factory.mktemp("usual") / "logs", made)
    return learn(logs, Window(since=START, until=START + LEARNED * DAY), into=tmp_path_factory.mktemp("baseline"))


@pytest.fixture
def checked(tmp_path: Path, usual: Baseline) -> Reporting:
    """Checks the days from `first` to `last` of some uses, with the record of the checks before."""
    known = [Reported()]

    def run(uses: Sequence[Use], first: int, last: int) -> UsageCheck:
        logs = store(tmp_path / f"logs {len(known)}", uses)
        window = Window(since=START + first * DAY, until=START + (last + 1) * DAY)
        found = check(logs, window, usual, reported=known[-1])
        known.append(added(known[-1], logs.tenant_id, found.findings, window))
        return found

    return run


def told(found: UsageCheck) -> list[str]:
    return sorted(f"{each.app_id} {each.operation}" for each in found.findings if each.open)


def strange(*days: int, **columns: object) -> list[Use]:
    return [use(day, "stranger", **columns) for day in days]


def test_a_new_application_is_reported_once_and_then_counted(checked: Reporting) -> None:
    first = checked(strange(FIRST), FIRST, FIRST)
    assert (told(first), first.failing) == (["stranger sign"], 1)
    (counted,) = (then := checked(strange(FIRST + 1), FIRST + 1, FIRST + 1)).findings
    assert (told(then), then.failing) == ([], 0)
    assert (counted.reported_until, counted.why[0].uses) == (START + (FIRST + 1) * DAY, 1)


def test_days_that_are_checked_again_are_reported_again(checked: Reporting) -> None:
    """The first run may have been interrupted, or its logs may have come late."""
    for _ in range(2):
        assert told(checked(strange(FIRST), FIRST, FIRST)) == ["stranger sign"]
    assert told(checked(strange(FIRST - 1), FIRST - 1, FIRST - 1)) == ["stranger sign"]


def test_a_window_that_grows_counts_what_it_had_before(checked: Reporting) -> None:
    assert told(checked(strange(FIRST), LEARNED, FIRST)) == ["stranger sign"]
    both = [*strange(FIRST, FIRST + 1), use(FIRST + 1, "another")]
    assert told(checked(both, LEARNED, FIRST + 1)) == ["another sign"]


def test_it_is_reported_again_after_a_month(checked: Reporting) -> None:
    days = (FIRST, FIRST + 1, FIRST + 29, FIRST + 30, FIRST + 31)
    found = [told(checked(strange(day), day, day)) for day in days]
    assert found == [["stranger sign"], [], [], ["stranger sign"], []]


def test_what_is_worse_is_reported(checked: Reporting) -> None:
    assert told(checked(strange(FIRST, succeeded=False), FIRST, FIRST)) == ["stranger sign"]
    assert told(checked(strange(FIRST + 1, succeeded=False), FIRST + 1, FIRST + 1)) == []
    assert told(checked(strange(FIRST + 2), FIRST + 2, FIRST + 2)) == ["stranger sign"]
    other = {"target_id": f"https://v.vault.azure.net/keys/other/{'b' * 32}"}
    assert told(checked(strange(FIRST + 3, **other), FIRST + 3, FIRST + 3)) == ["stranger sign"]


def test_mass_reading_by_it_is_reported(checked: Reporting) -> None:
    few, many = (
        [mail(FIRST + day, "stranger", f"m{box}@a.example") for box in range(boxes)] for day, boxes in enumerate((2, 20))
    )
    assert told(checked(few, FIRST, FIRST)) == ["stranger read-mail"]
    assert told(checked(many, FIRST + 1, FIRST + 1)) == ["stranger read-mail"]


@pytest.mark.parametrize("operation", ["add-credential", "backup"])
def test_what_is_a_new_event_each_time_is_always_reported(checked: Reporting, operation: str) -> None:
    for day in (FIRST, FIRST + 1):
        changed = use(day, "stranger", operation=operation, target_kind="tenant")
        assert told(checked([changed], day, day)) == [f"stranger {operation}"]


def test_a_record_is_read_as_it_was_written(tmp_path: Path, checked: Reporting) -> None:
    path = tmp_path / "record"
    assert read_reported(path) == Reported()
    found = checked(strange(FIRST), FIRST, FIRST)
    record = added(Reported(), "t", found.findings, found.window)
    write_reported(record, path)
    assert (read_reported(path), len(record.entries)) == (record, 1)


@pytest.mark.parametrize(("old", "new"), [(b"stranger", b"whoever1"), (b"2025", b"1x25"), (b'"format": 1', b'"format": []')])
def test_a_record_that_was_edited_is_refused(tmp_path: Path, checked: Reporting, old: bytes, new: bytes) -> None:
    path = tmp_path / "record"
    found = checked(strange(FIRST), FIRST, FIRST)
    write_reported(added(Reported(), "t", found.findings, found.window), path)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    with pytest.raises(UnsafeError, match="damaged"):
        read_reported(path)
