"""Output that cannot be written: never exit 0, never exit 1 for a reason other than findings, and at most one line about it."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.policy.load import shipped
from keyaudit.report import files
from keyaudit.report.formats import BUNDLE
from tests.cli.conftest import Keyaudit
from tests.cli.redirected import apart, redirected
from tests.estates import snapshot
from tests.report.test_files import room_for

LISTINGS = (["inventory"], ["inventory", "key", "-o", "csv"], ["expiring"], ["doctor"])
FEW = ("--select", "kv-purge-protection-off")
ONE = ("--source", "vaults", *FEW)
TINY = ("--demo", "--estate", "sized:1x1x1x1")
COMMANDS = (["permissions"], ["policies", "list"], ["explain", "exit-codes"], ["explain", "kv-key-rotation-overdue"])


@contextmanager
def _closed() -> Iterator[int]:
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


def test_a_closed_pipe_never_turns_a_failing_gate_into_success() -> None:
    with _closed() as closed:
        for command, code in ((("gate", "--fail-on", "low"), Exit.FINDINGS), (("report",), Exit.CLOSED)):
            of = ("--from", snapshot("sized:2x3x1x4"), "-o", "json", "--select", "kv-no-private-endpoint")
            ran = apart([*command, *of], stdout=closed)
            assert ran.returncode == code
            assert ran.stderr == b""


def test_a_reader_that_stops_reading_is_told_nothing() -> None:
    """As `| head` and a pager that is left: 141, as a shell has it for SIGPIPE."""
    for arguments in (*COMMANDS, ["policies", "test", str(shipped() / "key-vault" / "kv-key-exportable.yaml")], ["--help"]):
        with _closed() as closed:
            ran = redirected(arguments, stdout=closed)
        assert (ran.returncode, ran.stderr) == (Exit.CLOSED, b""), arguments


@pytest.mark.exhaustive
def test_a_full_disk_is_said_in_one_line(contoso: Path) -> None:
    said = b"keyaudit: stdout: could not be written (No space left on device); free some space, or redirect it elsewhere\n"
    for arguments in (*COMMANDS, ["report", *FEW], ["gate", *FEW], ["gate", "-o", "csv", *FEW], *LISTINGS):
        judging = ["--from", str(contoso)] if arguments[0] in {"report", "gate", "inventory", "expiring", "doctor"} else []
        with Path("/dev/full").open("wb") as full:
            ran = redirected([*arguments, *judging], stdout=full)
        assert (ran.returncode, ran.stderr) == (Exit.BUG, said), arguments


def test_a_snapshot_is_kept_though_nobody_reads_what_became_of_it(tmp_path: Path) -> None:
    with _closed() as closed:
        ran = redirected(["collect", *TINY, "--out", tmp_path / "s"], stdout=closed)
    assert ran.returncode == Exit.CLOSED
    assert redirected(["report", "--from", tmp_path / "s", *FEW]).returncode == Exit.CLEAN


@pytest.mark.parametrize(
    ("close", "arguments", "code"),
    [
        (lambda: os.close(1), ["explain", "exit-codes"], Exit.BUG),
        pytest.param(lambda: os.close(2), ["explain", "exit-codes"], Exit.CLEAN, marks=pytest.mark.exhaustive),
        pytest.param(lambda: os.close(2), ["explain", "nothing"], Exit.USAGE, marks=pytest.mark.exhaustive),
        pytest.param(lambda: os.close(2), ["gate", *TINY, *ONE], Exit.CLEAN, marks=pytest.mark.exhaustive),
        (lambda: os.closerange(1, 3), ["explain", "nothing"], Exit.USAGE),
    ],
)
def test_a_stream_that_is_not_there_changes_no_exit_code(close: Callable[[], None], arguments: list[str], code: Exit) -> None:
    assert apart(arguments, stdout=None, stderr=None, preexec_fn=close).returncode == code


def test_an_stderr_that_nobody_reads_changes_no_exit_code(contoso: Path) -> None:
    with _closed() as closed:
        assert apart(["explain", "nothing"], stderr=closed).returncode == Exit.USAGE
        assert redirected(["gate", *TINY, *ONE], stderr=closed).returncode == Exit.CLEAN
    with Path("/dev/full").open("wb") as full:
        assert redirected(["gate", "--from", contoso, "--profile", "x"], stderr=full).returncode == Exit.USAGE


LETTERS = """\
version: 1
waivers:
  - id: W-1
    match: {{policy: kv-purge-protection-off, resource: "*/vaults/kv-*"}}
    reason: Zoë asked
    owner: Zoë
    approved_by: Jürgen
    expires: {last}
"""


def test_a_terminal_that_lacks_a_letter_costs_no_report(contoso: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "w.yaml"
    last = iso_date(open_snapshot(contoso).run.as_of + 60 * DAY)
    waivers.write_text(LETTERS.format(last=last), encoding="utf-8")
    waived = ("report", "--from", contoso, *FEW, "--waivers", waivers, "-o")
    screen = redirected(("report", "--from", contoso), encoding="ascii").stdout
    assert b"~" in screen
    assert b"u2026" not in screen
    for command in ((*waived, "text"), (*waived, "csv"), (*waived, "json"), ("waivers", "list", "--file", waivers)):
        ran = redirected(command, encoding="ascii")
        assert ran.returncode == Exit.CLEAN, ran.stderr
        assert ran.stdout.isascii()
        assert re.search(rb"Zo(?!\xc3)", ran.stdout), command


@pytest.mark.parametrize("place", ["link", "no/x", "file/x", "folder", "/dev/stdout", "/dev/null"])
def test_an_export_to_no_place_for_a_file_is_refused_before_anything_is_read(
    keyaudit: Keyaudit, tmp_path: Path, place: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    ran = keyaudit("report", "--demo", "--export", f"json={tmp_path / place}")
    assert ran.code == Exit.USAGE
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
    ran = keyaudit("gate", "--from", contoso, *FEW, "--fail-on", "low", *exports)
    assert ran.code == Exit.BUG
    assert "FAIL" in ran.out
    assert "No space left on device" in ran.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["b"]


@pytest.mark.exhaustive
def test_an_export_to_stdout_that_is_cut_short_is_never_exit_0(contoso: Path) -> None:
    for name in ("json", "csv", "text", "jsonl", "sarif", "xlsx"):
        with _closed() as closed:
            ran = redirected(["export", name, "--from", contoso, *FEW], stdout=closed)
        assert (ran.returncode, ran.stderr) == (Exit.CLOSED, b""), name
        with Path("/dev/full").open("wb") as full:
            ran = redirected(["export", name, "--from", contoso, *FEW], stdout=full)
        assert (ran.returncode, ran.stderr.count(b"\n")) == (Exit.BUG, 1), name
        assert b"No space left on device" in ran.stderr, name


def test_a_closed_pipe_costs_no_file_and_no_failing_gate(contoso: Path, tmp_path: Path) -> None:
    names = ["json", "sarif"]
    exports = [word for name in names for word in ("--export", f"{name}={tmp_path / name}")]
    with _closed() as closed:
        ran = redirected(["gate", "--from", contoso, "--fail-on", "low", *FEW, *exports], stdout=closed)
    assert ran.returncode == Exit.FINDINGS, ran.stderr
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["json", BUNDLE])
def test_a_disk_that_fills_up_at_any_write_is_exit_70_and_leaves_no_part(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, name: str
) -> None:
    """That each format leaves nothing wherever its disk fills up is tested where it is written."""
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
