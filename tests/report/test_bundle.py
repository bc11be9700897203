"""A bundle is complete or absent, private, says what is in it, and holds no more than the tenant said."""

import csv
import errno
import hashlib
import io
import json
import os
from pathlib import Path
from tempfile import mkdtemp

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit, OutputError
from keyaudit.model.gating.waivers import Glob, State, Use, Waiver
from keyaudit.report.bundle.write import write
from tests.report.bundles import files, whole, written
from tests.report.example import CLEAN, REPORT
from tests.report.hostile import hostile
from tests.report.sinks import agent_commands, is_formula, one_of_each_kind, restored, terminal_codes
from tests.report.test_files import mode, room_for

csv.field_size_limit(10_000_000)

NUMBERS = {"age_days", "days_to_expiry"}

WAIVER = Waiver(
    id="W-1",
    policy=Glob("kv-*"),
    resource=Glob("*/vaults/kv-prod"),
    reason="=1+1",
    owner="team-a",
    approved_by="ciso",
    ends=1_800_000_000,
)
WAIVED = structs.replace(
    REPORT, verdict=structs.replace(REPORT.verdict, waivers=(Use(WAIVER, State.ACTIVE, 2), Use(WAIVER, State.UNUSED)))
)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / name).read_text("utf-8"), newline="")))


def manifest(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "manifest.json").read_bytes())
    return found


def test_the_manifest_describes_every_file_as_it_is(tmp_path: Path) -> None:
    folder = written(tmp_path / "b", WAIVED)
    said = {each["path"]: each for each in manifest(folder)["files"]}  # type: ignore[attr-defined]
    there = files(folder)
    assert said.keys() | {"manifest.json"} == there.keys()
    for path, each in said.items():
        assert (each["size"], each["sha256"]) == (len(there[path]), hashlib.sha256(there[path]).hexdigest())
        if path.endswith(".csv"):
            lines = rows(folder, path)
            cells = [(name, cell) for line in lines for name, cell in line.items()]
            altered = [name for name, cell in cells if restored(cell) != cell]
            assert each["rows"] == len(lines)
            assert each["escaped_cells"] == {name: altered.count(name) for name in sorted(set(altered))}
    assert said["waivers.csv"]["escaped_cells"] == {"reason": 2}


def test_it_says_whose_it_is_and_what_it_came_to(tmp_path: Path) -> None:
    said = manifest(written(tmp_path / "b"))
    assert (said["schema"], said["run"]["identity"]) == ("keyaudit-bundle/1", REPORT.run.identity)  # type: ignore[index]
    assert said["run"]["tenant"]["id"] == REPORT.run.tenant_id  # type: ignore[index]
    assert said["verdict"]["exit"] == Exit.UNSAFE  # type: ignore[index]
    assert [each["name"] for each in said["verdict"]["conditions"]] == ["unsafe", "incomplete"]  # type: ignore[index]
    assert {line["policy_pack"] for line in rows(tmp_path / "b", "findings.csv")} == {said["policy_pack"]}
    assert "SIMULATED" in str(manifest(written(tmp_path / "c", CLEAN))["notice"])


def test_every_row_record_gap_and_waiver_is_in_it(tmp_path: Path) -> None:
    folder, report = written(tmp_path / "b", WAIVED), whole(WAIVED)
    judged = sum(tally.rows for tally in report.tallies)
    assert len(rows(folder, "findings.csv")) == judged + len(report.verdict.not_judged)
    tables = {path.stem: len(rows(folder, f"inventory/{path.name}")) for path in (folder / "inventory").iterdir()}
    assert tables == {name: count for name, count in report.run.rows.items() if count}
    lines = rows(folder, "coverage.csv")
    assert [line["record"] for line in lines] == ["ledger"] * len(report.verdict.coverage) + ["gap"] * len(report.verdict.gaps)
    assert all(line["reason"] for line in lines if line["record"] == "gap" or line["state"] != "assessed")
    assert [(line["waiver_id"], line["state"], line["covered"]) for line in rows(folder, "waivers.csv")] == [
        ("W-1", "active", "2"),
        ("W-1", "unused", "0"),
    ]
    policies = json.loads((folder / "policies" / "policies.json").read_bytes())["policies"]
    assert [each["id"] for each in policies] == [tally.policy.id for tally in report.tallies]
    assert policies[0]["parameters"] == {"max_age": {"value": "730 days", "from": "the policy's default"}}
    assert (folder / "policies" / policies[0]["file"]).read_text() == f"id: {policies[0]['id']}\n"


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    assert files(written(tmp_path / "a")) == files(written(tmp_path / "b"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_private(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = written(tmp_path / "b")
    finally:
        os.umask(before)
    modes = {(path.is_dir(), mode(path)) for path in (folder, *folder.rglob("*"))}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_what_would_not_be_complete_is_not_written(tmp_path: Path) -> None:
    more = structs.replace(REPORT.tallies[0], passed=REPORT.tallies[0].passed + 1)
    short = structs.replace(whole(), tallies=(more, *REPORT.tallies[1:]))
    with pytest.raises(OutputError, match=r"would hold \d+ rows in findings.csv, where there are \d+"):
        write(short, tmp_path / "b")
    report = whole()
    counted = structs.replace(report, run=structs.replace(report.run, rows={**report.run.rows, "key": 7}))
    with pytest.raises(OutputError, match=r"would hold \d+ rows in inventory/key.csv, where there are 7"):
        write(counted, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_at_any_write_leaves_nothing(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    sizes = sorted({len(data) for data in files(written(tmp_path_factory.mktemp("whole") / "b")).values()})
    for room in (0, *(size - 1 for size in sizes)):
        with pytest.raises(OutputError) as raised, room_for(room):
            written(tmp_path / "b")
        assert (raised.value.exit, list(tmp_path.iterdir())) == (Exit.BUG, [])
        assert str(tmp_path / "b") in str(raised.value)


def test_an_error_of_the_disk_at_any_moment_leaves_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    left = [-1]

    def breaking(descriptor: int) -> None:
        if left[0] == 0:
            raise OSError(errno.EIO, "Input/output error")
        left[0] -= 1
        real(descriptor)

    monkeypatch.setattr(os, "fsync", breaking)
    written(tmp_path_factory.mktemp("whole") / "b")
    # The last is for the name that the folder has by then.
    for nth in range(-left[0] - 2):
        left[0] = nth
        with pytest.raises(OutputError, match="could not be written"):
            written(tmp_path / "b")
        assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    written(tmp_path / "bundle")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.iterdir())
    for name in ("bundle", "empty", "file", "link"):
        with pytest.raises(OutputError, match="already exists, and is not replaced"):
            written(tmp_path / name)
    with pytest.raises(OutputError, match="does not exist"):
        written(tmp_path / "no" / "folder")
    assert sorted(tmp_path.iterdir()) == before


@one_of_each_kind
def test_no_name_acts_on_whoever_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: str) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder = written(Path(mkdtemp(dir=tmp_path)) / "b", hostile(payload))
    for path, data in files(folder).items():
        # The headings of Markdown look like the commands of an agent.
        assert path == "summary.md" or agent_commands(data) == [], path
        assert terminal_codes(data, "\r\n" if path.endswith(".csv") else "\n") == [], path
        if path.endswith(".csv"):
            for line in rows(folder, path):
                assert not [cell for name, cell in line.items() if is_formula(cell) and name not in NUMBERS], path
