"""Findings in other orders and groups: none is lost, few are held, and what nobody could tell is not put with what is known."""

import io
import random
from collections.abc import Iterator

import pytest
from msgspec import structs

from keyaudit.model.errors import OutputError
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.severity import Severity
from keyaudit.report.findings import external_sort
from keyaudit.report.findings.arrange import by_thing, flat, groups
from keyaudit.report.findings.external_sort import in_order
from keyaudit.report.findings.table import COLUMNS
from keyaudit.report.formats import FORMATS
from keyaudit.report.options import Options
from keyaudit.report.resource import thing
from tests.report.example import FINDINGS, REPORT

ORDERS = ("severity", "policy", "resource", "expires")


@pytest.fixture(params=[10_000, 2])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that nearly all are put aside, and as many as there are."""
    monkeypatch.setattr(external_sort, "HELD", request.param)


def printed(format_: str, **how: object) -> str:
    out = io.StringIO()
    FORMATS[format_](REPORT, out, structs.replace(Options(width=120), **how))
    return out.getvalue()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_has_every_finding_once(sort: str) -> None:
    for arranged in (flat(REPORT, sort), by_thing(REPORT, sort)):
        for passes in (False, True):
            found = list(arranged.owned(passes))
            assert sorted(each.id for _, each in found) == sorted(each.id for each in REPORT.findings(passes))
            # A new one each time, with the same content.
            assert found == list(arranged.owned(passes))


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("sort", ORDERS)
def test_what_is_on_one_thing_stays_together(sort: str) -> None:
    things = [thing(each) for _, each in by_thing(REPORT, sort).owned(True) if each.row]
    assert things == sorted(things, key=things.index)


@pytest.mark.usefixtures("held")
def test_the_orders_are_what_they_say() -> None:
    def arranged(sort: str) -> list[Finding]:
        return list(flat(REPORT, sort).findings(True))

    ranks = [each.severity.rank for each in arranged("severity") if each.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    assert ranks == sorted(ranks, reverse=True)
    assert arranged("severity")[-1].outcome is Outcome.PASS
    policies = [each.policy.id for each in arranged("policy")]
    assert policies == sorted(policies)
    rows = [each.row for each in arranged("expires")]
    ends = [end for row in rows if isinstance(end := row.get("expires_on"), int)]
    assert [row.get("expires_on") for row in rows[: len(ends)]] == sorted(ends)
    # Then what nobody knows the end of, and last what has none.
    unread = [number for number, row in enumerate(rows) if not row]
    assert min(unread) >= len(ends)
    assert all(row for row in rows[max(unread) + 3 :])


@pytest.mark.usefixtures("held")
def test_by_policy_each_is_one_group_with_its_counts() -> None:
    seen = []
    for group in groups(REPORT, "policy", "severity", True):
        found = list(group.findings)
        assert {each.policy.id for each in found} == {group.key}
        assert sum(group.counts.values()) == len(found)
        seen.append(group.key)
    assert len(set(seen)) == len(seen) == len({each.policy.id for each in FINDINGS})
    assert seen[0] == "kv-key-expired-still-enabled"


@pytest.mark.usefixtures("held")
def test_by_owner_those_that_have_none_come_last_and_what_was_not_read_after_them() -> None:
    keys = [group.key for group in groups(REPORT, "owner", "severity", False) if list(group.findings)]
    named = [isinstance(key, Owner) and bool(key.names) for key in keys]
    assert named == sorted(named, reverse=True)
    # Independent of the source: the same owner in a tag and in Entra is one owner.
    assert Owner(("team-release",), "", None) in keys
    assert [key is None for key in keys] == [False] * (len(keys) - 1) + [True]
    assert [key.reason for key in keys[-3:-1]] == [None, Reason.PERMISSION]


def test_many_are_put_in_order_with_few_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_sort, "HELD", 100)
    numbers = list(range(5_000))
    random.Random(5).shuffle(numbers)
    assert list(in_order(((number,), {"number": number}) for number in numbers)) == [
        {"number": number} for number in range(5_000)
    ]


def test_one_that_is_left_half_read_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_sort, "HELD", 2)
    found = flat(REPORT, "policy").findings(False)
    assert isinstance(found, Iterator)
    next(found)
    del found


def test_a_disk_without_room_is_said_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_sort, "HELD", 2)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "w+b", buffering=0))  # noqa: PTH123, SIM115
    with pytest.raises(OutputError, match="No space left on device"):
        list(flat(REPORT, "policy").findings(False))


def test_by_algorithm_what_has_none_comes_last_and_says_so() -> None:
    keys = [group.key for group in groups(REPORT, "algorithm", "severity", False) if list(group.findings)]
    assert keys[-1] is None
    assert "RSA-2048" in [key.name for key in keys if key is not None]
    text = printed("text", group="algorithm")
    assert "Deprecated after 2030, disallowed after 2035: NIST IR 8547, initial public draft (2024)." in text
    assert "\nno algorithm  " in text


def test_a_table_leaves_the_owner_out_where_there_is_little_room_and_takes_lines_where_there_is_less() -> None:
    wide, narrow = printed("table", width=200), printed("table", width=99)
    assert "Owner" in wide
    assert "Owner" not in narrow
    assert "Severity  Problem" in narrow
    lines = printed("table", width=69)
    assert "Severity  CRITICAL\nProblem   kv-key-expired-still-enabled is violated\n" in lines
    assert "Owner" in printed("table", width=None)


def test_a_column_that_was_asked_for_is_never_left_out() -> None:
    for width in (None, 200, 80, 60):
        assert "Owner" in printed("table", width=width, columns=("owner", "resource"))


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_says_unknown_where_nothing_was_read(name: str) -> None:
    [blind] = [each for each in FINDINGS if not each.row and each.policy.id.endswith("overdue") and "legacy" in each.subject]
    said = COLUMNS[name](blind, Owner((), "", None))
    assert said == "unknown" if name in ("expires", "subscription", "location") else said or name == "cause"


def test_no_order_changes_what_programs_read_unless_asked() -> None:
    assert printed("json") == printed("json", sort="severity", group="policy")
    assert printed("csv") != printed("csv", sort="policy")
    assert sorted(printed("csv").splitlines()) == sorted(printed("csv", sort="policy").splitlines())


def test_hints_can_be_left_out() -> None:
    for format_ in ("text", "table"):
        assert "Next: " in printed(format_)
        assert "Next: " not in printed(format_, hints=False)
    assert "Next: " not in printed("text", hints=False, group="owner")
    assert Severity.CRITICAL.upper() in printed("text", hints=False, group="owner")
