"""`--keep`: each run leaves a snapshot, reads no more than it has to, and goes on with one that was stopped."""

from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.cli.sources.snapshot_folder import last_two
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import Exit
from keyaudit.model.results.run import Run
from keyaudit.model.scope.filters import Filters
from tests.cli.conftest import Keyaudit
from tests.estates import snapshot

LITTLE = ("--select", "kv-key-no-expiry", "--source", "keys")


@pytest.mark.exhaustive
def test_the_second_run_copies_from_the_first_and_both_are_there_for_notify(keyaudit: Keyaudit, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = keyaudit("gate", "--demo", "--estate", "sized:2x4", "--keep", kept, *LITTLE, "-o", "json")
    [monday] = kept.iterdir()
    assert f"kept in {monday}" in first.err
    alone = keyaudit("notify", "--keep", kept, "--select", "kv-key-no-expiry", "--dry-run")
    assert (alone.code, alone.out) == (Exit.CLEAN, f"Nothing to compare with: {kept} has one snapshot.\n")
    # Names of snapshots are whole seconds.
    monday.rename(kept / "monday")
    again = keyaudit("gate", "--demo", "--estate", "sized:2x4", "--keep", kept, *LITTLE, "-o", "json", "--quiet")
    assert again.code == first.code
    assert [each["id"] for each in again.json["findings"]] == [each["id"] for each in first.json["findings"]]
    # Both may be of the same second.
    before, after = sorted(map(open_snapshot, last_two(kept)), key=lambda each: each.run.since)
    assert (before.folder, after.run.since) == (kept / "monday", before.run.run_id)
    stored = keyaudit("gate", "--from", after.folder, "--select", "kv-key-no-expiry", "-o", "json")
    assert stored.json["findings"] == again.json["findings"]
    told = keyaudit("notify", "--keep", kept, "--select", "kv-key-no-expiry", "--dry-run")
    assert told.out.startswith("No changes to report to owners since ")


@pytest.fixture(scope="module")
def run() -> Run:
    """How a collection of that tenant begins."""
    return open_snapshot(snapshot("sized:2x4", "--source", "keys")).run


@pytest.mark.parametrize(
    ("hours", "of"),
    [
        pytest.param(1, {}, id="now"),
        pytest.param(1, {"filters": Filters()}, id="other"),
        pytest.param(30, {}, id="old", marks=pytest.mark.exhaustive),
    ],
)
def test_one_that_was_stopped_within_a_day_is_gone_on_with_if_it_reads_the_same(
    keyaudit: Keyaudit, run: Run, tmp_path: Path, hours: int, of: dict[str, Filters]
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    Spool.create(kept / "stopped", structs.replace(run, as_of=run.as_of - hours * 3_600, **of)).close()
    ran = keyaudit("report", "--demo", "--estate", "sized:2x4", "--keep", kept, *LITTLE)
    assert ran.code == Exit.CLEAN, ran.err
    if hours == 1 and not of:
        assert [path.name for path in kept.iterdir()] == ["stopped"]
        assert (kept / "stopped" / "manifest.json").exists()
    else:
        assert len(list(kept.iterdir())) == 2
        assert f"{kept / 'stopped'}: an interrupted collection that cannot be resumed; remove it" in ran.err
        assert (kept / "stopped" / "spool" / "run.json").exists()


def test_one_that_is_damaged_is_named_and_another_is_begun(keyaudit: Keyaudit, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    Spool.create(kept / "stopped", run).close()
    (kept / "stopped" / "spool" / "run.json").write_text("{")
    ran = keyaudit("report", "--demo", "--estate", "sized:2x4", "--keep", kept, *LITTLE)
    assert ran.code == Exit.CLEAN, ran.err
    assert f"{kept / 'stopped'}: an interrupted collection that cannot be resumed; remove it" in ran.err
    assert len(list(kept.glob("*/manifest.json"))) == 1


@pytest.mark.parametrize(
    "flags",
    [("--from", "x"), ("--tenant", "a.example", "--tenant", "b.example"), ("--framework", "cis-azure-6.0")],
)
def test_what_cannot_be_kept_is_said_before_anything_is_read(
    keyaudit: Keyaudit, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    ran = keyaudit("report", "--keep", tmp_path / "kept", *flags)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "--keep" in ran.err
    assert not (tmp_path / "kept").exists()
