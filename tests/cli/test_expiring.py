"""`keyaudit expiring`: everything that ends, by owner, the soonest first; what nobody knows is never left out."""

import csv
import io
from pathlib import Path

import pytest

from keyaudit.inventory.expiring import TABLES_THAT_END
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.expiring import Ending, Owner
from keyaudit.model.times import DAY, parse_time
from keyaudit.report.expiring import words
from tests.cli.conftest import Keyaudit


def test_exactly_what_ends_within_the_window_is_listed(keyaudit: Keyaudit, contoso: Path) -> None:
    as_of = open_snapshot(contoso).run.as_of
    ends = {
        row["id"]: parse_time(row["expires_on"].lstrip("+"))
        for table in TABLES_THAT_END
        for row in keyaudit("inventory", table.name, "--from", contoso, "-o", "json").json["rows"]
        if row["expires_on"]
    }
    for within, days in (("1w", 7), ("P90D", 90)):
        expected = {id_ for id_, end in ends.items() if end <= as_of + days * DAY}
        ran = keyaudit("expiring", within, "--from", contoso, "-o", "json")
        assert ran.code == Exit.CLEAN
        assert {item["id"] for item in ran.json["items"]} == expected
        assert len(ran.json["items"]) == len(expected) > 0


def test_a_table_has_the_rows_of_the_list_in_its_order(keyaudit: Keyaudit, contoso: Path) -> None:
    chosen = ("expiring", "P90D", "--from", contoso, "-o")
    lines = list(csv.DictReader(io.StringIO(keyaudit(*chosen, "csv").out, newline="")))
    assert [line["id"] for line in lines] == [item["id"] for item in keyaudit(*chosen, "json").json["items"]]
    assert lines


def test_owners_come_one_after_another_and_of_each_the_soonest_first(keyaudit: Keyaudit, contoso: Path) -> None:
    items = keyaudit("expiring", "--from", contoso, "-o", "json").json["items"]
    owners = [(tuple(item["owners"]), item["owner_source"]) for item in items]
    groups = [owner for number, owner in enumerate(owners) if number == 0 or owners[number - 1] != owner]
    assert len(groups) == len(set(groups)) > 3
    for owner in groups:
        ends = [item["expires_on"] for item, other in zip(items, owners, strict=True) if other == owner]
        assert ends == sorted(ends)
    soonest = [
        min((i["expires_on"] for i, o in zip(items, owners, strict=True) if o == g and not i["retired"]), default="z")
        for g in groups
    ]
    assert soonest == sorted(soonest)


def test_an_owner_is_the_nearest_who_is_named(keyaudit: Keyaudit, contoso: Path) -> None:
    found = {item["resource"]: item for item in keyaudit("expiring", "90d", "--from", contoso, "-o", "json").json["items"]}
    badge = found["kv-hr-prod/keys/badge-access-signing"]
    assert (badge["owners"], badge["owner_source"]) == (["facilities"], "tag owner")
    archive = found["kv-payments-prod/keys/merchant-archive"]
    assert (archive["owners"], archive["owner_source"]) == (["payments"], "tag owner of the vault")
    reporting = found["app registration Legacy Reporting, client secret 2023"]
    assert (reporting["owners"], reporting["owner_unknown"]) == ([], None)
    text = keyaudit("expiring", "--from", contoso).out
    assert "\nno owner known\n" in text
    assert "\nfacilities (tag owner)\n" in text


def test_an_owner_that_could_not_be_read_is_unknown_and_said_so(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("expiring", "--from", blind_spots)
    assert ran.code == Exit.INCOMPLETE
    assert "\nowner unknown (permission)\n" in ran.out
    items = keyaudit("expiring", "--from", blind_spots, "-o", "json").json["items"]
    apps = [item for item in items if item["table"] == "credential"]
    assert apps
    assert {item["owner_unknown"] for item in apps} == {"permission"}


def test_instants_are_compared_and_days_are_printed(keyaudit: Keyaudit, contoso: Path) -> None:
    """What ended three hours ago has ended, and what ends in 23 hours has not, though both are less than a day away."""
    end = 1_800_000_000
    ending = Ending(owner=Owner((), "", None), table="key", row={}, expires_on=end, retired=False)
    for moment, *said in (
        (end - 23 * 3_600, "expiring", 0, "in 23 h"),
        (end - DAY, "expiring", 1, "in 1 d"),
        (end - 1, "expiring", 0, "in 1 s"),
        (end, "expired", 0, "expired 0 s ago"),
        (end + 3 * 3_600, "expired", 0, "expired 3 h ago"),
        (end + DAY, "expired", 1, "expired 1 d ago"),
    ):
        assert [words.status(ending, moment), words.days(ending, moment), words.when(ending, moment)] == said
    # Of a tenant, as of the very second in which something ends.
    as_of = open_snapshot(contoso).run.as_of
    items = keyaudit("expiring", "90d", "--from", contoso, "-o", "json").json["items"]
    some = next(item for item in items if parse_time(item["expires_on"]) > as_of + 2 * DAY)
    given = ("--from", contoso, "--as-of", some["expires_on"], "--all")
    [item] = [each for each in keyaudit("expiring", *given, "-o", "json").json["items"] if each["id"] == some["id"]]
    assert (item["status"], item["days"]) == ("expired", 0)
    assert "expired 0 s ago" in keyaudit("expiring", *given).out


def test_people_see_what_is_in_use_and_are_told_of_the_rest(keyaudit: Keyaudit, contoso: Path) -> None:
    items = keyaudit("expiring", "--from", contoso, "-o", "json").json
    assert items["retired"] == sum(item["retired"] for item in items["items"]) > 0
    few, every = keyaudit("expiring", "--from", contoso), keyaudit("expiring", "--from", contoso, "--all")
    assert f"Not listed: {items['retired']} more that are disabled, superseded" in " ".join(few.out.split())
    assert "superseded" in every.out
    assert "Not listed" not in every.out
    assert len(every.out.splitlines()) > len(few.out.splitlines())


@pytest.mark.parametrize("within", ["soon", "-3d", "30x", ""])
def test_what_is_no_duration_is_refused(keyaudit: Keyaudit, contoso: Path, within: str) -> None:
    ran = keyaudit("expiring", "--from", contoso, "--", within)
    assert ran.code == Exit.USAGE
    assert "30d" in ran.err


def test_a_later_day_finds_more(keyaudit: Keyaudit, contoso: Path) -> None:
    now = keyaudit("expiring", "0d", "--from", contoso, "-o", "json").json
    later = keyaudit("expiring", "0d", "--from", contoso, "-o", "json", "--as-of", "2030-01-01").json
    assert later["expired"] > now["expired"]
    assert now["expiring"] == later["expiring"] == 0


def test_text_fits_80_columns(keyaudit: Keyaudit, contoso: Path) -> None:
    assert max(map(len, keyaudit("expiring", "365d", "--from", contoso, "--all").out.splitlines())) <= 80
