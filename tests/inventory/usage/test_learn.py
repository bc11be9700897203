"""A baseline: the same bytes for the same logs, the same for one window as for its parts, and refused when it was touched."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from keyaudit.inventory.logs import LogStore
from keyaudit.inventory.usage.baseline import Baseline, open_baseline
from keyaudit.inventory.usage.baseline_header import FORMAT
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.logs.check.listing import belonging
from keyaudit.logs.report.text import made_usual
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.usage import Blind, Window
from keyaudit.model.values.times import DAY
from keyaudit.report.options import Options
from tests.logs import START, mail, store, use

WHOLE = Window(since=START, until=START + 40 * DAY)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    """Forty days of two applications, with a week of the second missing."""
    boxes = [mail(day, "reader", f"m{box}@contoso.example") for day in range(40) if day // 7 != 3 for box in range(1 + day % 3)]
    versions = [use(day, "signer", target_id=f"https://v.vault.azure.net/keys/k/{day // 20:032x}") for day in range(40)]
    return store(tmp_path_factory.mktemp("logs") / "logs", [*boxes, *versions])


def learned(logs: LogStore, folder: Path, window: Window = WHOLE, merge: Baseline | None = None) -> Baseline:
    folder.mkdir()
    learn(logs, window, into=folder, merge=merge)
    return open_baseline(folder)


def content(baseline: Baseline) -> bytes:
    return (baseline.folder / "belongs.parquet").read_bytes()


def test_what_it_makes_usual_is_what_the_one_before_would_report(logs: LogStore, tmp_path: Path) -> None:
    role = {"operation": "assign-directory-role", "target_kind": "user", "target_id": "u", "source": "AuditLogs"}
    later = [
        *(use(50, app, target_id=f"https://v.vault.azure.net/keys/k/{1:032x}") for app in ("signer", "stranger")),
        use(50, "prober", succeeded=False),
        use(50, "signer", target_id="https://v.vault.azure.net/keys/other"),
        use(50, "signer", privileged=True, **role),
        use(49, "signer", privileged=True, **role),
    ]
    after = Window(since=START + 45 * DAY, until=START + 55 * DAY)
    before = learned(logs, tmp_path / "b")
    found = check(store(tmp_path / "later", later), after, before)
    lines = [line.strip() for line in made_usual(found, Options())]
    assert [line for line in lines if line.startswith("by ")] == ["by signer", "by stranger"]
    assert [line.partition(":")[0] for line in lines if line.startswith("- ")] == ["- new-operation, high", "- new-app, high"]


def test_it_says_who_does_what(logs: LogStore, tmp_path: Path) -> None:
    reader, signer = belonging(learned(logs, tmp_path / "b"))
    assert (reader.app_id, reader.target, reader.uses, reader.days, reader.mailboxes) == (
        "reader",
        "contoso.example",
        66,
        33,
        3,
    )
    assert (signer.operation, signer.target) == ("sign", "https://v.vault.azure.net/keys/k")
    assert (signer.first_on, signer.last_on) == (START + DAY // 2, START + 39 * DAY + DAY // 2)
    assert (signer.keys, signer.networks, signer.clients, signer.client_apps) == (2, 1, 1, 0)


def test_it_says_what_was_missing_then(logs: LogStore, tmp_path: Path) -> None:
    (gap,) = learned(logs, tmp_path / "b").learned[0].missing
    assert (gap.blind, gap.subject, gap.days) == (
        Blind.MISSING_DAYS,
        "OfficeActivity",
        tuple(START + day * DAY for day in range(21, 28)),
    )


def test_the_same_logs_give_the_same_bytes(logs: LogStore, tmp_path: Path) -> None:
    first, second = learned(logs, tmp_path / "a"), learned(logs, tmp_path / "b")
    assert content(first) == content(second)
    assert (first.folder / "baseline.json").read_bytes() == (second.folder / "baseline.json").read_bytes()


def test_two_halves_give_what_the_whole_gives(logs: LogStore, tmp_path: Path) -> None:
    half = START + 17 * DAY
    before = learned(logs, tmp_path / "a", Window(since=START, until=half))
    both = learned(logs, tmp_path / "b", Window(since=half, until=WHOLE.until), merge=before)
    whole = learned(logs, tmp_path / "c")
    assert content(both) == content(whole) != content(before)
    assert both.rhythm == whole.rhythm
    assert [str(each.window) for each in both.learned] == ["2025-01-06 to 2025-01-22", "2025-01-23 to 2025-02-14"]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param(40, (Blind.ABSENT_SOURCE, ()), id="all of it"),
        pytest.param(35, (Blind.MISSING_DAYS, tuple(START + day * DAY for day in range(28, 35))), id="its first week"),
    ],
)
def test_it_misses_what_the_earlier_one_knew(tmp_path: Path, since: int, expected: tuple[Blind, tuple[int, ...]]) -> None:
    read = [mail(day) for day in range(40) if day < 28 or day >= since]
    logs = store(tmp_path / "logs", [*read, *(use(day) for day in range(40))])
    before = learned(logs, tmp_path / "a", Window(since=START, until=START + 28 * DAY))
    both = learned(logs, tmp_path / "b", Window(since=before.until, until=WHOLE.until), merge=before)
    (gap,) = both.learned[-1].missing
    assert (gap.subject, gap.blind, gap.days) == ("OfficeActivity", *expected)


def test_days_are_not_learned_twice(logs: LogStore, tmp_path: Path) -> None:
    before = learned(logs, tmp_path / "a")
    with pytest.raises(UsageError, match="learned from already"):
        learned(logs, tmp_path / "b", Window(since=WHOLE.until - DAY, until=WHOLE.until + DAY), merge=before)


def test_tenants_are_not_mixed(logs: LogStore, tmp_path: Path) -> None:
    before = learned(logs, tmp_path / "a", Window(since=START, until=START + DAY))
    other = store(tmp_path / "other", [use(3)], tenant="11111111-0000-4000-8000-000000000001")
    with pytest.raises(UnsafeError, match="the baseline of"):
        learned(other, tmp_path / "b", Window(since=START + DAY, until=WHOLE.until), merge=before)


def test_a_window_without_uses_is_refused(logs: LogStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no uses"):
        learned(logs, tmp_path / "b", Window(since=START - 10 * DAY, until=START))


def test_a_window_that_no_log_is_long_enough_for_is_refused(logs: LogStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3,660 are the most"):
        learned(logs, tmp_path / "b", Window(since=START, until=START + 5_000 * DAY))


@pytest.fixture(scope="module")
def untouched(logs: LogStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(logs, tmp_path_factory.mktemp("untouched") / "b").folder


def _head(folder: Path, **changed: object) -> None:
    path = folder / "baseline.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


TOUCHED: Iterable[object] = (
    pytest.param(lambda folder: _flip(folder / "belongs.parquet"), id="a byte of the rows"),
    pytest.param(lambda folder: (folder / "belongs.parquet").unlink(), id="no rows"),
    pytest.param(lambda folder: _link(folder / "belongs.parquet"), id="a link"),
    pytest.param(lambda folder: _head(folder, rows=1), id="another count"),
    pytest.param(lambda folder: _head(folder, tenant_id=None), id="no tenant"),
    pytest.param(lambda folder: _head(folder, rhythm={}), id="no rhythm"),
    pytest.param(lambda folder: _head(folder, windows=[]), id="learned from nothing"),
    pytest.param(lambda folder: _head(folder, more=1), id="a member more"),
    pytest.param(lambda folder: (folder / "baseline.json").write_text("{"), id="no JSON"),
    pytest.param(lambda folder: (folder / "baseline.json").write_text("[" * 100_000), id="deep JSON"),
)


@pytest.mark.parametrize("touch", TOUCHED)
def test_what_was_touched_is_refused(untouched: Path, tmp_path: Path, touch: object) -> None:
    folder = shutil.copytree(untouched, tmp_path / "b")
    open_baseline(folder)
    assert callable(touch)
    touch(folder)
    with pytest.raises(UnsafeError):
        open_baseline(folder)


def test_another_version_is_told_apart_from_damage(untouched: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(untouched, tmp_path / "b")
    _head(folder, format=FORMAT + 1)
    with pytest.raises(UsageError, match="written in a newer format"):
        open_baseline(folder)
