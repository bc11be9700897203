"""Temporary folders hold what was read of a tenant: none outlives its run for long, and none of a run at work is touched."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyaudit.inventory.disk.temporary import temporary_folder

HOLD = """
from keyaudit.inventory.disk.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "read").mkdir()
    (folder / "read" / "secret.json").write_text("{}")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, of this process and of those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def another_run() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_is_private_and_removed_at_the_end(place: Path) -> None:
    with temporary_folder() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert list(place.iterdir()) == []


def test_a_folder_is_removed_when_the_run_fails(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_folder():
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


def test_the_folder_of_a_killed_run_is_removed_by_the_next(place: Path) -> None:
    with another_run() as (process, left):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (left / "read" / "secret.json").exists()
    with temporary_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_the_folder_of_a_run_at_work_is_left_alone(place: Path) -> None:
    with another_run() as (process, other):
        with temporary_folder():
            assert (other / "read" / "secret.json").exists()
        process.communicate("\n")
    assert process.returncode == 0
    assert list(place.iterdir()) == []


def test_what_is_no_temporary_folder_of_ours_is_left_alone(place: Path) -> None:
    (place / "keyaudit-tmp-empty").mkdir()
    (place / "keyaudit-tmp-file").write_text("x")
    elsewhere = place / "mine"
    elsewhere.mkdir()
    (elsewhere / "in-use").write_text("x")
    (place / "keyaudit-tmp-link").symlink_to(elsewhere)
    (place / "keyaudit-snapshot").mkdir()
    (place / "keyaudit-snapshot" / "in-use").write_text("x")
    before = sorted(place.iterdir())
    with temporary_folder():
        pass
    assert sorted(place.iterdir()) == before
    assert (elsewhere / "in-use").read_text() == "x"


def test_the_folder_of_another_user_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "keyaudit-tmp-theirs").mkdir()
    (place / "keyaudit-tmp-theirs" / "in-use").write_text("x")
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    with temporary_folder():
        pass
    assert (place / "keyaudit-tmp-theirs").exists()
