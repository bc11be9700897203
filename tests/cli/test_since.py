"""`collect --since`: the same snapshot as a whole run's, of the same tenant, by the same keyaudit."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Keyaudit


@pytest.mark.exhaustive
def test_it_gives_the_snapshot_that_a_whole_run_gives(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    ran = keyaudit("collect", "--demo", "--since", contoso, "--out", tmp_path / "later", "--quiet")
    assert ran.code == 0
    few = ("--select", "kv-key-*", "--select", "kv-purge-*", "--select", "app-secret-*", "-o", "json", "--all")
    other = keyaudit("report", "--from", tmp_path / "later", *few).json
    # Of one moment: in between something may have become a day older.
    moment = other["run"]["as_of"]
    one = keyaudit("report", "--from", contoso, *few, "--as-of", moment).json
    assert other["run"]["since"] == one["run"]["id"]
    for member in ("findings", "coverage", "verdict", "policies"):
        assert other[member] == one[member]


def test_another_tenants_snapshot_is_refused(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    ran = keyaudit("collect", "--demo", "--estate", "sized:1x1", "--since", contoso, "--out", tmp_path / "later", "--quiet")
    assert ran.code == 5
    assert "--copy-from: the snapshot is of tenant" in ran.err
    assert not (tmp_path / "later" / "manifest.json").exists()


def test_what_is_no_snapshot_is_refused_before_anything_is_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    ran = keyaudit("collect", "--demo", "--since", tmp_path / "none", "--out", tmp_path / "later", "--quiet")
    assert ran.code == 2
    assert "reading tenant" not in ran.err


def test_another_keyaudits_snapshot_is_refused(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyaudit.audit.__version__", "99.0")
    ran = keyaudit("collect", "--demo", "--since", contoso, "--out", tmp_path / "later", "--quiet")
    assert ran.code == 2
    made = json.loads((contoso / "manifest.json").read_text(encoding="utf-8"))["run"]["tool_version"]
    assert f"was made by keyaudit {made}" in ran.err
