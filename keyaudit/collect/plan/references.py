"""Resolves plain references of the configuration. Nothing is evaluated: an expression of more than one reference is unknown."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from keyaudit.collect.plan.document import Configuration, ConfiguredResource, Module, expression

_INDEX = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_OF_RESOURCE = re.compile(rf"((?:data\.)?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)({_INDEX})?(?:\.(.+))?")
_OF_MODULE = re.compile(rf"module\.([A-Za-z0-9_-]+)({_INDEX})?\.([A-Za-z0-9_-]+)(?:\.(.+))?")
_STEP = re.compile(rf"module\.([A-Za-z0-9_-]+)({_INDEX})?\.?")
_NO_RESOURCES = frozenset({"var", "local", "each", "count", "path", "self", "terraform", "module"})
_INSTANCE = frozenset({"each.key", "count.index"})
_MOST = 64
"""Steps from module to module: a configuration without a circle has fewer."""


class Target(Struct, frozen=True):
    """What an expression refers to: an attribute of an instance. Without a known attribute, any of it."""

    address: str
    attribute: str = ""


class References:
    """The references of a configuration."""

    def __init__(self, configuration: Configuration, addresses: Collection[str]) -> None:
        """`addresses`: of all instances."""
        self._root = configuration.root_module
        self._addresses = addresses
        self._only: dict[str, str] = {}
        seen: dict[str, int] = {}
        for address in addresses:
            whole = re.sub(rf"{_INDEX}$", "", address)
            seen[whole] = seen.get(whole, 0) + 1
            self._only[whole] = address
        self._only = {whole: address for whole, address in self._only.items() if seen[whole] == 1}
        self._configured: dict[tuple[str, ...], dict[str, ConfiguredResource]] = {}

    def expressions(self, module_address: str, resource: str) -> Mapping[str, Any]:
        """The expressions of a resource ("azurerm_key_vault.main") in a module; empty if it is not configured there."""
        found = self._resource(module_address, resource)
        return found.expressions if found else {}

    def provider(self, module_address: str, resource: str) -> str:
        """The key of the provider's configuration; empty if it is not known."""
        found = self._resource(module_address, resource)
        return found.provider_config_key if found else ""

    def target(self, module_address: str, resource: str, index: str, path: Sequence[str]) -> Target | None:
        """What an attribute of an instance refers to; None unless its expression is one plain reference.

        `index`: of the instance, as in its address: `["a"]`, or empty.
        """
        found = expression(self.expressions(module_address, resource), *path)
        return self._target(module_address, index, found, _MOST)

    def _target(self, module_address: str, index: str, found: Mapping[str, Any], left: int) -> Target | None:
        subject = _subject(found.get("references"), index)
        if subject is None or not left:
            return None
        if subject.startswith("var."):
            return self._input(module_address, subject.removeprefix("var."), left)
        if match := _OF_MODULE.fullmatch(subject):
            return self._output(module_address, match, left)
        match = _OF_RESOURCE.fullmatch(subject)
        if match is None or match[1].partition(".")[0] in _NO_RESOURCES:
            return None
        address = f"{module_address}.{match[1]}" if module_address else match[1]
        attribute = match[3] or ""
        if f"{address}{match[2] or ''}" in self._addresses:
            return Target(f"{address}{match[2] or ''}", attribute)
        return Target(self._only[address], attribute) if not match[2] and address in self._only else None

    def _input(self, module_address: str, name: str, left: int) -> Target | None:
        """What an input of a module was given."""
        steps = [(match[1], match[2] or "") for match in _STEP.finditer(module_address)]
        if not steps:
            return None
        *above, (call, index) = steps
        parent = ".".join(f"module.{step}{at}" for step, at in above)
        module = self._module(tuple(step for step, _ in above))
        called = module.module_calls.get(call) if module else None
        name, _, attribute = name.partition(".")
        found = self._target(parent, index, expression(called.expressions, name), left - 1) if called else None
        return _within(found, attribute)

    def _output(self, module_address: str, match: re.Match[str], left: int) -> Target | None:
        """The value of an output of a called module."""
        within = f"{module_address}.module.{match[1]}{match[2] or ''}".lstrip(".")
        module = self._module(tuple(step[1] for step in _STEP.finditer(within)))
        output = module.outputs.get(match[3]) if module else None
        found = output.expression if output else None
        return _within(self._target(within, "", found, left - 1), match[4] or "") if isinstance(found, dict) else None

    def _resource(self, module_address: str, resource: str) -> ConfiguredResource | None:
        path = tuple(step[1] for step in _STEP.finditer(module_address))
        if path not in self._configured:
            module = self._module(path)
            self._configured[path] = {each.address: each for each in module.resources} if module else {}
        return self._configured[path].get(resource)

    def _module(self, path: tuple[str, ...]) -> Module | None:
        here: Module | None = self._root
        for name in path:
            call = here.module_calls.get(name) if here else None
            here = call.module if call else None
        return here


def _within(found: Target | None, attribute: str) -> Target | None:
    """An attribute of what was found, which must be a whole resource."""
    if found is None or not attribute:
        return found
    return None if found.attribute else Target(found.address, attribute)


def _subject(references: object, index: str) -> str | None:
    """The one thing that an expression refers to; None if it refers to several, or to none.

    Terraform lists a reference with each of its beginnings: `a.b.id` and `a.b`. `a.b[each.key].id` is listed as `a.b` and
    `each.key`, without the attribute.
    """
    if not isinstance(references, list) or not all(isinstance(each, str) for each in references):
        return None
    longest = [
        each
        for each in references
        if not any(other != each and other.startswith((f"{each}.", f"{each}[")) for other in references)
    ]
    subjects: list[str] = list(dict.fromkeys(longest))
    if len(subjects) == 1:
        return subjects[0]
    keyed = [each for each in subjects if each not in _INSTANCE]
    if len(subjects) == 2 and len(keyed) == 1 and index and "[" not in keyed[0]:
        return f"{keyed[0]}{index}"
    return None
