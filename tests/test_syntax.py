"""What is printed for PowerShell, Bicep and Terraform, which no test runs, is at least of their grammars."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from keyaudit.policy.load import load
from keyaudit.policy.templates import Template
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.plan import plan
from tests import needs
from tests.report.example import RUN, VERDICT

if TYPE_CHECKING:
    from tree_sitter import Node as Parsed

HOSTILE = 'o\'neil $(id) `x\u2019; "y"'


def mistakes(language: str, text: str) -> list[str]:
    """The parts of a text that its grammar does not have, as tree-sitter reads it."""
    for name in ("tree_sitter", f"tree_sitter_{language}"):
        needs.module(name)
    import importlib  # noqa: PLC0415

    from tree_sitter import Language, Parser  # noqa: PLC0415 - not on a bare machine

    grammar = importlib.import_module(f"tree_sitter_{language}").language()
    return list(_errors(Parser(Language(grammar)).parse(text.encode()).root_node))


def _errors(node: "Parsed") -> Iterator[str]:
    if node.is_error or node.is_missing:
        yield f"{node.start_point}: {node.text!r}"
    for child in node.children:
        yield from _errors(child)


def filled(template: Template) -> str:
    """A command with a quoted value in each place."""
    return "".join(literal + ("" if of is None else "'a b'") for literal, of in template.parts)


def test_every_powershell_command_of_a_policy_can_be_parsed() -> None:
    commands = {
        f"{policy.text.id}: {filled(template)}": filled(template)
        for policy in load()
        for how in (policy.how, *(arm.how for arm in policy.message_when))
        for kinds in how.steps or (how.kinds,)
        for kind, template in kinds.items()
        if kind == "powershell"
    }
    assert len(commands) > 10
    assert {name: found for name, text in commands.items() if (found := mistakes("powershell", text))} == {}


@pytest.mark.parametrize("kind", [Kind.DOMAIN, Kind.RELYING_PARTY])
def test_the_plan_for_a_signer_can_be_parsed_whatever_its_name(kind: Kind) -> None:
    nodes = [Node(id="s", kind=Kind.SUBJECT, name="k", note="key"), Node(id=f"/x/{HOSTILE}", kind=kind, name=HOSTILE)]
    found = BlastRadius(
        run=RUN,
        verdict=VERDICT,
        target="k",
        subject=nodes[0],
        digests=(),
        nodes={node.id: node for node in nodes},
        edges=[Edge(source="s", target=nodes[1].id, relation=Relation.SIGNS_TOKENS_FOR, names="AB")],
        verify=False,
    )
    commands = [command for step in plan(found) if step.language == "powershell" for command in step.commands]
    assert commands
    assert [each for command in commands for each in mistakes("powershell", command)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("powershell", "Get-MgDomain -DomainId 'contoso"),
        ("powershell", "Update-MgDomain -BodyParameter @{a = 'b'"),
        ("bicep", "param name string = {"),
        ("hcl", 'variable "x" { type = '),
    ],
)
def test_a_mistake_is_found(language: str, text: str) -> None:
    assert mistakes(language, text)
