"""Announced applications: every mistake of the file at once, each with its place."""

from pathlib import Path

import pytest

from keyaudit.model.documents.problems import DocumentError
from keyaudit.model.errors import UsageError
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.policy.announcements import load_accepted

TODAY = parse_date("2026-01-15") + 4_000
GOOD = """\
version: 1
accept:
  - app_id: B77E5939-8F72-4562-8FDD-3687620B5AAA
    operation: read-mail
    target: contoso.example
    owner: finance
    reason: invoices
    until: 2026-03-31
"""


def load(folder: Path, text: str) -> object:
    path = folder / "accept.yaml"
    path.write_text(text, encoding="utf-8")
    return load_accepted(path, today=TODAY)


def test_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "accept.yaml"
    path.write_text(GOOD, encoding="utf-8")
    (found,) = load_accepted(path, today=TODAY)
    assert (found.app_id, found.operation) == ("b77e5939-8f72-4562-8fdd-3687620b5aaa", "read-mail")
    assert (found.last_day, found.ends) == ("2026-03-31", parse_date("2026-03-31") + DAY)
    assert (found.place, found.owner, found.reason) == (f"{path}:3", "finance", "invoices")


def test_it_may_say_how_many_mailboxes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "accept.yaml"
    path.write_text(GOOD + "    mailboxes: 500\n", encoding="utf-8")
    assert [each.mailboxes for each in load_accepted(path, today=TODAY)] == [500]


def test_it_may_name_networks_alone(tmp_path: Path) -> None:
    path = tmp_path / "accept.yaml"
    networks = "networks: [192.0.2.0/24, '2001:db8::/32']\n    since: 2026-02-01\n"
    named = GOOD.replace("operation: read-mail\n", networks).replace("app_id: B77E5939-8F72-4562-8FDD-3687620B5AAA\n    ", "")
    path.write_text(named, encoding="utf-8")
    (found,) = load_accepted(path, today=TODAY)
    assert (found.app_id, found.operation, found.since) == (None, None, parse_date("2026-02-01"))
    assert [str(each) for each in found.networks] == ["192.0.2.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("    operation: read-mail\n", ""), "3:5: no operation; it is required unless networks are named"),
        (("target: contoso.example", "networks: [192.0.2.9/24]"), "'192.0.2.9/24' is no network"),
        (("target: contoso.example", "networks: [192.0.2.8/29]"), "networks are compared as /24: name all of it"),
        (("    owner: finance\n", "    owner: finance\n    mailboxes: 0\n"), "'0' is not a number of mailboxes"),
        (("    owner: finance\n", "    owner: finance\n    mailboxes: all\n"), "'all' is not a number of mailboxes"),
        (("    owner: finance\n", ""), "3:5: no owner; it is required"),
        (("    reason: invoices\n", "    reason: ' '\n"), "an empty text"),
        (("    until: 2026-03-31\n", ""), "no until"),
        (("2026-03-31", "soon"), "'soon' is no date"),
        (("2026-03-31", "2027-06-01"), "an announcement runs 366 days at most, from today"),
        (("read-mail", "read-mial"), "no such operation: 'read-mial'; did you mean read-mail?"),
        (("B77E5939-8F72-4562-8FDD-3687620B5AAA", "b77e5939-*"), "'b77e5939-*' is not an application id"),
        (("target:", "targets:"), "no such field: 'targets'; did you mean target?"),
        (("version: 1", "version: 2"), "version '2': written for another version; this keyaudit reads version 1"),
        ((GOOD, "- accept"), "not a mapping; write version: ..., accept: ..."),
        (("  - app_id", "    app_id"), "not a list"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    with pytest.raises(DocumentError) as refused:
        load(tmp_path, GOOD.replace(*change))
    assert problem in str(refused.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refused:
        load(tmp_path, GOOD.replace("finance", "''").replace("2026-03-31", "never"))
    assert len(refused.value.problems) == 2


def test_no_file_and_no_plain_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_accepted(tmp_path / "none.yaml", today=TODAY)
    with pytest.raises(UsageError, match="not a file"):
        load_accepted(tmp_path, today=TODAY)
