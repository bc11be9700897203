"""The `[notify]` table of `keyaudit.toml`: which owner's messages go to which addresses, and where the others go.

Addresses contain secrets, so an error never quotes one. Owners are compared as whole texts: a tag of the tenant selects an
entry, and can neither match several nor add an address.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from keyaudit.cli.toml import Keys, Toml
from keyaudit.model.text import one_line

_TABLE = ("default", "owners")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address of apprise, or `variable`, the name of an environment variable with addresses.

    `place` says where it was given, without the address: "keyaudit.toml:14, owner team-release, address 1".
    """

    place: str
    text: str = field(repr=False)
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The addresses for the messages of each owner, by `owner_key`, and for those of all other owners."""

    default: tuple[Address, ...] = ()
    owners: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)

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


def owner_key(owner: str) -> str:
    """The text by which owners are compared: without spaces around it, in any case."""
    return owner.strip().casefold()


def read_recipients(file: Toml) -> Recipients:
    """The table of a file. Errors are added to the file's `mistakes`, with their lines."""
    table = file.value((), file.tables, "notify", partial(file.table, known=_TABLE), {})
    named = file.value(("notify",), table, "owners", file.named, {})
    owners: dict[str, tuple[Address, ...]] = {}
    for owner, value in named.items():
        path = ("notify", "owners", owner)
        if owner_key(owner) in owners or not owner_key(owner):
            file.mistakes.append(file.error(path, f"owner {one_line(owner)!r}: empty, or named twice", "name each owner once"))
        owners[owner_key(owner)] = file.attempt(partial(_addresses, file, path, value, f"owner {one_line(owner)}"), ())
    default = file.value(("notify",), table, "default", lambda path, value: _addresses(file, path, value, "default"), ())
    return Recipients(default, owners)


def _addresses(file: Toml, path: Keys, value: object, of: str) -> tuple[Address, ...]:
    texts = file.texts(path, value)
    if not texts:
        raise file.error(path, f"{of}: no address", "name one, or leave the entry out")
    place = f"{file.at(path)}, {of}"
    return tuple(_address(place, text) for text in dict.fromkeys(texts))


def _address(place: str, text: str) -> Address:
    variable = _VARIABLE.fullmatch(text.strip())
    return Address(place, text, variable[1] if variable else "")
