"""What cannot make, change or delete anything that a policy is about: types of resources, and providers of other services."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from keyaudit.plan.document.terraform import ResourceChange

_FILE = "harmless.txt"
_PROVIDER = "provider "
_UNLESS = "!"
_AZURE = frozenset({"azurerm", "azuread", "azapi", "msgraph"})
"""The beginnings of the types of the providers that speak to Azure and Entra, wherever they come from."""


class Type(Struct, frozen=True):
    """A type that is harmless, or would be."""

    naming: frozenset[str] = frozenset()
    """Its attributes, at any depth, that name something in a vault."""
    unless: frozenset[str] = frozenset()
    """The attributes with which it is not harmless."""


def harmless(type_: str) -> Type | None:
    """The type with this name, or this type of Resource Manager in lower case; None if it is not harmless."""
    return _lists()[0].get(type_)


def provider_of(change: ResourceChange) -> str:
    """The name of a resource's provider without its host, in lower case: "hashicorp/random". If it has none, the type tells."""
    return change.provider_name.partition("/")[2].lower() or change.type.partition("_")[0].lower()


def speaks_to_azure(type_: str) -> bool:
    """Whether a type is of a provider that speaks to Azure or Entra."""
    return type_.partition("_")[0].lower() in _AZURE


def is_outside(provider: str) -> bool:
    """Whether a provider speaks neither to Azure nor to Entra."""
    return provider in _lists()[1]


@cache
def _lists() -> tuple[Mapping[str, Type], Collection[str]]:
    types: dict[str, Type] = {}
    providers: set[str] = {"terraform"}
    for line in _lines():
        if line.startswith(_PROVIDER):
            name = line.removeprefix(_PROVIDER)
            providers |= {name, name.rpartition("/")[2]}
            continue
        name, *attributes = line.split()
        unless = frozenset(each.removeprefix(_UNLESS) for each in attributes if each.startswith(_UNLESS))
        types[name] = Type(frozenset(attributes) - {f"{_UNLESS}{each}" for each in unless}, unless)
    return types, frozenset(providers)


def _lines() -> Iterator[str]:
    text = (files(__package__) / _FILE).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
