"""`keyaudit export`: several formats of one judgement, to files and to stdout."""

import csv
import io
import json
import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.manifest import FORMAT
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model import times
from keyaudit.model.errors import Exit
from keyaudit.report.formats import FILES
from tests.cli.conftest import Keyaudit
from tests.cli.redirected import apart, redirected
from tests.report import test_cyclonedx, test_junit, test_ocsf, test_sarif
from tests.report.counts import READERS, alike

FORMATS = [*FILES, "json", "csv"]
KEYS = ("--select", "kv-key-exportable")
FEW = tuple(
    word
    for name in ("kv-key-exp*", "kv-purge-*", "kv-key-no-auto-rotation", "app-secret-too-long", "log-unexpected-appid")
    for word in ("--select", name)
)
JUDGED: list[Any] = [
    pytest.param(("contoso", FEW), id="contoso, few"),
    # blind_spots is contoso with gaps, so that it has every status and severity.
    *(pytest.param((name, ()), id=name, marks=pytest.mark.exhaustive) for name in ("blind_spots", "hardened")),
]


@pytest.fixture(scope="module", params=JUDGED)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each format, by its name, of one judgement of a whole tenant."""
    folder = tmp_path_factory.mktemp("written")
    estate, few = request.param
    ran = redirected(
        ["export", *(f"{name}={folder / name}" for name in FORMATS), "--from", request.getfixturevalue(estate), *few]
    )
    assert (ran.returncode, ran.stdout) == (Exit.INCOMPLETE if estate == "blind_spots" else Exit.CLEAN, b"")
    return folder


def test_several_formats_of_one_judgement_are_written_at_once(written: Path) -> None:
    files = {path.name: path.stat() for path in written.iterdir()}
    assert set(files) == set(FORMATS)
    assert {stat.S_IMODE(each.st_mode) for each in files.values()} == {0o600}
    assert all(each.st_size > 1_000 for each in files.values())


@pytest.mark.exhaustive
def test_the_same_snapshot_gives_the_same_bytes(contoso: Path, tmp_path: Path) -> None:
    for nth in (1, 2):
        apart(["export", *(f"{name}={tmp_path / f'{name}.{nth}'}" for name in FORMATS), "--from", contoso, *FEW])
    for name in FORMATS:
        assert (tmp_path / f"{name}.1").read_bytes() == (tmp_path / f"{name}.2").read_bytes(), name


def test_formats_agree_on_how_many_of_each_status_and_severity(written: Path) -> None:
    counts = {name: alike(read((written / name).read_bytes())) for name, read in READERS.items()}
    assert counts["json"]["pass", ""] > 100
    differences = {name: (found - counts["json"], counts["json"] - found) for name, found in counts.items()}
    assert {name: each for name, each in differences.items() if any(each)} == {}


def test_each_date_that_a_message_names_of_its_resource_is_in_a_column(written: Path) -> None:
    for_everybody = ("2028-07-31", "2027-03-15")  # The end of Dedicated HSM, and of client authentication by public CAs.
    for each in csv.DictReader(io.StringIO((written / "csv").read_text(encoding="utf-8"))):
        columns = [each[name] for name in ("created_at", "expires_at", "last_rotated_at", "message_dates")]
        shown = " ".join((*columns, *for_everybody))
        assert not [day for day in re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", each["actual"]) if day not in shown]


@pytest.mark.exhaustive
def test_what_is_exported_of_a_whole_tenant_is_valid(written: Path) -> None:
    names = ("sarif", "junit", "ocsf", "cyclonedx", "cyclonedx-1.7")
    output = {name: (written / name).read_bytes() for name in names}
    assert test_junit.invalid(output["junit"]) == []
    assert test_ocsf.invalid(test_ocsf.lines(output["ocsf"])[::10], test_ocsf.VERSIONS[0]) == []
    for name in test_cyclonedx.FORMATS:
        assert test_cyclonedx.invalid(name, output[name]) is None
    assert [error.message for error in test_sarif.schema().iter_errors(json.loads(output["sarif"]))] == []


@pytest.mark.parametrize("name", test_cyclonedx.FORMATS)
def test_the_bill_of_cryptography_joins_everything_that_was_read(written: Path, name: str) -> None:
    text = (written / name).read_bytes()
    assert test_cyclonedx.invalid(name, text) is None
    bom = json.loads(text)
    there = {each["bom-ref"] for each in (*bom["components"], bom["metadata"]["component"])}
    joined = [(each["ref"], below) for each in bom["dependencies"] for below in each["dependsOn"]]
    assert {end for edge in joined for end in edge} <= there
    kinds = {(above.partition(":")[0], below.partition(":")[0]) for above, below in joined}
    assert {("key", "algorithm"), ("certificate", "key"), ("application", "credential")} <= kinds
    algorithms = [each["cryptoProperties"] for each in bom["components"] if each["bom-ref"].startswith("algorithm:")]
    assert algorithms
    assert all("primitive" in each["algorithmProperties"] and "oid" in each for each in algorithms)


def test_a_byte_order_mark_is_of_csv_alone(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    few = ("--select", "kv-key-exportable", "--from", contoso)
    assert keyaudit("export", f"csv={tmp_path / 'a'}", "--bom", *few).code == Exit.CLEAN
    assert keyaudit("report", "--export", f"csv={tmp_path / 'b'}", "--bom", *few).code == Exit.CLEAN
    keyaudit("export", f"csv={tmp_path / 'c'}", *few)
    marked, other, plain = ((tmp_path / name).read_bytes() for name in "abc")
    assert marked == other == b"\xef\xbb\xbf" + plain
    assert plain.startswith(b"schema_version,")
    ran = keyaudit("gate", "--bom", "--demo")
    assert (ran.code, "--bom: only works with CSV output" in ran.err) == (Exit.USAGE, True)


def test_passes_are_exported_too(keyaudit: Keyaudit, contoso: Path) -> None:
    lines = [json.loads(line) for line in keyaudit("export", "jsonl", "--from", contoso, *FEW).out.splitlines()]
    assert (lines[0]["type"], lines[-1]["type"]) == ("run", "verdict")
    outcomes = [line["outcome"] for line in lines if line["type"] == "finding"]
    assert outcomes.count("pass") == lines[-1]["passed"] > 0
    assert outcomes.count("fail") == sum(lines[-1]["failed"].values()) > 0


def test_a_gap_is_in_the_file_and_in_the_exit_code(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("export", "jsonl", "--from", blind_spots, "--select", "kv-key-no-auto-rotation")
    assert ran.code == Exit.INCOMPLETE
    assert any(json.loads(line)["type"] == "gap" for line in ran.out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("srif",), "export: no such format: 'srif'"),
        (("jsonl=",), "export: not FORMAT=PATH: 'jsonl='; name the destination, as in jsonl=PATH"),
        (("csv", "jsonl"), "export: csv and jsonl cannot share stdout; name the destination, as in csv=PATH"),
        (("csv=a", "jsonl=a"), "export: a is named twice; give each format its own file"),
        (("csv=/nowhere/at/all.csv",), "/nowhere/at/all.csv: folder /nowhere/at does not exist"),
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
    ran = keyaudit("export", f"jsonl={tmp_path / 'out'}", "--from", contoso, "--from", hardened, *KEYS)
    assert ran.code == Exit.USAGE
    assert "jsonl: accepts only one tenant; export each separately" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_page_counts_as_json_does(written: Path) -> None:
    verdict = json.loads((written / "json").read_bytes())["verdict"]
    text = (written / "html").read_text("utf-8")
    tiles = re.findall(r'<b>([\d,]+)</b> <span class="severity (\w+)"', text)
    assert {level: int(count.replace(",", "")) for count, level in tiles} == verdict["failed"]
    rows = len(re.findall(r'<li id="f-[0-9a-f]+"', text.partition("id=findings")[2].partition("<section")[0]))
    assert rows == sum(verdict["failed"].values())
    unknown = text.partition("id=unseen")[2].partition("id=method")[0]
    assert sum(map(int, re.findall(r"<small>(\d+) unknown", unknown))) == sum(verdict["unknown"].values())


@pytest.mark.exhaustive
def test_a_page_shows_how_the_tenant_has_fared(keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name, snapshot in (("1", blind_spots), ("2", contoso)):
        shutil.copytree(snapshot, kept / name)
    (kept / "begun").mkdir()
    files = (f"html={tmp_path / 'page'}", f"csv={tmp_path / 'csv'}")
    ran = keyaudit("export", *files, "--from", contoso, *KEYS, "--history", kept)
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    rows = csv.DictReader(io.StringIO((tmp_path / "csv").read_text("utf-8"), newline=""))
    failed = [row for row in rows if row["status"] == "fail"]
    first = {times.iso_time(open_snapshot(each).run.as_of) for each in (contoso, blind_spots)}
    assert failed
    assert {row["first_seen_at"] for row in failed} <= first
    trend = (tmp_path / "page").read_text("utf-8").partition("id=trend")[2].partition("</section>")[0]
    # Whichever was collected later is left out of the other's page.
    assert (trend.count("<th scope=row>") == 2) != ("1 made after this one is left out" in trend)
    assert trend.count("(this report)") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("jsonl", "--history", "."), Exit.USAGE, "--history: only works with html, csv and xlsx"),
        (("html", "--history", "nowhere"), Exit.USAGE, "--history: nowhere contains no readable snapshots"),
    ],
)
def test_a_history_that_shows_nothing_is_refused(
    keyaudit: Keyaudit, contoso: Path, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = keyaudit("export", *arguments, "--from", contoso, *KEYS)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_history_of_another_tenant_is_refused(keyaudit: Keyaudit, contoso: Path, hardened: Path, tmp_path: Path) -> None:
    shutil.copytree(hardened, tmp_path / "kept" / "1")
    ran = keyaudit("export", "html", "--from", contoso, *KEYS, "--history", tmp_path / "kept")
    assert (ran.code, ran.out) == (Exit.UNSAFE, "")
    assert "keep each tenant's snapshots in a folder of their own" in ran.err


@pytest.mark.exhaustive
def test_a_snapshot_that_another_version_made_is_passed_over_with_a_word(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path
) -> None:
    for name, snapshot in (("1", blind_spots), ("2", contoso)):
        shutil.copytree(snapshot, tmp_path / "kept" / name)
    manifest = tmp_path / "kept" / "1" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace(f'"format": {FORMAT}', '"format": 999'), "utf-8")
    ran = keyaudit("export", f"html={tmp_path / 'page'}", "--from", contoso, *KEYS, "--history", tmp_path / "kept")
    assert ran.code == Exit.CLEAN
    assert f"skipped: {manifest}" in ran.err
