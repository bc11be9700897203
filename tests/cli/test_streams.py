"""Output that cannot be written: never exit 0, never exit 1 for a reason other than findings, and one line that says why."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from keyaudit.report import files
from keyaudit.report.formats import BUNDLE, FILES, FORMATS
from tests.cli.conftest import Keyaudit
from tests.report.test_files import room_for

LISTINGS = (["inventory"], ["inventory", "key", "-o", "csv"], ["expiring"], ["doctor"])
FEW = ("--select", "kv-purge-protection-off")
TINY = ("--demo", "--estate", "sized:2x3")
COMMANDS = (["permissions"], ["policies", "list"], ["explain", "exit-codes"], ["explain", "kv-key-rotation-overdue"])


def _run(arguments: list[str], **streams: object) -> "subprocess.CompletedProcess[bytes]":
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([sys.executable, "-m", "keyaudit", *arguments], check=False, **given)  # type: ignore[call-overload,no-any-return]


@contextmanager
def _closed() -> Iterator[int]:
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


def test_a_closed_pipe_never_turns_a_failing_gate_into_success(contoso: Path) -> None:
    with _closed() as closed:
        for command, code in (("gate", Exit.FINDINGS), ("report", Exit.BUG)):
            ran = _run([command, "--from", str(contoso), "-o", "json"], stdout=closed)
            assert ran.returncode == code
            assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("name", ["csv", "sarif", "xlsx", "ocsf"])
def test_a_closed_pipe_never_makes_an_export_a_success(contoso: Path, name: str) -> None:
    with _closed() as closed:
        ran = _run(["export", name, "--from", str(contoso)], stdout=closed)
    assert ran.returncode == Exit.BUG
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", [*COMMANDS, ["policies", "test"], ["--help"]], ids=" ".join)
def test_a_closed_pipe_is_not_exit_1_which_means_findings(arguments: list[str]) -> None:
    with _closed() as closed:
        ran = _run(arguments, stdout=closed)
    assert ran.returncode == Exit.BUG
    assert ran.stderr.count(b"\n") <= 1
    assert b"a bug" not in ran.stderr


@pytest.mark.parametrize("arguments", [*COMMANDS, ["report"], ["gate"], ["gate", "-o", "csv"], *LISTINGS], ids=" ".join)
def test_a_full_disk_is_said_in_one_line(contoso: Path, arguments: list[str]) -> None:
    judging = ["--from", str(contoso)] if arguments[0] in {"report", "gate", "inventory", "expiring", "doctor"} else []
    with Path("/dev/full").open("wb") as full:
        ran = _run([*arguments, *judging], stdout=full)
    assert ran.returncode == Exit.BUG
    assert (
        ran.stderr.decode()
        == "keyaudit: stdout: could not be written (No space left on device); make room, or redirect it elsewhere\n"
    )


def test_a_snapshot_is_kept_though_nobody_reads_what_became_of_it(tmp_path: Path) -> None:
    with _closed() as closed:
        ran = _run(["collect", *TINY, "--out", str(tmp_path / "s")], stdout=closed)
    assert ran.returncode == Exit.BUG
    assert _run(["report", "--from", str(tmp_path / "s")]).returncode == Exit.CLEAN


@pytest.mark.parametrize(
    ("close", "arguments", "code"),
    [
        (lambda: os.close(1), ["explain", "exit-codes"], Exit.BUG),
        (lambda: os.close(2), ["explain", "exit-codes"], Exit.CLEAN),
        (lambda: os.close(2), ["explain", "nothing"], Exit.USAGE),
        (lambda: os.close(2), ["gate", *TINY], Exit.FINDINGS),
        (lambda: os.closerange(1, 3), ["explain", "nothing"], Exit.USAGE),
    ],
)
def test_a_stream_that_is_not_there_changes_no_exit_code(close: Callable[[], None], arguments: list[str], code: Exit) -> None:
    assert _run(arguments, stdout=None, stderr=None, preexec_fn=close).returncode == code


def test_an_stderr_that_nobody_reads_changes_no_exit_code(contoso: Path) -> None:
    with _closed() as closed:
        assert _run(["explain", "nothing"], stderr=closed).returncode == Exit.USAGE
        assert _run(["gate", *TINY], stderr=closed).returncode == Exit.FINDINGS
    with Path("/dev/full").open("wb") as full:
        assert _run(["gate", "--from", str(contoso), "--profile", "x"], stderr=full).returncode == Exit.USAGE


@pytest.mark.parametrize("format_", ["text", "table", "csv", "json"])
def test_a_terminal_that_lacks_a_letter_costs_no_report(contoso: Path, format_: str) -> None:
    arguments = ["report", "--from", str(contoso), "-o", format_]
    ran = _run(arguments, env={**os.environ, "PYTHONIOENCODING": "ascii:strict"})
    assert ran.returncode == Exit.CLEAN, ran.stderr
    assert ran.stdout.isascii()


@pytest.mark.parametrize("place", ["link", "no/x", "file/x", "folder", "/dev/stdout", "/dev/null"])
def test_an_export_to_no_place_for_a_file_is_refused_before_anything_is_read(
    keyaudit: Keyaudit, tmp_path: Path, place: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    ran = keyaudit("report", "--demo", "--export", f"json={tmp_path / place}")
    assert ran.code == Exit.BUG
    assert ran.out == ""
    assert "reading tenant" not in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "elsewhere").exists()


def test_an_export_that_fails_costs_neither_the_others_nor_the_report_and_is_exit_70(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.os.fsync  # type: ignore[attr-defined]
    calls = iter(range(100))

    def first_fails(descriptor: int) -> None:
        if next(calls) == 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", first_fails)
    exports = ("--export", f"csv={tmp_path / 'a'}", "--export", f"json={tmp_path / 'b'}")
    ran = keyaudit("report", "--from", contoso, *exports)
    assert ran.code == Exit.BUG
    assert "Complete" in ran.out
    assert "No space left on device" in ran.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("name", [*FILES, *FORMATS])
def test_an_export_that_nobody_reads_to_its_end_is_exit_70(contoso: Path, name: str) -> None:
    with _closed() as closed:
        ran = _run(["export", name, "--from", str(contoso), *FEW], stdout=closed)
    assert (ran.returncode, ran.stderr.count(b"\n")) == (Exit.BUG, 1)
    assert ran.stderr.startswith(b"keyaudit: stdout: was closed")
    with Path("/dev/full").open("wb") as full:
        ran = _run(["export", name, "--from", str(contoso), *FEW], stdout=full)
    assert (ran.returncode, ran.stderr.count(b"\n")) == (Exit.BUG, 1)
    assert b"No space left on device" in ran.stderr


def test_a_closed_pipe_costs_no_file_and_no_failing_gate(contoso: Path, tmp_path: Path) -> None:
    names = [*FILES, *FORMATS, BUNDLE]
    exports = [word for name in names for word in ("--export", f"{name}={tmp_path / name}")]
    with _closed() as closed:
        ran = _run(["gate", "--from", str(contoso), "--fail-on", "low", *FEW, *exports], stdout=closed)
    assert ran.returncode == Exit.FINDINGS, ran.stderr
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names)
    assert _run(["export", "verify", str(tmp_path / BUNDLE)]).returncode == Exit.CLEAN


@pytest.mark.parametrize("name", [*FILES, *FORMATS, BUNDLE])
def test_a_disk_that_fills_up_at_any_write_is_exit_70_and_leaves_no_part(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, name: str
) -> None:
    whole = tmp_path / "whole"
    command = ("export", "--from", contoso, *FEW)
    assert keyaudit(*command, f"{name}={whole}").code == Exit.CLEAN
    size = max(path.stat().st_size for path in (whole, *whole.rglob("*")) if path.is_file())
    for room in (0, size // 2, size - 1):
        with room_for(room):
            ran = keyaudit(*command, f"{name}={tmp_path / 'out'}")
        assert (ran.code, ran.out, ran.err.count("\n")) == (Exit.BUG, "", 1), ran.err
        assert f"{tmp_path / 'out'}: could not be written" in ran.err
        assert list(tmp_path.iterdir()) == [whole]
