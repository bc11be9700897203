"""Whether the sign-in logs list a token: each legitimate use without a sign-in record, and planted forgeries.

The cases are in token_cases.py.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from keyaudit.inventory.logs import LogStore, open_logs
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.inventory.usage.tokens import tokens_of
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import UnsafeError
from keyaudit.model.tokens import Doubt, Issue, Tokens
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, iso_time
from tests.inventory.usage.token_cases import (
    ALL_APPS,
    AT,
    CASES,
    FORGED,
    LEGITIMATE,
    UNTIL,
    planted,
    silent,
)
from tests.inventory.usage.token_records import (
    APPS,
    HOUR,
    IDENTITIES,
    INTERACTIVE,
    LEARNED,
    MICROSOFTS,
    OF_MICROSOFT,
    OUTLOOK,
    SILENT,
    START,
    Row,
    audit,
    every_hour,
    graph,
    guid,
    learned,
    moved,
    of,
    sign_in,
    uti,
)


def imported(folder: Path, *files: Iterable[Row]) -> LogStore:
    aside = folder.with_name(f"{folder.name}-files")
    aside.mkdir()
    for number, rows in enumerate(files):
        (aside / f"{number}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    known = Import()
    return write_logs(folder, read_logs([aside], known), known)


@pytest.fixture(scope="module")
def usual() -> Sequence[Row]:
    return [*every_hour(UNTIL), *learned(1_001)]


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory, usual: Sequence[Row]) -> Baseline:
    folder = tmp_path_factory.mktemp("normal")
    (folder / "baseline").mkdir()
    return learn(imported(folder / "logs", usual), Window(since=START, until=START + LEARNED), into=folder / "baseline")


Looked = Callable[..., Tokens]


def looked(store: LogStore, normal: Baseline | None) -> Tokens:
    window = Window(since=START + LEARNED, until=UNTIL)
    with store.connect(tokens=True, besides=[normal.folder] if normal else []) as connection:
        return tokens_of(connection, window, normal, apps=ALL_APPS, principals=set())


@pytest.fixture
def of_rows(tmp_path: Path, normal: Baseline) -> Looked:
    def look(*files: Iterable[Row]) -> Tokens:
        return looked(imported(tmp_path / "logs", *files), normal)

    return look


def quiet(usual: Sequence[Row]) -> list[Row]:
    """The sign-ins, without the uses of the baseline's days."""
    return [row for row in usual if row.get("Type") in (INTERACTIVE, SILENT, APPS, IDENTITIES)]


def told(found: Tokens) -> dict[str, Issue]:
    return {str(token.record): token.issue for token in found.found}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, usual: Sequence[Row], normal: Baseline) -> Tokens:
    return looked(imported(tmp_path_factory.mktemp("whole") / "logs", [*quiet(usual), *planted()]), normal)


def test_the_forged_tokens_are_found_and_no_others(whole: Tokens) -> None:
    expected = {case: issue for case, (_, issue) in CASES.items() if issue in (Issue.NOT_LISTED, Issue.DIFFERS, Issue.OVER_AGE)}
    assert told(whole) == expected


def test_each_other_token_is_counted_by_what_is_known_of_it(whole: Tokens) -> None:
    results = [result for _, result in CASES.values()]
    assert {issue: whole.counts.get(issue, 0) for issue in Issue} == {
        issue: sum(result is issue or (issue is Issue.UNKNOWN and isinstance(result, Doubt)) for result in results)
        for issue in Issue
    }
    assert {doubt: whole.doubts.get(doubt, 0) for doubt in Doubt} == {
        doubt: sum(result is doubt for result in results) for doubt in Doubt
    }


def test_a_token_is_named_with_its_class_and_the_rate_of_that(whole: Tokens) -> None:
    (token,) = (each for each in whole.found if each.record == "mail of a user")
    assert (token.service, token.app_id, token.kind, token.external) == ("Exchange", OUTLOOK, "user", False)
    assert (token.rate.ids, token.rate.listed) == (1_001, 1_001)
    assert (token.issued_on, token.first_on) == (AT, AT + 60)
    odd = {each.record for each in whole.found if each.odd}
    assert ("odd form" in odd, "mail of a user" in odd) == (True, False)


@pytest.mark.parametrize(
    ("lost", "tells"),
    [(INTERACTIVE, Doubt.NO_TABLE), (SILENT, Doubt.NO_TABLE), (APPS, Doubt.NO_TABLE), (IDENTITIES, Doubt.NO_TABLE)],
)
def test_without_a_sign_in_log_fewer_are_found_and_more_are_unknown(
    of_rows: Looked, usual: Sequence[Row], whole: Tokens, lost: str, tells: Doubt
) -> None:
    found = of_rows([row for row in [*quiet(usual), *planted()] if row.get("Type") != lost])
    not_listed = {record for record, issue in told(found).items() if issue is Issue.NOT_LISTED}
    assert not_listed < {record for record, issue in told(whole).items() if issue is Issue.NOT_LISTED}
    assert found.counts[Issue.UNKNOWN] > whole.counts[Issue.UNKNOWN]
    assert found.doubts[tells] > 0


def test_order_copies_and_files_change_nothing(of_rows: Looked, usual: Sequence[Row], whole: Tokens) -> None:
    rows = [*quiet(usual), *planted()]
    rows += rows[::7] + planted()
    random.Random(7).shuffle(rows)
    assert of_rows(rows[::3], rows[1::3], rows[2::3]) == whole


def later(tmp_path: Path, usual: Sequence[Row], by: int, sign_ins: int = 0) -> Tokens:
    """The same records so many seconds later, those of sign-ins some more."""
    rows = [*usual, *planted()]
    logs = (INTERACTIVE, SILENT, APPS, IDENTITIES)
    issued, used = ([row for row in rows if (row.get("Type") in logs) is of] for of in (True, False))
    store = imported(tmp_path / "logs", moved(issued, by + sign_ins), moved(used, by))
    (tmp_path / "baseline").mkdir()
    normal = learn(store, Window(since=START + by, until=START + LEARNED + by), into=tmp_path / "baseline")
    with store.connect(tokens=True, besides=[normal.folder]) as connection:
        window = Window(since=START + LEARNED + by, until=UNTIL + by)
        return tokens_of(connection, window, normal, apps=ALL_APPS, principals=set())


def test_another_time_and_clocks_a_few_minutes_apart_change_nothing(
    tmp_path: Path, usual: Sequence[Row], whole: Tokens
) -> None:
    found = later(tmp_path, usual, 41 * DAY, sign_ins=240)
    assert told(found) == told(whole)
    assert (found.counts, found.doubts) == (whole.counts, whole.doubts)


def test_where_a_clock_is_wrong_for_all_tokens_none_is_said_to_differ(
    tmp_path: Path, usual: Sequence[Row], whole: Tokens
) -> None:
    """Sign-ins are logged half an hour late: the baseline has as many, and a copied id does not stand out any more."""
    found = later(tmp_path, usual, 0, sign_ins=1_800)
    assert set(told(found)) <= set(told(whole))
    assert Issue.DIFFERS not in found.counts
    assert found.doubts[Doubt.CLASS] > whole.doubts[Doubt.CLASS]


def test_an_hour_without_sign_ins_says_nothing(of_rows: Looked, usual: Sequence[Row]) -> None:
    lost = range(AT - 300, AT + HOUR)
    kept = [row for row in quiet(usual) if row["Type"] != SILENT or not _within(row, lost)]
    found = of_rows([*kept, *FORGED["mail of a user"][0]])
    assert (found.found, found.doubts) == ([], {Doubt.GAP: 1})


def test_sign_ins_without_token_ids_say_nothing(of_rows: Looked, usual: Sequence[Row]) -> None:
    """Graph's v1.0 has no member for them."""
    bare = [{name: value for name, value in row.items() if name != "UniqueTokenIdentifier"} for row in quiet(usual)]
    found = of_rows([*bare, *FORGED["mail of a user"][0]])
    assert (found.found, found.doubts) == ([], {Doubt.NO_IDS: 1})


def test_without_a_baseline_no_class_is_known(tmp_path: Path, usual: Sequence[Row]) -> None:
    found = looked(imported(tmp_path / "logs", [*quiet(usual), *planted()]), None)
    assert Issue.NOT_LISTED not in found.counts
    assert found.doubts[Doubt.NO_BASELINE] > 0


def test_microsofts_applications_are_listed_where_their_log_is(tmp_path: Path, usual: Sequence[Row]) -> None:
    own = {"AppId": MICROSOFTS, "ServicePrincipalId": of("m")}
    rows = [sign_in(OF_MICROSOFT, uti(f"m {on}"), on, **own) for on in range(START, UNTIL, HOUR)]
    rows += [sign_in(OF_MICROSOFT, uti("m listed"), AT, **own)]
    uses = [graph("m listed", uti("m listed"), AT, AT + 60, UserId=None, **own)]
    uses += LEGITIMATE["Microsoft's application"][0]
    found = looked(imported(tmp_path / "logs", [*quiet(usual), *rows, *uses]), None)
    assert (found.counts[Issue.LISTED], found.doubts) == (1, {Doubt.NO_BASELINE: 1})


def test_a_request_that_was_refused_is_no_use(of_rows: Looked, usual: Sequence[Row]) -> None:
    found = of_rows([*quiet(usual), graph("refused", uti("forged 9"), AT, AT + 60, ResponseStatusCode=401)])
    assert (found.found, found.counts) == ([], {})


def test_a_class_in_which_tokens_are_missing_says_nothing(tmp_path: Path, usual: Sequence[Row]) -> None:
    """Three of 1,001 tokens have no sign-in record in the days of the baseline: one in 1,000 may lack one."""
    gone = {uti(f"mail {number}") for number in (5, 55, 555)}
    rows = [row for row in usual if row.get("UniqueTokenIdentifier") not in gone]
    store = imported(tmp_path / "logs", [*rows, *FORGED["mail of a user"][0]])
    (tmp_path / "baseline").mkdir()
    normal = learn(store, Window(since=START, until=START + LEARNED), into=tmp_path / "baseline")
    found = looked(store, normal)
    assert (found.found, found.doubts) == ([], {Doubt.CLASS: 1})
    [class_] = found.uncalibrated
    assert (class_.service, class_.kind, class_.tokens) == ("Exchange", "user", 1)
    assert (class_.rate.ids, class_.rate.listed) == (1_001, 998)


def test_forged_tokens_of_the_examined_days_do_not_change_the_rate(tmp_path: Path, usual: Sequence[Row]) -> None:
    many = [audit(f"forged {n}", uti(f"many {n}"), AT + n, AT + n + 60) for n in range(50)]
    store = imported(tmp_path / "logs", [*usual, *many])
    (tmp_path / "baseline").mkdir()
    normal = learn(store, Window(since=START, until=START + LEARNED), into=tmp_path / "baseline")
    assert len(looked(store, normal).found) == 50


def test_the_ids_are_kept_keyed_and_hashed(tmp_path: Path) -> None:
    rows = [silent("1", AT), graph("a", uti("1"), AT, AT + 60)]
    one, other = imported(tmp_path / "one", rows), imported(tmp_path / "other", rows)
    ids = []
    for store in (one, other):
        with store.connect(tokens=True) as connection:
            ids.append({str(token) for (token,) in connection.execute("SELECT token FROM tokens").fetchall()})
        key = store.folder / "tokens.key"
        assert key.stat().st_mode & 0o777 == 0o600
        raw = b"".join(path.read_bytes() for path in (store.folder / "tokens").iterdir())
        assert guid("1").bytes not in raw
        assert guid("1").bytes_le not in raw
    assert all(len(each) == 1 for each in ids)
    assert ids[0].isdisjoint(ids[1])
    assert str(guid("1")) not in ids[0]


def test_logs_that_are_added_later_join_with_the_earlier_ones(tmp_path: Path, usual: Sequence[Row], normal: Baseline) -> None:
    """The store is added to, and not written again."""
    earlier = imported(tmp_path / "earlier", quiet(usual), [silent("1", AT)])
    late = tmp_path / "late"
    late.write_text(json.dumps(graph("later", uti("1"), AT, AT + 60)) + "\n")
    known = Import(earlier.tenant_id)
    store = write_logs(tmp_path / "logs", read_logs([late], known), known, earlier)
    assert looked(store, normal).counts == {Issue.LISTED: 1}
    assert [file.path for file in store.manifest.tables["tokens"].files] == ["tokens/00000.parquet", "tokens/00001.parquet"]


def test_a_store_whose_key_is_lost_is_refused(tmp_path: Path) -> None:
    store = imported(tmp_path / "logs", [silent("1", AT)])
    (store.folder / "tokens.key").unlink()
    with pytest.raises(UnsafeError, match="cannot be read"):
        open_logs(store.folder)


def test_a_store_without_ids_has_no_key(tmp_path: Path) -> None:
    store = imported(tmp_path / "logs", [graph("no id", None, AT, AT)])
    assert (store.manifest.key, [*store.folder.glob("*.key")]) == (None, [])


def _within(row: Row, times: range) -> bool:
    return iso_time(times.start) <= str(row["CreatedDateTime"]) < iso_time(times.stop)
