"""What a waiver that does not do what its author hoped comes to: its message, and the exit code."""

import csv
import io
import json
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.cli.test_waivers import day, entry, written

ALONE = """\
id: own-named
title: No key is called so
severity: high
table: key
violated_when: contains(key_id, "/no-such-key")
message: "x"
why: Because.
problem: Something is wrong
fix: {text: Mend it.}
references: [Ours]
given: {key_id: /a}
examples:
  - {why: good, expect: pass}
  - {why: bad, expect: fail, key_id: /no-such-key}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a policy that nothing violates: what is left is what was not read."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own-named.yaml").write_text(ALONE, encoding="utf-8")
    return folder


def test_an_expired_waiver_leaves_the_finding_open_and_says_since_when(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    ended = day(contoso, -3)
    created = day(contoso, -60)
    waivers = written(tmp_path, entry("W-1", "kv-purge-protection-off", "*/vaults/kv-*", ended, created=created))
    chosen = ("--from", contoso, "--select", "kv-purge-*", "--waivers", waivers)
    first = "waiver W-1 of team@contoso.example expired 3 days ago"
    said = f"{first}: it no longer covers anything; fix the finding, or renew the waiver"
    gated = keyaudit("gate", *chosen, "--fail-on", "low")
    assert gated.code == Exit.FINDINGS
    assert f"  WAIVER  {said}" in gated.out
    assert said in " ".join(keyaudit("report", *chosen, "--export", f"json={tmp_path / 'r.json'}").out.split())
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [(use["id"], use["state"], use["covered"]) for use in report["waivers"]] == [("W-1", "expired", 0)]
    assert not any(report["verdict"]["waived"].values())
    checked = keyaudit("waivers", "check", "--file", waivers)
    assert checked.code == Exit.FINDINGS
    assert f"waiver W-1 expired after {ended}" in checked.out


def test_an_unused_waiver_changes_nothing_and_is_named(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    waivers = written(
        tmp_path,
        entry("W-2", "kv-*", "*/vaults/no-such-vault", day(contoso, 20), created=day(contoso, 0)),
    )
    chosen = ("--from", contoso, "--select", "kv-purge-*", "--waivers", waivers)
    gated = keyaudit("gate", *chosen)
    assert gated.code == keyaudit("gate", *chosen[:-2]).code
    assert (
        "  WAIVER  waiver W-2 of team@contoso.example covers nothing in this run; remove it with keyaudit waivers prune"
        in gated.out
    )
    for part, why in (
        (("--select", "app-no-owner"), "this run, which evaluated none of its policies"),
        (("--select", "kv-purge-*", "--vault", "kv-orders-prod"), "the part of the tenant that this run shows"),
    ):
        text = " ".join(keyaudit("report", "--from", contoso, *part, "--waivers", waivers).out.split())
        assert f"covers nothing in {why}" in text
        assert "waivers prune" not in text
    assert "removed W-2" in keyaudit("waivers", "prune", "--file", waivers, "--from", contoso).out


def test_a_waiver_that_may_not_cover_a_critical_finding_says_so(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    chosen = ("--from", contoso, "--select", "sp-tier0-with-secret")
    [finding, *_] = [each for each in keyaudit("report", *chosen, "-o", "json").json["findings"] if each["outcome"] == "fail"]
    covering = ("W-9", "sp-tier0-with-secret", finding["subject"], day(contoso, 20))
    ran = keyaudit("gate", *chosen, "--waivers", written(tmp_path, entry(*covering, created=day(contoso, 0))))
    assert "W-9 of team@contoso.example covers nothing in this run; critical findings need allow_critical: true" in ran.out
    allowing = entry(*covering, created=day(contoso, 0), allow_critical="true")
    ran = keyaudit("gate", *chosen, "--waivers", written(tmp_path, allowing))
    assert "covers nothing" not in ran.out


def test_a_waiver_over_a_gap_accepts_it_only_where_that_is_what_it_covers(
    keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path, own: Path
) -> None:
    chosen = ("--from", blind_spots, "--policies", own, "--select", "own-*")
    assert keyaudit("gate", *chosen).code == Exit.INCOMPLETE
    created, last = day(blind_spots, 0), day(blind_spots, 30)
    plain = written(tmp_path, entry("W-3", "own-*", "*kv-*", last, created=created))
    ran = keyaudit("gate", *chosen, "--waivers", plain)
    assert ran.code == Exit.INCOMPLETE
    assert (
        "waiver W-3 of team@contoso.example covers nothing that was read; a waiver accepts gaps only with covers: coverage, "
        "for at most 30 days" in ran.out
    )
    places = ("*kv-*", "*hsm-contoso-trust*")
    over = written(
        tmp_path,
        *(
            entry(f"W-{number}", "own-*", place, last, created=created, covers="coverage")
            for number, place in enumerate(places)
        ),
    )
    covered = keyaudit("gate", *chosen, "--waivers", over)
    assert covered.code == Exit.CLEAN, covered.out
    assert "  ALLOWED  " in covered.out
    rows = list(csv.DictReader(io.StringIO(keyaudit("report", *chosen, "--waivers", over, "-o", "csv").out, newline="")))
    # Accepted is not passed: the results stay unknown.
    assert "unknown" in {row["status"] for row in rows}
    too_long = written(tmp_path, entry("W-4", "own-*", "*kv-*", day(blind_spots, 31), created=created, covers="coverage"))
    refused = keyaudit("gate", *chosen, "--waivers", too_long)
    assert refused.code == Exit.USAGE
    assert f"{too_long}:" in refused.err
    assert "a waiver for a gap is valid for 30 days at most, from its creation date" in refused.err


@pytest.mark.parametrize("pattern", ["*", "**", "*/vaults/*", "*/keys/*/versions/*", "?*", "/subscriptions/*"])
def test_a_waiver_for_everything_is_refused(keyaudit: Keyaudit, contoso: Path, tmp_path: Path, pattern: str) -> None:
    for policy in ("'*'", "kv-key-*"):
        waivers = written(tmp_path, entry("W-5", policy, pattern, day(contoso, 9)))
        ran = keyaudit("gate", "--from", contoso, "--waivers", waivers)
        assert (ran.code, ran.out) == (Exit.USAGE, "")
        assert ran.err.startswith(f"keyaudit: {waivers}:5:")
        assert f"'{pattern}' names no resource; a waiver must name specific resources" in ran.err


@pytest.mark.parametrize("last", ["2026-02-30", "30.11.2026", "soon", "2026-1-1", "''", "9999999-01-01", "[2026-12-01]"])
def test_a_file_with_a_broken_date_is_refused_with_its_place(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, last: str
) -> None:
    waivers = written(tmp_path, entry("W-6", "kv-key-*", "*/vaults/kv-one/*", last))
    for command in (("gate", "--from", contoso, "--waivers"), ("waivers", "check", "--file"), ("waivers", "list", "--file")):
        ran = keyaudit(*command, waivers)
        assert (ran.code, ran.out) == (Exit.USAGE, "")
        assert ran.err.startswith(f"keyaudit: {waivers}:10:14: ")
