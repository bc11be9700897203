"""Waivers in a run: what they cover is counted and listed, what they cannot cover stays open, and they end by themselves."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.values.times import DAY, iso_date
from tests.cli.conftest import Keyaudit, Ran
from tests.clock import START

NO_EXPIRY = "kv-key-no-expiry"
CRITICAL = "sp-tier0-with-secret"


def entry(name: str, policy: str, resource: str, expires: str, **more: str) -> str:
    fields = {
        "id": name,
        "match": f"{{policy: {policy}, resource: '{resource}'}}",
        "reason": "The replacement is under way",
        "owner": "team@contoso.example",
        "approved_by": "ciso@contoso.example",
        "created": "2026-01-01",
        **more,
        "expires": expires,
    }
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in fields.items()) + "\n"


def written(folder: Path, *entries: str) -> Path:
    path = folder / "waivers.yaml"
    path.write_text("# Reviewed every quarter.\nversion: 1\nwaivers:\n" + "".join(entries), encoding="utf-8")
    return path


def day(snapshot: Path, ahead: int) -> str:
    """A day so many days after the snapshot was taken, within the longest life of a waiver made that day."""
    return iso_date(open_snapshot(snapshot).run.as_of + ahead * DAY)


def findings(keyaudit: Keyaudit, snapshot: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    found = keyaudit("report", "--from", snapshot, "-o", "json", *arguments).json["findings"]
    assert isinstance(found, list)
    return found


def test_what_a_waiver_covers_is_counted_listed_and_does_not_gate(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    chosen = ("--select", "kv-key-rotation-overdue")
    before = findings(keyaudit, contoso, *chosen)
    high = [each for each in before if each["severity"] == "high"]
    assert high
    last = day(contoso, 60)
    waivers = written(
        tmp_path,
        *(entry(f"W-{n}", "kv-key-*", each["subject"].upper(), last, created=day(contoso, 0)) for n, each in enumerate(high)),
    )
    run = ("--waivers", waivers, *chosen)
    rows_of, report_of = tmp_path / "r.csv", tmp_path / "r.json"
    printed = keyaudit("report", "--from", contoso, *run, "--export", f"csv={rows_of}", "--export", f"json={report_of}")
    report = json.loads(report_of.read_text(encoding="utf-8"))
    after = report["findings"]
    assert [each["id"] for each in after if each["outcome"] == "waived"] == [each["id"] for each in high]
    assert {each["waiver"] for each in after if each["outcome"] == "waived"} == {f"W-{n}" for n in range(len(high))}
    assert len(after) == len(before)
    assert keyaudit("gate", "--from", contoso, *chosen).code == 1
    gated = keyaudit("gate", "--from", contoso, *run)
    assert gated.code == 0
    assert f"{len(high)} waived" in gated.out
    assert "WAIVED" in printed.out
    assert f"(waiver W-0 of team@contoso.example, to {last})" in " ".join(printed.out.split())
    assert report["verdict"]["waived"]["high"] == len(high)
    assert {use["state"] for use in report["waivers"]} == {"active"}
    with rows_of.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    waived = [row for row in rows if row["status"] == "waived"]
    assert len(waived) == len(high)
    assert {row["waiver_owner"] for row in waived} == {"team@contoso.example"}
    assert {row["waiver_expires_at"] for row in waived} == {f"{last}T23:59:59Z"}


def test_an_expired_waiver_covers_nothing_and_is_named(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    waivers = written(tmp_path, entry("W-old", "kv-key-*", "*kv-*/keys/*", "2026-01-31"))
    chosen = ("--from", contoso, "--select", "kv-key-rotation-overdue")
    ran = keyaudit("gate", *chosen, "--waivers", waivers)
    assert ran.code == keyaudit("gate", *chosen).code == 1
    assert "WAIVER  waiver W-old of team@contoso.example expired " in ran.out
    assert "waived" not in ran.out
    assert keyaudit("waivers", "check", "--file", waivers).code == 1


def test_an_unused_waiver_is_named(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    today = day(contoso, 0)
    waivers = written(tmp_path, entry("W-none", "kv-key-*", "*/keys/no-such-key*", day(contoso, 9), created=today))
    chosen = ("--from", contoso, "--select", "kv-key-rotation-overdue")
    assert "covers nothing in this run" in keyaudit("report", *chosen, "--waivers", waivers).out
    checked = keyaudit("waivers", "check", "--file", waivers, "--from", contoso)
    assert checked.code == 1
    assert "waiver W-none of team@contoso.example covers nothing" in checked.out
    assert keyaudit("waivers", "check", "--file", waivers).code == 0


def test_no_waiver_covers_a_critical_finding_unless_it_says_so(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    today, last = day(contoso, 0), day(contoso, 9)
    found = findings(keyaudit, contoso, "--select", CRITICAL)
    chosen = ("--select", CRITICAL)
    for allow, code in (({}, 1), ({"allow_critical": "true"}, 0)):
        entries = [entry(f"W-{n}", CRITICAL, each["subject"], last, created=today, **allow) for n, each in enumerate(found)]
        waivers = written(tmp_path, *entries)
        assert keyaudit("gate", "--from", contoso, "--waivers", waivers, *chosen).code == code


@pytest.mark.exhaustive
def test_a_waiver_never_covers_what_was_not_read_unless_that_is_what_it_is_for(
    keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path
) -> None:
    today, last = day(blind_spots, 0), day(blind_spots, 20)
    chosen = ("--select", "kv-key-exportable")

    def complete(*arguments: str | Path) -> bool:
        verdict = keyaudit("report", "--from", blind_spots, "-o", "json", *chosen, *arguments).json["verdict"]
        return bool(verdict["complete"])

    plain = written(tmp_path, entry("W-1", "kv-*", "*kv-*", last, created=today))
    assert not complete("--waivers", plain)
    one = written(tmp_path, entry("W-3", "kv-*", "*kv-hr-prod", last, created=today, covers="coverage"))
    assert not complete("--waivers", one)
    dark = ("*kv-*", "*hsm-contoso-trust*")
    coverage = written(
        tmp_path,
        *(entry(f"W-{n}", "kv-*", each, last, created=today, covers="coverage") for n, each in enumerate(dark)),
    )
    assert complete("--waivers", coverage)
    assert not complete("--waivers", coverage, "--as-of", day(blind_spots, 30))
    # What fails stays open.
    gated = keyaudit("gate", "--from", blind_spots, "--waivers", coverage, *chosen, "--fail-on", "low")
    assert gated.code == 1
    assert "ALLOWED  kv-hr-prod" in gated.out
    assert "also 3" not in gated.out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (entry("W-1", "kv-key-*", "*", "2026-12-01"), "'*' names no resource"),
        (entry("W-1", "kv-key-*", "*/kv-prod/*", "2026-12-32"), "'2026-12-32' is no date"),
    ],
)
def test_a_file_that_cannot_be_used_stops_before_anything_is_read(
    keyaudit: Keyaudit, tmp_path: Path, wrong: str, said: str
) -> None:
    waivers = written(tmp_path, wrong)
    ran = keyaudit("gate", "--demo", "--waivers", waivers)
    assert ran.code == 2
    assert f"{waivers}:" in ran.err
    assert said in ran.err
    assert "reading tenant" not in ran.err


def test_the_file_of_the_folder_is_used_unless_that_is_declined(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keyaudit.waivers.yaml").write_text("version: 1\nwaivers: [1]\n", encoding="utf-8")
    assert keyaudit("gate", "--from", contoso).code == 2
    assert keyaudit("gate", "--from", contoso, "--select", CRITICAL, "--no-waivers").code == 1
    assert "cannot be combined" in keyaudit("gate", "--from", contoso, "--no-waivers", "--waivers", "x").err


def test_adding_and_pruning_keep_what_people_wrote(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    old = entry("W-old", "kv-key-*", "*/keys/old*", "2026-01-31") + "    # Asked for by the build team.\n"
    today, last = (iso_date(START + ahead * DAY) for ahead in (0, 30))
    waivers = written(tmp_path, entry("W-now", "kv-key-*", "*/keys/now*", last, created=today), old)

    def add(resource: str, file: Path = waivers) -> Ran:
        who = ("--reason", "r: #1", "--owner", "o", "--approved-by", "a", "--expires", last)
        return keyaudit(
            "waivers", "add", "--policy", NO_EXPIRY, "--resource", resource, *who, "--file", file, "--from", contoso
        )

    added = add("*/keys/dev-scratch")
    assert added.code == 0, added.err
    text = waivers.read_text(encoding="utf-8")
    assert text.startswith("# Reviewed every quarter.\n")
    assert "# Asked for by the build team." in text
    listed = keyaudit("waivers", "list", "--file", waivers).out
    assert "W-old" in listed
    assert "(expired)" in listed
    assert keyaudit("waivers", "prune", "--file", waivers).code == 0
    pruned = waivers.read_text(encoding="utf-8")
    assert pruned.startswith("# Reviewed every quarter.\n")
    assert "W-old" not in pruned
    assert "W-now" in pruned
    assert "'r: #1'" in pruned
    refused = add("*")
    assert refused.code == 2
    lost = add("*/keys/dev-scratch", waivers.parent / "missing" / "waivers.yaml")
    assert (lost.code, "does not exist; create it" in lost.err) == (2, True)
    # The refused entry has no place in the file.
    assert refused.err.startswith("keyaudit: waivers add: '*' names no resource; ")
    assert waivers.read_text(encoding="utf-8") == pruned


def test_pruning_by_a_run_that_did_not_see_everything_is_refused(keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path) -> None:
    waivers = written(tmp_path, entry("W-now", "kv-key-*", "*/keys/now*", "2026-12-31"))
    ran = keyaudit("waivers", "prune", "--file", waivers, "--from", blind_spots)
    assert ran.code == 2
    assert "incomplete" in ran.err
