"""Reads TOML as nodes with lines. The standard library's reader gives no lines, so a scanner finds them.

The scanner runs first and limits what the reader gets, whose memory grows with the square of the depth of a key.
"""

import re
import tomllib
from typing import Any

from msgspec import Struct, field

from keyaudit.model.documents.format import Format
from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FormatError
from keyaudit.model.values.text import one_line

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""{1,3}'
    r"|'''.*?'''{1,3}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[^,\]}#\n]+")
_DEEPEST = 10
"""The maximum number of tables and lists inside each other; settings have six. tomllib stores every part of every key."""
_LONGEST = 100
"""The maximum length of a number or date. Python refuses to convert integers of thousands of digits."""


def read(text: str) -> Node:
    """The tables in `text`. Numbers, booleans and dates are text that is not `quoted`. Raises FormatError."""
    lines = _Lines(text).root
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = re.search(r"\(at line (\d+)", str(error))
        line = int(said[1]) if said else text.count("\n") + 1
        what = one_line(str(error).partition(" (at")[0])
        raise FormatError(line, 0, f"not TOML: {what}", "see https://toml.io") from error
    return _node(tables, lines)


class _Place(Struct):
    """The line of a value, and the places of what is in it, by key or index."""

    line: int
    inner: "dict[str | int, _Place]" = field(default_factory=dict)
    tables: int = 0
    """The number of tables that `[[...]]` added, if it is a list of tables."""


def _node(value: Any, place: _Place) -> Node:
    match value:
        case dict():
            places = {name: place.inner.get(name, place) for name in value}
            members = {name: _node(each, places[name]) for name, each in value.items()}
            return Members(members, {name: Scalar(name, places[name].line, 0) for name in value}, place.line, 0)
        case list():
            items = [_node(each, place.inner.get(number, place)) for number, each in enumerate(value)]
            return Items(items, place.line, 0)
        case str():
            return Scalar(value, place.line, 0, quoted=True)
        case bool():
            return Scalar(str(value).lower(), place.line, 0)
        case _:
            return Scalar(str(value), place.line, 0)


class _Lines:
    """The lines of all keys, found without knowing whether the text is valid: where it is not, the rest may be missing."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._counted, self._line = 0, 1
        self.root = _Place(1)
        table = self.root
        while self._more():
            if self._take("[["):
                table = self._header(listed=True)
            elif self._take("["):
                table = self._header(listed=False)
            else:
                self._member(table, 1)

    def _more(self) -> bool:
        matched = _SPACE.match(self._source, self._at)
        self._at = matched.end() if matched else self._at
        return self._at < len(self._source)

    def _take(self, mark: str) -> bool:
        self._more()
        if not self._source.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _now(self) -> int:
        self._line += self._source.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _inner(self, place: _Place, name: str | int, depth: int) -> _Place:
        if depth > _DEEPEST:
            raise FormatError(self._now(), 0, f"nested deeper than {_DEEPEST} levels")
        return place.inner.setdefault(name, _Place(self._now()))

    def _header(self, *, listed: bool) -> _Place:
        keys = self._keys()
        place = self.root
        for depth, key in enumerate(keys, 1):
            place = self._inner(place, key, depth)
            if listed and depth == len(keys):
                place.inner[place.tables] = _Place(self._now())
                place.tables += 1
            if place.tables:
                place = place.inner[place.tables - 1]
        self._take("]]" if listed else "]")
        return place

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._take("."):
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._more()
        quoted = _QUOTED.match(self._source, self._at)
        if quoted:
            self._at = quoted.end()
            return _unquoted(quoted[0])
        bare = _BARE.match(self._source, self._at)
        self._at = bare.end() if bare else len(self._source)
        return bare[0] if bare else ""

    def _member(self, place: _Place, depth: int) -> None:
        keys = self._keys()
        for at, key in enumerate(keys, depth):
            place = self._inner(place, key, at)
        self._take("=")
        self._value(place, depth + len(keys))

    def _value(self, place: _Place, depth: int) -> None:
        self._more()
        if self._take("["):
            number = 0
            while not self._take("]") and self._more():
                self._value(self._inner(place, number, depth), depth + 1)
                self._take(",")
                number += 1
        elif self._take("{"):
            while not self._take("}") and self._more():
                self._member(place, depth)
                self._take(",")
        else:
            self._skip()

    def _skip(self) -> None:
        """Go on after a text, number, boolean or date."""
        quoted = _QUOTED.match(self._source, self._at)
        plain = None if quoted or self._source.startswith(("'", '"'), self._at) else _PLAIN.match(self._source, self._at)
        length = len(plain[0].rstrip()) if plain else 0
        if length > _LONGEST:
            what = f"a value of {length:,} characters without quotes"
            raise FormatError(self._now(), 0, what, f"put a text in quotes; a number has at most {_LONGEST} digits")
        found = quoted or plain
        self._at = found.end() if found else len(self._source)


def _unquoted(text: str) -> str:
    try:
        [key] = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return text
    return key


TOML = Format(
    parse=read,
    typed=True,
    member="setting",
    mapping="not a table; write it as [{name}]",
    items='not a list; write it as ["one", "another"], or with [[{name}]] before each table',
    text='not a text; write it in quotes, as "prod"',
)
