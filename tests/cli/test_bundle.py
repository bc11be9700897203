"""`keyaudit export bundle=DIR` and `export verify DIR`."""

import csv
import hashlib
import io
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.policy.load import shipped
from tests.cli.conftest import Keyaudit
from tests.cli.redirected import redirected

FEW = ("--select", "kv-key-no-auto-rotation", "--select", "app-secret-too-long")


@pytest.fixture(scope="module")
def bundle(blind_spots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that nobody changes, of a tenant with gaps."""
    folder = tmp_path_factory.mktemp("bundle") / "b"
    ran = redirected(["export", f"bundle={folder}", "--from", blind_spots, *FEW])
    assert (ran.returncode, ran.stdout, ran.stderr) == (Exit.INCOMPLETE, b"", b"")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_bytes())


@pytest.mark.parametrize("command", ["report", "gate", "inventory", "doctor"])
def test_a_bundle_is_no_snapshot_and_its_reader_is_told_what_to_name(keyaudit: Keyaudit, bundle: Path, command: str) -> None:
    """It has the results as CSV and JSON; nothing in it can be evaluated again."""
    ran = keyaudit(command, "--from", bundle)
    assert ran.code == Exit.USAGE
    assert "an evidence bundle, which contains the results, not the snapshot" in ran.err
    assert "name the folder that collect wrote to; keyaudit export verify DIR checks a bundle" in ran.err


def test_a_manifest_that_only_claims_to_be_a_bundles_is_no_snapshot_either(
    keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path
) -> None:
    """A snapshot whose manifest was edited stays damaged, also where it says something else."""
    folder = tmp_path / "edited"
    shutil.copytree(blind_spots, folder)
    edited = {**manifest(folder), "schema": "keyaudit/2"}
    (folder / "manifest.json").write_text(json.dumps(edited), encoding="utf-8")
    assert keyaudit("report", "--from", folder).code == Exit.UNSAFE


@pytest.mark.exhaustive
def test_the_same_snapshot_gives_the_same_bundle(keyaudit: Keyaudit, blind_spots: Path, bundle: Path, tmp_path: Path) -> None:
    keyaudit("export", f"bundle={tmp_path / 'again'}", "--from", blind_spots, *FEW)
    one, other = (keyaudit("export", "verify", folder).out for folder in (bundle, tmp_path / "again"))
    assert one.rpartition(" ")[2] == other.rpartition(" ")[2] != ""


def test_its_rows_are_whole_as_inventory_prints_them_though_no_chosen_policy_reads_them(
    keyaudit: Keyaudit, blind_spots: Path, bundle: Path
) -> None:
    sizes = {name: size for name, size in open_snapshot(blind_spots).sizes.items() if size}
    tables = {path.stem: rows(path) for path in (bundle / "inventory").iterdir()}
    assert {name: len(found) for name, found in tables.items()} == sizes
    for name in ("key", "grant"):
        printed = keyaudit("inventory", name, "-o", "csv", "--from", blind_spots).out
        lines = [line for line in csv.DictReader(io.StringIO(printed, newline="")) if line["record"] == "row"]
        # `inventory` adds whose each row is.
        added = ("owners", "owner_source")
        want = [{each: line[each] for each in line if each not in added} for line in lines]
        for line in want:
            notes = line["coverage_note"].split("|")
            line["coverage_note"] = "|".join(note for note in notes if not note.startswith("owners:"))
        assert tables[name] == want


def test_its_findings_are_those_of_the_csv_whatever_else_is_written(
    keyaudit: Keyaudit, blind_spots: Path, bundle: Path
) -> None:
    printed = keyaudit("export", "csv", "--from", blind_spots, *FEW).out
    assert (bundle / "findings.csv").read_bytes().decode() == printed
    assert any(line["opens"] for line in rows(bundle / "findings.csv"))


def test_a_gate_exports_one_too_with_the_policies_that_judged(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (shipped() / "key-vault" / "kv-key-rotation-overdue.yaml").read_text()
    (own / "our-rotation.yaml").write_text(text.replace("id: kv-key-rotation-overdue", "id: our-rotation"))
    (tmp_path / "k.toml").write_text('[policy.parameters]\nour-rotation = { max_age = "P100D" }\n')
    arguments = ("--policies", own, "--select", "*-rotation*", "--profile", "strict", "--config", tmp_path / "k.toml")
    ran = keyaudit("gate", "--from", contoso, *arguments, "--export", f"bundle={tmp_path / 'b'}")
    assert ran.code == Exit.FINDINGS, ran.err
    verdict = manifest(tmp_path / "b")["verdict"]
    assert (verdict["exit"], verdict["gate"]) == (Exit.FINDINGS, "high")
    found = json.loads((tmp_path / "b" / "policies" / "policies.json").read_bytes())
    policies = {each["id"]: each for each in found["policies"]}
    assert found["settings"]["profile"] == "strict"
    assert policies["our-rotation"]["shipped"] is False
    assert policies["kv-key-rotation-overdue"]["shipped"] is True
    assert policies["our-rotation"]["parameters"]["max_age"]["value"].endswith("100 days")
    assert policies["our-rotation"]["parameters"]["max_age"]["from"].endswith("k.toml:2")
    assert policies["kv-key-rotation-overdue"]["parameters"]["max_age"]["from"] == "profile strict"
    texts = {path.stem: path.read_bytes() for path in (tmp_path / "b" / "policies").glob("*.yaml")}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in texts.items()} == {
        name: each["sha256"] for name, each in policies.items()
    }


def test_gaps_are_in_it(bundle: Path) -> None:
    said = manifest(bundle)
    assert (said["verdict"]["exit"], said["run"]["simulated"]) == (Exit.INCOMPLETE, True)
    report = json.loads((bundle / "report.json").read_bytes())
    lines = rows(bundle / "coverage.csv")
    assert [line["record"] for line in lines].count("gap") == len(report["gaps"]) > 0
    assert [line["record"] for line in lines].count("ledger") == len(report["coverage"])


def test_verify_says_each_difference_and_exits_5(keyaudit: Keyaudit, bundle: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(bundle, tmp_path / "b")
    ran = keyaudit("export", "verify", bundle)
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    files = sum(path.is_file() for path in bundle.rglob("*")) - 1
    assert (ran.code, ran.out) == (Exit.CLEAN, f"{bundle}: {files:,} files as written; SHA-256 of the manifest {digest}\n")
    (bundle / "findings.csv").write_text("")
    (bundle / "waivers.csv").unlink()
    ran = keyaudit("export", "verify", bundle)
    assert ran.code == Exit.UNSAFE
    assert [line.partition(":")[0] for line in ran.out.splitlines()] == ["findings.csv", "waivers.csv"]
    (bundle / "manifest.json").write_text("{")
    ran = keyaudit("export", "verify", bundle)
    assert (ran.code, ran.out, ran.err.count("\n")) == (Exit.UNSAFE, "", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bundle", "--demo"), "export: bundle is a folder, and cannot go to stdout; name the destination, as in bundle=DIR"),
        (("bundle=", "--demo"), "not FORMAT=PATH: 'bundle='; name the destination, as in bundle=PATH"),
        (("verify",), "export verify: names no folder; name the folder that export bundle=DIR wrote"),
        (("verify", "a", "b"), "export verify: checks one folder, but several arguments were given"),
        (("verify", "a", "--demo"), "export verify: takes a folder, and no options; remove the options"),
        (("verify", "a", "--from", "b"), "export verify: takes a folder, and no options; remove the options"),
        (("verify", "/nowhere/at/all"), "/nowhere/at/all: no such folder; name the folder that export bundle=DIR wrote"),
    ],
)
def test_what_cannot_be_meant_is_refused(keyaudit: Keyaudit, arguments: tuple[str, ...], said: str) -> None:
    ran = keyaudit("export", *arguments)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert said in ran.err
    assert "reading tenant" not in ran.err


def test_a_snapshot_is_no_bundle(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("export", "verify", contoso)
    assert ran.code == Exit.USAGE
    assert "not the manifest of a bundle" in ran.err


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_is_not_replaced_and_nothing_is_read(keyaudit: Keyaudit, tmp_path: Path, there: str) -> None:
    path = tmp_path / "b"
    make: dict[str, Callable[[], None]] = {
        "folder": path.mkdir,
        "file": path.touch,
        "link": lambda: path.symlink_to("x"),
    }
    make[there]()
    ran = keyaudit("export", f"bundle={path}", "--demo")
    assert ran.code == Exit.USAGE
    assert "already exists, and is not replaced; name a folder that does not exist yet" in ran.err
    assert "reading tenant" not in ran.err


def test_a_bundle_of_several_tenants_is_refused(keyaudit: Keyaudit, contoso: Path, hardened: Path, tmp_path: Path) -> None:
    ran = keyaudit("export", f"bundle={tmp_path / 'b'}", "--from", contoso, "--from", hardened, "--select", "kv-key-exportable")
    assert ran.code == Exit.USAGE
    assert "bundle: accepts only one tenant" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_it_is_private_whatever_the_umask_was(bundle: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (bundle, *bundle.rglob("*")) if path.is_dir()}
    assert modes == {0o700}
    assert os.access(bundle / "policies", os.X_OK)
