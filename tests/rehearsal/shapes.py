"""The command shapes that policies print, and the findings that print them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from keyaudit.policy.load import Policy, load
from keyaudit.policy.templates import Template
from tests.rehearsal.stage import Audit, Finding


class Printed(Struct, frozen=True):
    """The commands in the steps of a finding's fix, in order, each with the shape that it fills in."""

    shapes: tuple[str, ...]
    commands: tuple[str, ...]
    finding: Finding

    @property
    def shape(self) -> str:
        """The shape of the first command."""
        return self.shapes[0]


def templates(policy: Policy) -> Iterator[Template]:
    """The commands of a policy for the Azure CLI, each once."""
    fixes = (policy.how, *(arm.how for arm in policy.message_when))
    steps = [step for how in fixes for step in how.steps or (how.kinds,)]
    found = [step["cli"] for step in steps if "cli" in step and step["cli"].text.startswith("az ")]
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
        commands = tuple(step["cli"] for step in finding["steps"] if step.get("cli", "").startswith("az "))
        if finding["outcome"] == "fail" and commands:
            of = tuple(_shape(command, known[finding["policy"]]) for command in commands)
            found.append(Printed(of, commands, finding))
    return found


def _shape(command: str, known: Iterable[tuple[str, re.Pattern[str]]]) -> str:
    """The one with the fewest placeholders: a word that another shape spells out may stand in the place of a name."""
    found = [shape for shape, pattern in known if pattern.fullmatch(command)]
    assert found, f"no command of the policy reads like {command}"
    return min(found, key=lambda shape: shape.count("{"))


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
