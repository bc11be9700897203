"""`keyaudit export`: several formats of one judgement, to files and to stdout."""

import io
import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from keyaudit.model.errors import Exit
from keyaudit.report import files
from keyaudit.report.formats import FILES
from tests.cli.conftest import Keyaudit
from tests.report import test_cyclonedx, test_junit, test_ocsf, test_sarif
from tests.report.counts import READERS, alike
from tests.report.test_files import Filling

FORMATS = [*FILES, "json", "csv"]


def test_several_formats_of_one_judgement_are_written_at_once(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    wanted = {name: tmp_path / f"out.{name}" for name in FORMATS}
    ran = keyaudit("export", *(f"{name}={path}" for name, path in wanted.items()), "--from", contoso)
    assert (ran.code, ran.out) == (Exit.CLEAN, "")
    assert {stat.S_IMODE(path.stat().st_mode) for path in wanted.values()} == {0o600}
    assert all(path.stat().st_size > 1_000 for path in wanted.values())
    assert sorted(tmp_path.iterdir()) == sorted(wanted.values())


def test_the_same_snapshot_gives_the_same_bytes(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    for nth in (1, 2):
        keyaudit("export", *(f"{name}={tmp_path / f'{name}.{nth}'}" for name in FORMATS), "--from", contoso)
    for name in FORMATS:
        assert (tmp_path / f"{name}.1").read_bytes() == (tmp_path / f"{name}.2").read_bytes(), name


@pytest.mark.parametrize("estate", ["contoso", "blind_spots", "hardened"])
def test_formats_agree_on_how_many_of_each_status_and_severity(
    keyaudit: Keyaudit, request: pytest.FixtureRequest, tmp_path: Path, estate: str
) -> None:
    snapshot = request.getfixturevalue(estate)
    keyaudit("export", *(f"{name}={tmp_path / name}" for name in READERS), "--from", snapshot)
    counts = {name: alike(read((tmp_path / name).read_bytes())) for name, read in READERS.items()}
    assert counts["json"]["pass", ""] > 100
    differences = {name: (found - counts["json"], counts["json"] - found) for name, found in counts.items()}
    assert {name: each for name, each in differences.items() if any(each)} == {}


def test_what_is_exported_of_a_whole_tenant_is_valid(keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path) -> None:
    names = ("sarif", "junit", "ocsf", "cyclonedx", "cyclonedx-1.7")
    keyaudit("export", *(f"{name}={tmp_path / name}" for name in names), "--from", blind_spots)
    output = {name: (tmp_path / name).read_bytes() for name in names}
    assert test_junit.invalid(output["junit"]) == []
    assert test_ocsf.invalid(test_ocsf.lines(output["ocsf"])[::10], test_ocsf.VERSIONS[0]) == []
    for name in test_cyclonedx.FORMATS:
        assert test_cyclonedx.invalid(name, output[name]) is None
    assert [error.message for error in test_sarif.schema().iter_errors(json.loads(output["sarif"]))] == []


def test_a_byte_order_mark_is_of_csv_alone(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    assert keyaudit("export", f"csv={tmp_path / 'a'}", "--bom", "--from", contoso).code == Exit.CLEAN
    assert keyaudit("report", "--export", f"csv={tmp_path / 'b'}", "--bom", "--from", contoso).code == Exit.CLEAN
    keyaudit("export", f"csv={tmp_path / 'c'}", "--from", contoso)
    marked, other, plain = ((tmp_path / name).read_bytes() for name in "abc")
    assert marked == other == b"\xef\xbb\xbf" + plain
    assert plain.startswith(b"schema_version,")
    ran = keyaudit("gate", "--bom", "--demo")
    assert (ran.code, "--bom: is of CSV alone" in ran.err) == (Exit.USAGE, True)


def test_an_export_that_cannot_be_written_is_exit_70_in_every_format(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = files._opened

    def small(path: Path) -> BinaryIO:
        with opened(path) as made:
            return io.BufferedRandom(Filling(os.dup(made.fileno()), 5), 512)

    monkeypatch.setattr(files, "_opened", small)
    ran = keyaudit("gate", *(word for name in FORMATS for word in ("--export", f"{name}={tmp_path / name}")), "--from", contoso)
    assert ran.code == Exit.BUG
    assert "No space left on device" in ran.err
    assert "FAIL" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_passes_are_exported_too(keyaudit: Keyaudit, contoso: Path) -> None:
    lines = [json.loads(line) for line in keyaudit("export", "jsonl", "--from", contoso).out.splitlines()]
    assert (lines[0]["type"], lines[-1]["type"]) == ("run", "verdict")
    outcomes = [line["outcome"] for line in lines if line["type"] == "finding"]
    assert outcomes.count("pass") == lines[-1]["passed"] > 0
    assert outcomes.count("fail") == sum(lines[-1]["failed"].values()) > 0


def test_a_gap_is_in_the_file_and_in_the_exit_code(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("export", "jsonl", "--from", blind_spots)
    assert ran.code == Exit.INCOMPLETE
    assert any(json.loads(line)["type"] == "gap" for line in ran.out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("srif",), "export: no such format: 'srif'"),
        (("jsonl=",), "export: not FORMAT=PATH: 'jsonl='; say where to, as in jsonl=PATH"),
        (("csv", "jsonl"), "export: csv and jsonl cannot share stdout; say where to, as in csv=PATH"),
        (("csv=a", "jsonl=a"), "export: a is named twice; give each format a file of its own"),
        (("csv=/nowhere/at/all.csv",), "/nowhere/at/all.csv: could not be written"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    keyaudit: Keyaudit, arguments: tuple[str, ...], said: str
) -> None:
    ran = keyaudit("export", *arguments, "--demo")
    assert ran.code in (Exit.USAGE, Exit.BUG)
    assert said in ran.err
    assert "reading tenant" not in ran.err
    assert ran.out == ""


def test_a_file_of_several_tenants_is_refused(keyaudit: Keyaudit, contoso: Path, hardened: Path, tmp_path: Path) -> None:
    ran = keyaudit("export", f"jsonl={tmp_path / 'out'}", "--from", contoso, "--from", hardened)
    assert ran.code == Exit.USAGE
    assert "jsonl: is of one tenant, and several are named; export each on its own" in ran.err
    assert list(tmp_path.iterdir()) == []
