"""What a person at a terminal sees that a pipe does not: progress on stderr, colour and the full width on stdout."""

import os
import pty
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

from keyaudit.model.errors import Exit


def _at_a_terminal(*arguments: str, columns: int = 100, **environ: str) -> tuple[int, str]:
    """Exit code and all that the terminal got, of a command whose stdout and stderr are one."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "CI")}
    command = [sys.executable, "-m", "keyaudit", *arguments]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env={**clean, "TERM": "xterm", **environ}) as process:
        os.close(slave)
        got = b""
        while True:
            try:
                part = os.read(master, 65_536)
            except OSError:
                break
            if not part:
                break
            got += part
    os.close(master)
    return process.returncode, got.decode()


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
    assert "\x1b[" in _at_a_terminal("report", "--from", str(contoso))[1]
    assert "\x1b[" not in _at_a_terminal("report", "--from", str(contoso), NO_COLOR="1")[1]
    assert "\x1b[" not in _at_a_terminal("report", "--from", str(contoso), TERM="dumb")[1]


def _widest(contoso: Path, columns: int) -> int:
    _, got = _at_a_terminal("report", "--from", str(contoso), NO_COLOR="1", columns=columns)
    return max(len(line) for line in got.splitlines())


def test_lines_are_as_wide_as_the_terminal(contoso: Path) -> None:
    assert _widest(contoso, 70) <= 70
    assert 80 < _widest(contoso, 120) <= 120
