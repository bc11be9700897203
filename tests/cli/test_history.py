"""`keyaudit history`: the findings of a tenant over the snapshots in a folder."""

import shutil
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

KEYS = ("--select", "kv-key-expired-still-enabled")


def test_a_copy_of_a_snapshot_counts_once_and_deadlines_come_from_the_settings(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    for name in ("monday", "monday-again"):
        shutil.copytree(contoso, tmp_path / "kept" / name)
    settings = tmp_path / "keyaudit.toml"
    settings.write_text('[deadlines]\ncritical = "P7D"\n')
    ran = keyaudit("history", tmp_path / "kept", *KEYS, "-c", settings, "-o", "json")
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    report = keyaudit("report", "--from", contoso, *KEYS, "-o", "json").json
    assert len(ran.json["snapshots"]) == 1
    assert {each["finding"] for each in ran.json["findings"]} == {each["id"] for each in report["findings"]} != set()
    assert {each["earlier"] for each in ran.json["findings"]} == {True}
    assert ran.json["deadlines"] == {"critical": "P7D"}
    shown = keyaudit("config", "show", "-c", settings).out
    assert "deadlines.critical" in shown


@pytest.mark.exhaustive
def test_all_snapshots_are_evaluated_with_the_policies_of_today(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    shutil.copytree(contoso, tmp_path / "kept" / "monday")
    assert keyaudit("collect", "--demo", "--out", tmp_path / "kept" / "tuesday").code == Exit.CLEAN
    chosen, settings = ("--select", "kv-mixed-purpose-vault", "-o", "json"), tmp_path / "keyaudit.toml"
    before = keyaudit("history", tmp_path / "kept", *chosen).json
    assert len(before["snapshots"]) == 2
    assert {each["closed"] for each in before["findings"]} == {None}
    settings.write_text("[policy]\nparameters = { kv-mixed-purpose-vault = { max_apps = 99, max_environments = 99 } }\n")
    # A policy that changed is no fix: nothing was ever open, and nothing was closed.
    after = keyaudit("history", tmp_path / "kept", *chosen, "-c", settings).json
    assert (after["findings"], [each["closed"] for each in after["snapshots"]]) == ([], [0, 0])
    assert {each["first_seen"] for each in before["findings"]} == {before["snapshots"][0]["as_of"]}


def test_a_deadline_that_is_none_is_refused_with_its_place(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    shutil.copytree(contoso, tmp_path / "kept" / "1")
    settings = tmp_path / "keyaudit.toml"
    settings.write_text('[deadlines]\nhihg = "P7D"\nlow = "soon"\n')
    ran = keyaudit("history", tmp_path / "kept", *KEYS, "-c", settings)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"{settings}:2: no severity 'hihg'; did you mean high?" in ran.err
    assert f"{settings}:3: not an ISO 8601 duration: 'soon'" in ran.err


def test_snapshots_of_two_tenants_and_a_folder_without_any_are_refused(
    keyaudit: Keyaudit, contoso: Path, hardened: Path, tmp_path: Path
) -> None:
    assert keyaudit("history", tmp_path, *KEYS).code == Exit.USAGE
    shutil.copytree(contoso, tmp_path / "1")
    shutil.copytree(hardened, tmp_path / "2")
    ran = keyaudit("history", tmp_path, *KEYS)
    assert (ran.code, ran.out) == (Exit.UNSAFE, "")
    assert "keep each tenant's snapshots in a folder of their own" in ran.err


def test_metrics_have_the_tags_of_the_settings_and_no_others(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    settings, file = tmp_path / "keyaudit.toml", tmp_path / "keyaudit.prom"
    settings.write_text('[prometheus]\ntags = ["App"]\n')
    ran = keyaudit("export", f"prometheus={file}", "--from", contoso, *KEYS, "-c", settings)
    assert ran.code == Exit.CLEAN, ran.err
    lines = [line for line in file.read_text().splitlines() if line.startswith("keyaudit_credential_created_timestamp")]
    assert lines
    assert all('tag_app="' in line and line.count("tag_") == 1 for line in lines)
    assert any('tag_app=""' not in line for line in lines)
    assert "prometheus.tags" in keyaudit("config", "show", "-c", settings).out
