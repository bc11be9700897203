"""Parses JSON with comments and trailing commas, as in configuration files, keeping line numbers."""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from msgspec import Struct

from keyaudit.collect.supplied_file import UnreadError
from keyaudit.model.reasons import Reason

_DEEPEST = 64
_GAP = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_constant)
Json = dict[str, "Value"] | list["Value"] | str | int | float | bool | None


class Value(Struct, frozen=True):
    """A value and the line that it begins on, counted from one."""

    value: Json
    line: int


def parsed(text: str) -> Value:
    """The single value in `text`. Raises UnreadError with the line for invalid text, and for a repeated name."""
    reader = _Reader(text)
    found = reader.value(0)
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0

    def value(self, depth: int) -> Value:
        character = self._next()
        line = self._now()
        if depth > _DEEPEST:
            raise self._wrong("nested too deeply")
        match character:
            case "{":
                return Value(dict(self._members(depth)), line)
            case "[":
                return Value(list(self._items(depth)), line)
        return Value(self._plain(), line)

    def end(self) -> None:
        if self._next():
            raise self._wrong("more than one value")

    def _members(self, depth: int) -> Iterator[tuple[str, Value]]:
        seen: set[str] = set()
        for _ in self._parts("}"):
            if self._next() != '"':
                raise self._wrong("not JSON: a name is missing")
            name = str(self._plain())
            # .NET ignores the case of names, and refuses a file with a repeated name.
            if name.lower() in seen:
                raise self._wrong("a duplicate member")
            seen.add(name.lower())
            if self._next() != ":":
                raise self._wrong("not JSON: a colon is missing")
            self._at += 1
            yield name, self.value(depth + 1)

    def _items(self, depth: int) -> Iterator[Value]:
        for _ in self._parts("]"):
            yield self.value(depth + 1)

    def _parts(self, closing: str) -> Iterator[None]:
        self._at += 1
        while self._next() != closing:
            yield
            if self._next() == ",":
                self._at += 1
            elif self._next() != closing:
                raise self._wrong("not JSON: a comma is missing")
        self._at += 1

    def _next(self) -> str:
        """The next character after whitespace and comments; empty at the end."""
        gap = _GAP.match(self._text, self._at)
        self._at = gap.end() if gap else self._at
        return self._text[self._at : self._at + 1]

    def _plain(self) -> str | int | float | bool | None:
        """A text, a number or a word."""
        try:
            found, self._at = _DECODER.raw_decode(self._text, self._at)
        # A number with thousands of digits raises ValueError too.
        except ValueError as error:
            raise self._wrong("not JSON") from error
        # Half a surrogate pair cannot be stored.
        return found.encode(errors="backslashreplace").decode() if isinstance(found, str) else found

    def _now(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _wrong(self, what: str) -> UnreadError:
        return UnreadError(Reason.BAD_BODY, what, self._now())
