"""What runs on Windows, as far as that can be shown without it: what POSIX alone has is hidden, and files behave as there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from keyaudit.report.formats import FORMATS


def _as_there(*arguments: str | Path, tmp: Path) -> tuple[int, str]:
    """Exit code and stderr of what `tests.as_on_windows` is told."""
    environ = {**os.environ, "TMPDIR": str(tmp), "XDG_CACHE_HOME": str(tmp)}
    command = [sys.executable, "-m", "tests.as_on_windows", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=300, check=False)
    return done.returncode, done.stderr


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    assert _as_there("import", tmp=tmp_path) == (0, "")


@pytest.mark.exhaustive
def test_collect_stop_resume_report_export_and_verify(tmp_path: Path) -> None:
    out, files = tmp_path / "snapshot", tmp_path / "files"
    files.mkdir()
    collect = ("collect", "--demo", "--estate", "contoso")
    code, told = _as_there("interrupt-when", out / "spool" / "key.jsonl", *collect, "--out", out, tmp=tmp_path)
    assert code == Exit.INTERRUPTED, told
    code, told = _as_there(*collect, "--out", out, "--resume", tmp=tmp_path)
    assert code == 0, told
    assert not {"lock", "spool"} & {path.name for path in out.iterdir()}
    code, told = _as_there("report", "--from", out, tmp=tmp_path)
    assert code == 0, told
    targets = [f"{name}={files / name}" for name in FORMATS]
    code, told = _as_there("export", "--from", out, *targets, f"bundle={files / 'bundle'}", tmp=tmp_path)
    assert code == 0, told
    assert {path.name for path in files.iterdir()} == {*FORMATS, "bundle"}
    # An existing file is replaced by a newer one.
    code, told = _as_there("export", "--from", out, f"csv={files / 'csv'}", tmp=tmp_path)
    assert code == 0, told
    code, told = _as_there("export", "verify", files / "bundle", tmp=tmp_path)
    assert code == 0, told
    (files / "bundle" / "inventory" / "added").write_text("x")
    code, _ = _as_there("export", "verify", files / "bundle", tmp=tmp_path)
    assert code == Exit.UNSAFE
