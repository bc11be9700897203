"""The schemas of the providers' resources: which attribute is given, computed or sensitive, and its default.

The files in `schemas/` hold facts read out of the providers' sources, with repository, commit and path. An attribute is its
type, and words for what its declaration says: `required`, `optional`, `computed`, `force` (a change replaces the resource),
`sensitive`, `writeonly`, `attr` (a list that is given as an attribute), `max:1`, and `default:` with the value. One with
members has them in `of`.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

_FOLDER = Path(__file__).parent / "schemas"
_SOURCES = {
    "azurerm": "registry.terraform.io/hashicorp/azurerm",
    "azuread": "registry.terraform.io/hashicorp/azuread",
    "azapi": "registry.terraform.io/azure/azapi",
    "time": "registry.terraform.io/hashicorp/time",
}


class Attribute(Struct, frozen=True, kw_only=True):
    """One attribute or block."""

    kind: str
    """string, bool, int, list, set, map, dynamic."""
    words: frozenset[str]
    default: Any = None
    members: Mapping[str, "Attribute"] | None = None
    block: bool = False

    @property
    def computed(self) -> bool:
        """Whether the provider computes it where it is not given."""
        return "computed" in self.words


class Schema(Struct, frozen=True, kw_only=True):
    """The schema of a type of resources."""

    version: int
    attributes: Mapping[str, Attribute]
    timeouts: bool
    framework: bool
    """Whether it is written for terraform-plugin-framework; the others are for version 2 of the SDK."""


def provider_of(type_: str) -> str:
    """The local name of the provider of a type."""
    return type_.split("_", maxsplit=1)[0]


def source(provider: str) -> str:
    """A provider's address in the registry."""
    return _SOURCES[provider]


def releases() -> Mapping[str, str]:
    """The release of each provider that the schemas are from."""
    return {name: str(_read(name)["release"]) for name in _SOURCES}


def types() -> list[str]:
    """Every resource type that has a schema, data sources with `data.` before them."""
    return [type_ for name in _SOURCES for type_ in _read(name)["resources"]]


@functools.cache
def schema(type_: str) -> Schema:
    """The schema of a type."""
    held = _read(provider_of(type_.removeprefix("data.")))["resources"][type_]
    attributes = {name: _attribute(each) for name, each in held["attributes"].items()}
    # Each resource has an id: https://developer.hashicorp.com/terraform/plugin/sdkv2/resources#id
    attributes["id"] = Attribute(kind="string", words=frozenset(("optional", "computed")))
    return Schema(
        version=held["version"],
        attributes=attributes,
        timeouts=bool(held["timeouts"]),
        framework=held.get("framework", False),
    )


@functools.cache
def _read(provider: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{provider}.json").read_text(encoding="utf-8"))
    return found


def _attribute(held: Any) -> Attribute:
    if isinstance(held, str):
        declared, _, default = held.partition(" default:")
        kind, *words = declared.split()
        return Attribute(kind=kind, words=frozenset(words), default=_value(kind, default))
    members = {name: _attribute(each) for name, each in held["of"].items()}
    kind, *words = held["is"].split()
    # https://developer.hashicorp.com/terraform/plugin/sdkv2/schemas/schema-types: what is only computed is never a block.
    block = "attr" not in words and ("computed" not in words or "optional" in words)
    return Attribute(kind=kind, words=frozenset(words), members=members, block=block)


def _value(kind: str, text: str) -> Any:
    if not text:
        return None
    return text if kind == "string" else json.loads(text)
