"""Builds the rows of a policy's examples from values such as `730 days ago`, `absent` and `unknown`."""

import re
from collections.abc import Mapping

from msgspec import Struct

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, shown
from keyaudit.model.results.findings import Value
from keyaudit.model.schema.columns import Column, Type
from keyaudit.model.values.times import DAY, MAX_TIME, parse_date, parse_duration, parse_time
from keyaudit.policy.conditions.parameters import parse_integer
from keyaudit.policy.definition import Example, Policy

NOW = parse_time("2026-07-01T12:00:00Z")
"""The time of evaluation of examples."""
REASON = "permission"
"""The reason of unknown columns in examples."""

_UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": DAY}
_SPAN = re.compile(r"(\d{1,7}) (second|minute|hour|day)s?", re.ASCII)
_COUNT = re.compile(r"(\d{1,9})(?:(\.\.)(\d{1,9})?)?", re.ASCII)
_SHAPES: Mapping[Type, type[Scalar | Items | Members]] = {Type.TEXTS: Items, Type.MAP: Members}


class Sample(Struct, frozen=True):
    """One example as a row: every column that the policy reads, None if absent or unknown; of a list that may have other items
    those that are known.
    """

    example: Example
    values: Mapping[str, Value]
    unknown: Mapping[str, str]


def sample(policy: Policy, example: Example) -> Sample:
    """The row of an example. Raises FieldError for an invalid value, or a missing column."""
    nodes = {**policy.given, **example.changes}
    missing = [name for name in policy.columns_read if name not in nodes]
    if missing:
        raise FieldError(f"no value for {', '.join(missing)}", "add it to given, or to the example")
    values: dict[str, Value] = {}
    unknown: dict[str, str] = {}
    for name, node in nodes.items():
        column = policy.table.by_name[name]
        word = node.text if isinstance(node, Scalar) and not node.quoted else ""
        if word == "unknown":
            if not column.can_be_unknown:
                raise FieldError(f"{name} is never unknown: without it, the row would not exist")
            values[name], unknown[name] = None, REASON
        elif word == "absent":
            if not column.absent:
                raise FieldError(f"{name} is never absent")
            values[name] = None
        else:
            known = _known(node) if column.partial else node
            if known is not node:
                unknown[name] = REASON
            values[name] = parse(known, column)
    for name, value in values.items():
        if value is None and name not in unknown:
            _may_be_absent(policy.table.by_name[name], values, unknown)
    return Sample(example, values, unknown)


def _known(node: Node) -> Node:
    """A list without a `..` at its end, which stands for items that are not known."""
    if not isinstance(node, Items) or not node.items:
        return node
    last = node.items[-1]
    rest = isinstance(last, Scalar) and not last.quoted and last.text == ".."
    return Items(node.items[:-1], node.line, node.column) if rest else node


def _may_be_absent(column: Column, values: Mapping[str, Value], unknown: Mapping[str, str]) -> None:
    """Raises FieldError if the column cannot be absent in a row like this one."""
    cases = column.absent_where
    settled = bool(cases) and all(case.column in values and case.column not in unknown for case in cases)
    if settled and not any(values[case.column] in case.values for case in cases):
        where = " and ".join(f"{case.column} is {values[case.column]}" for case in cases)
        raise FieldError(f"{column.name} is never absent where {where}")


def parse(node: Node, column: Column) -> Value:
    """A column's value from an example. Raises FieldError."""
    wanted = _SHAPES.get(column.type, Scalar)
    if not isinstance(node, wanted):
        raise FieldError(f"{column.name} is {column.type}", _FORMS[column.type])
    if isinstance(node, Items):
        return [_text(item, column) for item in node.items]
    if isinstance(node, Members):
        return {name.lower(): _text(item, column) for name, item in node.members.items()}
    text = node.text
    try:
        return _parse(text, column)
    except (ValueError, FieldError):
        raise FieldError(f"{column.name} cannot be {shown(text)}", _FORMS[column.type]) from None


_FORMS = {
    Type.TEXT: "a text, `absent` or `unknown`",
    Type.BOOLEAN: "true, false or `unknown`",
    Type.INTEGER: "a whole number",
    Type.TIME: "as in `730 days ago`, `in 30 days`, `2026-01-01`, `now`",
    Type.DURATION: "as in `90 days` or P90D",
    Type.TEXTS: "a list, as in [sign, verify], or [sign, ..] if others may be unknown",
    Type.MAP: "a mapping, as in {env: prod}",
    Type.COUNT: "as in 3, 2..5, or 2.. for at least 2",
}


def _parse(text: str, column: Column) -> Value:
    match column.type:
        case Type.BOOLEAN:
            return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse(text)
        case Type.INTEGER:
            return parse_integer(text)
        case Type.TIME:
            return _time(text)
        case Type.DURATION:
            span = _SPAN.fullmatch(text)
            return int(span[1]) * _UNITS[span[2]] if span else parse_duration(text)
        case Type.COUNT:
            return _bounds(text)
        case _:
            return text


def _refuse(text: str) -> Value:
    raise FieldError(text)


def _time(text: str) -> int:
    if text == "now":
        return NOW
    span = _SPAN.fullmatch(text.removeprefix("in ").removesuffix(" ago"))
    if span:
        seconds = int(span[1]) * _UNITS[span[2]]
        if text == f"{span[0]} ago":
            return NOW - seconds
        if text == f"in {span[0]}":
            return NOW + seconds
    seconds = parse_time(text) if "T" in text else parse_date(text)
    return seconds if abs(seconds) <= MAX_TIME else int("")


def _bounds(text: str) -> tuple[int, int | None]:
    match = _COUNT.fullmatch(text)
    if match is None:
        raise FieldError(text)
    least = int(match[1])
    most = least if match[2] is None else int(match[3]) if match[3] else None
    if most is not None and most < least:
        raise FieldError(text)
    return least, most


def _text(node: Node, column: Column) -> str:
    if not isinstance(node, Scalar):
        raise FieldError(f"{column.name} holds a list or mapping", _FORMS[column.type])
    return node.text
