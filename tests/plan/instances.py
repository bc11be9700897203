"""The instances of a configuration's resources, with their arguments evaluated, in modules and for each key."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from tests.plan.configuration import NO_DEFAULT, Call, Configuration, Module, Resource
from tests.plan.terms import Ref, at, evaluate, steps

Key = str | int | None
Values = dict[str, Any]


class Instance(Struct, frozen=True, kw_only=True):
    """One instance of a resource. `values` is None while they are being worked out."""

    resource: Resource
    module: str
    """The address of the module instance; empty in the root."""
    key: Key
    arguments: Values

    @property
    def address(self) -> str:
        """Its absolute address."""
        return ".".join(filter(None, (self.module, self.resource.address))) + shown(self.key)


Complete = Callable[[Instance], Values]
"""All values of an instance, by its arguments: as a plan knows them, or as they are once applied."""


def shown(key: Key) -> str:
    """A key as it ends an address."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f'["{key}"]'


class Evaluation:
    """A configuration with the values of everything in it. Each instance is completed after what it refers to."""

    def __init__(self, configuration: Configuration, complete: Complete) -> None:
        self.values: dict[str, tuple[Instance, Values]] = {}
        """By address, in the order in which they were completed."""
        self._complete = complete
        given = configuration.given
        root = configuration.root
        self.root = _Scope(self, root, "", lambda name: given.get(name, root.variables[name]))
        self.root.complete()

    def outputs(self) -> Values:
        """The outputs of the root module."""
        return {name: evaluate(term, self.root.look_up) for name, term in self.root.module.outputs.items()}

    def completed(self, instance: Instance) -> Values:
        """The values of an instance."""
        if instance.address not in self.values:
            self.values[instance.address] = (instance, self._complete(instance))
        return self.values[instance.address][1]


class _Scope:
    """One instance of a module."""

    def __init__(self, of: Evaluation, module: Module, address: str, variable: Callable[[str], Any]) -> None:
        self.module = module
        self._of = of
        self._address = address
        self._variable = variable
        self._children: dict[str, dict[Key, _Scope]] = {}
        self._instances: dict[str, dict[Key, Values]] = {}

    def complete(self) -> None:
        """Complete everything in it."""
        for resource in self.module.resources:
            self._all_of(resource)
        for call in self.module.calls:
            for child in self._called(call).values():
                child.complete()

    def look_up(self, to: str, each: tuple[Key, Any] | None = None) -> Any:
        """The value of a reference."""
        path = [step for step, _ in steps(to)]
        match path:
            case ["var", str(name), *rest]:
                value = self._variable(name)
                assert value is not NO_DEFAULT, f"{self._address} is called without {name}"
                return at(value, rest)
            case ["local", str(name), *rest]:
                return at(evaluate(self.module.local[name], self.look_up), rest)
            case ["each", "key"] | ["count", "index"]:
                assert each is not None
                return each[0]
            case ["each", "value", *rest]:
                assert each is not None
                return at(each[1], rest)
            case ["module", str(name), *rest]:
                children = self._called(next(call for call in self.module.calls if call.name == name))
                if set(children) != {None}:
                    key, *rest = rest
                    return children[key]._output(rest)
                return children[None]._output(rest)
            case ["data", str(type_), str(name), *rest]:
                return self._at(f"data.{type_}.{name}", rest)
            case [str(type_), str(name), *rest]:
                return self._at(f"{type_}.{name}", rest)
        raise AssertionError(to)

    def _output(self, rest: list[Any]) -> Any:
        return at(evaluate(self.module.outputs[rest[0]], self.look_up), rest[1:])

    def _at(self, address: str, rest: list[Any]) -> Any:
        found = self._all_of(next(each for each in self.module.resources if each.address == address))
        if set(found) != {None}:
            if not rest:
                return found
            key, *rest = rest
            return at(found[key], rest)
        return at(found[None], rest)

    def _all_of(self, resource: Resource) -> dict[Key, Values]:
        if resource.address not in self._instances:
            for needed in resource.depends_on:
                self._all_of(next(each for each in self.module.resources if each.address == needed))
            self._instances[resource.address] = {
                key: self._of.completed(self._instance(resource, key, value))
                for key, value in _keys(resource.for_each, resource.count, self.look_up)
            }
        return self._instances[resource.address]

    def _instance(self, resource: Resource, key: Key, value: Any) -> Instance:
        def look_up(to: str) -> Any:
            return self.look_up(to, (key, value))

        arguments = {name: evaluate(term, look_up) for name, term in resource.arguments.items()}
        return Instance(resource=resource, module=self._address, key=key, arguments=arguments)

    def _called(self, call: Call) -> dict[Key, "_Scope"]:
        if call.name not in self._children:
            self._children[call.name] = {
                key: self._child(call, key, value) for key, value in _keys(call.for_each, None, self.look_up)
            }
        return self._children[call.name]

    def _child(self, call: Call, key: Key, value: Any) -> "_Scope":
        def look_up(to: str) -> Any:
            return self.look_up(to, (key, value))

        def variable(name: str) -> Any:
            term = call.arguments.get(name)
            return call.module.variables[name] if name not in call.arguments else evaluate(term, look_up)

        address = ".".join(filter(None, (self._address, f"module.{call.name}"))) + shown(key)
        return _Scope(self._of, call.module, address, variable)


def _keys(for_each: Any, count: int | None, look_up: Callable[[str], Any]) -> Iterator[tuple[Key, Any]]:
    if count is not None:
        yield from ((index, None) for index in range(count))
    elif for_each is not None:
        mapping = evaluate(for_each, look_up) if isinstance(for_each, Ref | Mapping) else {each: each for each in for_each}
        yield from mapping.items()
    else:
        yield None, None
