"""The Azure Pipelines template's scripts, run against simulated tenants as the agent would run them."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from keyaudit.cli.init import template
from keyaudit.model.errors import Exit
from tests.cli.tenants import running
from tests.clock import of_the_machine
from tests.pipelines.agent import ROOT, TEMPLATE, Agent, every_hostile, filled, plant, read, script
from tests.report.sinks import agent_commands

pytestmark = pytest.mark.exhaustive


def _step(name: str) -> dict[str, Any]:
    [found] = [step for step in read(TEMPLATE)["steps"] if step.get("displayName") == name]
    return dict(found)


def _values(given: Mapping[str, str]) -> dict[str, str]:
    declared = {each["name"]: str(each.get("default", "")) for each in read(TEMPLATE)["parameters"]}
    assert set(given) <= set(declared)
    values = {f"parameters.{name}": value for name, value in {**declared, **given}.items()}
    return {**values, "System.AccessToken": "", "KEYAUDIT_NOTIFY_URLS": "$(KEYAUDIT_NOTIFY_URLS)"}


def _gate(agent: Agent, environ: Mapping[str, str], **given: str) -> subprocess.CompletedProcess[str]:
    step = _step("keyaudit gate")
    return agent.run(step["inputs"]["inlineScript"], {**filled(step["env"], _values(given)), **environ})


@pytest.mark.parametrize(("estate", "exit_"), [("hardened", Exit.CLEAN), ("contoso", Exit.FINDINGS)])
def test_a_live_tenant_is_audited_and_the_task_ends_as_the_gate(agent: Agent, estate: str, exit_: Exit) -> None:
    agent.installed()
    with of_the_machine(), running(estate) as tenant:
        ran = _gate(agent, tenant.environ, formats="jsonl markdown")
    assert ran.returncode == exit_, ran.stderr
    assert "##vso[task.setvariable variable=keyaudit.exported]true" in ran.stdout.splitlines()
    folder = agent.temp / "keyaudit"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "keyaudit.jsonl",
        "keyaudit.junit.xml",
        "keyaudit.markdown",
        "sarif/keyaudit.sarif",
    ]


@pytest.mark.parametrize(("code", "told", "ends"), [(0, 0, 0), (0, 3, 0), (0, 70, 70), (1, 70, 1), (3, 0, 3)], ids=str)
def test_snapshots_are_kept_and_owners_told_whatever_the_gate_decides(agent: Agent, code: int, told: int, ends: int) -> None:
    log = agent.temp / "log"
    script(agent.venv / "keyaudit", f'echo "$1 ${{@: -1}}" >>{log}; [[ $1 == gate ]] && exit {code}; exit {told}')
    script(agent.temp / "bin" / "az", f'echo "$3" >>{log}')
    kept = agent.temp / "keyaudit-kept"
    ran = _gate(agent, {"KEYAUDIT_NOTIFY_URLS": "json://x"}, storageAccount="stkeyaudit", arguments=f"--mark={kept}")
    assert ran.returncode == ends, ran.stderr
    said = log.read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in said] == ["download-batch", "gate", "upload-batch", "send"]
    assert said[-1] == f"send --keep={kept}"
    log.unlink()
    # A variable that the pipeline does not have, and no storage.
    assert _gate(agent, {}, storageAccount="stkeyaudit").returncode == code
    assert len(log.read_text(encoding="utf-8").splitlines()) == 3
    log.unlink()
    assert _gate(agent, {}).returncode == code
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1


def test_a_gate_that_cannot_start_publishes_nothing(agent: Agent) -> None:
    agent.installed()
    ran = _gate(agent, {}, profile="lenient")
    assert ran.returncode == Exit.USAGE
    assert "setvariable" not in ran.stdout


@every_hostile
def test_a_hostile_parameter_is_never_run_and_never_a_flag(agent: Agent, text: str) -> None:
    agent.recording()
    flags = {"failOn": "fail-on", "profile": "profile", "baseline": "baseline", "waivers": "waivers", "tenant": "tenant"}
    ran = _gate(agent, {}, **dict.fromkeys((*flags, "arguments", "newOnly"), text))
    assert ran.returncode == 0, ran.stderr
    assert not (agent.workspace / "witness").exists()
    assert agent_commands((ran.stdout + ran.stderr).encode()) == []
    folder = agent.temp / "keyaudit"
    assert agent.arguments == [
        "gate",
        "--ci=azure",
        f"--fail-on={text}",
        *(f"--{flag}={text}" for flag in ("profile", "baseline", "waivers", "tenant") if text),
        *(line for line in text.split("\n") if line),
        f"--export=junit={folder}/keyaudit.junit.xml",
        f"--export=sarif={folder}/sarif/keyaudit.sarif",
    ]


@every_hostile
def test_no_hostile_format_leads_out_of_the_folder(agent: Agent, text: str) -> None:
    agent.recording()
    ran = _gate(agent, {}, formats=text)
    assert not (agent.workspace / "witness").exists()
    said = [line for line in agent_commands((ran.stdout + ran.stderr).encode()) if b"the parameter formats" not in line]
    assert said == []
    if agent.arguments is None:
        assert ran.returncode == Exit.USAGE
    else:
        exports = [each.removeprefix("--export=").split("=", 1) for each in agent.arguments[5:]]
        assert all(path == f"{agent.temp}/keyaudit/keyaudit.{name}" and "/" not in name for name, path in exports)


def test_it_installs_what_was_asked_for_and_no_flag(agent: Agent) -> None:
    log = agent.temp / "pip"
    script(agent.venv / "python", f'printf "%s\\n" "$@" >>{log}')
    script(agent.temp / "bin" / "python", "true")
    step = _step("Install keyaudit")
    for text in ("keyaudit.whl", "--index-url=https://evil"):
        log.unlink(missing_ok=True)
        ran = agent.run(step["bash"], filled(step["env"], _values({"package": text, "lock": text})))
        assert ran.returncode == 0, ran.stderr
        said = log.read_text(encoding="utf-8").splitlines()
        assert said[-2:] == ["--", text]
        assert {"--require-hashes", f"--requirement={text}", "--no-index"} <= {*said}


def test_it_installs_without_importing_modules_of_the_audited_folder(agent: Agent) -> None:
    witness = plant(agent.workspace)
    script(agent.temp / "bin" / "python", f'exec "{sys.executable}" "$@"')
    step = _step("Install keyaudit")
    given = {"package": str(ROOT), "lock": str(ROOT / ".ci" / "lock.txt")}
    ran = agent.run(step["bash"], {**filled(step["env"], _values(given)), "PIP_NO_INDEX": "1"})
    assert "No matching distribution found" in ran.stderr
    assert not witness.exists()


def test_it_installs_the_checkout_that_a_pipeline_makes_of_its_repository() -> None:
    declared = {each["name"]: each.get("default") for each in read(TEMPLATE)["parameters"]}
    checkouts = {
        step["checkout"]: step["path"] for step in yaml.safe_load(template("azure.yml"))["steps"] if "checkout" in step
    }
    assert declared["package"] == f"$(Agent.BuildDirectory)/{checkouts['keyaudit']}"
    assert declared["lock"] == f"{declared['package']}/.ci/lock.txt"
    # Files of the pipeline's own repository, such as a baseline, are found where they are without a second checkout.
    assert checkouts["self"] == "s"


def test_results_are_published_whatever_the_gate_decides() -> None:
    steps = read(TEMPLATE)["steps"]
    after = steps[[step.get("displayName") for step in steps].index("keyaudit gate") + 1 :]
    assert len(after) == 3
    for step in after:
        assert step["condition"] == "and(succeededOrFailed(), eq(variables['keyaudit.exported'], 'true'))"
    assert _step("Publish the results as tests")["inputs"]["failTaskOnFailedTests"] is False
    assert _step("Publish the results as a scan")["artifact"] == "CodeAnalysisLogs"
