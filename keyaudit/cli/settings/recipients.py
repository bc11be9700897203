"""The `[notify]` table of `keyaudit.toml`: which owner's messages go to which addresses, and where the others go.

Addresses contain secrets, so an error never quotes one. Owners are compared as whole texts: a tag of the tenant selects an
entry, and can neither match several nor add an address.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

import msgspec

from keyaudit.model.documents.nodes import Node
from keyaudit.model.documents.problems import FieldError
from keyaudit.model.documents.reader import Keys, Reader
from keyaudit.model.values.text import one_line

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address of apprise, or `variable`, the name of an environment variable with addresses.

    `place` says where it was given, without the address: "keyaudit.toml:14, owner team-release, address 1".
    """

    place: str
    text: str = field(repr=False)
    variable: str = ""


def owner_key(owner: str) -> str:
    """The text by which owners are compared: without spaces around it, in any case."""
    return owner.strip().casefold()


def _addresses(reader: Reader, node: Node, path: Keys) -> tuple[Address, ...]:
    of = "default" if path == ("notify", "default") else f"owner {one_line(path[-1])}"
    texts = reader.read(node, tuple[str, ...], path)
    if texts == ():
        raise FieldError(f"{of}: no address", "name one, or leave the entry out")
    return tuple(_address(f"{reader.place(node)}, {of}", text) for text in dict.fromkeys(texts or ()))


def _address(place: str, text: str) -> Address:
    variable = _VARIABLE.fullmatch(text.strip())
    return Address(place, text, variable[1] if variable else "")


Addresses: TypeAlias = Annotated[tuple[Address, ...], _addresses]
"""A text, or a list of texts."""


def _owners(reader: Reader, node: Node, path: Keys) -> dict[str, tuple[Address, ...]]:
    owners: dict[str, tuple[Address, ...]] = {}
    for owner, addresses in (reader.read(node, dict[str, Addresses], path) or {}).items():
        key = owner_key(owner)
        if key in owners or not key:
            what = f"owner {one_line(owner)!r}: empty, or named twice"
            reader.problem(reader.entries(node)[owner], what, "name each owner once")
        owners[key] = addresses
    return owners


class Recipients(msgspec.Struct, frozen=True):
    """`[notify]`: the addresses for the messages of each owner, by `owner_key`, and for those of all other owners."""

    default: Addresses = ()
    owners: Annotated[Mapping[str, tuple[Address, ...]], _owners] = msgspec.field(default_factory=dict)

    def has(self, owners: Sequence[str]) -> bool:
        """Whether one of these owners has an entry."""
        return any(owner_key(owner) in self.owners for owner in owners)

    def of(self, owners: Sequence[str]) -> list[Address]:
        """The addresses for a message to these owners, each once: of those that have an entry, otherwise the default."""
        named = [address for owner in owners for address in self.owners.get(owner_key(owner), ())]
        return _once(named or self.default)

    @property
    def all(self) -> list[Address]:
        """Every address once."""
        listed = (self.default, *self.owners.values())
        return _once(address for addresses in listed for address in addresses)


def _once(addresses: Iterable[Address]) -> list[Address]:
    """The addresses without repetitions; of the same one the first."""
    found: dict[str, Address] = {}
    for address in addresses:
        found.setdefault(address.text, address)
    return list(found.values())
