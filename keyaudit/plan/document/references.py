"""Resolves references of the configuration. Nothing is evaluated: what may be one of several things is unknown.

A plan names what each expression refers to, and not the expression itself. Local values are not among it:
https://developer.hashicorp.com/terraform/internals/json-format#expression-representation;
internal/command/jsonconfig/expression.go of hashicorp/terraform.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from keyaudit.plan.document.terraform import Configuration, ConfiguredResource, Module, ModuleCall, Provisioner, expression

_INDEX = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_OF_RESOURCE = re.compile(rf"((?:data\.)?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)({_INDEX})?(?:\.(.+))?")
_OF_MODULE = re.compile(rf"module\.([A-Za-z0-9_-]+)({_INDEX})?\.([A-Za-z0-9_-]+)(?:\.(.+))?")
_COLLECTION = re.compile(r"module\.[A-Za-z0-9_-]+|(?!module\.)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_STEP = re.compile(rf"module\.([A-Za-z0-9_-]+)({_INDEX})?\.?")
_LAST = re.compile(rf"({_INDEX})?$")
_NO_RESOURCES = frozenset({"var", "local", "each", "count", "path", "self", "terraform", "module"})
_INSTANCE = frozenset({"each.key", "count.index"})
_ALWAYS_KNOWN = (*_INSTANCE, "path.", "terraform.")
_MOST = 64
"""Steps from module to module: a configuration without a circle has fewer."""


class Target(Struct, frozen=True):
    """What an expression refers to: an attribute of an instance. Without a known attribute, any of it."""

    address: str
    attribute: str = ""


class _Block(Struct, frozen=True):
    """One instance of the block that an expression is in. `keys`: of all its instances."""

    module: str
    index: str = ""
    for_each: Any = None
    keys: frozenset[str] = frozenset()


class References:
    """The references of a configuration."""

    def __init__(self, configuration: Configuration, addresses: Collection[str]) -> None:
        """`addresses`: of all instances."""
        self._root = configuration.root_module
        self._addresses = addresses
        self._keys: dict[str, set[str]] = {}
        """The keys of the instances of each resource, and of each module, by address without its key."""
        for address in addresses:
            end = 0
            for step in _STEP.finditer(address):
                if step.start() != end:
                    break
                self._note(address[: step.end()].removesuffix("."))
                end = step.end()
            self._note(address)
        self._configured: dict[tuple[str, ...], dict[str, ConfiguredResource]] = {}
        self._given: dict[tuple[str, str], bool] = {}
        """By module and input, whether its value is certainly known."""

    def expressions(self, module_address: str, resource: str) -> Mapping[str, Any]:
        """The expressions of a resource ("azurerm_key_vault.main") in a module; empty if it is not configured there."""
        found = self._resource(module_address, resource)
        return found.expressions if found else {}

    def provisioners(self, module_address: str, resource: str) -> Sequence[Provisioner]:
        """The provisioners of a resource, which run when an instance is created."""
        found = self._resource(module_address, resource)
        return found.provisioners if found else ()

    def provider(self, module_address: str, resource: str) -> str:
        """The key of the provider's configuration; empty if it is not known."""
        found = self._resource(module_address, resource)
        return found.provider_config_key if found else ""

    def target(self, module_address: str, resource: str, index: str, path: Sequence[str]) -> Target | None:
        """What an attribute of an instance, whose value is not known, refers to; None unless it can be only one thing.

        `index`: of the instance, as in its address: `["a"]`, or empty.
        """
        configured = self._resource(module_address, resource)
        if configured is None:
            return None
        block = self._block(module_address, resource, index, configured.for_each_expression)
        return self._target(block, expression(configured.expressions, *path), _MOST)

    def targets(self, module_address: str, resource: str, index: str, path: Sequence[str]) -> tuple[Sequence[Target], bool]:
        """What a list refers to, besides what is certainly known before apply, and whether each of these was resolved."""
        configured = self._resource(module_address, resource)
        if configured is None:
            return (), False
        block = self._block(module_address, resource, index, configured.for_each_expression)
        subjects = _longest(expression(configured.expressions, *path).get("references"))
        if not subjects:
            return (), False
        instance = [each for each in subjects if each in _INSTANCE]
        open_ = [each for each in subjects if not self._is_known(block, each, _MOST)]
        found = [self._target(block, {"references": [each, *instance]}, _MOST) for each in open_]
        return [each for each in found if each], all(found)

    def _note(self, address: str) -> None:
        match = _LAST.search(address)
        index = (match[1] if match else None) or ""
        self._keys.setdefault(address.removesuffix(index), set()).add(index)

    def _block(self, module: str, name: str, index: str, for_each: Any) -> _Block:
        return _Block(module, index, for_each, frozenset(self._keys.get(_joined(module, name), ())))

    def _target(self, block: _Block, found: Mapping[str, Any], left: int) -> Target | None:
        subject = self._subject(block, found.get("references"), left)
        if subject is None or not left:
            return None
        if subject.startswith("var."):
            return self._input(block.module, subject.removeprefix("var."), left)
        if subject.startswith("each.value"):
            return self._chained(block, subject.removeprefix("each.value"), left)
        if match := _OF_MODULE.fullmatch(subject):
            return self._output(block.module, match, left)
        match = _OF_RESOURCE.fullmatch(subject)
        if match is None or match[1].partition(".")[0] in _NO_RESOURCES:
            return None
        address = _joined(block.module, match[1])
        keys = self._keys.get(address, set())
        index = match[2] or (next(iter(keys)) if len(keys) == 1 else "")
        return Target(f"{address}{index}", match[3] or "") if f"{address}{index}" in self._addresses else None

    def _chained(self, block: _Block, attribute: str, left: int) -> Target | None:
        """The instance that `each.value` stands for where `for_each` is another resource, or a module: that of the same key.

        https://developer.hashicorp.com/terraform/language/meta-arguments/for_each#chaining-for_each-between-resources
        """
        references = block.for_each.get("references") if isinstance(block.for_each, dict) else None
        if not isinstance(references, list) or len(references) != 1 or not block.index:
            return None
        collection = str(references[0])
        within = _COLLECTION.fullmatch(collection) and self._has_keys(block, collection)
        if not within or collection.partition(".")[0] in _NO_RESOURCES - {"module"}:
            return None
        subject = f"{collection}{block.index}{attribute}"
        return self._target(_Block(block.module), {"references": [subject]}, left - 1)

    def _has_keys(self, block: _Block, collection: str) -> bool:
        """Whether each instance of the block has its own there. If not, keys are not what joins the two."""
        return block.keys <= self._keys.get(_joined(block.module, collection), set())

    def _subject(self, block: _Block, references: object, left: int) -> str | None:
        """The one thing that an expression refers to and whose value may be unknown; None if there are several, or none.

        Terraform lists a reference with each of its beginnings: `a.b.id` and `a.b`. `a.b[each.key].id` is listed as `a.b` and
        `each.key`, without the attribute.
        """
        subjects = _longest(references)
        if len(subjects) == 1:
            return subjects[0]
        # The value is not known, and so none that is known before apply.
        open_ = [each for each in subjects if not self._is_known(block, each, left)]
        if len(open_) != 1:
            return None
        if not _INSTANCE.isdisjoint(subjects) and "[" not in open_[0] and _COLLECTION.fullmatch(open_[0]):
            return f"{open_[0]}{block.index}" if block.index and self._has_keys(block, open_[0]) else None
        return open_[0]

    def _is_known(self, block: _Block, reference: str, left: int) -> bool:
        """Whether a value is certainly known before apply, or there is none: of a resource without an instance."""
        kind = reference.partition(".")[0]
        if reference.startswith(_ALWAYS_KNOWN):
            return True
        if kind == "each":
            return left > 0 and self._are_known(block, block.for_each, left)
        if kind == "var":
            return left > 0 and self._is_given(block.module, reference.split(".")[1], left)
        # A data source that is read during apply is an instance of the plan; one that was read before is none.
        match = None if kind in _NO_RESOURCES else _OF_RESOURCE.fullmatch(reference)
        return match is not None and _joined(block.module, match[1]) not in self._keys

    def _is_given(self, module_address: str, name: str, left: int) -> bool:
        """Whether the value of an input variable is certainly known; those of the root module are."""
        asked = module_address, name
        if asked not in self._given:
            # One that is given to itself is not.
            self._given[asked] = False
            above, call, step = self._call(module_address)
            found = call.expressions.get(name) if call else None
            self._given[asked] = step is None or (call is not None and (found is None or self._are_known(above, found, left)))
        return self._given[asked]

    def _are_known(self, block: _Block, found: Any, left: int) -> bool:
        references = found.get("references") if isinstance(found, dict) else None
        if not isinstance(references, list):
            # Of a function of constants, neither references nor a value are shown.
            return isinstance(found, dict)
        return all(isinstance(each, str) and self._is_known(block, each, left - 1) for each in references)

    def _call(self, module_address: str) -> tuple[_Block, ModuleCall | None, str | None]:
        """Where a module is called from, the call, and its name; the name is None for the root module."""
        steps = [(match[1], match[2] or "") for match in _STEP.finditer(module_address)]
        if not steps:
            return _Block(""), None, None
        *above, (name, index) = steps
        parent = ".".join(f"module.{step}{at}" for step, at in above)
        module = self._module(tuple(step for step, _ in above))
        call = module.module_calls.get(name) if module else None
        block = self._block(parent, f"module.{name}", index, call.for_each_expression if call else None)
        return block, call, name

    def _input(self, module_address: str, name: str, left: int) -> Target | None:
        """What an input of a module was given."""
        block, call, _ = self._call(module_address)
        name, _, attribute = name.partition(".")
        found = self._target(block, expression(call.expressions, name), left - 1) if call else None
        return _within(found, attribute)

    def _output(self, module_address: str, match: re.Match[str], left: int) -> Target | None:
        """The value of an output of a called module."""
        name = f"module.{match[1]}"
        keys = self._keys.get(_joined(module_address, name), set())
        within = f"{_joined(module_address, name)}{match[2] or (next(iter(keys)) if len(keys) == 1 else '')}"
        module = self._module(tuple(step[1] for step in _STEP.finditer(within)))
        output = module.outputs.get(match[3]) if module else None
        found = output.expression if output else None
        return _within(self._target(_Block(within), found, left - 1), match[4] or "") if isinstance(found, dict) else None

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


def _longest(references: object) -> Sequence[str]:
    """The different references without those that are only a beginning of another one."""
    if not isinstance(references, list) or not all(isinstance(each, str) for each in references):
        return ()
    return list(
        dict.fromkeys(
            each
            for each in references
            if not any(other != each and other.startswith((f"{each}.", f"{each}[")) for other in references)
        )
    )


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _within(found: Target | None, attribute: str) -> Target | None:
    """An attribute of what was found, which must be a whole resource."""
    if found is None or not attribute:
        return found
    return None if found.attribute else Target(found.address, attribute)
