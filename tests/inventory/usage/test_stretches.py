"""From which day on a log is whole: what a missing day, a damaged file or a throttled mailbox makes of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.logs import FileRead, LogStore, SourceRead
from keyaudit.inventory.usage.complete_since import Stretch, stretches
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.values.times import DAY
from tests.logs import START, TENANT, mail

KEYS, MAIL = "AZKVAuditLogs", "OfficeActivity"
WEEKS = range(8 * 7)
WORKDAYS = [day for day in WEEKS if day % 7 < 5]


def store(folder: Path, days: dict[tuple[str, str], Iterable[int]], *read: FileRead, throttled: int | None = None) -> LogStore:
    """A store of logs that have events on these days from START, read from these files."""
    known = Import(tenant_id=TENANT)
    for (source, resource), on in days.items():
        known.days[source][resource].update(START + day * DAY for day in on)
    uses = [] if throttled is None else [mail(throttled, throttled=True)]
    return write_logs(folder, [*uses, *(read or [file()])], known)


def file(quarantined: Mapping[str, int] = {}, *, complete: bool = True, last: int = 55) -> FileRead:
    """A file of both logs up to a day; `quarantined` by log, `untold` where a record could not be told."""
    until = START + last * DAY + 1
    sources = {name: SourceRead(quarantined=quarantined.get(name, 0), first_on=START, last_on=until) for name in (KEYS, MAIL)}
    if "untold" in quarantined:
        sources[""] = SourceRead(quarantined=quarantined["untold"])
    return FileRead(file=f"log-{last}", size=1, sha256="0" * 64, form="lines", complete=complete, sources=sources)


def whole(folder: Path, *arguments: Any, **named: Any) -> dict[tuple[str, str], int | None]:
    """By log and resource the day from START on which it begins to be whole."""
    found = told(folder, *arguments, **named)
    return {
        (each.source, each.resource_id): None if each.whole_since is None else (each.whole_since - START) // DAY
        for each in found
    }


def told(folder: Path, *arguments: Any, **named: Any) -> list[Stretch]:
    with store(folder, *arguments, **named).connect() as connection:
        return list(stretches(connection))


@pytest.mark.parametrize(
    ("days", "since"),
    [
        # Of the first day the beginning may be missing.
        (WEEKS, 1),
        (WORKDAYS, 1),
        # A day without an event, on a weekday that always has some; of the next day too.
        ([day for day in WEEKS if day != 30], 32),
        ([day for day in WEEKS if day not in range(30, 37)], 38),
        ([day for day in WORKDAYS if day != 30], 32),
        # On a Saturday nothing is expected of them.
        ([*WORKDAYS, 26], 1),
        # Too short, or too seldom, for anything to be expected: a gap would not show.
        (range(21), None),
        (range(0, 56, 9), None),
        # Nothing follows upon the gap.
        ([day for day in WEEKS if day < 54] + [55], None),
    ],
)
def test_a_gap_is_where_there_always_is_something(tmp_path: Path, days: Iterable[int], since: int | None) -> None:
    assert whole(tmp_path / "logs", {(KEYS, ""): days}) == {(KEYS, ""): since}


def test_a_resource_is_whole_where_it_and_the_log_are(tmp_path: Path) -> None:
    days = {
        (KEYS, "/busy"): [day for day in WEEKS if day != 30],
        # Two events a month say nothing of the days between; that the others went on all the time does.
        (KEYS, "/quiet"): [3, 20, 50],
        (KEYS, "/usual"): WEEKS,
        (KEYS, "/new"): range(40, 56),
        # It always had some, and then none any more.
        (KEYS, "/ended"): range(48),
    }
    assert whole(tmp_path / "logs", days) == {
        (KEYS, "/busy"): 32,
        (KEYS, "/ended"): None,
        (KEYS, "/new"): 41,
        (KEYS, "/quiet"): 4,
        (KEYS, "/usual"): 1,
    }


def test_a_gap_of_all_is_one_of_each(tmp_path: Path) -> None:
    days = {(KEYS, "/usual"): [day for day in WEEKS if day != 30], (KEYS, "/quiet"): [3, 20, 50]}
    assert whole(tmp_path / "logs", days) == {(KEYS, "/usual"): 32, (KEYS, "/quiet"): None}


@pytest.mark.parametrize(
    ("files", "keys", "mails"),
    [
        ([file()], 1, 1),
        # What a file that was cut off lacks may be of any day.
        ([file(complete=False), file(last=9)], None, None),
        # A line that could not be read is of a day that the file is about; what cannot be told, of any log.
        ([file({KEYS: 1}, last=20), file()], 22, 1),
        ([file({"untold": 1}, last=20), file()], 22, 22),
        ([file({KEYS: 1})], None, 1),
        ([FileRead(file="x", size=1, sha256="0" * 64, form="", complete=False, sources={}), file()], None, None),
        (
            [FileRead(file="x", size=1, sha256="0" * 64, form="", complete=True, sources={"": SourceRead(quarantined=1)})],
            None,
            None,
        ),
    ],
)
def test_what_was_not_read_may_be_of_these_days(
    tmp_path: Path, files: list[FileRead], keys: int | None, mails: int | None
) -> None:
    days = {(KEYS, "/v"): WEEKS, (MAIL, ""): WEEKS}
    assert whole(tmp_path / "logs", days, *files) == {(KEYS, "/v"): keys, (MAIL, ""): mails}


def test_a_mailbox_that_was_throttled_is_missing_for_a_day(tmp_path: Path) -> None:
    days = {(KEYS, "/v"): WEEKS, (MAIL, ""): WEEKS}
    assert whole(tmp_path / "logs", days, throttled=30) == {(KEYS, "/v"): 1, (MAIL, ""): 33}


def test_it_says_from_when_to_when_there_are_events(tmp_path: Path) -> None:
    [found] = told(tmp_path / "logs", {(KEYS, "/v"): [3, 9]})
    assert (found.first_on, found.last_on) == (START + 3 * DAY, START + 9 * DAY)


def lacking(**what: Any) -> FileRead:
    """A place of the log of keys that was not read, or not from its beginning."""
    logs = {KEYS: SourceRead(first_on=None, last_on=None)}
    return FileRead(file="elsewhere", size=1, sha256="0" * 64, form="Log Analytics", complete=False, sources=logs, **what)


@pytest.mark.parametrize(
    ("place", "of_tenant"),
    [
        (lacking(unread=True), None),
        # The day from which on it was read may have begun before.
        (lacking(lacks_before=START + 9 * DAY), 10),
        (lacking(lacks_before=START - 9 * DAY), 1),
    ],
)
def test_a_place_that_was_not_read_touches_only_what_may_write_there_alone(
    tmp_path: Path, place: FileRead, of_tenant: int | None
) -> None:
    """A vault whose log goes on without a gap elsewhere is not among them; what has no resource may be."""
    found = whole(tmp_path / "logs", {(KEYS, "vault"): WEEKS, (KEYS, ""): WEEKS}, file(), place)
    assert found == {(KEYS, "vault"): 1, (KEYS, ""): of_tenant}


def test_a_file_that_was_cut_may_lack_anything_of_its_logs(tmp_path: Path) -> None:
    found = whole(tmp_path / "logs", {(KEYS, "vault"): WEEKS, (KEYS, ""): WEEKS}, file(), lacking())
    assert found == {(KEYS, "vault"): None, (KEYS, ""): None}
