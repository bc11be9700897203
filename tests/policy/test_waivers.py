"""A file of waivers is parsed strictly, and its patterns mean the same in the query as in the list of waivers."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.inventory.dialect import DuckDB
from keyaudit.model.documents.problems import DocumentError
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.policy.waivers import load_waivers, parse_waivers

TODAY = parse_date("2026-11-24") + 4_000
POLICIES = ("kv-key-no-expiry", "kv-key-exportable", "app-secret-too-long")
GOOD = """\
version: 1
waivers:
  - id: W-1
    match: {policy: kv-key-*, resource: "*/vaults/kv-shared/keys/image-signing"}
    reason: An old builder
    owner: team@contoso.example
    approved_by: ciso@contoso.example
    expires: 2027-01-31  # the last day
"""


def read(text: str) -> tuple[Waiver, ...]:
    return parse_waivers(text.encode(), file="w.yaml", policies=POLICIES, today=TODAY)


def refused(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        read(text)
    assert caught.value.exit is Exit.USAGE
    return str(caught.value)


def test_a_waiver_holds_to_the_end_of_its_last_day_in_utc() -> None:
    [waiver] = read(GOOD)
    end = parse_date("2027-02-01")
    assert (waiver.id, waiver.owner, waiver.approved_by, waiver.place) == (
        "W-1",
        "team@contoso.example",
        "ciso@contoso.example",
        "w.yaml:3",
    )
    assert waiver.last_day == "2027-01-31"
    assert not waiver.expired(end - 1)
    assert waiver.expired(end)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    owner: team@contoso.example\n", "", "w.yaml:3:5: no owner; it is required"),
        ("    reason: An old builder\n", "", "no reason"),
        ("    approved_by: ciso@contoso.example\n", "", "no approved_by"),
        ("    expires: 2027-01-31  # the last day\n", "", "no expires"),
        ("2027-01-31", "2027-02-30", "w.yaml:8:14: '2027-02-30' is no date; write the day, as in 2027-01-31"),
        ("2027-01-31", "next year", "'next year' is no date"),
        ("2027-01-31", "never", "'never' is no date"),
        ("2027-01-31", "2028-01-31", "a waiver is valid for 366 days at most, from today"),
        ("    owner:", "    created: 2027-03-01\n    owner:", "it ends before its creation date"),
        ("    owner:", "    created: 2026-13-01\n    owner:", "'2026-13-01' is no date"),
        ("    owner:", "    covers: coverage\n    owner:", "a waiver for a gap is valid for 30 days at most"),
        ("    owner:", "    covers: everything\n    owner:", "no such value: 'everything'; one of coverage, findings"),
        ("    owner:", "    allow_critical: maybe\n    owner:", "'maybe' is neither true nor false"),
        ("    owner: team@contoso.example", "    owner: ''", "an empty text"),
        ("    owner:", "    owners:", "no such field: 'owners'; did you mean owner?"),
        ("kv-key-*", "kv-kex-*", "no policy matches 'kv-kex-*'; one of"),
        ('"*/vaults/kv-shared/keys/image-signing"', '"*"', "'*' names no resource"),
        ('"*/vaults/kv-shared/keys/image-signing"', '"*/vaults/*/keys/*"', "names no resource"),
        ('"*/vaults/kv-shared/keys/image-signing"', '"?*/a/*"', "names no resource"),
        ("{policy: kv-key-*, resource", "{policies: kv-key-*, resource", "no such field: 'policies'; did you mean policy?"),
        ("match: {", "match: [", "w.yaml:4"),
        ("id: W-1", "id: 'W 1'", "'W 1' cannot be an id"),
        ("version: 1", "version: 2", "w.yaml:1:10: version '2': written for another version; this keyaudit reads version 1"),
        ("version: 1\n", "", "no version"),
        ("waivers:\n  -", "waivers:\n  each:\n   -", "w.yaml"),
    ],
)
def test_every_mistake_has_its_place_and_its_remedy(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert said in refused(GOOD.replace(old, new))


def test_all_mistakes_are_said_at_once_and_an_id_is_used_once() -> None:
    twice = GOOD + GOOD.split("waivers:\n")[1].replace("2027-01-31", "2027-99-31")
    said = refused(twice).splitlines()
    assert len(said) == 2
    assert "the id W-1 is on line 3 too" in said[0]
    assert "w.yaml:14:14: '2027-99-31' is no date" in said[1]


@pytest.mark.parametrize("text", ["", "waivers", "- 1", "\x00", "a: *b", "version: 1\nwaivers: 3", "version: 1\nwaivers: [1]"])
def test_what_is_no_file_of_waivers(text: str) -> None:
    assert "w.yaml" in refused(text)


@pytest.mark.parametrize("text", ["version: 1\nwaivers: []\n", "version: 1\nwaivers:\n"])
def test_a_file_without_a_waiver_is_one(text: str) -> None:
    assert read(text) == ()


def test_an_expired_waiver_is_no_mistake() -> None:
    [waiver] = read(GOOD.replace("2027-01-31", "2026-11-23"))
    assert waiver.expired(TODAY)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "not a file")):
        with pytest.raises(UsageError, match=said):
            load_waivers(path, policies=POLICIES, today=TODAY)


def test_a_critical_finding_is_covered_only_by_a_waiver_that_says_so() -> None:
    [plain] = read(GOOD)
    [allowing] = read(GOOD.replace("    owner:", "    allow_critical: true\n    owner:"))
    place = "/subscriptions/s/vaults/kv-shared/keys/image-signing"
    assert plain.waives("kv-key-no-expiry", place, "x", critical=False)
    assert not plain.waives("kv-key-no-expiry", place, "x", critical=True)
    assert allowing.waives("kv-key-no-expiry", "x", place.upper(), critical=True)
    assert not allowing.waives("app-secret-too-long", place, place, critical=True)


def test_a_waiver_over_coverage_covers_no_finding() -> None:
    text = GOOD.replace("2027-01-31", "2026-12-20").replace("    owner:", "    covers: coverage\n    owner:")
    [waiver] = read(text)
    assert not waiver.waives("kv-key-no-expiry", "/vaults/kv-shared/keys/image-signing", "", critical=False)
    assert waiver.ends <= TODAY + 31 * DAY


@given(
    pattern=st.text(alphabet="aB*?%_!\\.[]/\n'é", max_size=12),
    text=st.text(alphabet="aAbB%_!\\.[]/\n'é", max_size=12),
)
def test_the_query_and_the_program_read_a_pattern_alike(pattern: str, text: str) -> None:
    dialect = DuckDB()
    with duckdb.connect() as connection:
        [[matched]] = connection.execute(f"SELECT {dialect.like(dialect.text(text.lower()), pattern)}").fetchall()
    assert matched is Glob(pattern).matches(text)
