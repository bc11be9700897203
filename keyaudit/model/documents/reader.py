"""Reads the nodes of a file as types: a Struct declares the members of a mapping, and all problems are collected with places.

A declared type is a Struct, `str`, `int`, `bool`, an enumeration, `tuple[X, ...]`, `Mapping[str, X]`, `Node` (as it is), one of
these or None, or `Annotated[X, read]`: its function raises FieldError, or returns None after problems that it adds.
Members without a default are required. A member of type `Members` is not in the file: it gets the mapping that the Struct was
read from, and with it the places of the others.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from inspect import isclass
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Struct, structs

from keyaudit.model.documents.format import Format, decode
from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import DocumentError, FieldError, FormatError, Problem, nearest, shown
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import parse_date

T = TypeVar("T")
Keys: TypeAlias = tuple[str, ...]
"""The names of the mappings that lead to a node, and its own."""
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_REQUIRED = "it is required"


class Reader:
    """Reads one file, and collects its problems. Nodes with a problem are left out of the result."""

    def __init__(self, file: str, format_: Format) -> None:
        self.file = file
        self.format = format_
        self.problems: list[Problem] = []

    def parse(self, data: bytes) -> Node:
        """The content of a file as a node. Raises DocumentError if it is not in the format."""
        try:
            return self.format.parse(decode(data))
        except FormatError as error:
            raise DocumentError([error.problem(self.file)]) from None

    def check(self) -> None:
        """Raises DocumentError if there are problems."""
        if self.problems:
            raise DocumentError(self.problems)

    def place(self, at: Node) -> str:
        """`file:line` of a node."""
        return f"{self.file}:{at.line}"

    def problem(self, at: Node, what: str, remedy: str = "") -> None:
        """Add a problem at this place."""
        self.problems.append(Problem(file=self.file, line=at.line, column=at.column, what=what, remedy=remedy))

    def wrong(self, path: Keys, what: str, remedy: str = "") -> FieldError:
        """An error at this path, to raise."""
        return FieldError(f"{dotted(path)}: {what}" if path and self.format.typed else what, remedy)

    def read(self, node: Node, kind: type[T], path: Keys = ()) -> T | None:
        """The node as a type, or None after a problem."""
        try:
            found: T = self._value(node, kind, path)
        except FieldError as error:
            self.problem(node, error.what, error.remedy)
            return None
        return found

    def text(self, node: Node | None, path: Keys = ()) -> str:
        """A text; empty after a problem, and without a node."""
        return (self.read(node, str, path) or "") if node is not None else ""

    def items(self, node: Node | None) -> tuple[Node, ...]:
        """The items of a list; none after a problem, and without a node."""
        return (self.read(node, tuple[Node, ...]) or ()) if node is not None else ()

    def entries(self, node: Node | None, path: Keys = ()) -> Mapping[str, Node]:
        """The members of a mapping with any names; none after a problem, and without a node."""
        return (self.read(node, dict[str, Node], path) or {}) if node is not None else {}

    def string(self, node: Node, path: Keys) -> str:
        """A text that is not empty. Raises FieldError, for functions that read a type of their own."""
        if not isinstance(node, Scalar) or (self.format.typed and not node.quoted):
            raise self._not(path, self.format.text)
        text = node.text if self.format.typed else " ".join(node.text.split())
        if not text.strip():
            raise self.wrong(path, "an empty text")
        return text

    def members(
        self, node: Members, required: Iterable[str], optional: Iterable[str], needed: str = _REQUIRED, path: Keys = ()
    ) -> None:
        """Add a problem for every unknown member and every missing required one; `needed` says why it is required."""
        known = [*required, *optional]
        for name, key in node.keys.items():
            if name not in known:
                told = dotted((*path, name)) if self.format.typed else shown(name)
                self.problem(key, f"no such {self.format.member}: {told}", _nearest(name, known))
        for name in required:
            if name not in node.members:
                self.problem(node, f"no {dotted((*path, name)) if self.format.typed else name}", needed)

    def _value(self, node: Node, kind: Any, path: Keys) -> Any:
        arguments = get_args(kind)
        if get_origin(kind) is Annotated:
            return arguments[1](self, node, path)
        if Scalar in arguments:
            return node
        if type(None) in arguments:
            return self._value(node, arguments[0], path)
        return self._collection(node, kind, path) if arguments else self._single(node, kind, path)

    def _collection(self, node: Node, kind: Any, path: Keys) -> Any:
        inner = get_args(kind)
        if get_origin(kind) is tuple:
            items = [self.read(item, inner[0], path) for item in self._items(node, inner[0], path)]
            return tuple(item for item in items if item is not None)
        named = {name: self.read(each, inner[1], (*path, name)) for name, each in self._mapping(node, path).members.items()}
        return {name: each for name, each in named.items() if each is not None}

    def _single(self, node: Node, kind: type[Any], path: Keys) -> Any:
        if issubclass(kind, Struct):
            return self._struct(node, kind, path)
        if issubclass(kind, StrEnum):
            return kind(one_of(list(kind))(self, node, path))
        if kind is str:
            return self.string(node, path)
        text = f'"{node}"' if isinstance(node, Scalar) and node.quoted and self.format.typed else str(node)
        if kind is bool:
            if text not in _BOOLEANS:
                raise self.wrong(path, f"{shown(text)} is neither true nor false")
            return _BOOLEANS[text]
        if _INTEGER.fullmatch(text) is None:
            raise self.wrong(path, f"{shown(text)} is not a whole number")
        return int(text)

    def _struct(self, node: Node, kind: type[Struct], path: Keys) -> Struct | None:
        declared = _declared(kind)
        found = self._mapping(node, path, ", ".join(f"{name}: ..." for name in declared.required))
        self.members(found, declared.required, declared.optional, path=path)
        read = {
            name: self.read(member, declared.types[name], (*path, name))
            for name, member in found.members.items()
            if name in declared.types
        }
        values = {name: value for name, value in read.items() if value is not None}
        return kind(**values, **dict.fromkeys(declared.places, found)) if values.keys() >= set(declared.required) else None

    def _mapping(self, node: Node, path: Keys, members: str = "name: value") -> Members:
        if not isinstance(node, Members):
            raise self._not(path, self.format.mapping, members)
        return node

    def _items(self, node: Node, kind: Any, path: Keys) -> list[Node]:
        if isinstance(node, Items):
            return node.items
        if isinstance(node, Scalar) and self.format.typed and not (isclass(kind) and issubclass(kind, Struct)):
            return [node]
        raise self._not(path, self.format.items)

    def _not(self, path: Keys, words: str, members: str = "") -> FieldError:
        what, _, remedy = words.partition("; ")
        return self.wrong(path, what, remedy.format(name=dotted(path), members=members))


def dotted(path: Iterable[str]) -> str:
    """The names with dots, safe for one line."""
    return one_line(".".join(path))


def one_of(known: Collection[str], noun: str = "value") -> Callable[[Reader, Node, Keys], str]:
    """A function that reads one of these texts."""

    def read(reader: Reader, node: Node, path: Keys) -> str:
        text = reader.string(node, path)
        if text not in known:
            raise reader.wrong(path, f"no such {noun}: {shown(text)}", _nearest(text, known))
        return text

    return read


def day(reader: Reader, node: Node, path: Keys) -> int:
    """The start of a day, in seconds."""
    text = reader.string(node, path)
    try:
        return parse_date(text)
    except ValueError:
        raise reader.wrong(path, f"{shown(text)} is no date", "write the day, as in 2027-01-31") from None


def _nearest(name: str, known: Collection[str]) -> str:
    return nearest(name, known) or f"one of {', '.join(known)}"


def _version(_: Reader, node: Node, path: Keys) -> int:
    if str(node) != "1":
        what = f"{path[-1]} {shown(str(node))}: written for another version"
        raise FieldError(what, f"this keyaudit reads {path[-1]} 1")
    return 1


Version: TypeAlias = Annotated[int, _version]
"""The version of a kind of file. All are at 1."""


class _Declared(Struct, frozen=True):
    types: Mapping[str, Any]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    places: tuple[str, ...]
    """The members that get the mapping itself."""


@lru_cache(maxsize=64)
def _declared(kind: type[Struct]) -> _Declared:
    """The members of a Struct in the file."""
    types = get_type_hints(kind, include_extras=True)
    places = tuple(name for name, type_ in types.items() if type_ is Members)
    members = [each for each in structs.fields(kind) if each.name not in places]
    return _Declared(
        {each.name: types[each.name] for each in members},
        tuple(each.name for each in members if each.required),
        tuple(each.name for each in members if not each.required),
        places,
    )
