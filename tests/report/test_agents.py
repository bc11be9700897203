"""Output for a build agent: few annotations, inert names, and a warning colour if a gate passes with warnings."""

import re

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.severity import Severity
from keyaudit.report.gate.agents import MOST, Agent, annotations, summary_command
from tests.report.example import CLEAN, GATED, OVERDUE, policy, tallies
from tests.report.hostile import hostile
from tests.report.sinks import every_payload, terminal_codes

_OURS = {
    Agent.GITHUB: re.compile(r"::(error|warning) title=keyaudit [^:,]+::[^\r\n]*"),
    Agent.AZURE: re.compile(
        r"##vso\[task\.(logissue type=(error|warning);code=[^;\]]+|complete result=SucceededWithIssues;)\].*"
    ),
}
AGENTS = pytest.mark.parametrize("agent", Agent)


@AGENTS
@every_payload
def test_a_name_cannot_speak_to_the_agent(agent: Agent, payload: str) -> None:
    lines = list(annotations([hostile(payload)], agent))
    assert lines
    for line in lines:
        assert _OURS[agent].fullmatch(line)
        # Beyond our own command at its beginning, nothing is one.
        said = line.split("]", 1)[1] if agent is Agent.AZURE else line.split("::", 2)[2]
        assert "##" not in said
        assert "::" not in said
        assert terminal_codes(said.encode()) == []


@AGENTS
def test_a_blocking_policy_is_an_error_and_any_other_a_warning(agent: Agent) -> None:
    lines = list(annotations([GATED], agent))
    [blocking] = [line for line in lines if "kv-key-expired-still-enabled" in line and " open; " in line]
    [below] = [line for line in lines if "kv-key-software-protected" in line and " open; " in line]
    assert ("error" in blocking, "error" in below) == (True, False)
    doubtful = [line for line in lines if " unknown; keyaudit doctor" in line]
    assert doubtful
    assert not any("error" in line for line in doubtful)


@AGENTS
def test_there_are_at_most_twenty_and_the_rest_is_counted(agent: Agent) -> None:
    many = tuple(
        structs.replace(tallies()[0], policy=policy(f"own-{nth}", "key", Severity.HIGH), failed={Severity.HIGH: 1})
        for nth in range(40)
    )
    report = structs.replace(GATED, tallies=many, verdict=structs.replace(GATED.verdict, gaps=()))
    lines = list(annotations([report], agent))
    assert len(lines) == MOST
    assert "31 more of this kind" in lines[-1]


@AGENTS
def test_a_gate_over_nothing_says_nothing(agent: Agent) -> None:
    assert list(annotations([structs.replace(CLEAN, verdict=structs.replace(CLEAN.verdict, gate=Severity.HIGH))], agent)) == []


def test_a_gate_that_passes_with_findings_below_it_is_amber_in_azure() -> None:
    below = structs.replace(tallies()[0], policy=OVERDUE, failed={Severity.LOW: 1}, unknown={}, known={}, waived={})
    verdict = structs.replace(CLEAN.verdict, gate=Severity.HIGH, failed={Severity.LOW: 1})
    report = structs.replace(CLEAN, tallies=(below,), verdict=verdict)
    assert list(annotations([report], Agent.AZURE))[-1].startswith("##vso[task.complete result=SucceededWithIssues;]")
    failing = structs.replace(report, verdict=structs.replace(verdict, exit=Exit.FINDINGS))
    assert not any("task.complete" in line for line in annotations([failing], Agent.AZURE))


def test_a_path_cannot_end_the_command() -> None:
    assert summary_command("/tmp/a\r\n##vso[x]%") == "##vso[task.uploadsummary]/tmp/a%0D%0A##vso[x]%AZP25"
