"""What a person at a terminal sees that a pipe does not: progress on stderr, colour and the full width on stdout."""

import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from fcntl import ioctl
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.redirected import Done, redirected

FEW = ("--select", "kv-key-*", "--select", "sp-tier0-with-secret")


def _at_a_terminal(*arguments: str, columns: int = 100, **environ: str) -> tuple[int, str]:
    """Exit code and all that the terminal got, of a command whose stdout and stderr are one."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "CI")}
    got: list[bytes] = []

    def read() -> None:
        # A terminal holds some KB: what writes more waits until they are read.
        while True:
            try:
                part = os.read(master, 65_536)
            except OSError:
                return
            if not part:
                return
            got.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        code = redirected(arguments, stdout=slave, stderr=slave, env={**clean, "TERM": "xterm", **environ}).returncode
    finally:
        os.close(slave)
        reader.join()
        os.close(master)
    return code, b"".join(got).decode()


def test_a_live_run_shows_its_progress_and_takes_it_away(tmp_path: Path) -> None:
    code, got = _at_a_terminal("collect", "--demo", "--estate", "sized:2x3", "--out", str(tmp_path / "s"))
    assert code == Exit.CLEAN
    assert "service principals" in got
    assert "\x1b[" in got


def test_quiet_shows_none(tmp_path: Path) -> None:
    code, got = _at_a_terminal("collect", "--demo", "--estate", "sized:2x3", "--out", str(tmp_path / "s"), "--quiet")
    assert code == Exit.CLEAN
    assert "\x1b[" not in got


def test_colour_is_for_terminals_that_want_it(contoso: Path) -> None:
    report = ("report", "--from", str(contoso), "--select", "kv-key-exportable")
    assert "\x1b[" in _at_a_terminal(*report)[1]
    for _, got in (_at_a_terminal(*report, NO_COLOR="1"), _at_a_terminal(*report, TERM="dumb")):
        assert "MEDIUM" in got
        assert "\x1b[" not in got


def _widest(contoso: Path, columns: int) -> int:
    _, got = _at_a_terminal("report", "--from", str(contoso), *FEW, NO_COLOR="1", columns=columns)
    # A command is not broken, however long the path in it.
    return max(len(line) for line in got.splitlines() if not line.startswith("Next: "))


def test_lines_are_as_wide_as_the_terminal(contoso: Path) -> None:
    assert _widest(contoso, 70) <= 70
    assert 80 < _widest(contoso, 120) <= 120


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("command", [("explain", "kv-key-no-expiry"), ("policies", "list")])
def test_a_policy_fits_a_narrow_terminal(command: tuple[str, ...], columns: int) -> None:
    _, got = _at_a_terminal(*command, NO_COLOR="1", columns=columns)
    # A command is not broken, so that it can be pasted.
    lines = [line for line in got.splitlines() if not line.strip().startswith("az ")]
    assert 40 < max(map(len, lines)) <= columns


def test_a_table_fits_every_terminal(contoso: Path) -> None:
    table = ("report", "--from", str(contoso), *FEW, "--group-by", "none")
    got = {columns: _at_a_terminal(*table, NO_COLOR="1", columns=columns)[1] for columns in (60, 80, 100)}
    for columns, text in got.items():
        assert max(len(line) for line in text.splitlines()) <= columns
    assert "\nSeverity  CRITICAL\r\nProblem   " in got[60].replace("\r\r", "\r")


def test_groups_fit_every_terminal(contoso: Path) -> None:
    for group in ("policy", "owner"):
        _, got = _at_a_terminal("report", "--from", str(contoso), *FEW, "--group-by", group, NO_COLOR="1", columns=60)
        assert "CRITICAL" in got
        assert max(len(line) for line in got.splitlines()) <= 60


def _plain(*arguments: str | Path, **environ: str) -> Done:
    names = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    return redirected(arguments, env={**clean, **environ})


def test_colour_is_forced_into_a_pipe_and_no_color_wins(contoso: Path) -> None:
    report = ("report", "--from", str(contoso), "--select", "kv-key-exportable")
    assert b"\x1b[" not in _plain(*report).stdout
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        assert b"\x1b[" in _plain(*report, **{name: "1"}).stdout
        assert b"\x1b[" not in _plain(*report, **{name: "0"}).stdout
        assert b"\x1b[" not in _plain(*report, **{name: "1"}, NO_COLOR="1").stdout
    # Machine-readable output is never coloured, and there is no animation without a terminal.
    assert b"\x1b[" not in _plain(*report, "-o", "json", FORCE_COLOR="1").stdout
    live = ("report", "--demo", "--estate", "sized:1x1x1x1", "--source", "vaults", "--select", "kv-purge-*")
    moving = _plain(*live, FORCE_COLOR="1")
    assert moving.stderr
    assert b"\x1b[" not in moving.stderr


def test_an_error_is_coloured_on_its_own_stream() -> None:
    assert _plain("explain", "nothing", FORCE_COLOR="1").stderr.startswith(b"\x1b[1;31mkeyaudit: \x1b[0m")
    assert _plain("explain", "nothing").stderr.startswith(b"keyaudit: ")
    assert _at_a_terminal("explain", "nothing")[1].startswith("\x1b[1;31mkeyaudit: ")
    assert _at_a_terminal("explain", "nothing", NO_COLOR="1")[1].startswith("keyaudit: ")


def test_stdout_to_a_file_is_plain_while_stderr_is_a_terminal(contoso: Path, tmp_path: Path) -> None:
    keyaudit = f"{sys.executable} -m keyaudit"
    report = f"{keyaudit} report --from {contoso} --select kv-key-exportable"
    shell = f"{report} > {tmp_path / 'out'}; {keyaudit} explain x"
    master, slave = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    subprocess.run(["sh", "-c", shell], stdout=slave, stderr=slave, env={**clean, "TERM": "xterm"}, check=False)
    os.close(slave)
    out = (tmp_path / "out").read_bytes()
    assert b"MEDIUM" in out
    assert b"\x1b[" not in out
    assert b"\x1b[1;31m" in os.read(master, 65_536)
    os.close(master)
