"""Detections: logs of the demo's tenant, imported, learned from, and judged with the inventory: planted is what is found."""

import functools
import gzip
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from keyaudit.__main__ import main
from keyaudit.model.errors import Exit
from keyaudit.model.evidence import LOGS
from keyaudit.model.values.times import DAY, iso_date, iso_time, parse_time
from keyaudit.policy.load import load
from tests.cli.conftest import Keyaudit, Ran, collected
from tests.cli.detections import planted
from tests.demo_logs import KEYS, MAIL, PEOPLE, SIGN_INS, Logs, Tenant, quiet, read

BY_USE = frozenset(
    {
        *("log-audit-switched-off", "log-settings-removed"),
        *("combo-added-credential-used", "combo-cross-environment-signed", "fed-domain-settings-changed"),
        *("agent-created-in-burst", "sp-first-party-credential-added", "use-backup-or-release", "use-superseded-version"),
        "use-sign-in-without-principal",
    }
)
"""The policies over single uses."""


@functools.cache
def chosen() -> tuple[str, ...]:
    """Flags that select every policy that needs logs."""
    assert {policy.text.id for policy in load() if policy.table.name == "usage"} == BY_USE
    ids = sorted(policy.text.id for policy in load() if LOGS in policy.text.needs)
    return tuple(argument for policy in ids for argument in ("--select", policy))


def _run(*arguments: str | Path, codes: Collection[object] = (0,)) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["keyaudit", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert stopped.value.code in codes


def _imported(folder: Path, logs: Logs, *, codes: Collection[object] = (0,)) -> Path:
    _run("usage", "import", logs.write(folder / "files"), "--out", folder / "uses", codes=codes)
    return folder / "uses"


def _imports(uses: Path, usual: Path | None = None) -> list[str]:
    given = ["--import", f"logs={uses}"]
    return [*given, "--import", f"usage-baseline={usual}"] if usual else given


def _learned(folder: Path, tenant: Tenant, uses: Path) -> Path:
    first, last = (iso_date(tenant.today - days * DAY) for days in (70, 8))
    _run("usage", "learn", uses, "--first-day", first, "--last-day", last, "--out", folder / "usual", codes=(0, 3))
    return folder / "usual"


@pytest.fixture(scope="module")
def tenant(contoso: Path) -> Tenant:
    return read(contoso)


@pytest.fixture(scope="module")
def logs(tenant: Tenant) -> Logs:
    return planted(tenant)


@pytest.fixture(scope="module")
def supplied(tenant: Tenant, logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store and the baseline."""
    folder = tmp_path_factory.mktemp("logs")
    uses = _imported(folder, logs)
    return uses, _learned(folder, tenant, uses)


@pytest.fixture(scope="module")
def taken(supplied: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot that has both in it."""
    uses, usual = supplied
    return collected(tmp_path_factory.mktemp("taken") / "snapshot", "contoso", *_imports(uses, usual))


def _found(
    findings: Iterable[Mapping[str, Any]], outcome: str, planted: Collection[tuple[str, str]] = ()
) -> Counter[tuple[str, str]]:
    """By policy what its findings are about: of uses their records' own ids, of a key the version or the key.

    Uses outside the baseline are told by those of their first three records that were `planted`, else by the first.
    """
    found = Counter[tuple[str, str]]()
    for each in findings:
        row = each["row"]
        records = row.get("records") or [row["name"] if "used_on" in row else each["subject"]]
        # A network that is new, and a key that is new to an application that is known, are listed as low.
        if each["outcome"] == outcome and not (row.get("records") and each["severity"] == "low"):
            told = [(each["policy"], record) for record in records]
            found.update([one for one in told if one in planted] or told[:1])
    return found


def test_what_was_planted_is_found_and_nothing_else(keyaudit: Keyaudit, taken: Path, logs: Logs) -> None:
    ran = keyaudit("report", "--from", taken, *chosen(), "-o", "json")
    found = _found(ran.json["findings"], "fail", logs.planted)
    assert set(found) == logs.planted
    assert {count for (policy, _), count in found.items() if policy in BY_USE} == {1}


@pytest.mark.exhaustive
def test_a_live_run_finds_the_same_as_its_snapshot_does_later(
    keyaudit: Keyaudit, supplied: tuple[Path, Path], logs: Logs
) -> None:
    uses, usual = supplied
    ran = keyaudit("gate", "--demo", "--quiet", *chosen(), *_imports(uses, usual), "-o", "json")
    assert ran.code == Exit.FINDINGS
    assert set(_found(ran.json["findings"], "fail", logs.planted)) == logs.planted
    assert not _found(ran.json["findings"], "unknown")
    assert not ran.json["not_judged"]


@pytest.fixture(scope="module")
def clean(hardened: Path) -> Tenant:
    return read(hardened)


def _judged(keyaudit: Keyaudit, folder: Path, *imports: str) -> Ran:
    out = collected(folder / "snapshot", "hardened", *imports)
    return keyaudit("gate", "--from", out, *chosen(), "-o", "json")


@pytest.fixture(scope="module")
def usual(clean: Tenant, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store and the baseline of a tenant in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("usual")
    uses = _imported(folder, quiet(clean))
    return uses, _learned(folder, clean, uses)


@pytest.mark.exhaustive
def test_where_nothing_is_wrong_nothing_is_found(keyaudit: Keyaudit, tmp_path: Path, usual: tuple[Path, Path]) -> None:
    ran = _judged(keyaudit, tmp_path, *_imports(*usual))
    assert (ran.json["findings"], ran.json["gaps"], ran.json["not_judged"]) == ([], [], [])
    assert ran.code == Exit.CLEAN


@pytest.mark.exhaustive
def test_without_a_baseline_what_is_usual_is_unknown(keyaudit: Keyaudit, tmp_path: Path, usual: tuple[Path, Path]) -> None:
    ran = _judged(keyaudit, tmp_path, *_imports(usual[0]))
    assert ran.code == Exit.INCOMPLETE
    unknown = {each["policy"]: each["unknown"] for each in ran.json["findings"] if each["outcome"] == "unknown"}
    assert unknown == {
        "log-mail-of-many-mailboxes": {"kind": "not_supplied", "mailboxes": "not_supplied"},
        "log-unexpected-appid": dict.fromkeys(("kind", "notable", "operation", "risk"), "not_supplied"),
        "combo-added-credential-used": {"expected": "not_supplied"},
    }
    assert [policy for policy, _ in _found(ran.json["findings"], "fail")] == ["log-no-appid-baseline"]


def _unknown(ran: Ran) -> set[str]:
    assert ran.code == Exit.INCOMPLETE
    assert not _found(ran.json["findings"], "fail")
    return {policy for policy, _ in _found(ran.json["findings"], "unknown")}


@pytest.mark.exhaustive
def test_what_missing_days_may_hold_is_unknown(
    keyaudit: Keyaudit, tmp_path: Path, clean: Tenant, usual: tuple[Path, Path]
) -> None:
    logs = quiet(clean)
    for log, days in ((KEYS, range(13, 20)), (MAIL, range(3, 5))):
        gone = {iso_date(clean.today - ago * DAY) for ago in days}
        logs.records[log] = [each for each in logs.records[log] if each["TimeGenerated"][:10] not in gone]
    ran = _judged(keyaudit, tmp_path, *_imports(_imported(tmp_path, logs), usual[1]))
    assert _unknown(ran) == {
        # Who signed in the last 30 days.
        "use-key-signs-for-many-apps",
        # Of the days before the gap nothing is certain any more, and in it anything may have been done.
        *("log-mail-of-many-mailboxes", "log-unexpected-appid", "log-audit-switched-off"),
    }


@pytest.mark.exhaustive
def test_what_a_cut_file_may_have_held_is_unknown(
    keyaudit: Keyaudit, tmp_path: Path, clean: Tenant, usual: tuple[Path, Path]
) -> None:
    files = quiet(clean).write(tmp_path / "files")
    file = files / f"{KEYS}.jsonl"
    file.write_bytes(gzip.compress(file.read_bytes())[:-200])
    _run("usage", "import", files, "--out", tmp_path / "uses", codes=(3,))
    ran = _judged(keyaudit, tmp_path, *_imports(tmp_path / "uses", usual[1]))
    assert _unknown(ran) == {
        *("use-key-signs-for-many-apps", "log-unexpected-appid", "use-superseded-version", "use-backup-or-release"),
        "combo-cross-environment-signed",
    }


@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", sorted(BY_USE))
def test_over_logs_that_ended_no_detection_is_clean(keyaudit: Keyaudit, stale: Path, policy: str) -> None:
    """Each detection is also found if it is selected alone."""
    ran = keyaudit("gate", "--from", stale, "--select", policy, "-o", "json")
    assert (ran.code, {each["outcome"] for each in ran.json["findings"]}) == (Exit.INCOMPLETE, {"unknown"})


@pytest.fixture(scope="module")
def stale(clean: Tenant, usual: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with logs in which nothing is wrong, up to ten days ago."""
    folder = tmp_path_factory.mktemp("stale")
    logs, last = quiet(clean), iso_date(clean.today - 10 * DAY)
    for log, records in logs.records.items():
        logs.records[log] = [each for each in records if each["TimeGenerated"] < last]
    uses = _imported(folder, logs)
    return collected(folder / "snapshot", "hardened", *_imports(uses, usual[1]))


@pytest.mark.exhaustive
def test_the_snapshot_says_how_far_the_logs_reach(keyaudit: Keyaudit, taken: Path, tenant: Tenant) -> None:
    logs = keyaudit("inventory", "usage-log", "--from", taken, "-o", "json").json["rows"]
    # The day on which a log begins is not whole: it may have begun in the middle of it.
    assert {parse_time(each["whole_since"]) - parse_time(each["first_on"]) for each in logs} == {DAY}
    of_vaults = {each["logged_id"] for each in logs if each["source"] == KEYS}
    assert of_vaults == set(tenant.vaults)
    assert {each["source"] for each in logs if each["logged_id"] == f"/tenants/{tenant.tenant_id}"} >= {MAIL, SIGN_INS, PEOPLE}
    usual = keyaudit("inventory", "usage-baseline", "--from", taken, "-o", "json").json["rows"]
    assert {each["learned_until"] for each in usual} == {iso_time(tenant.today - 7 * DAY)}


def test_logs_of_another_tenant_are_refused_before_anything_is_read(
    keyaudit: Keyaudit, tmp_path: Path, supplied: tuple[Path, Path], usual: tuple[Path, Path]
) -> None:
    for uses, learned in ((usual[0], None), (supplied[0], usual[1])):
        ran = keyaudit("collect", "--demo", "--quiet", "--out", tmp_path / "out", *_imports(uses, learned))
        assert (ran.code, (tmp_path / "out").exists()) == (Exit.UNSAFE, False)
        assert "of tenant " in ran.err


def test_what_is_no_store_or_has_none_beside_it_is_refused(
    keyaudit: Keyaudit, tmp_path: Path, supplied: tuple[Path, Path]
) -> None:
    uses, learned = supplied
    for given, what in (
        ([f"usage-baseline={learned}"], "needs logs to compare with, and none were given; add --import logs=DIR"),
        ([f"logs={learned}"], "holds no logs"),
        ([f"logs={uses}", f"usage-baseline={uses}"], "holds no baseline of usage"),
        ([f"logs={uses}", f"logs={uses}"], "given twice"),
    ):
        imports = [argument for each in given for argument in ("--import", each)]
        ran = keyaudit("collect", "--demo", "--quiet", "--out", tmp_path / "out", *imports)
        assert (ran.code, (tmp_path / "out").exists()) == (Exit.USAGE, False)
        assert what in ran.err


def test_a_policy_that_rests_on_logs_alone_is_judged_by_itself(keyaudit: Keyaudit, taken: Path) -> None:
    ran = keyaudit("gate", "--from", taken, "--select", "log-settings-removed", "-o", "json")
    assert (ran.code, [each["name"] for each in ran.json["verdict"]["conditions"]]) == (Exit.FINDINGS, ["findings"])
    ran = keyaudit("gate", "--from", taken, "--select", "log-settings-removed", "--fail-on", "critical")
    assert ran.code == Exit.CLEAN
