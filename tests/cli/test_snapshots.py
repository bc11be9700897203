"""Snapshots as users rely on them: the same bytes anywhere, safe to interrupt, and refused when they are not whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.values import times
from tests.cli.conftest import Keyaudit

KEYS = ("--select", "kv-key-*", "--all")
COMMAND = [sys.executable, "-m", "keyaudit"]


def _run(*arguments: str | Path, environ: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    command = [*COMMAND, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, env={**os.environ, **(environ or {})}, timeout=120, check=False)


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The simulator by itself, as a proxy; the variables that lead any client to it."""
    command = [sys.executable, "-m", "keyaudit.simulator", "--estate", "sized:6x6x2x8", "--latency", "20ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found: dict[str, str] = {}
        while "AZURE_CLIENT_SECRET" not in found or "REQUESTS_CA_BUNDLE" not in found:
            line = server.stdout.readline()
            assert line, "the simulator did not start"
            name, _, value = line.strip().removeprefix("export ").partition("=")
            found[name] = value
        try:
            yield found
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
        assert server.returncode == 0


@pytest.mark.exhaustive
def test_one_snapshot_gives_the_same_bytes_in_any_time_zone_and_hash_order(contoso: Path) -> None:
    reports = [
        _run("report", "--from", contoso, "-o", "json", *KEYS, environ={"TZ": zone, "PYTHONHASHSEED": seed})
        for zone, seed in (("Pacific/Kiritimati", "1"), ("America/New_York", "2"))
    ]
    assert reports[0].stdout == reports[1].stdout
    assert len(reports[0].stdout) > 10_000
    assert reports[0].returncode == Exit.CLEAN


@pytest.mark.exhaustive
def test_concurrency_does_not_change_what_is_collected(tmp_path: Path, tenant: Mapping[str, str]) -> None:
    for number in ("1", "64"):
        ran = _run(
            "collect", "--auth", "env", "--concurrency", number, "--share", "1", "--out", tmp_path / number, environ=tenant
        )
        assert ran.returncode == Exit.CLEAN, ran.stderr
    assert _content(tmp_path / "1") == _content(tmp_path / "64")


@pytest.mark.exhaustive
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)])
def test_an_interrupted_collection_goes_on_and_ends_as_if_it_had_not_been(
    tmp_path: Path, tenant: Mapping[str, str], number: signal.Signals, code: Exit
) -> None:
    whole = _run("collect", "--auth", "env", "--out", tmp_path / "whole", environ=tenant)
    assert whole.returncode == Exit.CLEAN, whole.stderr

    out = tmp_path / "stopped"
    command = [*COMMAND, "collect", "--auth", "env", "--concurrency", "2", "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **tenant}) as process:
        journal = out / "spool" / "journal.jsonl"
        for _ in range(1_000):
            if journal.exists() and journal.read_bytes().count(b'"closed"') >= 3:
                break
            time.sleep(0.02)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == code
    assert complaint.count(b"\n") == 2
    assert b"collect --resume --out" in complaint
    assert b"Traceback" not in complaint

    unfinished = _run("report", "--from", out)
    assert unfinished.returncode == Exit.USAGE
    assert b"--resume" in unfinished.stderr
    assert unfinished.stderr.count(b"\n") == 1

    resumed = _run("collect", "--auth", "env", "--resume", "--out", out, environ=tenant)
    assert resumed.returncode == Exit.CLEAN, resumed.stderr
    assert _content(out) == _content(tmp_path / "whole")
    assert {(c.scope.id, c.operation, c.state) for c in open_snapshot(out).coverage} == {
        (c.scope.id, c.operation, c.state) for c in open_snapshot(tmp_path / "whole").coverage
    }


OTHER = "22222222-2222-2222-2222-222222222222"


def test_a_finished_collection_that_is_resumed_says_so_and_ends_as_it_did(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path
) -> None:
    for made, code in ((contoso, Exit.CLEAN), (blind_spots, Exit.INCOMPLETE)):
        copy = tmp_path / made.parent.name
        shutil.copytree(made, copy)
        before = (copy / "manifest.json").read_bytes()
        ran = keyaudit("collect", "--demo", "--resume", "--out", copy)
        assert ran.code == code
        assert f"{copy}: this collection is complete; keyaudit read nothing again" in ran.err
        assert ran.out.startswith("SIMULATED TENANT")
        assert "Next: keyaudit report --from" in ran.out
        assert (copy / "manifest.json").read_bytes() == before
        assert keyaudit("collect", "--demo", "--resume", "--out", copy, "-q").err == ""


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--demo", "--vault", "kv-other"), Exit.USAGE, "started with no filters, and other filters are given"),
        (("--demo", "--tenant", OTHER), Exit.UNSAFE, "this collection is of tenant "),
        (("--auth", "env"), Exit.UNSAFE, "(simulated); collect it into another folder"),
    ],
)
def test_a_finished_collection_is_not_resumed_as_another(
    keyaudit: Keyaudit, contoso: Path, flags: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = keyaudit("collect", *flags, "--resume", "--out", contoso)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_flipped_byte_is_refused_with_exit_5_in_one_line(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(contoso, copy)
    [part] = (copy / "key").iterdir()
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    ran = keyaudit("report", "--from", copy)
    assert ran.code == Exit.UNSAFE
    assert ran.err.count("\n") == 1
    assert "damaged" in ran.err
    assert ran.out == ""


def test_half_a_snapshot_is_refused(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(contoso, copy)
    shutil.rmtree(copy / "credential")
    assert keyaudit("gate", "--from", copy).code == Exit.UNSAFE
    (copy / "manifest.json").unlink()
    assert keyaudit("gate", "--from", copy).code == Exit.USAGE


def test_judging_later_makes_everything_older(keyaudit: Keyaudit, contoso: Path) -> None:
    few = ("--select", "kv-key-*", "-o", "json")
    now = keyaudit("report", "--from", contoso, *few).json
    later = keyaudit("report", "--from", contoso, "--as-of", "2040-01-01", *few).json
    assert len(later["findings"]) > len(now["findings"])
    assert later["run"]["as_of"] == "2040-01-01T00:00:00Z"


def test_on_the_day_of_collection_it_is_judged_as_of_the_moment_of_collection(keyaudit: Keyaudit, contoso: Path) -> None:
    made = open_snapshot(contoso).run.as_of
    for moment in (times.iso_date(made), f"{times.iso_date(made)}T00:00:00Z"):
        ran = keyaudit("report", "--from", contoso, "--as-of", moment, "--select", "kv-purge-*", "-o", "json")
        assert ran.json["run"]["as_of"] == times.iso_time(made)


def test_a_snapshot_is_not_judged_as_of_a_day_before_it_was_made(keyaudit: Keyaudit, contoso: Path) -> None:
    made = open_snapshot(contoso).run.as_of
    ran = keyaudit("gate", "--from", contoso, "--as-of", "2020-01-01")
    assert (ran.code, ran.out, ran.err.count("\n")) == (Exit.USAGE, "", 1)
    assert "before the snapshot was collected" in ran.err
    for moment in (times.iso_date(made), times.iso_time(made), "9999-12-31"):
        assert keyaudit("report", "--from", contoso, "--as-of", moment, "--select", "kv-key-*").code == Exit.CLEAN
    assert keyaudit("report", "--from", contoso, "--as-of", "2026-02-30").code == Exit.USAGE


def test_a_snapshot_of_another_tenant_than_the_one_named_is_refused(keyaudit: Keyaudit, contoso: Path) -> None:
    tenant = open_snapshot(contoso).run.tenant_id
    for other in ("11111111-2222-4333-8444-555555555555", "contoso.com"):
        ran = keyaudit("gate", "--from", contoso, "--tenant", other)
        assert (ran.code, ran.out) == (Exit.UNSAFE, "")
        assert tenant in ran.err
        assert other in ran.err
    assert keyaudit("report", "--from", contoso, "--tenant", tenant.upper(), "--select", "kv-key-*").code == Exit.CLEAN


def _content(folder: Path) -> dict[str, bytes]:
    """Every table's file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}
