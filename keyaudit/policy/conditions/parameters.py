"""Parameters of policies: declaration, values by profile, and overrides."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.values.times import DAY, MAX_TIME, parse_date, parse_duration
from keyaudit.policy.conditions.types import Kind

PROFILES: tuple[str, ...] = ("default", "strict", "scuba", "cis-azure-6.0", "cis-m365-7", "mcsb", "pci")
"""Named sets of parameter values. A parameter without a value for the profile keeps its default."""

MAX_ENTRIES = 200
"""The maximum number of entries of a map or schedule."""

OTHERWISE = "otherwise"
"""The entry of a map for all other values."""

NOW = "now"

Single: TypeAlias = str | int
Value: TypeAlias = Single | tuple[str, ...] | Mapping[str | int, Single]
"""A value, a list, a map by the values of an enumeration (text), or a schedule by the second from which each entry applies."""

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)
_DURATION = re.compile(r"P[\dT]", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TYPES: dict[str, Kind] = {
    "duration": Kind.DURATION,
    "integer": Kind.INTEGER,
    "text": Kind.TEXT,
    "list": Kind.TEXTS,
}


class Shape(StrEnum):
    """Whether a parameter is one value, or one of several chosen by a column."""

    ONE = "one"
    MAP = "map"
    SCHEDULE = "schedule"


class Parameter(Struct, frozen=True):
    """A declared parameter. `kind` is that of its value, or of each entry of a map or schedule."""

    name: str
    kind: Kind
    shape: Shape
    profiles: Mapping[str, Value]
    """Values by profile; `default` is always among them."""

    def value(self, profile: str) -> Value:
        """The value under a profile."""
        return self.profiles.get(profile, self.profiles["default"])

    def singles(self) -> Iterator[Single]:
        """Every text or number that it can have in any profile."""
        for value in self.profiles.values():
            if isinstance(value, Mapping):
                yield from value.values()
            elif isinstance(value, tuple):
                yield from value
            else:
                yield value

    @property
    def written(self) -> int:
        """The approximate length of its longest value in a query."""
        return max(sum(len(str(each)) + 4 for each in _texts(value)) for value in self.profiles.values())


def _texts(value: Value) -> Iterator[Single]:
    if isinstance(value, Mapping):
        yield from (*value.keys(), *value.values())
    elif isinstance(value, tuple):
        yield from value
    else:
        yield value


def parse_integer(text: str) -> int:
    """A whole number in the range of a column. Raises FieldError."""
    if _INTEGER.fullmatch(text) is None or abs(int(text)) > MAX_TIME:
        raise FieldError(f"{shown(text)} is not a whole number")
    return int(text)


def parse_days(text: str) -> int:
    """Seconds of a duration of whole days. Raises FieldError."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise FieldError(f"{shown(text)} is not a duration", "write whole days, as in P730D") from None
    if seconds % DAY:
        raise FieldError(f"{shown(text)} is not a number of whole days", "write whole days, as in P730D")
    return seconds


def declare(name: str, node: Node) -> Parameter:
    """The parameter that a policy declares under `name`. Raises FieldError."""
    if _NAME.fullmatch(name) is None or name == NOW:
        raise FieldError(f"{shown(name)} cannot name a parameter", "lower-case letters, digits and _")
    by_profile = dict(node.members) if isinstance(node, Members) and "default" in node.members else {"default": node}
    declared = _declared_kind(by_profile.pop("type", None))
    kind, shape, value = _value(name, by_profile.pop("default"), declared)
    values = {"default": value}
    for profile, given in by_profile.items():
        if profile not in PROFILES:
            raise FieldError(f"{name}: no such profile: {shown(profile)}", nearest(profile, PROFILES))
        _, other, values[profile] = _value(name, given, kind)
        if other is not shape:
            raise FieldError(f"{name}: {shape} in one profile and {other} in another")
    return Parameter(name, kind, shape, values)


def override(parameter: Parameter, node: Node) -> Parameter:
    """The parameter with one value for every profile. Raises FieldError for another type or shape.

    A single value for a map or schedule applies to all its entries.
    """
    _, shape, value = _value(parameter.name, node, parameter.kind)
    if isinstance(value, str | int) and parameter.shape is not Shape.ONE:
        shape, value = parameter.shape, {OTHERWISE if parameter.shape is Shape.MAP else 0: value}
    if shape is not parameter.shape:
        raise FieldError(f"{parameter.name}: {shape} where the policy has {parameter.shape}")
    return Parameter(parameter.name, parameter.kind, shape, {"default": value})


def _declared_kind(node: Node | None) -> Kind | None:
    if node is None:
        return None
    if not isinstance(node, Scalar) or node.text not in _TYPES:
        name = node.text if isinstance(node, Scalar) else "a list or mapping"
        raise FieldError(f"no such type of parameter: {shown(name)}", nearest(name, _TYPES))
    return _TYPES[node.text]


def _value(name: str, node: Node, kind: Kind | None) -> tuple[Kind, Shape, Value]:
    if isinstance(node, Scalar):
        kind = kind or _guess(node)
        if kind is Kind.TEXTS:
            raise FieldError(f"{name}: {shown(node.text)} is not a list", f"write [{node.text}]")
        return kind, Shape.ONE, _single(name, node, kind)
    if isinstance(node, Items):
        if kind not in (None, Kind.TEXTS):
            raise FieldError(f"{name}: a list where a {kind} belongs")
        if kind is None and not node.items:
            raise FieldError(f"{name}: an empty list does not show its type", "write {type: list, default: []}")
        return Kind.TEXTS, Shape.ONE, tuple(str(_single(name, item, Kind.TEXT)) for item in node.items)
    return _entries(name, node, kind)


def _entries(name: str, node: Members, kind: Kind | None) -> tuple[Kind, Shape, Value]:
    entries: dict[str | int, Single] = {}
    for key, item in node.members.items():
        if not isinstance(item, Scalar):
            raise FieldError(f"{name}: {shown(key)} has a list or mapping as its value")
        kind = kind or _guess(item)
        entries[key] = _single(name, item, kind)
    if len(entries) > MAX_ENTRIES:
        raise FieldError(f"{name}: more than {MAX_ENTRIES} entries")
    if not entries or kind is None or kind is Kind.TEXTS:
        raise FieldError(f"{name}: a map needs entries of one value each")
    if not all(_DATE.fullmatch(key) for key in node.members):
        return kind, Shape.MAP, entries
    try:
        starts: dict[str | int, Single] = {parse_date(key): entries[key] for key in sorted(node.members)}
    except ValueError as error:
        raise FieldError(f"{name}: {error}") from None
    if 0 not in starts or min(node.members) < "1970":
        raise FieldError(
            f"{name}: its first entry is not 1970-01-01", "start there: the first entry applies to everything before the second"
        )
    return kind, Shape.SCHEDULE, starts


def _guess(node: Scalar) -> Kind:
    if node.quoted:
        return Kind.TEXT
    if _DURATION.match(node.text):
        return Kind.DURATION
    return Kind.INTEGER if _INTEGER.fullmatch(node.text) else Kind.TEXT


def _single(name: str, node: Node, kind: Kind) -> Single:
    if not isinstance(node, Scalar):
        raise FieldError(f"{name}: a list or mapping where a {kind} belongs")
    try:
        if kind is Kind.DURATION:
            return parse_days(node.text)
        if kind is Kind.INTEGER:
            return parse_integer(node.text)
    except FieldError as error:
        raise FieldError(f"{name}: {error.what}", error.remedy) from None
    return node.text
