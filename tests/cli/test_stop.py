"""Ctrl-C and SIGTERM while a report is made: the right exit code, one line at most, and nothing left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import Live, Stored
from keyaudit.cli.sources import live as live_module
from keyaudit.cli.sources import source
from keyaudit.cli.sources.reuse import NO_REUSE, Reuse, resuming
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import Exit, StoppedError
from tests.cli.conftest import Keyaudit
from tests.collect.rig import begun

CTRL_C, TERMINATION = (signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)
"""Each signal with its exit code. Either meets both kinds of reports only in the exhaustive tests."""


def signals(usual: tuple[signal.Signals, Exit], other: tuple[signal.Signals, Exit]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("number", "code"), [usual, pytest.param(*other, marks=pytest.mark.exhaustive)])


def _stopped(tmp: Path, number: signal.Signals, *arguments: str, ready: str, ignoring: bool = False) -> tuple[int, bytes]:
    """Exit code and stderr of a report that is sent a signal as soon as a file that matches `ready` is there."""
    command = [sys.executable, "-m", "keyaudit", *arguments]
    environ = {**os.environ, "TMPDIR": str(tmp)}
    if ignoring:
        command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ) as process:
        while process.poll() is None and not any(tmp.glob(ready)):
            time.sleep(0.005)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    return process.returncode, complaint


@signals(CTRL_C, TERMINATION)
def test_a_live_report_leaves_nothing_of_what_it_read(tmp_path: Path, number: signal.Signals, code: Exit) -> None:
    arguments = ("report", "--demo", "--estate", "sized:8x20")
    ended, complaint = _stopped(tmp_path, number, *arguments, ready="keyaudit-*/**/journal.jsonl")
    assert ended == code
    told = complaint.splitlines()[-1]
    assert told.startswith(
        b"keyaudit: stopped: by Ctrl-C or a signal; nothing is kept; collect, and report and gate with --keep"
    )
    assert b"Traceback" not in complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_what_a_killed_demo_leaves_is_removed_by_the_next_run(tmp_path: Path) -> None:
    arguments = ("report", "--demo", "--estate", "sized:8x20")
    _stopped(tmp_path, signal.SIGKILL, *arguments, ready="keyaudit-*/**/journal.jsonl")
    assert any(tmp_path.glob("keyaudit-*/**/journal.jsonl"))
    again = [sys.executable, "-m", "keyaudit", "report", "--demo", "--estate", "sized:1x1", "--quiet"]
    ran = subprocess.run(again, capture_output=True, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert ran.returncode == Exit.CLEAN, ran.stderr
    assert list(tmp_path.iterdir()) == []


@signals(TERMINATION, CTRL_C)
def test_a_report_that_is_being_written_leaves_no_half_file(
    contoso: Path, tmp_path: Path, number: signal.Signals, code: Exit
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    arguments = ("report", "--from", str(contoso), "--export", f"csv={out / 'findings.csv'}")
    ended, complaint = _stopped(tmp_path, number, *arguments, ready="out/.keyaudit-*")
    assert ended == code
    assert b"Traceback" not in complaint
    assert list(out.iterdir()) == []


def test_a_command_leaves_signals_as_they_were(keyaudit: Keyaudit) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert keyaudit("explain", "exit-codes").code == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.exhaustive
def test_a_background_job_of_a_shell_which_ignores_ctrl_c_is_terminated_too(tmp_path: Path) -> None:
    arguments = ("report", "--demo", "--estate", "sized:8x20")
    ready = "keyaudit-*/**/journal.jsonl"
    ended, complaint = _stopped(tmp_path, signal.SIGTERM, *arguments, ready=ready, ignoring=True)
    assert ended == Exit.TERMINATED
    assert b"Traceback" not in complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("live", "since", "reuse", "flags"),
    [
        (Live(), None, NO_REUSE, ""),
        (Live(demo=True, estate="sized:2x3"), None, NO_REUSE, " --demo --estate sized:2x3"),
        (
            Live(tenant=["a.example", "b.example"], vault=["kv prod"]),
            None,
            NO_REUSE,
            " --tenant a.example --tenant b.example --vault 'kv prod'",
        ),
        (
            Live(config=Path("-c.toml")),
            Path("old one"),
            Reuse(reread=3, budget=30),
            " --config='-c.toml' --reread 3 --budget 30 --copy-from 'old one'",
        ),
    ],
)
def test_the_command_that_goes_on_repeats_the_flags(live: Live, since: Path | None, reuse: Reuse, flags: str) -> None:
    """Without them it would read another tenant, or another part of it."""
    assert resuming(live, Path("snapshot"), since, reuse) == f"keyaudit collect --resume --out snapshot{flags}"


def test_who_stops_a_collection_is_told_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "snapshot"
    arguments = ("collect", "--demo", "--estate", "sized:8x20", "--out", str(out))
    ended, complaint = _stopped(tmp_path, signal.SIGINT, *arguments, ready="snapshot/**/journal.jsonl")
    assert ended == Exit.INTERRUPTED
    told = complaint.decode().splitlines()[-1]
    assert told.endswith(f"; continue with: keyaudit collect --resume --out {out} --demo --estate sized:8x20")


@pytest.mark.parametrize(("begun_by_then", "said"), [(False, "nothing was collected yet"), (True, "continue with: it")])
def test_who_stops_before_anything_was_collected_is_offered_no_continuation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begun_by_then: bool, said: str
) -> None:
    async def stopped(_: Live, folder: Path, *__: object, **___: object) -> None:
        if begun_by_then:
            begun(folder, "00000000-0000-4000-8000-000000000000").close()
        raise KeyboardInterrupt

    monkeypatch.setattr(live_module, "_collect", stopped)
    with pytest.raises(StoppedError) as error:
        live_module.collected(Live(), tmp_path / "snapshot", resume=False, kept="continue with: it")
    assert error.value.remedy == said


@pytest.mark.parametrize(("seconds", "terminal", "kept"), [(61, True, True), (59, True, False), (61, False, False)])
def test_who_stops_a_long_report_at_a_terminal_does_not_lose_what_it_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: int, terminal: bool, kept: bool
) -> None:
    times = iter((0.0, float(seconds)))

    def collected(_: Live, folder: Path, **__: object) -> Snapshot:
        begun(folder, "00000000-0000-4000-8000-000000000000").close()
        raise StoppedError(Exit.INTERRUPTED, "by Ctrl-C or a signal", "nothing is kept")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(live_module, "collected", collected)
    monkeypatch.setattr(SystemClock, "monotonic", lambda _: next(times))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with pytest.raises(StoppedError) as stopped, source.snapshot(Live(vault=["kv-prod"]), Stored()):
        pass
    if not kept:
        assert (stopped.value.remedy, list(tmp_path.iterdir())) == ("nothing is kept", [])
        return
    [folder] = tmp_path.iterdir()
    assert stopped.value.remedy == (
        f"the partial snapshot is kept: continue with keyaudit collect --resume --out {folder}/snapshot --vault kv-prod, then "
        f"keyaudit report --from {folder}/snapshot; or delete {folder}"
    )
    # It can be gone on with, and nobody else can read it.
    Spool.resume(folder / "snapshot").close()
    assert folder.stat().st_mode & 0o077 == 0
