"""`keyaudit export`: several formats of one judgement, to files and to stdout."""

import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from keyaudit.report.formats import FILES
from tests.cli.conftest import Keyaudit

FORMATS = [*FILES, "json", "csv"]


def test_several_formats_of_one_judgement_are_written_at_once(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    wanted = {name: tmp_path / f"out.{name}" for name in FORMATS}
    ran = keyaudit("export", *(f"{name}={path}" for name, path in wanted.items()), "--from", contoso)
    assert (ran.code, ran.out) == (Exit.CLEAN, "")
    assert {stat.S_IMODE(path.stat().st_mode) for path in wanted.values()} == {0o600}
    assert all(path.stat().st_size > 1_000 for path in wanted.values())
    assert sorted(tmp_path.iterdir()) == sorted(wanted.values())


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_snapshot_gives_the_same_bytes(keyaudit: Keyaudit, contoso: Path, tmp_path: Path, name: str) -> None:
    for nth in (1, 2):
        keyaudit("export", f"{name}={tmp_path / str(nth)}", "--from", contoso)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


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


@pytest.mark.parametrize("estate", ["contoso", "hardened", "blind_spots"])
def test_the_page_counts_as_json_does(keyaudit: Keyaudit, request: pytest.FixtureRequest, tmp_path: Path, estate: str) -> None:
    page, snapshot = tmp_path / "page.html", request.getfixturevalue(estate)
    verdict = keyaudit("export", f"html={page}", "json", "--from", snapshot).json["verdict"]
    text = page.read_text("utf-8")
    tiles = re.findall(r'<b>([\d,]+)</b> <span class="severity (\w+)"', text)
    assert {level: int(count.replace(",", "")) for count, level in tiles} == verdict["failed"]
    rows = len(re.findall(r'<tr><th scope="row">.*?</th><td>', text.partition('id="findings"')[2].partition('id="ages"')[0]))
    assert rows == sum(verdict["failed"].values())
    unknown = text.partition('id="unseen"')[2].partition('id="method"')[0]
    assert sum(map(int, re.findall(r">(\d+) unknown</span>", unknown))) == sum(verdict["unknown"].values())


def test_a_page_shows_how_the_tenant_has_fared(keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name, snapshot in (("1", blind_spots), ("2", contoso)):
        shutil.copytree(snapshot, kept / name)
    (kept / "begun").mkdir()
    ran = keyaudit("export", f"html={tmp_path / 'page'}", "--from", contoso, "--history", kept)
    assert (ran.code, ran.err) == (Exit.CLEAN, "")
    trend = (tmp_path / "page").read_text("utf-8").partition('id="trend"')[2].partition("</section>")[0]
    # Whichever was collected later is left out of the other's page.
    assert (trend.count('<th scope="row">') == 2) != ("1 made after this one is left out" in trend)
    assert trend.count("(this report)") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("jsonl", "--history", "."), Exit.USAGE, "--history: is for html, which is not among the formats"),
        (("html", "--history", "nowhere"), Exit.USAGE, "--history: nowhere holds no snapshots that can be read"),
    ],
)
def test_a_history_that_shows_nothing_is_refused(
    keyaudit: Keyaudit, contoso: Path, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = keyaudit("export", *arguments, "--from", contoso)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_history_of_another_tenant_is_refused(keyaudit: Keyaudit, contoso: Path, hardened: Path, tmp_path: Path) -> None:
    shutil.copytree(hardened, tmp_path / "kept" / "1")
    ran = keyaudit("export", "html", "--from", contoso, "--history", tmp_path / "kept")
    assert (ran.code, ran.out) == (Exit.UNSAFE, "")
    assert "keep each tenant's snapshots in a folder of their own" in ran.err


def test_a_snapshot_that_another_version_made_is_passed_over_with_a_word(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path, tmp_path: Path
) -> None:
    for name, snapshot in (("1", blind_spots), ("2", contoso)):
        shutil.copytree(snapshot, tmp_path / "kept" / name)
    manifest = tmp_path / "kept" / "1" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format": 2', '"format": 999'), "utf-8")
    ran = keyaudit("export", f"html={tmp_path / 'page'}", "--from", contoso, "--history", tmp_path / "kept")
    assert ran.code == Exit.CLEAN
    assert f"passed over: {manifest}" in ran.err
