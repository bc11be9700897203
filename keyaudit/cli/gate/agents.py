"""Annotations and summaries for the build agent that a gate runs in."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.cli.options import Ci
from keyaudit.cli.terminal.streams import printing, tell
from keyaudit.model.errors import OutputError
from keyaudit.model.results.run import Report

if TYPE_CHECKING:
    from keyaudit.report.gate.agents import Agent


def tell_agent(reports: Sequence[Report], ci: Ci, *, machine: bool) -> None:
    """Write annotations and a summary for the agent, if there is one; to stderr if a `machine` reads stdout.

    If the summary cannot be written, a message says so; the gate's decision stays the same.
    """
    agent = _agent(ci, os.environ)
    if agent is None:
        return
    from keyaudit.report.gate.agents import annotations

    lines = list(annotations(reports, agent))
    try:
        lines += _summary(reports, agent, os.environ)
    except (OSError, OutputError) as error:
        tell(f"no job summary: {error}", prefix="keyaudit: ")
    text = "".join(f"{line}\n" for line in lines)
    try:
        if machine:
            sys.stderr.write(text)
            sys.stderr.flush()
        else:
            with printing() as out:
                out.write(text)
    except (OSError, OutputError) as error:
        tell(f"no annotations: {error}", prefix="keyaudit: ")


def _agent(ci: Ci, environ: Mapping[str, str]) -> "Agent | None":
    named = environ.get("GITHUB_ACTIONS") == "true" or environ.get("TF_BUILD", "").lower() == "true"
    if ci is Ci.NONE or (ci is Ci.AUTO and not named):
        return None
    from keyaudit.report.gate.agents import Agent

    if ci is Ci.AUTO:
        if environ.get("GITHUB_ACTIONS") == "true":
            return Agent.GITHUB
        return Agent.AZURE
    return Agent(ci)


def _summary(reports: Sequence[Report], agent: "Agent", environ: Mapping[str, str]) -> list[str]:
    """Write the summary to the agent's file, and return the commands that show it."""
    from keyaudit.report import markdown
    from keyaudit.report.files import output_bytes
    from keyaudit.report.gate.agents import Agent, summary_command

    if agent is Agent.GITHUB:
        if environ.get("GITHUB_STEP_SUMMARY"):
            with Path(environ["GITHUB_STEP_SUMMARY"]).open("ab") as out:
                for report in reports:
                    markdown.write(report, out)
        return []
    if not environ.get("AGENT_TEMPDIRECTORY"):
        return []
    path = Path(environ["AGENT_TEMPDIRECTORY"]) / f"keyaudit-{secrets.token_hex(8)}.md"
    with output_bytes(path) as file:
        for report in reports:
            markdown.write(report, file)
    return [summary_command(str(path))]
