"""`keyaudit expiring`: everything that ends, by owner, the soonest first; what nobody knows is never left out."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.expiring import TABLES_THAT_END
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.values.times import DAY, parse_time
from keyaudit.report import endings
from tests.cli.conftest import Keyaudit
from tests.cli.redirected import redirected


@pytest.fixture(scope="module")
def ninety(contoso: Path) -> Any:
    """What ends within ninety days, as JSON."""
    return json.loads(_listed("90d", "--from", contoso, "-o", "json"))


@pytest.fixture(scope="module")
def text(contoso: Path) -> str:
    """The same for people."""
    return _listed("90d", "--from", contoso)


@pytest.fixture(scope="module")
def every(contoso: Path) -> str:
    """The same with what is not in use."""
    return _listed("90d", "--from", contoso, "--all")


def _listed(*arguments: str | Path) -> str:
    ran = redirected(["expiring", *arguments])
    assert ran.returncode == Exit.CLEAN
    return ran.stdout.decode()


def test_exactly_what_ends_within_the_window_is_listed(keyaudit: Keyaudit, contoso: Path, ninety: Any) -> None:
    snapshot = open_snapshot(contoso)
    ends: dict[str, int] = {}
    with duckdb.connect() as connection:
        for table in TABLES_THAT_END:
            rows = f"SELECT id, expires_on FROM {snapshot.stored(table.name)} WHERE expires_on IS NOT NULL"
            ends.update(connection.execute(rows).fetchall())
    week = keyaudit("expiring", "1w", "--from", contoso, "-o", "json").json
    for found, days in ((week, 7), (ninety, 90)):
        expected = {id_ for id_, end in ends.items() if end <= snapshot.run.as_of + days * DAY}
        assert {item["id"] for item in found["items"]} == expected
        assert len(found["items"]) == len(expected) > 0
    assert len(week["items"]) < len(ninety["items"])


def test_a_table_has_the_rows_of_the_list_in_its_order(keyaudit: Keyaudit, contoso: Path, ninety: Any) -> None:
    out = keyaudit("expiring", "P90D", "--from", contoso, "-o", "csv").out
    lines = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [line["id"] for line in lines] == [item["id"] for item in ninety["items"]]
    assert lines


def test_owners_come_one_after_another_and_of_each_the_soonest_first(ninety: Any) -> None:
    items = ninety["items"]
    owners = [(tuple(item["owners"]), item["owner_unknown"]) for item in items]
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


def test_an_owner_is_the_nearest_who_is_named(ninety: Any, text: str) -> None:
    found = {item["resource"]: item for item in ninety["items"]}
    badge = found["kv-hr-prod/keys/badge-access-signing"]
    assert (badge["owners"], badge["owner_source"]) == (["facilities"], "tag owner")
    archive = found["kv-payments-prod/keys/merchant-archive"]
    assert (archive["owners"], archive["owner_source"]) == (["payments"], "tag owner of the vault")
    reporting = found["app registration Legacy Reporting, client secret 2023"]
    assert (reporting["owners"], reporting["owner_unknown"]) == ([], None)
    assert "\nno owner known\n" in text
    assert "\nfacilities\n" in text


def test_an_owner_that_could_not_be_read_is_unknown_and_said_so(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("expiring", "--from", blind_spots)
    assert ran.code == Exit.INCOMPLETE
    assert "\nowner unknown (the identity may not read it)\n" in ran.out
    items = keyaudit("expiring", "--from", blind_spots, "-o", "json").json["items"]
    apps = [item for item in items if item["table"] == "credential"]
    assert apps
    assert {item["owner_unknown"] for item in apps} == {"permission"}


def test_instants_are_compared_and_days_are_printed(keyaudit: Keyaudit, contoso: Path, ninety: Any) -> None:
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
        assert [endings.status(ending, moment), endings.days(ending, moment), endings.when(ending, moment)] == said
    # Of a tenant, as of the very second in which something ends.
    as_of = open_snapshot(contoso).run.as_of
    some = next(item for item in ninety["items"] if parse_time(item["expires_on"]) > as_of + 2 * DAY)
    given = ("--from", contoso, "--as-of", some["expires_on"], "--all")
    [item] = [each for each in keyaudit("expiring", *given, "-o", "json").json["items"] if each["id"] == some["id"]]
    assert (item["status"], item["days"]) == ("expired", 0)


def test_people_see_what_is_in_use_and_are_told_of_the_rest(ninety: Any, text: str, every: str) -> None:
    assert ninety["retired"] == sum(item["retired"] for item in ninety["items"]) > 0
    assert f"Not listed: {ninety['retired']} more that are disabled, superseded" in " ".join(text.split())
    assert "superseded" in every
    assert "Not listed" not in every
    assert len(every.splitlines()) > len(text.splitlines())


@pytest.mark.parametrize("within", ["soon", "-3d", "30x", ""])
def test_what_is_no_duration_is_refused(keyaudit: Keyaudit, contoso: Path, within: str) -> None:
    ran = keyaudit("expiring", "--from", contoso, "--", within)
    assert ran.code == Exit.USAGE
    assert "30d" in ran.err


def test_text_fits_80_columns(every: str) -> None:
    assert max(map(len, every.splitlines())) <= 80
