"""The command shapes that policies print, and the findings that print them."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from keyaudit.policy.load import Policy, load
from keyaudit.policy.templates import Template
from tests.rehearsal.stage import Audit, Finding


class Printed(Struct, frozen=True):
    """A command in a finding, and the shape that it fills in."""

    shape: str
    command: str
    finding: Finding


def templates(policy: Policy) -> Iterator[Template]:
    """The commands of a policy for the Azure CLI, each once."""
    fixes = (policy.fix, *(arm.fix for arm in policy.message_when))
    found = [fix["cli"] for fix in fixes if "cli" in fix and fix["cli"].text.startswith("az ")]
    yield from {each.text: each for each in found}.values()


def shapes() -> dict[str, list[str]]:
    """The ids of the policies that print a shape, by shape."""
    found: dict[str, list[str]] = {}
    for policy in load():
        for each in templates(policy):
            found.setdefault(each.readable, []).append(policy.text.id)
    return found


def printed(audit: Audit) -> list[Printed]:
    """The commands of the findings that fail, in the order of the report."""
    known: Mapping[str, list[tuple[str, re.Pattern[str]]]] = {
        policy.text.id: [(each.readable, _pattern(each)) for each in templates(policy)] for policy in load()
    }
    found = []
    for finding in audit.values():
        command = (finding["fix"] or {}).get("cli", "")
        if finding["outcome"] == "fail" and command.startswith("az "):
            shape = next((shape for shape, pattern in known[finding["policy"]] if pattern.fullmatch(command)), None)
            assert shape is not None, f"no command of {finding['policy']} reads like {command}"
            found.append(Printed(shape, command, finding))
    return found


_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'"]+)"""
"""One word of a command, as a fix quotes it."""


def _pattern(template: Template) -> re.Pattern[str]:
    return re.compile("".join(_parts(template)))


def _parts(template: Template) -> Iterator[str]:
    for literal, placeholder in template.parts:
        if placeholder is None:
            yield re.escape(literal)
        elif placeholder.option:
            yield f"{re.escape(literal.rstrip())}(?: {placeholder.option}(?:[ =](?!--){_WORD})+)?"
        elif literal.endswith(" "):
            # A word that begins with a dash is joined to its option.
            yield f"{re.escape(literal[:-1])}[ =]{_WORD}"
        else:
            yield f"{re.escape(literal)}{_WORD}"
