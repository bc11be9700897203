"""A Terraform configuration, as tests write it in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

NO_DEFAULT = object()


class Resource(Struct, frozen=True, kw_only=True):
    """A resource block, or a data block if `data`. Blocks within it are lists of mappings, as in JSON."""

    type: str
    name: str
    arguments: Mapping[str, Any]
    provider: str = ""
    """The provider's local name with its alias (`azurerm.other`); empty: the default one of its type."""
    for_each: Any = None
    """A mapping, or a term for one."""
    count: int | None = None
    depends_on: tuple[str, ...] = ()
    data: bool = False

    @property
    def address(self) -> str:
        """Its address within its module, without a key."""
        return f"{'data.' if self.data else ''}{self.type}.{self.name}"


class Call(Struct, frozen=True, kw_only=True):
    """A module block."""

    name: str
    source: str
    module: "Module"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    for_each: Any = None


class Module(Struct, frozen=True, kw_only=True):
    """The blocks of one module."""

    resources: Sequence[Resource] = ()
    calls: Sequence[Call] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Default by name, or `NO_DEFAULT`."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, Any] = field(default_factory=dict)
    """Local values, which `configuration` does not show."""


class Provider(Struct, frozen=True, kw_only=True):
    """A provider block of the root module."""

    name: str
    alias: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its key in `provider_config`."""
        return f"{self.name}.{self.alias}" if self.alias else self.name


class Configuration(Struct, frozen=True, kw_only=True):
    """A root module with its providers, and the values given to its variables."""

    root: Module
    providers: Sequence[Provider] = ()
    given: Mapping[str, Any] = field(default_factory=dict)


def resource(address: str, /, **arguments: Any) -> Resource:
    """A resource by its address, `azurerm_key_vault.main`; `data.` first for a data source."""
    data = address.startswith("data.")
    type_, name = address.removeprefix("data.").split(".")
    settings = {each: arguments.pop(f"_{each}") for each in _SETTINGS if f"_{each}" in arguments}
    return Resource(type=type_, name=name, arguments=arguments, data=data, **settings)


_SETTINGS = ("provider", "for_each", "count", "depends_on")
"""The meta-arguments, which `resource` takes with an underscore before them."""
