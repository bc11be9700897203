"""Conditions as typed trees, which `syntax` builds from text, and `sql` writes for a dialect.

The file of compiled policies stores them as arrays that begin with their class name.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Kind(StrEnum):
    """The kind of a term: the column types, and lists of integers."""

    BOOLEAN = "boolean"
    TEXT = "text"
    INTEGER = "integer"
    TIME = "time"
    DURATION = "duration"
    TEXTS = "texts"
    INTEGERS = "integers"
    MAP = "map"
    COUNT = "count"


class Read(Struct, frozen=True, tag=True, array_like=True):
    """A column of the row."""

    column: str
    kind: Kind
    partial: bool = False
    """A list that holds, where it is unknown, the items that are known to be in it, if any is."""


class Tag(Struct, frozen=True, tag=True, array_like=True):
    """One entry of a map column; absent if the map is absent or has no such entry."""

    column: str
    key: str
    kind: Kind = Kind.TEXT


class Constant(Struct, frozen=True, tag=True, array_like=True):
    """A literal. Durations are seconds; lists are tuples."""

    value: str | int | tuple[str | int, ...]
    kind: Kind


class Now(Struct, frozen=True, tag=True, array_like=True):
    """The time of evaluation."""

    kind: Kind = Kind.TIME


class ParameterValue(Struct, frozen=True, tag=True, array_like=True):
    """A parameter's value."""

    parameter: str
    kind: Kind


class Lookup(Struct, frozen=True, tag=True, array_like=True):
    """A parameter's entry for the row, by the value of an enumeration, or by time in a schedule."""

    parameter: str
    index: Read
    kind: Kind


class Sum(Struct, frozen=True, tag=True, array_like=True):
    """`left + right` or `left - right`, of times and durations."""

    operator: str
    left: "Term"
    right: "Term"
    kind: Kind


class Compare(Struct, frozen=True, tag=True, array_like=True):
    """`left operator right`; both of one kind, or a count and an integer."""

    operator: str
    left: "Term"
    right: "Term"
    kind: Kind = Kind.BOOLEAN


class Absent(Struct, frozen=True, tag=True, array_like=True):
    """`term is None`."""

    term: Read | Tag
    kind: Kind = Kind.BOOLEAN


class In(Struct, frozen=True, tag=True, array_like=True):
    """`item in items`."""

    item: "Term"
    items: "Term"
    kind: Kind = Kind.BOOLEAN


class Call(Struct, frozen=True, tag=True, array_like=True):
    """A boolean function of the closed list."""

    function: str
    left: "Term"
    right: "Term"
    kind: Kind = Kind.BOOLEAN


class Not(Struct, frozen=True, tag=True, array_like=True):
    """`not term`."""

    term: "Term"
    kind: Kind = Kind.BOOLEAN


class Every(Struct, frozen=True, tag=True, array_like=True):
    """`a and b and ...`; true without terms."""

    terms: tuple["Term", ...]
    kind: Kind = Kind.BOOLEAN


class Some(Struct, frozen=True, tag=True, array_like=True):
    """`a or b or ...`; false without terms."""

    terms: tuple["Term", ...]
    kind: Kind = Kind.BOOLEAN


Term: TypeAlias = (
    Read | Tag | Constant | Now | ParameterValue | Lookup | Sum | Compare | Absent | In | Call | Not | Every | Some
)


def parts(term: Term) -> tuple[Term, ...]:
    """The terms directly below `term`."""
    match term:
        case Lookup(index=index):
            return (index,)
        case Sum() | Compare() | Call():
            return (term.left, term.right)
        case Absent() | Not():
            return (term.term,)
        case In():
            return (term.item, term.items)
        case Every() | Some():
            return term.terms
        case _:
            return ()


def walk(term: Term) -> Iterator[Term]:
    """`term` and all below it, in the order of the text."""
    yield term
    for part in parts(term):
        yield from walk(part)


def columns_read(*terms: Term) -> tuple[str, ...]:
    """The columns that the terms read, each once, in the order of the text."""
    found = (node.column for term in terms for node in walk(term) if isinstance(node, Read | Tag))
    return tuple(dict.fromkeys(found))


def parameters_read(*terms: Term) -> tuple[str, ...]:
    """The parameters that the terms read, each once, in the order of the text."""
    found = (node.parameter for term in terms for node in walk(term) if isinstance(node, ParameterValue | Lookup))
    return tuple(dict.fromkeys(found))
