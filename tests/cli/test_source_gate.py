"""A gate over some kinds of objects alone: it passes what it could decide, counts the rest, and passes over nothing unknown."""

import json
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.estates import snapshot


@pytest.fixture(scope="module")
def sound_keys() -> Path:
    """The keys of the tenant in which all is as it should be."""
    return snapshot("hardened", "--source", "keys")


@pytest.fixture(scope="module")
def applications() -> Path:
    """The applications of an ordinary tenant."""
    return snapshot("ordinary", "--source", "applications")


def test_the_keys_of_a_sound_tenant_pass_as_the_part_that_was_asked_for(
    keyaudit: Keyaudit, sound_keys: Path, tmp_path: Path
) -> None:
    file = tmp_path / "gate.json"
    ran = keyaudit("gate", "--from", sound_keys, "--export", f"json={file}")
    assert ran.code == Exit.CLEAN
    last = ran.out.splitlines()[-1]
    assert last.startswith("exit 0: passed: the selected part was assessed, and nothing is open at or above --fail-on")
    assert "need the parts that were left out (run without the filter that excluded it)" in ran.out
    assert "UNKNOWN" not in ran.out
    found = json.loads(file.read_bytes())
    assert last.endswith(f"; not evaluated: {found['verdict']['not_evaluated']:,} policies at or above it")
    lacking = {each["policy"]: each["needs"] for each in found["not_judged"]}
    # Its rows are there, and each needs the role assignments. Of the other there is no row.
    assert lacking["scope-key-many-signers"] == lacking["app-secret-too-long"] == ["left-out"]


def test_everything_required_makes_what_was_left_out_gate(keyaudit: Keyaudit, sound_keys: Path) -> None:
    ran = keyaudit("gate", "--from", sound_keys, "--require", "all", "--select", "scope-key-many-signers", "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert ran.json["not_judged"] == []
    assert ran.json["settings"]["require"] == ["all"]
    empty = keyaudit("gate", "--from", sound_keys, "--require", "all", "--select", "app-secret-too-long")
    assert empty.code == Exit.INCOMPLETE


def test_a_gate_does_not_pass_where_some_rows_of_a_policy_were_decided(keyaudit: Keyaudit, applications: Path) -> None:
    ran = keyaudit("gate", "--from", applications, "--fail-on", "critical", "--all", "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    outcomes: dict[str, set[str]] = {}
    for each in ran.json["findings"]:
        outcomes.setdefault(each["policy"], set()).add(each["outcome"])
    unknown = {policy for policy, found in outcomes.items() if "unknown" in found}
    assert unknown
    assert all(outcomes[policy] != {"unknown"} for policy in unknown)
    lacking = {each["policy"] for each in ran.json["not_judged"]}
    assert lacking.isdisjoint(outcomes)
    allowed = keyaudit("gate", "--from", applications, "--fail-on", "critical", "--allow-gap", "reason=excluded_by_config")
    assert allowed.code == Exit.CLEAN
    assert "passed: the selected part" in allowed.out


def test_an_ordinary_report_of_a_part_says_that_it_is_one(keyaudit: Keyaudit, sound_keys: Path) -> None:
    said = " ".join(keyaudit("report", "--from", sound_keys).out.split())
    assert "Complete for the selected part: " in said
    assert "need the parts that were left out" in said
