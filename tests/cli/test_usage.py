"""What a user gets wrong: one line with place and remedy, exit 2, nothing read and nothing half-written."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keyaudit import __version__
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.policy.load import shipped
from tests.cli.conftest import Keyaudit


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reprot"], "report"),
        (["report", "--fial-on", "high"], "--fial-on"),
        (["gate", "--fail-on", "urgent"], "urgent"),
        (["gate", "--fail-on", "never"], "never"),
        (["report", "--demo", "--estate", "nowhere"], "contoso"),
        (["report", "--demo", "--from", "."], "--from"),
        (["report", "--as-of", "2026-01-01"], "--from"),
        (["report", "--estate", "blind-spots"], "add --demo"),
        (["report", "--from", ".", "--estate", "contoso"], "leave one"),
        (["report", "--export", "csv=a", "--export", "json=a"], "twice"),
        (["report", "--export", "csv=a", "--export", "json=./a"], "twice"),
        (["report", "--select", "kv-key-rotation-overdu"], "policies list"),
        (["report", "--select", "kv-key-rotaton-*"], "did you mean kv-key-rotation-overdue"),
        (["report", "--demo", "--source", "kyes"], "did you mean keys?"),
        (["report", "--ignore", "*", "--demo"], "no policy is selected"),
        (["report", "--export", "pdf=x", "--demo"], "text, table, json, csv"),
        (["report", "--export", "json", "--demo"], "FORMAT=PATH"),
        (["report", "--from", "/nowhere/at/all"], "collect"),
        (["report", "--allow-gap", "everything", "--demo"], "KEY=VALUE"),
        (["report", "--profile", "strickt", "--demo"], "strict"),
        (["explain", "kv-key-rotation-overdu"], "did you mean kv-key-rotation-overdue?"),
        (["collect", "--demo"], "--out"),
    ],
)
def test_a_mistake_is_one_line_with_a_remedy(keyaudit: Keyaudit, arguments: list[str], words: str) -> None:
    ran = keyaudit(*arguments)
    assert ran.code == Exit.USAGE, ran
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) <= 2
    assert "Traceback" not in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weakness: hygiene", "weakness: urgent", "urgent"),
        ("expires_on - now < warn", "expires_onn - now < warn", "did you mean expires_on?"),
        ("expires_on - now < warn", "kty - now < warn", "kty"),
        ("weakness: hygiene", "weakness: hygiene\nseverity: high", "severity"),
        ("weakness: hygiene", "weaknes: hygiene", "did you mean weakness"),
    ],
)
def test_a_broken_policy_is_named_with_file_line_and_remedy(
    keyaudit: Keyaudit, tmp_path: Path, old: str, new: str, words: str
) -> None:
    source = (shipped() / "key-vault" / "kv-key-expiring-soon.yaml").read_text(encoding="utf-8")
    assert old in source
    path = tmp_path / "kv-key-expiring-soon.yaml"
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    ran = keyaudit("policies", "test", path)
    assert ran.code == Exit.USAGE
    assert f"{path}:" in ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_policy_that_no_example_holds_fails_its_test(keyaudit: Keyaudit, tmp_path: Path) -> None:
    source = (shipped() / "key-vault" / "kv-key-expiring-soon.yaml").read_text(encoding="utf-8")
    path = tmp_path / "kv-key-expiring-soon.yaml"
    path.write_text(source.replace("P30D", "P31D"), encoding="utf-8")
    ran = keyaudit("policies", "test", path)
    assert ran.code == Exit.FINDINGS
    assert "kv-key-expiring-soon" in ran.out


@pytest.mark.exhaustive
def test_the_shipped_policies_pass_their_own_tests(keyaudit: Keyaudit) -> None:
    ran = keyaudit("policies", "test")
    assert ran.code == Exit.CLEAN, ran.out
    assert "no failures" in ran.out


def test_version_help_and_exit_codes(keyaudit: Keyaudit) -> None:
    version = subprocess.run([sys.executable, "-m", "keyaudit", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"keyaudit {__version__}\n"
    helped = keyaudit("--help")
    assert helped.code == Exit.CLEAN
    assert all(
        command in helped.out
        for command in ("report", "gate", "collect", "inventory", "expiring", "doctor", "send", "policies")
    )
    codes = keyaudit("explain", "exit-codes").out
    assert all(meaning in codes for meaning in MEANINGS.values())


def test_version_imports_none_of_the_clients() -> None:
    script = (
        "import sys; sys.argv = ['keyaudit', '--version']; import keyaudit.__main__ as m; m.main(); print(len(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert int(ran.stdout.splitlines()[-1]) < 60


def test_judging_a_snapshot_imports_no_client(contoso: Path) -> None:
    script = (
        "import sys; from keyaudit.cli.app import run; run(['gate', '--from', sys.argv[1], '--select', 'kv-key-exportable']);"
        " print(sorted({'azure', 'msgraph', 'aiohttp', 'httpx', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(contoso)], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_exports_are_complete_private_and_agree_with_stdout(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    csv, json = tmp_path / "findings.csv", tmp_path / "findings.json"
    ran = keyaudit("gate", "--from", contoso, "--select", "kv-key-*", "--export", f"csv={csv}", "--export", f"json={json}")
    assert ran.code == Exit.FINDINGS
    assert "FAIL" in ran.out
    for path in (csv, json):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(csv.read_text(encoding="utf-8").splitlines()[0].split(",")) == 63
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["findings.csv", "findings.json"]


def test_allowed_gaps_are_counted_and_only_they_are_allowed(keyaudit: Keyaudit, blind_spots: Path) -> None:
    quiet = ("--select", "kv-key-no-auto-rotation")
    assert keyaudit("report", "--from", blind_spots, *quiet).code == Exit.INCOMPLETE
    some = keyaudit("report", "--from", blind_spots, *quiet, "--allow-gap", "reason=firewall")
    assert some.code == Exit.INCOMPLETE
    every = keyaudit(
        "report",
        "--from",
        blind_spots,
        *quiet,
        *("--allow-gap", "reason=firewall", "--allow-gap", "reason=permission"),
        *("--allow-gap", "scope=kv-stores-dev", "--allow-gap", "reason=control_plane_only"),
        "--full",
    )
    assert every.code == Exit.CLEAN, every.out
    assert "allow-gap" in every.out


def test_every_bug_is_exit_70_and_says_where_without_saying_what_was_read(
    keyaudit: Keyaudit, contoso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("name-of-a-secret-project")

    monkeypatch.setattr("keyaudit.audit.judge", broken)
    ran = keyaudit("gate", "--from", contoso)
    assert ran.code == Exit.BUG
    assert "KeyError" in ran.err
    assert "name-of-a-secret-project" not in ran.err
    assert ran.err.count("\n") == 1


def test_help_imports_nothing_that_judges() -> None:
    script = (
        "import sys; from keyaudit.cli.app import run; run(['--help']);"
        " print(sorted({'keyaudit.policy', 'keyaudit.model.tables', 'yaml', 'duckdb', 'apprise'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
