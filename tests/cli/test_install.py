"""Where policies are read from: beside the package in a checkout, so that an edit is seen at once, and from the wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import keyaudit

pytestmark = pytest.mark.exhaustive

ROOT = Path(keyaudit.__file__).parent.parent
EDITED = "Keys rotate by themselves, edited"


def _list(place: Path) -> str:
    environ = {**os.environ, "PYTHONPATH": str(place)}
    command = [sys.executable, "-P", "-m", "keyaudit", "policies", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environ, cwd=place).stdout


def _edit(policies: Path) -> None:
    policy = policies / "key-vault" / "kv-key-no-auto-rotation.yaml"
    text = policy.read_text(encoding="utf-8")
    assert "title: Keys rotate automatically\n" in text
    policy.write_text(text.replace("title: Keys rotate automatically\n", f"title: {EDITED}\n"), encoding="utf-8")


def test_an_editable_install_sees_an_edited_policy_at_once(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "keyaudit", tmp_path / "keyaudit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    assert EDITED not in _list(tmp_path)
    _edit(tmp_path / "policies")
    assert EDITED in _list(tmp_path)


def test_a_wheel_takes_its_policies_along_and_looks_nowhere_else(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "keyaudit", tmp_path / "keyaudit", ignore=shutil.ignore_patterns("__pycache__"))
    # What the wheel's force-include makes of policies/.
    shutil.copytree(ROOT / "policies", tmp_path / "keyaudit" / "_policies")
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    _edit(tmp_path / "policies")
    assert EDITED not in _list(tmp_path)
