"""Nodes of a file: text, lists and mappings, each with its place (line and column, from 1; column 0 if it is not known).

The file of compiled policies stores them as arrays that begin with their class name.
"""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct


class Scalar(Struct, frozen=True, tag=True, array_like=True):
    """A value as text. `quoted`: whether it was in quotes, or a block of YAML."""

    text: str
    line: int
    column: int
    quoted: bool = False

    def __str__(self) -> str:
        return self.text


class Items(Struct, frozen=True, tag=True, array_like=True):
    """A list."""

    items: list["Node"]
    line: int
    column: int

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


class Members(Struct, frozen=True, tag=True, array_like=True):
    """A mapping; `keys` are its keys with their places."""

    members: dict[str, "Node"]
    keys: dict[str, Scalar]
    line: int
    column: int

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key}: {node}" for key, node in self.members.items()) + "}"


Node: TypeAlias = Scalar | Items | Members


def find(node: Node, path: Iterable[str]) -> Node | None:
    """The node at these keys; None if there is none."""
    found: Node | None = node
    for name in path:
        found = found.members.get(name) if isinstance(found, Members) else None
    return found
