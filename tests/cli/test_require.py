"""Evidence that Azure does not have: not evaluated until it is required, and then unknown until it is supplied."""

import csv
import io
from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

OWN = """\
id: {id}
title: Something is in the logs
severity: {severity}
table: key
violated_when: contains(key_id, "/no-such-key")
message: "x"
why: Because.
problem: Something is wrong
fix: {{text: Mend it.}}
references: [Ours]
{needs}
given: {{key_id: /a}}
examples:
  - {{why: good, expect: pass}}
  - {{why: bad, expect: fail, key_id: /no-such-key}}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of policies, three with needed evidence; commands are run in its parent folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "own"
    folder.mkdir()
    for name, severity, needs in (
        ("own-plain", "low", ""),
        ("own-logged", "high", "needs: logs"),
        ("own-kept", "low", "needs: [custody, logs]"),
        ("own-audited", "low", "needs: [unified-audit]"),
    ):
        (folder / f"{name}.yaml").write_text(OWN.format(id=name, severity=severity, needs=needs), encoding="utf-8")
    return folder


def test_what_was_not_supplied_is_not_judged_until_it_is_required(keyaudit: Keyaudit, contoso: Path, own: Path) -> None:
    chosen = ("--from", contoso, "--policies", own, "--select", "own-*")
    plain = keyaudit("gate", *chosen)
    assert plain.code == Exit.CLEAN
    assert "1 needs logs (supply it with --import logs=DIR)" in plain.out
    ran = keyaudit("gate", *chosen, "--require", "logs")
    assert ran.code == Exit.INCOMPLETE
    assert "keyaudit gate   INCOMPLETE" in ran.out
    assert "(not_supplied: evidence from outside Azure was not supplied; logs)" in ran.out
    assert "UNKNOWN  own-logged  1 result: 1 high" in ran.out
    # One that needs custody too is unknown as well; one that needs only something else stays as it was.
    assert "UNKNOWN  own-kept  1 result: 1 low" in ran.out
    assert "NOT EVALUATED  1 policy (0 at or above --fail-on), never a pass: 1 needs unified-audit (" in ran.out
    assert "settings   required: logs" in ran.out


def test_every_format_says_why_and_what_to_do(keyaudit: Keyaudit, contoso: Path, own: Path) -> None:
    chosen = ("--from", contoso, "--policies", own, "--select", "own-*", "--require", "unified-audit,logs")
    found = keyaudit("report", *chosen, "-o", "json")
    assert found.code == Exit.INCOMPLETE
    unknown = {each["policy"]: each for each in found.json["findings"]}
    assert set(unknown) == {"own-logged", "own-kept", "own-audited"}
    assert all(each["outcome"] == "unknown" and each["scope"]["kind"] == "tenant" for each in unknown.values())
    assert unknown["own-kept"]["message"] == "unknown: custody and logs (evidence from outside Azure was not supplied)"
    remedies = {gap["detail"]: gap["remedy"] for gap in found.json["gaps"] if gap["reason"] == "not_supplied"}
    assert remedies == {
        "logs": "supply it with --import logs=DIR",
        "custody": "supply it with --import custody=FILE",
        "unified-audit": "supply it with --import ual=FILE",
    }
    assert found.json["not_judged"] == []
    assert (found.json["verdict"]["complete"], found.json["settings"]["require"]) == (False, ["logs", "unified-audit"])
    for form in ("text", "table"):
        ran = keyaudit("report", *chosen, "-o", form)
        assert ran.code == Exit.INCOMPLETE
        said = " ".join(ran.out.split())
        assert "not_supplied: evidence from outside Azure was not supplied (unified-audit)" in said
        assert "fix: supply it with --import ual=FILE" in said
        assert "INCOMPLETE: 3 gaps and 3 unknown results" in said
    rows = list(csv.DictReader(io.StringIO(keyaudit("report", *chosen, "-o", "csv").out, newline="")))
    assert {row["coverage_note"] for row in rows if row["status"] == "unknown"} == {"*:not_supplied"}
    assert sum(row["status"] == "unknown" for row in rows) == 3


def test_only_an_accepted_gap_or_a_waiver_over_coverage_excuses_it(keyaudit: Keyaudit, contoso: Path, own: Path) -> None:
    chosen = ("--from", contoso, "--policies", own, "--ignore", "own-[ak]*", "--select", "own-*", "--require", "logs")
    assert keyaudit("gate", *chosen).code == Exit.INCOMPLETE
    allowed = keyaudit("gate", *chosen, "--allow-gap", "reason=not_supplied")
    assert allowed.code == Exit.CLEAN, allowed.out
    assert "ALLOWED" in allowed.out
    assert keyaudit("gate", *chosen, "--allow-gap", "reason=not_supplied,policy=own-other").code == Exit.INCOMPLETE


def test_the_file_requires_as_the_flag_does(keyaudit: Keyaudit, contoso: Path, own: Path) -> None:
    (own.parent / "keyaudit.toml").write_text('[require]\nevidence = ["logs"]')
    chosen = ("--from", contoso, "--policies", own, "--select", "own-*")
    ran = keyaudit("gate", *chosen, "--require", "custody")
    assert ran.code == Exit.INCOMPLETE
    assert "settings   required: custody, logs" in ran.out


def test_what_is_required_and_supplied_is_judged(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("gate", "--from", contoso, "--select", "kv-purge-*", "--require", "logs,custody,not-in-cloud")
    # No chosen policy needs any of it.
    assert ran.code == keyaudit("gate", "--from", contoso, "--select", "kv-purge-*").code


def test_the_credentials_of_an_external_blueprint_are_unknown_and_gate_until_they_are_stated(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    policy = "agent-foreign-blueprint-with-secret"
    chosen = ("gate", "--from", contoso, "--select", policy, "-o", "json")
    ran = keyaudit(*chosen)
    assert ran.code == Exit.INCOMPLETE
    [finding] = ran.json["findings"]
    assert (finding["outcome"], finding["row"]["name"]) == ("unknown", "Fabrikam Agents")
    assert finding["unknown"] == {"client_secret": "publisher_only"}
    assert keyaudit(*chosen, "--require", "publishers").code == Exit.INCOMPLETE
    assert keyaudit(*chosen, "--allow-gap", "reason=publisher_only").code == Exit.CLEAN
    config = tmp_path / "keyaudit.toml"
    config.write_text(f'schema = 1\n[policy.parameters.{policy}]\nattested = ["{finding["row"]["publisher"]}"]\n')
    stated = keyaudit(*chosen, "--require", "publishers", "--config", config)
    assert (stated.code, stated.json["findings"]) == (Exit.CLEAN, [])


def test_a_name_that_nothing_has_is_refused(keyaudit: Keyaudit) -> None:
    ran = keyaudit("gate", "--demo", "--require", "logz")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err == "keyaudit: --require: no such evidence: 'logz'; did you mean logs?\n"
