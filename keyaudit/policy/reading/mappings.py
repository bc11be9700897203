"""Reads the controls of frameworks that a policy's file maps to."""

import re
from collections.abc import Callable, Iterable, Iterator

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.documents.reader import Reader
from keyaudit.model.frameworks import FRAMEWORKS
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.controls import Part

CONDITIONS = ("where", "violated_when")
"""The conditions of a control that is about a part of the policy."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*", re.ASCII)


def frameworks(reader: Reader, node: Node | None, *, declared: bool) -> dict[str, tuple[str, ...]]:
    """The ids of controls by framework. Problems are added to the reader.

    `declared`: they must be in `model.frameworks`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, value in reader.entries(node).items():
        if _NAME.fullmatch(name) is None:
            reader.problem(value, f"{shown(name)} cannot name a framework", "as in cis-azure-6.0")
        controls = [_control(reader, item) for item in _items(reader, value)]
        found[name] = tuple(reader.text(item) for item in controls)
        if declared:
            _declared(reader, name, value, controls)
    return found


def parts(reader: Reader, node: Node | None, condition: Callable[[Node | None], Condition | None]) -> tuple[Part, ...]:
    """The controls with a condition. `condition` reads one, and adds its problems."""
    return tuple(
        Part(name, reader.text(item.members.get("id")), *(condition(item.members.get(each)) for each in CONDITIONS))
        for name, value in _by_name(node)
        for item in (value.items if isinstance(value, Items) else ())
        if isinstance(item, Members)
    )


def confined(found: tuple[Part, ...]) -> dict[str, dict[str, str]]:
    """The conditions in words, by framework and control."""
    by_framework: dict[str, dict[str, str]] = {}
    for part in found:
        by_framework.setdefault(part.framework, {})[part.control] = part.text
    return by_framework


def profiles(mapped: Iterable[str]) -> dict[str, str]:
    """By framework, its profile."""
    return {name: FRAMEWORKS[name].profile for name in mapped if name in FRAMEWORKS and FRAMEWORKS[name].profile}


def _by_name(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Members):
        yield from node.members.items()


def _items(reader: Reader, node: Node) -> tuple[Node, ...]:
    if isinstance(node, Items) and not node.items:
        reader.problem(node, "no controls", "name at least one, or leave the field out")
    return reader.items(node)


def _control(reader: Reader, item: Node) -> Node | None:
    """The id, alone or with conditions."""
    if not isinstance(item, Members):
        return item
    reader.members(item, ("id",), CONDITIONS, "a control with a condition must have one")
    if item.members.keys().isdisjoint(CONDITIONS):
        reader.problem(item, "a control without a condition", "write its id alone")
    return item.members.get("id")


def _declared(reader: Reader, name: str, node: Node, controls: list[Node | None]) -> None:
    framework = FRAMEWORKS.get(name)
    if framework is None:
        reader.problem(node, f"no such framework: {shown(name)}", nearest(name, FRAMEWORKS))
        return
    for item in controls:
        if isinstance(item, Scalar) and not framework.knows(item.text):
            remedy = nearest(item.text, framework.controls) or "declare it in keyaudit/model/frameworks"
            reader.problem(item, f"{name} has no control {shown(item.text)}", remedy)
