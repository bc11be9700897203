"""The `[policy]` and `[require]` tables of `keyaudit.toml`: the limits of policies, in general and by class of resources.

Names of policies and parameters are checked later, when policies are bound; here they are only read, with their lines.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

from msgspec import Struct, field

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, shown
from keyaudit.model.documents.reader import Keys, Reader, dotted, one_of
from keyaudit.model.evidence import REQUIRABLE
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import one_line
from keyaudit.policy.conditions.parameters import PROFILES
from keyaudit.policy.settings import Given, PolicyClass
from keyaudit.policy.waivers import names_something

_INTEGER = re.compile(r"-?\d+", re.ASCII)
_LONGEST = 80


class PolicyConfig(Struct, frozen=True, kw_only=True):
    """The settings of a file for policies."""

    profile: str | None = None
    parameters: Mapping[str, Mapping[str, Given]] = field(default_factory=dict)
    classes: tuple[PolicyClass, ...] = ()
    require: tuple[str, ...] = ()


def _given(reader: Reader, node: Node, path: Keys) -> Given:
    """A value as in policy files: text, which the parameter's type converts later."""
    for each in _scalars(node):
        if not each.quoted and not _INTEGER.fullmatch(each.text):
            what = f"{dotted(path)}: not a text, whole number, list or table"
            raise FieldError(what, 'write a duration as "P365D"')
        if not each.text.isprintable():
            raise FieldError(f"{dotted(path)}: a control character in a text", "leave it out")
    return Given(node, reader.place(node))


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    else:
        for each in node.items if isinstance(node, Items) else node.members.values():
            yield from _scalars(each)


def _class_name(reader: Reader, node: Node, path: Keys) -> str:
    name = reader.string(node, path)
    if not name.isprintable() or len(name) > _LONGEST:
        raise FieldError(f"{shown(name, _LONGEST)} cannot name a class", f"printable characters, {_LONGEST} at most")
    return name


def _resource(reader: Reader, node: Node, path: Keys) -> Glob:
    pattern = reader.string(node, path)
    if not pattern.isprintable():
        raise FieldError("a control character in a pattern", "leave it out")
    if not names_something(pattern):
        remedy = "a class must match some resources; [policy.parameters] applies to all"
        raise FieldError(f"{shown(pattern)} names no resource", remedy)
    return Glob(pattern)


def tag_values(reader: Reader, node: Node, path: Keys) -> dict[str, str]:
    """Values of tags, which may be empty, by name in lower case."""
    found: dict[str, str] = {}
    for name, value in reader.entries(node, path).items():
        # Unlike other texts, the value of a tag may be empty.
        if not isinstance(value, Scalar) or not value.quoted or not (name + value.text).isprintable():
            reader.problem(value, f"{dotted((*path, name))}: not a text", 'write it in quotes, as "build"')
        elif name.lower() in found:
            reader.problem(value, f"the tag {one_line(name)} is defined twice", "tag names are not case-sensitive")
        else:
            found[name.lower()] = value.text
    return found


Parameters: TypeAlias = Mapping[str, Mapping[str, Annotated[Given, _given]]]
"""Values by policy and parameter."""


class _Match(Struct, kw_only=True):
    resource: Annotated[Glob | None, _resource] = None
    tags: Annotated[Mapping[str, str], tag_values] = field(default_factory=dict)
    table: Annotated[str, one_of(tuple(TABLES))] = ""
    policies: tuple[str, ...] = ()


def _match(reader: Reader, node: Node, path: Keys) -> _Match | None:
    before = len(reader.problems)
    match = reader.read(node, _Match, path)
    if match is None or len(reader.problems) > before:
        return None
    if match.resource is None and not match.tags:
        raise FieldError("a match without a resource or tag", 'as in tags = { team = "build" }')
    if not match.table and not match.policies:
        raise FieldError("a match without a table or policies", 'as in table = "key"')
    return match


class _Class(Struct, kw_only=True):
    at: Members
    name: Annotated[str, _class_name]
    match: Annotated[_Match, _match]
    parameters: Parameters = field(default_factory=dict)
    not_applicable: tuple[str, ...] = ()
    reason: str = ""


class PolicyTable(Struct):
    """`[policy]`."""

    profile: Annotated[str | None, one_of(PROFILES)] = None
    parameters: Parameters = field(default_factory=dict)
    classes: tuple[_Class, ...] = ()


class RequireTable(Struct):
    """`[require]`."""

    evidence: tuple[Annotated[str, one_of(tuple(REQUIRABLE))], ...] = ()


def policy_config(reader: Reader, policy: PolicyTable, require: RequireTable) -> PolicyConfig:
    """The settings of the two tables. Problems are added to the reader."""
    return PolicyConfig(
        profile=policy.profile,
        parameters=policy.parameters,
        classes=_classes(reader, policy.classes),
        require=require.evidence,
    )


def _classes(reader: Reader, classes: Sequence[_Class]) -> tuple[PolicyClass, ...]:
    found: dict[str, PolicyClass] = {}
    for each in classes:
        if each.name in found:
            what = f"the class {shown(each.name)} is defined twice"
            reader.problem(each.at.members["name"], what, f"the first is at {found[each.name].place}")
            continue
        found[each.name] = PolicyClass(
            name=each.name,
            place=reader.place(each.at),
            policies=each.match.policies,
            table=each.match.table,
            resource=each.match.resource,
            tags=each.match.tags,
            parameters=each.parameters,
            not_applicable=each.not_applicable,
            reason=each.reason,
        )
    return tuple(found.values())
