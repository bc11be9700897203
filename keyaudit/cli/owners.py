"""The `[owners]` table of `keyaudit.toml`: who owns what neither a tag nor Entra names an owner of."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from msgspec import Struct, field, structs

from keyaudit.cli.policy_config import tag_values
from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import FieldError
from keyaudit.model.documents.reader import Keys, Reader
from keyaudit.model.owners import OwnerRule, OwnerRules


def _names(reader: Reader, node: Node, path: Keys) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in reader.read(node, tuple[str, ...], path) or ()))
    if not names or not all(name and name.isprintable() for name in names):
        raise FieldError("not the address or name of an owner", 'as in owner = "team-orders"')
    return names


def _pattern(reader: Reader, node: Node, path: Keys) -> str:
    text = reader.string(node, path).strip()
    if not text.isprintable():
        raise FieldError("a control character in a pattern", "leave it out")
    return text


Names: TypeAlias = Annotated[tuple[str, ...], _names]
"""A text, or a list of texts."""
Pattern: TypeAlias = Annotated[str, _pattern]


class _Rule(Struct, kw_only=True):
    at: Members
    owner: Names
    subscription: Pattern = ""
    resource_group: Pattern = ""
    vault: Pattern = ""
    name: Pattern = ""
    application: Pattern = ""
    tags: Annotated[Mapping[str, str], tag_values] = field(default_factory=dict)


class OwnersTable(Struct, kw_only=True):
    """`[owners]`."""

    rules: tuple[_Rule, ...] = ()
    fallback: Annotated[tuple[str, ...], _names] = ()


def owner_rules(reader: Reader, table: OwnersTable) -> OwnerRules:
    """The rules of the table. A rule without a pattern is a problem, which is added to the reader."""
    rules = []
    for each in table.rules:
        given = {name: value for name, value in structs.asdict(each).items() if name not in ("at", "owner")}
        if not any(given.values()):
            reader.problem(each.at, "a rule that matches everything", "name the resources it is for, or use fallback")
        rules.append(OwnerRule(owners=each.owner, place=reader.place(each.at), **given))
    return OwnerRules(rules=tuple(rules), fallback=table.fallback)
