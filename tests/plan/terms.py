"""The expressions of a Terraform configuration, as tests write them in Python."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct


class _Unknown:
    """The value of an attribute that the provider computes when it applies a change."""

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


class Ref(Struct, frozen=True):
    """A reference, as HCL writes it: `azurerm_key_vault.main.id`, `var.name`, `each.value`, `module.keys.signing_id`."""

    to: str


class Made(Struct, frozen=True):
    """A function of references, which is unknown where one of them is."""

    make: Callable[..., Any]
    refs: tuple[Ref, ...]


def ref(to: str) -> Ref:
    """A reference."""
    return Ref(to)


def joined(template: str, *refs: str) -> Made:
    """A string template: each `{}` is a reference."""
    return Made(template.format, tuple(Ref(each) for each in refs))


_STEP = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(?:"([^"]*)"|(\d+))\]')

Step = str | int


def steps(to: str) -> tuple[tuple[Step, str], ...]:
    """The steps of a reference, each with the text as far as it."""
    found: list[tuple[Step, str]] = []
    place = 0
    while place < len(to):
        match = _STEP.match(to, place)
        assert match is not None, to
        name, key, index = match.groups()
        place = match.end()
        step: Step = int(index) if index is not None else name if name is not None else key
        found.append((step, to[:place]))
    return tuple(found)


def _subject(to: str) -> int:
    """How many steps the thing itself takes, before its attributes: the shortest text that `references` lists."""
    first = to.split(".", maxsplit=1)[0]
    if first in ("var", "local", "each", "count", "path", "terraform"):
        return 2
    parts = 3 if first == "data" else 2
    following = steps(to)[parts : parts + 1]
    return parts + (1 if following and following[0][1].endswith("]") else 0)


def references(to: str) -> list[str]:
    """A reference as `configuration` lists it: whole, then with one attribute less each, and without its key.

    https://developer.hashicorp.com/terraform/internals/json-format#expression-representation;
    hashicorp/terraform internal/command/jsonconfig/expression.go at 883c7221.
    """
    texts = [text for _, text in steps(to)]
    least = _subject(to)
    if to.startswith("module."):
        # An output is the subject, and the call of the module comes after it.
        output = 4 if texts[2:3] and texts[2].endswith("]") else 3
        listed = texts[output - 1 :][::-1]
        return [*listed, texts[output - 2]]
    listed = texts[least - 1 :][::-1]
    return [*listed, texts[least - 2]] if texts[least - 1].endswith("]") else listed


def expression(term: object) -> dict[str, object]:
    """An argument as `configuration` shows it."""
    found: list[str] = []
    for each in _refs(term):
        found += references(each.to)
    return {"references": found} if found else {"constant_value": term}


def _refs(term: object) -> list[Ref]:
    if isinstance(term, Ref):
        return [term]
    if isinstance(term, Made):
        return list(term.refs)
    if isinstance(term, Mapping):
        return [one for each in term.values() for one in _refs(each)]
    if isinstance(term, Sequence) and not isinstance(term, str):
        return [one for each in term for one in _refs(each)]
    return []


def evaluate(term: object, look_up: Callable[[str], Any]) -> Any:
    """The value of a term; `look_up` gives a reference's, which may be unknown in parts."""
    if isinstance(term, Ref):
        return look_up(term.to)
    if isinstance(term, Made):
        values = [look_up(each.to) for each in term.refs]
        return UNKNOWN if any(has_unknown(each) for each in values) else term.make(*values)
    if isinstance(term, Mapping):
        return {name: evaluate(each, look_up) for name, each in term.items()}
    if isinstance(term, Sequence) and not isinstance(term, str):
        return [evaluate(each, look_up) for each in term]
    return term


def has_unknown(value: object) -> bool:
    """Whether a value is unknown, or a part of it."""
    if isinstance(value, Mapping):
        return any(has_unknown(each) for each in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(has_unknown(each) for each in value)
    return value is UNKNOWN


def at(value: Any, rest: Sequence[Step]) -> Any:
    """The value below a value, by steps; unknown below an unknown one."""
    for step in rest:
        if value is UNKNOWN:
            return UNKNOWN
        value = value[step]
    return value
