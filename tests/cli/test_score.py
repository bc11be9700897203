"""Scores, end to end: in every format alike, in order, explained, and as ranges where something was not read."""

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from keyaudit.model.findings import BANDS
from tests.cli.conftest import Keyaudit, once

CROWN = "consumer-token-signing"
FEW = tuple(
    word
    for name in ("kv-key-*", "kv-purge-protection-off", "app-*-too-long", "sp-same-*", "fed-saml-*")
    for word in ("--select", name)
)
"""Policies whose findings are scored, of every kind, and one whose are not."""


@pytest.fixture(scope="module")
def written(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report of `contoso`, by the name of its format."""
    folder = tmp_path_factory.mktemp("written")
    names = ("text", "json", "csv", "jsonl")
    once("report", "--from", contoso, *FEW, *(part for name in names for part in ("--export", f"{name}={folder / name}")))
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


@pytest.fixture(scope="module")
def findings(written: dict[str, str]) -> list[dict[str, Any]]:
    """Its findings."""
    found: list[dict[str, Any]] = json.loads(written["json"])["findings"]
    return found


def _findings(keyaudit: Keyaudit, folder: Path, *flags: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = keyaudit("report", "--from", folder, "-o", "json", *flags).json["findings"]
    return found


def test_findings_come_by_the_upper_bound(keyaudit: Keyaudit, contoso: Path, findings: list[dict[str, Any]]) -> None:
    found = _findings(keyaudit, contoso, *FEW, "--sort", "score")
    scored = [each for each in found if each["score"]]
    order = [(each["score"]["high"], each["score"]["low"]) for each in scored]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) > 10
    assert {each["id"] for each in found} == {each["id"] for each in findings}
    evaluated = {each["policy"].partition("-")[0] for each in found if each["score"]}
    assert {"kv", "app", "sp", "fed"} <= evaluated
    assert all(each["score"] is None for each in found if each["policy"] == "kv-purge-protection-off")


def test_a_finding_without_a_score_is_among_those_of_its_severity(keyaudit: Keyaudit, contoso: Path) -> None:
    """A critical one counts as 60, the least score of a critical resource, and is not below what scores less."""
    found = _findings(keyaudit, contoso, "--select", "sp-*", "--select", "app-*", "--select", "fed-*", "--sort", "score")
    least = {severity.value: score for score, severity in BANDS}
    worst: dict[str, int] = {}
    for each in found:
        worst[each["subject"]] = max(worst.get(each["subject"], 0), least[each["severity"]])
    order = [each["score"]["high"] if each["score"] else worst[each["subject"]] for each in found]
    assert order == sorted(order, reverse=True)
    assert {each["severity"] for each in found if not each["score"]} >= {"critical", "high"}


@pytest.mark.usefixtures("narrow_views")
def test_the_first_screen_is_the_same_beside_an_export(keyaudit: Keyaudit, blind_spots: Path, tmp_path: Path) -> None:
    report = ("report", "--from", blind_spots, *FEW)
    assert keyaudit(*report, "--export", f"json={tmp_path / 'json'}").out == keyaudit(*report).out


def test_every_format_says_the_same(
    keyaudit: Keyaudit, contoso: Path, written: dict[str, str], findings: list[dict[str, Any]]
) -> None:
    by_id = {each["id"]: each for each in findings}
    lines = list(csv.DictReader(io.StringIO(written["csv"], newline="")))
    seen = 0
    for line in lines:
        each = by_id.get(line["finding_id"])
        if each is None:
            continue
        seen += 1
        score = each["score"]
        if score is None:
            assert (line["score"], line["score_arithmetic"]) == ("", "")
            continue
        assert (line["score"], line["score_low"]) == (str(score["high"]), str(score["low"]))
        assert line["score_arithmetic"] == score["arithmetic"]
        # Beside the severity it would be a second word for how bad the finding is.
        assert line["score_band"] == ""
    assert seen >= len(by_id)
    streamed = [json.loads(line) for line in written["jsonl"].splitlines()]
    of_lines = {each["id"]: each["score"] for each in streamed if each["type"] == "finding"}
    assert {id_: of_lines[id_] for id_ in by_id} == {id_: each["score"] for id_, each in by_id.items()}
    text = " ".join(keyaudit("report", "--from", contoso, *FEW, "--sort", "score").out.split())
    for each in by_id.values():
        if each["score"]:
            assert each["score"]["arithmetic"] in text
    # Without being asked for, it is no part of the report for people.
    assert "score " not in written["text"]


def test_a_finding_is_explained_with_its_evidence_and_arithmetic(
    keyaudit: Keyaudit, contoso: Path, findings: list[dict[str, Any]]
) -> None:
    for each in findings[:40:8]:
        ran = keyaudit("explain", each["id"].upper(), "--from", contoso, *FEW)
        assert ran.code == Exit.CLEAN
        # A command is never broken over lines.
        assert max(len(line) for line in ran.out.splitlines() if not line.startswith("  az ")) <= 80
        said = " ".join(ran.out.split())
        assert each["policy"] in said
        for column in each["evidence"]:
            assert f"{column}:" in said
        for factor in (each["score"] or {"factors": {}})["factors"].values():
            assert factor["because"] in said
        if each["score"]:
            assert f"blast radius x exposure x age: {each['score']['arithmetic']}" in said


def test_a_pass_can_be_explained_too(keyaudit: Keyaudit, contoso: Path, written: dict[str, str]) -> None:
    lines = csv.DictReader(io.StringIO(written["csv"], newline=""))
    passed = next(line for line in lines if line["status"] == "pass" and line["score"])
    ran = keyaudit("explain", passed["finding_id"], "--from", contoso, *FEW)
    assert ran.code == Exit.CLEAN
    assert passed["score_arithmetic"] in " ".join(ran.out.split())


def test_a_fingerprint_that_there_is_not_is_one_line_with_the_remedy(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("explain", "0123456789abcdef", "--from", contoso, "--select", "kv-key-*")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert re.fullmatch(r"keyaudit: explain: no finding has the id 0123456789abcdef here; see .+\n", ran.err)


def test_a_finding_goes_by_the_first_digits_of_its_id(
    keyaudit: Keyaudit, contoso: Path, findings: list[dict[str, Any]]
) -> None:
    id_ = findings[0]["id"]
    short, whole = (keyaudit("explain", name, "--from", contoso, *FEW) for name in (id_[:6], id_))
    assert (short.code, short.out) == (Exit.CLEAN, whole.out)
    assert keyaudit("explain", id_[:5], "--from", contoso, *FEW).code == Exit.USAGE


def test_several_findings_whose_ids_begin_alike_are_listed(
    keyaudit: Keyaudit, contoso: Path, findings: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyaudit.cli.explain.is_id", re.compile("[0-9a-f]{1,16}").fullmatch)
    first = findings[0]["id"][0]
    alike = [each["id"] for each in findings if each["id"].startswith(first) and each["outcome"] != "pass"]
    assert len(alike) > 1, "choose another digit"
    ran = keyaudit("explain", first, "--from", contoso, *FEW)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"the ids of several findings begin with {first}: " in ran.err
    assert set(re.findall("[0-9a-f]{16}", ran.err)) <= set(alike)


def test_a_resource_goes_by_the_name_that_a_screen_shows(
    keyaudit: Keyaudit, contoso: Path, findings: list[dict[str, Any]]
) -> None:
    open_ = [each for each in findings if each["outcome"] == "fail"]
    named = Counter(each["resource"] for each in open_)
    single, several = (
        next(name for name, count in named.items() if (count == 1) is one and "/" in name) for one in (True, False)
    )
    [only] = [each for each in open_ if each["resource"] == single]
    found, whole = (keyaudit("explain", name, "--from", contoso, *FEW) for name in (single, only["id"]))
    assert (found.code, found.out) == (Exit.CLEAN, whole.out)
    listed = keyaudit("explain", several, "--from", contoso, *FEW).out
    assert re.findall(r"(?m)^[0-9a-f]{6}(?= )", listed) == [each["id"][:6] for each in open_ if each["resource"] == several]
    none = keyaudit("explain", "no-such-key", "--from", contoso, *FEW)
    assert (none.code, none.out) == (Exit.USAGE, "")
    assert none.err.startswith("keyaudit: explain: no policy or topic 'no-such-key'; ")


def test_a_policy_is_explained_as_ever(keyaudit: Keyaudit) -> None:
    ran = keyaudit("explain", "kv-key-no-expiry")
    assert ran.code == Exit.CLEAN
    assert ran.out.startswith("kv-key-no-expiry (medium, key)\n")


def test_what_was_not_read_shows_as_a_range(keyaudit: Keyaudit, blind_spots: Path, findings: list[dict[str, Any]]) -> None:
    seen = _findings(keyaudit, blind_spots, *FEW, "--sort", "score")
    found = [each["score"] for each in seen if each["score"]]
    ranges = [score for score in found if score["low"] != score["high"]]
    assert len(ranges) > 10
    for score in ranges:
        assert " unknown)" in score["arithmetic"]
        assert any(factor["unknown"] for factor in score["factors"].values())
    whole = {each["id"]: each["score"] for each in findings if each["score"]}
    for each in seen:
        if each["score"] and each["id"] in whole:
            certain = whole[each["id"]]
            assert each["score"]["low"] <= certain["low"], each
            assert each["score"]["high"] >= certain["high"], each
    nothing = keyaudit("explain", "0123456789abcdef", "--from", blind_spots, "--select", "kv-key-*")
    assert nothing.err.count("not everything was read") == 1


@pytest.mark.exhaustive
def test_the_key_of_2016_across_two_environments_scores_80(keyaudit: Keyaudit, tmp_path: Path) -> None:
    rules = '[environments.subscriptions]\n"contoso-prod" = "prod"\n"contoso-nonprod" = "test"\n'
    (tmp_path / "mine.toml").write_text(f"schema = 1\n{rules}", encoding="utf-8")
    keyaudit("collect", "--demo", "--config", tmp_path / "mine.toml", "--out", tmp_path / "out", "--quiet")
    found = _findings(keyaudit, tmp_path / "out", "--sort", "score", "--select", "kv-key-rotation-overdue")
    assert found[0]["resource"] == f"kv-identity-prod/keys/{CROWN}"
    assert (found[0]["score"]["arithmetic"], found[0]["score"]["band"]) == ("5 x 4 x 4 = 80", "critical")
    ran = keyaudit("explain", found[0]["id"], "--from", tmp_path / "out", "--select", "kv-key-rotation-overdue")
    assert "2 environments" in " ".join(ran.out.split())


def test_controls_have_an_order_of_their_own(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("report", "--from", contoso, "--framework", "mcsb", "--sort", "score")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    why = "cannot be combined with --group-by, --sort or --columns; leave those out"
    assert ran.err == f"keyaudit: --framework: {why}\n"
