"""The composite action's shell steps, run against simulated tenants: what is uploaded, kept, and how the job ends."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from tests.pipelines.agent import ACTION, ROOT, Agent, every_hostile, filled, plant, read, script
from tests.report.sinks import agent_commands

pytestmark = pytest.mark.exhaustive


def _step(name: str) -> dict[str, Any]:
    [found] = [step for step in read(ACTION)["runs"]["steps"] if step["name"] == name]
    return dict(found)


def _inputs(given: Mapping[str, str]) -> dict[str, str]:
    declared = {name: each["default"] for name, each in read(ACTION)["inputs"].items()}
    assert set(given) <= {*declared, "base"}
    base = given.get("base", "")
    pull_request = {"github.event.pull_request.number": "7", "github.repository": "o/r", "github.token": "t"}
    return {"github.base_ref": base, **pull_request} | {
        f"inputs.{name}": value for name, value in {**declared, **given}.items() if name != "base"
    }


def _gate(agent: Agent, **given: str) -> subprocess.CompletedProcess[str]:
    if not (agent.venv / "keyaudit").exists():
        agent.installed()
    (agent.temp / "output").unlink(missing_ok=True)
    step = _step("Gate")
    inputs = _inputs({name.replace("_", "-"): value for name, value in given.items()})
    return agent.run(step["run"], filled(step["env"], inputs))


def _ends(agent: Agent) -> int:
    step = _step("Pass or fail")
    return agent.run(step["run"], filled(step["env"], {"steps.gate.outputs.exit-code": agent.outputs["exit-code"]})).returncode


def test_a_tenant_that_is_as_it_should_be_passes(agent: Agent) -> None:
    ran = _gate(agent, demo="hardened", formats="sarif junit  markdown\njsonl cyclonedx-1.7")
    assert ran.returncode == 0, ran.stderr
    assert agent.outputs == {"exit-code": "0", "complete": "true", "folder": str(agent.temp / "keyaudit")}
    assert sorted(path.name for path in (agent.temp / "keyaudit").iterdir()) == [
        "keyaudit.cyclonedx-1.7",
        "keyaudit.jsonl",
        "keyaudit.junit.xml",
        "keyaudit.markdown",
        "keyaudit.sarif",
    ]
    assert _ends(agent) == Exit.CLEAN


def test_findings_fail_the_job_after_all_else(agent: Agent) -> None:
    ran = _gate(agent, demo="contoso", fail_on="low", arguments="--source=keys\n--select=kv-key-exportable")
    assert ran.returncode == 0, ran.stderr
    assert "::error title=keyaudit " in ran.stdout
    assert agent.outputs["complete"] == "true"
    assert _ends(agent) == Exit.FINDINGS


def test_nothing_is_uploaded_of_a_run_that_saw_less_even_where_findings_decide_its_exit(agent: Agent) -> None:
    _gate(agent, demo="blind-spots")
    assert agent.outputs["exit-code"] == str(int(Exit.FINDINGS))
    assert agent.outputs["complete"] == "false"
    assert (agent.temp / "keyaudit" / "keyaudit.sarif").exists()


def test_nothing_is_uploaded_over_a_gap_that_was_accepted(agent: Agent) -> None:
    _gate(
        agent,
        demo="blind-spots",
        fail_on="critical",
        arguments="--select=kv-key-no-expiry\n\n--allow-gap=policy=kv-key-no-expiry\n",
    )
    assert agent.outputs == {"exit-code": "0", "complete": "false", "folder": str(agent.temp / "keyaudit")}


def test_a_gate_that_cannot_start_fails_the_job_and_uploads_nothing(agent: Agent) -> None:
    ran = _gate(agent, demo="contoso", profile="lenient")
    assert "lenient" in ran.stderr
    assert agent.outputs["complete"] == "false"
    assert _ends(agent) == Exit.USAGE


def test_no_module_in_the_audited_folder_is_imported_and_decides_that_alerts_are_closed(agent: Agent) -> None:
    witness = plant(agent.workspace)
    _gate(agent, demo="blind-spots", formats="sarif")
    assert agent.outputs["exit-code"] == str(int(Exit.FINDINGS))
    assert agent.outputs["complete"] == "false"
    assert not witness.exists()


def test_a_job_without_a_verdict_fails(agent: Agent) -> None:
    step = _step("Pass or fail")
    assert agent.run(step["run"], {"CODE": ""}).returncode == Exit.BUG


def test_a_baseline_and_waivers_reach_the_gate(agent: Agent) -> None:
    (agent.workspace / "old.json").write_text("{}")
    ran = _gate(agent, demo="contoso", baseline="old.json", new_only="true", waivers="missing.yaml")
    assert agent.outputs["exit-code"] == str(int(Exit.USAGE))
    assert "old.json" in ran.stderr or "missing.yaml" in ran.stderr


def test_a_pull_request_is_decided_by_the_files_of_its_base_branch(agent: Agent) -> None:
    agent.recording()
    _gate(agent, base="main")
    assert "--base=.keyaudit-base" in (agent.arguments or ())
    checkout = _step("Check out the base branch")
    assert checkout["with"] == {"ref": "${{ github.base_ref }}", "path": ".keyaudit-base", "persist-credentials": False}
    for given in ({"base": ""}, {"base": "main", "demo": "contoso"}):
        _gate(agent, **given)
        assert not any(each.startswith("--base") for each in agent.arguments or ())


@every_hostile
def test_a_hostile_input_is_never_run_and_never_a_flag(agent: Agent, text: str) -> None:
    agent.recording()
    inputs = ("fail_on", "profile", "baseline", "waivers", "tenant", "demo", "arguments", "new_only")
    ran = _gate(agent, **dict.fromkeys(inputs, text))
    assert ran.returncode == 0, ran.stderr
    assert not (agent.workspace / "witness").exists()
    assert agent_commands((ran.stdout + ran.stderr).encode()) == []
    assert set(agent.outputs) == {"exit-code", "complete", "folder"}
    folder = agent.temp / "keyaudit"
    assert agent.arguments == [
        "gate",
        "--ci=github",
        f"--fail-on={text}",
        *(f"--{flag}={text}" for flag in ("profile", "baseline", "waivers", "tenant") if text),
        *(["--demo", f"--estate={text}"] if text else []),
        *(line for line in text.split("\n") if line),
        f"--export=sarif={folder}/keyaudit.sarif",
        f"--export=junit={folder}/keyaudit.junit.xml",
    ]


@every_hostile
def test_no_hostile_format_leads_out_of_the_folder(agent: Agent, text: str) -> None:
    agent.recording()
    ran = _gate(agent, formats=text)
    assert not (agent.workspace / "witness").exists()
    said = [line for line in agent_commands((ran.stdout + ran.stderr).encode()) if b"title=keyaudit::the input" not in line]
    assert said == []
    if agent.arguments is None:
        assert ran.returncode == Exit.USAGE
    else:
        start = f"{agent.temp}/keyaudit/keyaudit."
        exports = [each.removeprefix("--export=").split("=", 1) for each in agent.arguments if each.startswith("--export=")]
        assert all(path == start + name and "/" not in name for name, path in exports)


KEPT = ("Fetch the snapshots", "Keep the snapshot", "Tell owners")


def test_snapshots_are_fetched_before_the_gate_and_kept_whatever_it_decides(agent: Agent) -> None:
    names = [step["name"] for step in read(ACTION)["runs"]["steps"]]
    assert names.index(KEPT[0]) + 2 == names.index("Gate") == names.index(KEPT[1]) - 1 == names.index(KEPT[2]) - 2
    assert all("inputs.storage-account != ''" in _step(name)["if"] for name in KEPT)
    assert all("!cancelled()" in _step(name)["if"] for name in KEPT[1:])
    agent.recording()
    hostile = "$(touch witness) --help"
    script(agent.temp / "bin" / "az", f'printf "%s\\n" "$@" >>{agent.temp / "az"}')
    values = _inputs({"storage-account": hostile, "storage-container": hostile})
    for name in KEPT[:2]:
        ran = agent.run(_step(name)["run"], filled(_step(name)["env"], values))
        assert ran.returncode == 0, ran.stderr
    said = (agent.temp / "az").read_text(encoding="utf-8").splitlines()
    assert said.count(f"--account-name={hostile}") == 2
    assert {f"--source={hostile}", f"--destination={hostile}"} < set(said)
    assert not (agent.workspace / "witness").exists()
    _gate(agent, storage_account=hostile)
    assert f"--keep={agent.temp}/keyaudit-kept" in (agent.arguments or ())


@pytest.mark.parametrize(("answer", "ends"), [(0, 0), (3, 0), (70, 70), (2, 2)])
def test_owners_are_told_if_there_is_an_address_and_what_was_not_delivered_fails(agent: Agent, answer: int, ends: int) -> None:
    script(agent.venv / "keyaudit", f'printf "%s\\0" "$@" >"{agent.temp / "arguments"}"; exit {answer}')
    assert agent.run(_step("Tell owners")["run"], {}).returncode == 0
    assert agent.arguments is None
    assert agent.run(_step("Tell owners")["run"], {"KEYAUDIT_NOTIFY_URLS": "json://x"}).returncode == ends
    assert agent.arguments == ["send", "notifications", f"--keep={agent.temp}/keyaudit-kept"]


@pytest.mark.parametrize("earlier", ["", "41\n42\n"])
def test_one_comment_on_the_pull_request_has_the_result_and_is_replaced(agent: Agent, earlier: str) -> None:
    step = _step("Comment on the pull request")
    assert "inputs.comment == 'true'" in step["if"]
    assert "github.event.pull_request.number" in step["if"]
    assert _inputs({})["inputs.comment"] == "false"
    agent.installed()
    summary = {"GITHUB_STEP_SUMMARY": str(agent.temp / "step")}
    gate = _step("Gate")
    agent.run(gate["run"], {**filled(gate["env"], _inputs({"demo": "contoso"})), **summary})
    record = f'printf "%s\\n" "$*" >>{agent.temp / "gh"}'
    script(agent.temp / "bin" / "gh", f'{record}; [[ $2 != --paginate ]] || printf "{earlier}"')
    ran = agent.run(step["run"], filled(step["env"], _inputs({})))
    assert ran.returncode == 0, ran.stderr
    where = "PATCH repos/o/r/issues/comments/41" if earlier else "POST repos/o/r/issues/7/comments"
    assert (agent.temp / "gh").read_text(encoding="utf-8").splitlines()[-1] == (
        f"api --silent --method {where} --field body=@{agent.temp}/keyaudit-comment.md"
    )
    text = (agent.temp / "keyaudit-comment.md").read_text(encoding="utf-8")
    shown = (agent.temp / "step").read_text(encoding="utf-8")
    assert text.startswith("<!-- keyaudit -->\n# keyaudit: ")
    assert len(text) < 65_536 < len(shown)
    kept, _, last = text.removeprefix("<!-- keyaudit -->\n").rpartition("\nThe summary of the run")
    assert shown.startswith(kept)
    assert last == " has the rest.\n"


def _install(agent: Agent, **given: str) -> tuple[int, list[str]]:
    log = agent.temp / "pip"
    log.unlink(missing_ok=True)
    recorder = f'printf "%s\\n" "$@" >{log}'
    body = (
        f'mkdir -p "$4/bin"; printf \'#!/usr/bin/env bash\\n%s\\n\' \'{recorder}\' >"$4/bin/python"; chmod +x "$4/bin/python"'
    )
    script(agent.temp / "bin" / "python3.12", body)
    step = _step("Install keyaudit")
    values = {**_inputs(given), "steps.python.outputs.python-path": str(agent.temp / "bin" / "python3.12")}
    ran = agent.run(step["run"], filled(step["env"], values))
    return ran.returncode, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_it_installs_without_importing_modules_of_the_audited_folder(agent: Agent) -> None:
    witness = plant(agent.workspace)
    step = _step("Install keyaudit")
    values = {**_inputs({}), "steps.python.outputs.python-path": sys.executable}
    # Nothing can be downloaded: only whose pip says so is the question.
    ran = agent.run(step["run"], {**filled(step["env"], values), "PIP_NO_INDEX": "1"})
    assert "No matching distribution found" in ran.stderr
    assert not witness.exists()


def test_it_installs_the_checkout_that_it_is_part_of(agent: Agent) -> None:
    assert _install(agent)[1][-1] == str(ROOT)
    assert _install(agent, extras="xlsx,ocsf")[1][-1] == f"{ROOT}[xlsx,ocsf]"


@pytest.mark.parametrize("text", ["1.0 --index-url=https://evil", "latest!", "1.0\nevil", "$(id)", "https://evil/x", "--pre"])
def test_it_installs_no_extras_that_are_not_names(agent: Agent, text: str) -> None:
    assert _install(agent, extras=text) == (Exit.USAGE, [])


def test_what_follows_the_gate_hangs_on_what_it_said() -> None:
    complete = "steps.gate.outputs.complete == 'true'"
    assert complete in _step("Upload to code scanning")["if"]
    assert "inputs.demo == ''" in _step("Upload to code scanning")["if"]
    for name in ("Keep the files", "Pass or fail"):
        assert "!cancelled()" in _step(name)["if"]
    assert [step["name"] for step in read(ACTION)["runs"]["steps"]][-1] == "Pass or fail"


def test_the_uploaded_file_says_that_it_is_whole(agent: Agent) -> None:
    _gate(agent, demo="hardened", formats="sarif")
    runs = json.loads((agent.temp / "keyaudit" / "keyaudit.sarif").read_text(encoding="utf-8"))["runs"]
    assert all(each["executionSuccessful"] for run in runs for each in run["invocations"])
