"""The report by controls: a control passes only where every policy behind it judged, and nothing fails or is in doubt."""

import csv
import io
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.results.run import UnderProfile
from tests.cli.conftest import Keyaudit, Reported
from tests.report.example import CLEAN

OWN = """\
id: {id}
title: Something good
severity: low
table: key
violated_when: contains(key_id, "/no-such-key")
message: "x"
why: Because.
problem: Something is wrong
fix: {{text: Mend it.}}
references: [Ours]
frameworks: {{{maps}}}
{needs}
given: {{key_id: /a}}
examples:
  - {{why: good, expect: pass}}
  - {{why: bad, expect: fail, key_id: /no-such-key}}
"""


def own(folder: Path, name: str, maps: str, needs: str = "") -> Path:
    path = folder / "own"
    path.mkdir(exist_ok=True)
    (path / f"{name}.yaml").write_text(OWN.format(id=name, maps=maps, needs=needs), encoding="utf-8")
    return path


def controls(keyaudit: Keyaudit, snapshot: Path, framework: str, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    found = keyaudit("report", "--from", snapshot, "--framework", framework, "-o", "json", *arguments).json
    return {each["id"]: each for each in found["controls"]}


def test_every_control_has_a_result_and_what_no_policy_covers_is_said(keyaudit: Keyaudit, hardened: Path) -> None:
    found = controls(keyaudit, hardened, "cis-azure-6.0")
    assert found["8.3.1"]["result"] == "pass"
    assert found["8.3.1"]["policies"] == ["kv-key-no-expiry"]
    assert found["8.3.1"]["passed"] > 0
    assert (found["8.3.10"]["result"], found["8.3.10"]["policies"]) == ("not covered", [])
    assert list(found)[-1] == "9.3.1.3"


def test_controls_of_the_cis_benchmark_count_the_vaults_that_they_are_about(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported
) -> None:
    found = controls(keyaudit, contoso, "cis-azure-6.0")
    counts = {id_: (each["failed"], each["passed"]) for id_, each in found.items()}
    assert (counts["8.3.1"], counts["8.3.2"]) == ((6, 48), (2, 13))
    assert (counts["8.3.3"], counts["8.3.4"]) == ((2, 4), (2, 0))
    # No Managed HSM has keys in the one, or a log in the other.
    assert counts["6.1.1.4"] == (4, 9)
    # A sandbox is exempt by our default and not by the benchmark, and so is a key that a job rotates.
    by_default = Counter(each["policy"] for each in contoso_report.findings("fail"))
    assert (by_default["kv-purge-protection-off"], found["8.3.5"]["failed"]) == (3, 4)
    assert (by_default["kv-key-no-auto-rotation"], found["8.3.9"]["failed"]) == (15, 19)


def test_the_numbers_of_controls_add_up_to_those_of_their_policy(keyaudit: Keyaudit, contoso: Path) -> None:
    [policy] = keyaudit("report", "--from", contoso, "--select", "kv-key-no-expiry", "-o", "json").json["policies"]
    found = controls(keyaudit, contoso, "azure-policy", "--select", "kv-key-no-expiry")
    assert sum(policy["failed"].values()) == sum(each["failed"] for each in found.values()) == 8
    assert policy["passed"] == sum(each["passed"] for each in found.values()) == 68
    cis = controls(keyaudit, contoso, "cis-azure-6.0", "--select", "kv-key-no-expiry")
    of_hsms = found["1d478a74-21ba-4b9f-9d8f-8e6fced0eec5"]
    assert sum(cis[id_]["passed"] for id_ in ("8.3.1", "8.3.2")) == policy["passed"] - of_hsms["passed"]
    rows = ("failed", "excused", "unknown", "passed", "not_applicable")
    assert {sum(each[name] for name in rows) for each in (of_hsms, cis["8.3.1"], cis["8.3.2"])} == {186}


def test_a_failure_fails_its_control_be_it_waived_or_known(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    behind = ("--select", "kv-purge-protection-off")
    assert controls(keyaudit, contoso, "cis-azure-6.0", *behind)["8.3.5"]["result"] == "fail"
    baseline = tmp_path / "b.json"
    assert keyaudit("baseline", "create", "--from", contoso, *behind, "--profile", "cis-azure-6.0", "--out", baseline).code == 0
    known = controls(keyaudit, contoso, "cis-azure-6.0", *behind, "--baseline", baseline)["8.3.5"]
    assert (known["result"], known["failed"]) == ("fail", 0)
    assert known["excused"] > 0


def test_what_was_not_read_is_never_a_pass(keyaudit: Keyaudit, blind_spots: Path) -> None:
    found = controls(keyaudit, blind_spots, "mcsb")
    assert {each["result"] for each in found.values() if each["unknown"]} <= {"fail", "unknown"}
    one = controls(keyaudit, blind_spots, "pci-dss-4", "--select", "kv-key-exportable", "--allow-gap", "reason=permission")
    assert one["3.6.1.2"]["result"] in ("fail", "unknown")


def test_a_policy_that_did_not_judge_keeps_its_control_from_passing(keyaudit: Keyaudit, hardened: Path, tmp_path: Path) -> None:
    lacking = own(tmp_path, "own-logged", 'cis-azure-6.0: ["8.3.10"]', "needs: logs")
    chosen = ("--policies", lacking, "--select", "own-logged", "--select", "kv-key-no-expiry")
    found = controls(keyaudit, hardened, "cis-azure-6.0", *chosen)
    assert found["8.3.1"]["result"] == "pass"
    assert (found["8.3.10"]["result"], found["8.3.10"]["not_judged"]) == ("not judged", ["own-logged"])
    required = controls(keyaudit, hardened, "cis-azure-6.0", *chosen, "--require", "logs")
    assert (required["8.3.10"]["result"], required["8.3.10"]["unknown"]) == ("unknown", 1)
    ignored = controls(keyaudit, hardened, "cis-azure-6.0", *chosen, "--ignore", "kv-key-no-expiry")
    assert (ignored["8.3.1"]["result"], ignored["8.3.1"]["not_judged"]) == ("not judged", ["kv-key-no-expiry"])


def test_a_control_with_nothing_to_judge_is_not_applicable(keyaudit: Keyaudit, hardened: Path, tmp_path: Path) -> None:
    policies = own(tmp_path, "own-none", "ours: [R1]")
    text = (policies / "own-none.yaml").read_text(encoding="utf-8")
    (policies / "own-none.yaml").write_text(text.replace("violated", "applies_to: contains(key_id, '//none')\nviolated"))
    found = controls(keyaudit, hardened, "ours", "--policies", policies, "--select", "own-none")
    assert found["R1"]["result"] == "not applicable"


def test_every_format_counts_the_same_and_none_changes_the_exit_code(
    keyaudit: Keyaudit, contoso: Path, blind_spots: Path
) -> None:
    few = ("--select", "kv-purge-*", "--select", "kv-key-no-*", "--select", "kv-cert-validity-*")
    for snapshot, code in ((contoso, Exit.CLEAN), (blind_spots, Exit.INCOMPLETE)):
        chosen = ("--from", snapshot, "--framework", "CIS-Azure-6.0", *few)
        json = keyaudit("report", *chosen, "-o", "json")
        counts = json.json["counts"]
        assert sum(count > 0 for count in counts.values()) > 2
        words = {"not judged": "not evaluated"}
        summary = ", ".join(f"{count} {words.get(state, state)}" for state, count in counts.items())
        text, table = keyaudit("report", *chosen), keyaudit("report", *chosen, "-o", "table")
        said = keyaudit("report", *chosen, "-o", "csv")
        rows = list(csv.DictReader(io.StringIO(said.out, newline="")))
        assert {text.code, table.code, json.code, said.code} == {code}
        assert summary in " ".join(text.out.split())
        assert summary in " ".join(table.out.split())
        assert {state: sum(row["result"] == state for row in rows) for state in counts} == counts
        assert [row["control_id"] for row in rows] == [each["id"] for each in json.json["controls"]]
        assert [int(row["failed"]) for row in rows] == [each["failed"] for each in json.json["controls"]]
        for id_ in ("8.3.1", "8.3.2"):
            [each] = [each for each in json.json["controls"] if each["id"] == id_]
            assert f"{each['failed']} failed" in text.out.split(f"{id_} ")[1].split("\n")[1]
        assert "only controls for keys, credentials and their logging" in " ".join(text.out.split())


def test_a_framework_is_judged_by_its_own_limits_whatever_the_profile_of_the_run(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "k.toml"
    settings.write_text('[policy]\nprofile = "strict"\n', encoding="utf-8")
    behind = ("--select", "app-cert-too-long", "--select", "app-credential-never-expires")
    chosen = ("report", "--from", contoso, "--framework", "cis-m365-7", *behind)
    usual, strict = keyaudit(*chosen, "-o", "json").json, keyaudit(*chosen, "-o", "json", "--config", settings).json
    assert usual["controls"] == strict["controls"]
    assert {each["profile"] for each in strict["controls"]} == {strict["framework"]["profile"]} == {"cis-m365-7"}
    assert (usual["settings"]["profile"], strict["settings"]["profile"]) == ("default", "strict")
    said = " ".join(keyaudit(*chosen, "--config", settings).out.split())
    assert "Evaluated with the limits of this framework: profile cis-m365-7." in said
    assert "The whole run, evaluated with profile strict:" in said
    # One without limits of its own has those of the run.
    nist = keyaudit(*chosen[:3], "--framework", "nist-800-53-r5", *behind, "--config", settings)
    assert "It has no limits of its own; evaluated with the limits of the run: profile strict." in " ".join(nist.out.split())


def test_a_framework_says_which_controls_are_outside_and_whether_its_whole_list_is_known(
    keyaudit: Keyaudit, hardened: Path
) -> None:
    chosen = ("report", "--from", hardened, "--select", "kv-key-no-expiry", "--framework")
    assert "logging, 23 of 127; -o json lists" in " ".join(keyaudit(*chosen, "cis-azure-6.0").out.split())
    outside = keyaudit(*chosen, "cis-azure-6.0", "-o", "json").json["framework"]["outside"]
    assert sum(len(each["controls"]) for each in outside) == 127 - 23
    assert "The edition may have others" in " ".join(keyaudit(*chosen, "iso-27001").out.split())
    assert keyaudit(*chosen, "iso-27001", "-o", "json").json["framework"]["outside"] == []


def test_an_open_framework_lists_what_policies_map_to_and_says_that_it_is_not_whole(keyaudit: Keyaudit, contoso: Path) -> None:
    few = ("--select", "kv-key-*", "--select", "kv-purge-*")
    for name in ("mitre-attack", "azure-policy", "dora"):
        ran = keyaudit("report", "--from", contoso, *few, "--framework", name)
        assert "The edition has other controls" in " ".join(ran.out.split())
        assert "NOT COVERED" not in ran.out
    assert controls(keyaudit, contoso, "mitre-attack", *few)["T1552.004"]["title"] == "Unsecured credentials: private keys"


def test_several_tenants_are_each_by_control_in_every_format(keyaudit: Keyaudit, contoso: Path, hardened: Path) -> None:
    both = ("report", "--from", contoso, "--from", hardened, "--framework", "scuba", "--select", "app-secret-*")
    json = keyaudit(*both, "-o", "json").json
    assert [len(run["controls"]) for run in json["runs"]] == [12, 12]
    assert json["verdict"]["exit"] == 0
    rows = list(csv.DictReader(io.StringIO(keyaudit(*both, "-o", "csv").out, newline="")))
    assert len({row["tenant_id"] for row in rows}) == 2
    assert len(rows) == 24
    assert "2 tenants, exit 0" in keyaudit(*both).out


@pytest.mark.parametrize(("name", "said"), [("cis-azure-6", "did you mean cis-azure-6.0?"), ("nothing", "one of ")])
def test_a_framework_that_there_is_not_is_refused_with_the_nearest(keyaudit: Keyaudit, name: str, said: str) -> None:
    ran = keyaudit("report", "--demo", "--framework", name)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"no such framework: '{name}'" in ran.err
    assert said in ran.err


def test_an_own_policy_may_name_what_is_not_declared_and_a_shipped_one_may_not(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = own(tmp_path, "own-ours", "'our-standard-2': [R1], cis-azure-6.0: ['9.9.9']")
    chosen = ("--policies", policies, "--select", "own-ours")
    assert controls(keyaudit, contoso, "our-standard-2", *chosen)["R1"]["result"] == "pass"
    assert controls(keyaudit, contoso, "cis-azure-6.0", *chosen)["9.9.9"]["result"] == "pass"
    monkeypatch.setattr("keyaudit.policy.load.shipped", lambda: policies)
    ran = keyaudit("policies", "check", policies)
    assert ran.code == Exit.USAGE
    assert "own-ours.yaml:11:32: no such framework: 'our-standard-2'" in ran.err
    assert "own-ours.yaml:11:54: cis-azure-6.0 has no control '9.9.9'" in ran.err


def test_hostile_text_in_a_framework_is_inert(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    policies = own(tmp_path, "own-hostile", "ours: ['=cmd|x', '##vso[task.complete]', '<b>']")
    chosen = ("--policies", policies, "--select", "own-hostile")
    for form in ("text", "table", "json", "csv"):
        out = keyaudit("report", "--from", contoso, *chosen, "--framework", "ours", "-o", form).out
        assert "cmd|x" in out
        assert "##vso" not in out
        assert ",=cmd" not in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("8.3.99", "cis-azure-6.0 has no control '8.3.99'; did you mean 8.3.9?"),
        ("DP-6", "cis-azure-6.0 has no control 'DP-6'; it is a control of mcsb and mcsb-2"),
        ("zzz", "keyaudit report --framework cis-azure-6.0 lists its controls"),
    ],
)
def test_a_control_that_the_framework_has_not_is_refused_with_the_nearest(keyaudit: Keyaudit, name: str, said: str) -> None:
    ran = keyaudit("report", "--demo", "--framework", "cis-azure-6.0", "--control", name)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_findings_of_one_control_are_listed_and_no_others(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    chosen = ("report", "--from", contoso, "--framework", "cis-azure-6.0", "--control", "8.3.9", "--select", "kv-key-*")
    text, table = keyaudit(*chosen, "--full").out, keyaudit(*chosen, "--full", "-o", "table").out
    assert text.count("(kv-key-no-auto-rotation)") == 19
    assert len([line for line in table.splitlines() if " Key without automatic rotation " in line]) == 19
    found = keyaudit(*chosen, "--full", "-o", "json").json
    assert [each["id"] for each in found["controls"]] == ["8.3.9"]
    assert {each["policy"] for each in found["findings"]} == {"kv-key-no-auto-rotation"}
    assert len(found["findings"]) == found["controls"][0]["failed"] == 19
    path = tmp_path / "19.csv"
    assert keyaudit(*chosen, "--full", "--export", f"csv={path}").code == Exit.CLEAN
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert {each["finding_id"] for each in rows} == {each["id"] for each in found["findings"]}
    assert {(each["control_refs"], each["profile"]) for each in rows} == {("cis-azure-6.0:8.3.9", "cis-azure-6.0")}
    # Fewer of them, on request; without a request, none.
    assert keyaudit(*chosen, "--top", "3").out.count("(kv-key-no-auto-rotation)") == 3
    assert keyaudit(*chosen, "--severity", "high").out.count("(kv-key-no-auto-rotation)") == 0
    assert "findings" not in keyaudit(*chosen, "-o", "json").json


def test_a_control_with_a_condition_of_its_own_lists_what_fails_by_that(keyaudit: Keyaudit, contoso: Path) -> None:
    """Nine vaults are open to chosen networks, which the policy lets pass and this definition of Azure Policy does not."""
    control = "405c5871-3e91-4644-8a63-58e19d68ff5b"
    chosen = ("report", "--from", contoso, "--framework", "azure-policy", "--control", control, "--full", "-o", "json")
    found = keyaudit(*chosen).json
    fails = Counter(each["problem"] for each in found["findings"] if each["outcome"] == "fail")
    assert fails == {f"azure-policy {control} not met": 9, "Vault open to all networks": 3}
    assert found["controls"][0]["failed"] == 12


@pytest.mark.parametrize(("complete", "code"), [(True, Exit.CLEAN), (False, Exit.INCOMPLETE)])
def test_a_result_that_is_unknown_by_the_limits_of_the_framework_alone_makes_its_report_incomplete(
    keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch, complete: bool, code: Exit
) -> None:
    report = structs.replace(CLEAN, under=lambda profile: UnderProfile(profile=profile, complete=complete))
    monkeypatch.setattr("keyaudit.cli.controls.all_judged", lambda *_, **__: nullcontext([report]))
    assert keyaudit("report", "--demo", "--framework", "mcsb").code == code
