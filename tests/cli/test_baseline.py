"""A baseline: a gate that fails on what is new or worse, and does not forget what is old for ever."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.times import DAY, iso_date, parse_time
from tests.cli.conftest import Keyaudit, once

FEW = ("--select", "kv-key-exportable", "--select", "kv-key-rotation-overdue", "--select", "app-secret-too-long")


@pytest.fixture(scope="module")
def made(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline of all that is found, which nobody edits."""
    path = tmp_path_factory.mktemp("made") / "baseline.json"
    once("baseline", "create", "--from", contoso, "--out", path)
    return path


@pytest.fixture
def baseline(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be edited."""
    return Path(shutil.copy(made, tmp_path))


def edited(path: Path, change: Any) -> Path:
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def test_a_gate_passes_on_a_dirty_tenant_the_day_it_is_switched_on(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    was, now = baseline.parent / "was.json", baseline.parent / "now.json"
    gate = ("gate", "--from", contoso, *FEW, "--baseline", baseline, "--export", f"json={now}")
    assert keyaudit("gate", "--from", contoso, *FEW, "--export", f"json={was}").code == 1
    assert keyaudit(*gate).code == 1
    ran = keyaudit(*gate, "--new-only")
    assert ran.code == 0, ran.out
    assert "new-only" in ran.out
    assert " known, " in ran.out
    plain, report = (json.loads(path.read_text(encoding="utf-8")) for path in (was, now))
    assert not any(report["verdict"]["failed"].values())
    assert report["verdict"]["known"] == plain["verdict"]["failed"]
    assert all(each["known"] for each in report["findings"])
    assert [each["id"] for each in report["findings"]] == [each["id"] for each in plain["findings"]]


def test_what_is_new_or_worse_fails(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    def without_one(found: Any) -> None:
        found["findings"] = [each for each in found["findings"] if each["policy"] != "kv-key-exportable"]

    since = ("gate", "--from", contoso, *FEW, "--baseline", baseline, "--new-only")
    edited(baseline, without_one)
    ran = keyaudit(*since)
    assert ran.code == 1
    blocking = [line for line in ran.out.splitlines() if line.startswith("  BLOCK")]
    assert blocking
    assert all("kv-key-exportable" in line for line in blocking)

    def milder(found: Any) -> None:
        without_one(found)
        for each in found["findings"]:
            if each["severity"] == "critical":
                each["severity"] = "high"

    edited(baseline, milder)
    worse = keyaudit(*since, "--fail-on", "critical")
    assert worse.code == 1
    blocking = [line for line in worse.out.splitlines() if line.startswith("  BLOCK")]
    assert blocking
    assert all("CRITICAL" in line for line in blocking)


def test_an_entry_older_than_the_limit_is_open_again(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    def older(found: Any) -> None:
        made = parse_time(found["as_of"])
        for each in found["findings"]:
            if each["policy"] == "kv-key-exportable":
                each["since"] = iso_date(made - 180 * DAY)
            elif each["policy"] == "app-secret-too-long":
                each["since"] = iso_date(made - 179 * DAY)

    ran = keyaudit("gate", "--from", contoso, *FEW, "--baseline", edited(baseline, older), "--new-only")
    assert ran.code == 1
    assert "OUTLIVED" in ran.out
    assert all("kv-key-exportable" in line for line in ran.out.splitlines() if line.startswith("  BLOCK"))


def test_making_it_anew_makes_nothing_younger(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    def older(found: Any) -> None:
        for each in found["findings"][:3]:
            each["since"] = "2026-03-01"

    baseline = tmp_path / "baseline.json"
    create = ("baseline", "create", "--from", contoso, *FEW, "--out", baseline)
    assert keyaudit(*create).code == 0
    edited(baseline, older)
    assert keyaudit(*create, "--limit", "90").code == 0
    again = json.loads(baseline.read_text(encoding="utf-8"))
    assert again["limit_days"] == 90
    assert [each["since"] for each in again["findings"][:3]] == ["2026-03-01"] * 3
    assert len(again["findings"]) > 3
    assert all(each["since"] != "2026-03-01" for each in again["findings"][3:])
    shown = keyaudit("baseline", "show", baseline)
    assert shown.code == 0
    assert "2026-03-01" in shown.out


def test_what_was_not_read_gates_whatever_the_baseline_says(keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    made = keyaudit("baseline", "create", "--from", blind_spots, *FEW, "--out", path)
    assert made.code == 3
    assert "the baseline does not cover what was not read" in made.out
    assert json.loads(path.read_text(encoding="utf-8"))["findings"]
    assert keyaudit("gate", "--from", blind_spots, *FEW, "--baseline", path, "--new-only").code == 3
    assert "of an incomplete run" in keyaudit("baseline", "show", path).out


def test_auditors_see_since_when(keyaudit: Keyaudit, contoso: Path, baseline: Path) -> None:
    out = keyaudit("report", "--from", contoso, *FEW, "-o", "csv", "--baseline", baseline).out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    day = json.loads(baseline.read_text(encoding="utf-8"))["findings"][0]["since"]
    assert {row["first_seen_at"] for row in rows if row["status"] == "fail"} == {f"{day}T00:00:00Z"}
    assert {row["first_seen_at"] for row in rows if row["status"] != "fail"} == {""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.pop("findings"), "not a baseline"),
        (lambda found: found.update(schema="keyaudit-baseline/9"), "not a baseline of this version"),
        (lambda found: found.update(limit_days=10**9), "limit_days"),
        (lambda found: found["findings"][0].update(since="yesterday"), "not a baseline"),
        (lambda found: found["findings"][0].update(since="2099-01-01"), "an entry is younger than the baseline"),
        (lambda found: found["findings"][0].update(severity="grave"), "not a baseline"),
        (lambda found: found["findings"][0].update(owner="me"), "not a baseline"),
    ],
)
def test_what_is_no_baseline(keyaudit: Keyaudit, baseline: Path, change: Any, said: str) -> None:
    ran = keyaudit("gate", "--demo", "--baseline", edited(baseline, change))
    assert ran.code == 2
    assert said in ran.err
    assert "reading tenant" not in ran.err


def test_a_baseline_is_of_one_tenant_and_new_only_needs_one(
    keyaudit: Keyaudit, contoso: Path, baseline: Path, tmp_path: Path
) -> None:
    other = edited(baseline, lambda found: found.update(tenant="00000000-0000-0000-0000-000000000000"))
    assert keyaudit("gate", "--from", contoso, "--baseline", other).code == 5
    assert keyaudit("baseline", "create", "--from", contoso, *FEW, "--out", other).code == 2
    assert keyaudit("gate", "--from", contoso, "--new-only").code == 2
    assert keyaudit("gate", "--from", contoso, "--baseline", tmp_path / "none").code == 2
    assert keyaudit("gate", "--from", contoso, "--baseline", tmp_path).code == 2
