"""The members of a plan's document with their types, without names and values, so that two documents can be compared."""

from collections.abc import Iterator
from typing import Any

_BY_NAME = frozenset(("variables", "outputs", "output_changes", "provider_config", "module_calls"))
"""Members whose own members have names of the configuration's."""
_VALUES = frozenset(
    (
        "before",
        "after",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "values",
        "sensitive_values",
        "value",
        "default",
    )
)
_IDENTITIES = frozenset(("before_identity", "after_identity", "identity"))
"""Members that hold values of resources or variables."""


def shape(document: Any) -> set[str]:
    """Each member by its path, with the type of what it holds."""
    return set(_members(document, ""))


def _members(held: Any, path: str) -> Iterator[str]:
    if isinstance(held, dict):
        for name, value in held.items():
            below = f"{path}.{name}"
            if name in _VALUES | _IDENTITIES:
                yield f"{below}: value"
            elif name == "expressions" or name.endswith("expression"):
                yield from _expressions(value, below)
            elif name in _BY_NAME and isinstance(value, dict) and not path.endswith(".values"):
                yield f"{below}: named"
                for each in value.values():
                    yield from _members(each, f"{below}.*")
            elif name in ("child_modules", "module"):
                # A module has the members of the root module.
                yield f"{path}.{name}: module"
                yield from _modules(value, path)
            else:
                yield from _members(value, below)
    elif isinstance(held, list):
        yield f"{path}: list"
        for each in held:
            yield from _members(each, f"{path}[]")
    else:
        yield f"{path}: {_kind(held)}"


def _modules(value: Any, path: str) -> Iterator[str]:
    above = path.partition(".root_module")[0] + ".root_module"
    for each in value if isinstance(value, list) else [value]:
        yield from _members(each, above)


def _expressions(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        yield f"{path}: blocks"
        for each in value:
            yield from _expressions(each, path)
    elif isinstance(value, dict) and value.keys() & {"constant_value", "references"}:
        yield from (f"{path}.{name}" for name in value)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _expressions(each, path)


def _kind(held: Any) -> str:
    # An index is a text or a number: internal/command/jsonplan/resource.go.
    return {bool: "bool", str: "text", int: "text", type(None): "null"}[type(held)]
