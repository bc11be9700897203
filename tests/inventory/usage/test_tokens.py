"""Whether the sign-in logs list a token: each legitimate use without a sign-in record, and planted forgeries.

The cases were written before the code, from Microsoft's pages on linkable identifiers, sign-in logs, Graph activity logs,
continuous access evaluation and retention. A token that is looked for is named by the record of its use.
"""

import base64
import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from keyaudit.collect.usage.read import read_logs
from keyaudit.inventory.logs import LogStore, open_logs, write_logs
from keyaudit.inventory.logs.write import Import
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.inventory.usage.tokens import tokens_of
from keyaudit.model.errors import UnsafeError
from keyaudit.model.times import DAY, iso_time
from keyaudit.model.tokens import Doubt, Issue, Tokens
from keyaudit.model.usage import Window
from tests.inventory.usage.token_records import (
    APP,
    APPS,
    EXAMINED,
    GUEST,
    HOUR,
    IDENTITIES,
    IDENTITY,
    INTERACTIVE,
    LEARNED,
    MICROSOFTS,
    NEW,
    OF_MICROSOFT,
    OTHER,
    OUTLOOK,
    PARTNER,
    SILENT,
    START,
    Row,
    arm,
    audit,
    events,
    every_hour,
    graph,
    guid,
    learned,
    moved,
    of,
    sign_in,
    uti,
)
from tests.inventory.usage.token_records import ARM_API as ARM

AT = EXAMINED + 9 * HOUR
UNTIL = EXAMINED + 5 * DAY
Case = tuple[list[Row], Issue | Doubt]


def _silent(seed: str, on: int, **columns: object) -> Row:
    return sign_in(SILENT, uti(seed), on, **columns)


def _old_form(seed: str) -> str:
    """The form of 2022: base64 of the GUID's text."""
    return base64.b64encode(str(guid(seed)).encode()).decode()


FORGED: dict[str, Case] = {
    "mail of a user": ([audit("mail of a user", uti("forged 1"), AT, AT + 60)], Issue.NOT_LISTED),
    "own application at Graph": (
        [graph("own application at Graph", uti("forged 2"), AT, AT + 60, UserId=None, ServicePrincipalId=of(APP))],
        Issue.NOT_LISTED,
    ),
    "ten years": ([arm("ten years", uti("forged 3"), AT, AT + 60, expires=AT + 3_650 * DAY)], Issue.OVER_AGE),
    "used two days later": (
        [_silent("old", AT), graph("used two days later", uti("old"), AT, AT + 2 * DAY)],
        Issue.OVER_AGE,
    ),
    "copied, later": (
        [_silent("copied 1", AT - 5 * HOUR), graph("copied, later", uti("copied 1"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another user": (
        [_silent("copied 2", AT, UserId=OTHER), graph("copied, another user", uti("copied 2"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another application": (
        [_silent("copied 3", AT, AppId=OUTLOOK), graph("copied, another application", uti("copied 3"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another resource": (
        [_silent("copied 4", AT), arm("copied, another resource", uti("copied 4"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "no id": ([graph("no id", None, AT, AT + 60)], Issue.NO_ID),
    "odd form": ([graph("odd form", "unique-token-id-abc123", AT, AT + 60)], Issue.NOT_LISTED),
    "other case": ([_silent("case", AT), graph("other case", uti("case").swapcase(), AT, AT + 60)], Issue.NOT_LISTED),
}
LEGITIMATE: dict[str, Case] = {
    "refresh token": ([_silent("1", AT), graph("refresh token", uti("1"), AT, AT + 60)], Issue.LISTED),
    "interactive": (
        [sign_in(INTERACTIVE, uti("2"), AT), graph("interactive", uti("2"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "form of 2022": (
        [sign_in(SILENT, _old_form("3"), AT), graph("form of 2022", uti("3"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "padded": ([_silent("4", AT), graph("padded", uti("4") + "==", AT, AT + 60)], Issue.LISTED),
    "27 hours": ([_silent("5", AT), graph("27 hours", uti("5"), AT, AT + 27 * HOUR)], Issue.LISTED),
    "browser session": (
        [
            _silent("6", START + DAY, AppId=OUTLOOK, ResourceIdentity=MICROSOFTS),
            audit("browser session", uti("6"), START + DAY, AT),
        ],
        Issue.LISTED,
    ),
    "session from before the logs": (
        [audit("session from before the logs", uti("7"), START - 9 * DAY, AT)],
        Doubt.NOT_COVERED,
    ),
    "guest": (
        [
            _silent("8", AT, UserId=GUEST, CrossTenantAccessType="b2bCollaboration"),
            graph("guest", uti("8"), AT, AT + 60, UserId=GUEST),
        ],
        Issue.LISTED,
    ),
    "guest whose class is small": ([graph("guest whose class is small", uti("9"), AT, AT + 60, UserId=GUEST)], Doubt.CLASS),
    "partner": (
        [
            _silent("10", AT, UserId=PARTNER, CrossTenantAccessType="serviceProvider"),
            graph("partner", uti("10"), AT, AT + 60, UserId=PARTNER),
        ],
        Issue.LISTED,
    ),
    "managed identity": (
        [
            sign_in(IDENTITIES, uti("11"), AT, AppId=IDENTITY, ServicePrincipalId=of(IDENTITY)),
            graph("managed identity", uti("11"), AT, AT + 60, AppId=IDENTITY, UserId=None, ServicePrincipalId=of(IDENTITY)),
        ],
        Issue.LISTED,
    ),
    "two records of one sign-in": (
        [_silent("12", AT), _silent("12", AT), graph("two records of one sign-in", uti("12"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "not logged yet": ([graph("not logged yet", uti("13"), UNTIL - 3 * DAY, UNTIL - 3 * DAY + 60)], Doubt.RECENT),
    "failed sign-in": (
        [_silent("14", AT, ResultType="50140"), graph("failed sign-in", uti("14"), AT, AT + 60)],
        Doubt.FAILED,
    ),
    "failed and then not": (
        [_silent("15", AT, ResultType="50140"), _silent("15", AT), graph("failed and then not", uti("15"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "Microsoft's application": (
        [graph("Microsoft's application", uti("16"), AT, AT + 60, AppId=MICROSOFTS, UserId=None, ServicePrincipalId=of("m"))],
        Doubt.MICROSOFT,
    ),
    "application that is new": ([graph("application that is new", uti("17"), AT, AT + 60, AppId=NEW)], Doubt.CLASS),
    "no time of issue": ([events("no time of issue", uti("18"), AT)], Doubt.NO_TIME),
    "no time of issue, listed": (
        [_silent("19", AT), events("no time of issue, listed", uti("19"), AT + 60)],
        Issue.LISTED,
    ),
    "a time of issue that cannot be": (
        [
            audit(
                "a time of issue that cannot be",
                uti("20"),
                None,
                AT,
                AppAccessContext={"UniqueTokenId": uti("20"), "IssuedAtTime": "1601-01-01T00:00:00"},
            )
        ],
        Doubt.NO_TIME,
    ),
    "request that takes two days": (
        [
            _silent("22", AT, ResourceIdentity=ARM),
            arm("request that takes two days", uti("22"), AT, AT + 60),
            arm("request that takes two days", uti("22"), AT, AT + 2 * DAY),
        ],
        Issue.LISTED,
    ),
    "ARM": ([_silent("21", AT, ResourceIdentity=ARM), arm("ARM", uti("21"), AT, AT + 60)], Issue.LISTED),
    "background of Exchange": (
        [audit("background of Exchange", None, None, AT, AppAccessContext=None, UserId="NT AUTHORITY\\SYSTEM")],
        Issue.NO_ID,
    ),
}
CASES = FORGED | LEGITIMATE
ALL_APPS = {APP, NEW, IDENTITY, MICROSOFTS, OUTLOOK}


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


def planted() -> list[Row]:
    return [row for rows, _ in CASES.values() for row in rows]


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


def test_forged_tokens_of_the_examined_days_do_not_change_the_rate(tmp_path: Path, usual: Sequence[Row]) -> None:
    many = [audit(f"forged {n}", uti(f"many {n}"), AT + n, AT + n + 60) for n in range(50)]
    store = imported(tmp_path / "logs", [*usual, *many])
    (tmp_path / "baseline").mkdir()
    normal = learn(store, Window(since=START, until=START + LEARNED), into=tmp_path / "baseline")
    assert len(looked(store, normal).found) == 50


def test_the_ids_are_kept_keyed_and_hashed(tmp_path: Path) -> None:
    rows = [_silent("1", AT), graph("a", uti("1"), AT, AT + 60)]
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
    earlier = imported(tmp_path / "earlier", quiet(usual), [_silent("1", AT)])
    late = tmp_path / "late"
    late.write_text(json.dumps(graph("later", uti("1"), AT, AT + 60)) + "\n")
    known = Import(earlier.tenant_id)
    store = write_logs(tmp_path / "logs", read_logs([late], known), known, earlier)
    assert looked(store, normal).counts == {Issue.LISTED: 1}
    assert [file.path for file in store.manifest.tables["tokens"].files] == ["tokens/00000.parquet", "tokens/00001.parquet"]


def test_a_store_whose_key_is_lost_is_refused(tmp_path: Path) -> None:
    store = imported(tmp_path / "logs", [_silent("1", AT)])
    (store.folder / "tokens.key").unlink()
    with pytest.raises(UnsafeError, match="cannot be read"):
        open_logs(store.folder)


def test_a_store_without_ids_has_no_key(tmp_path: Path) -> None:
    store = imported(tmp_path / "logs", [graph("no id", None, AT, AT)])
    assert (store.manifest.key, [*store.folder.glob("*.key")]) == (None, [])


def _within(row: Row, times: range) -> bool:
    return iso_time(times.start) <= str(row["CreatedDateTime"]) < iso_time(times.stop)
