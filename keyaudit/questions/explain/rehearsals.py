"""Which printed commands were rehearsed: run by the unmodified Azure CLI against a simulated tenant that was audited again."""

import functools
import json
from importlib.resources import files

from msgspec import Struct, convert


class Rehearsed(Struct, frozen=True):
    """What a rehearsal showed of a command, as a policy writes it."""

    command: str
    closes: dict[str, dict[str, list[str]]]
    """The policies whose finding it closed. `also`: policies of other findings that it closed in that run; `opens`: of
    findings that it opened, as its text says. `left`: of findings with the same cause that it did not close.
    """
    runs: list[str]
    """The policies for which it ran and closed nothing by itself: it shows something, or other steps follow."""


class _File(Struct, frozen=True):
    azure_cli: str
    commands: list[Rehearsed]


def azure_cli() -> str:
    """The version of the Azure CLI in the rehearsal."""
    return _read().azure_cli


def commands() -> list[Rehearsed]:
    """All commands that were rehearsed, by text."""
    return _read().commands


def said(policy: str, command: str) -> str:
    """Whether a policy's command, as the policy writes it, was rehearsed, or why not; empty for one of keyaudit itself."""
    if command.startswith("keyaudit "):
        return ""
    if not command.startswith("az "):
        return "Not rehearsed: PowerShell is not run against the simulated tenant; its syntax was checked."
    found = next((each for each in commands() if each.command == command), None)
    rehearsed = f"Rehearsed with az {azure_cli()} against a simulated tenant"
    if found and policy in found.closes:
        return f"{rehearsed}: it closes the finding."
    if found and policy in found.runs:
        return f"{rehearsed}: it runs, but does not close the finding by itself."
    return f"Not rehearsed: no finding of the simulated tenant prints it{' for this policy' if found else ''}."


@functools.cache
def _read() -> _File:
    return convert(json.loads(files("keyaudit.report").joinpath("rehearsed.json").read_text("utf-8")), _File)
