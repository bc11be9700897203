"""What YAML is read as: text, lists and mappings, each with its place (line and column, from 1).

They are stored in the file of compiled policies, as arrays that begin with the name of their class.
"""

from typing import TypeAlias

from msgspec import Struct


class Scalar(Struct, frozen=True, tag=True, array_like=True):
    """A value as text. `quoted`: it was written in quotes, or as a block."""

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
