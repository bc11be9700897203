"""Reads the guardrails that a policy's file names."""

from collections.abc import Mapping

from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.documents.reader import Reader
from keyaudit.model.guardrails import ENABLED, GUARDRAILS, Guardrail
from keyaudit.policy.conditions.parameters import Parameter, Shape


def guardrails(reader: Reader, node: Node | None, parameters: Mapping[str, Parameter]) -> dict[str, dict[str, str]]:
    """Guardrails by kind and name, each with its limit parameter, or `ENABLED`. Problems are added to the reader."""
    found: dict[str, dict[str, str]] = {}
    for kind, named in _entries(reader, node).items():
        known = GUARDRAILS.get(kind)
        if known is None:
            reader.problem(named, f"no such kind of guardrail: {shown(kind)}", nearest(kind, GUARDRAILS))
            continue
        for name, limit in _entries(reader, named).items():
            if name not in known:
                reader.problem(limit, f"{kind} has no {shown(name)}", nearest(name, known))
                continue
            text = reader.text(limit)
            found.setdefault(kind, {})[name] = text
            if text not in ("", ENABLED):
                _limit(reader, limit, text, known[name], parameters)
    return found


def _entries(reader: Reader, node: Node | None) -> dict[str, Node]:
    if node is None:
        return {}
    if not isinstance(node, Members) or not node.members:
        reader.problem(node, "not a mapping of guardrails", f"by kind and name, each with a parameter or {ENABLED}")
        return {}
    return node.members


def _limit(reader: Reader, node: Node, name: str, guardrail: Guardrail, parameters: Mapping[str, Parameter]) -> None:
    parameter = parameters.get(name)
    if parameter is None:
        reader.problem(node, f"no such parameter: {shown(name)}", nearest(name, [*parameters, ENABLED]))
    elif guardrail.takes is None:
        reader.problem(node, "this guardrail has no limit", f"write {ENABLED}")
    elif parameter.shape is not Shape.ONE or str(parameter.kind) != str(guardrail.takes):
        reader.problem(node, f"{name} is not one {guardrail.takes}", f"name another parameter, or write {ENABLED}")
