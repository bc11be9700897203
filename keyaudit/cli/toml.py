"""TOML with line numbers: the standard library's reader has none, so a second, small reader finds each key's line."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from keyaudit.inventory import input_file
from keyaudit.model.documents.problems import nearest
from keyaudit.model.errors import UsageError
from keyaudit.model.text import one_line

T = TypeVar("T")
D = TypeVar("D")
_MOST = 1024 * 1024
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
Keys = tuple[str | int, ...]
"""The path to a value: names of tables and keys, and indexes of list items."""


class Toml:
    """One file: its tables, and its errors, each a UsageError with file and line.

    Raises UsageError at once if the file is not TOML. Errors in settings are collected in `mistakes`, so that users get all of
    them: `table` adds unknown settings, `value` and `attempt` what the functions that read a value raise.
    """

    def __init__(self, place: str, data: bytes) -> None:
        self.place = place
        self.mistakes: list[UsageError] = []
        if len(data) > _MOST:
            raise UsageError(place, "larger than 1 MB", "keep only settings in it")
        try:
            source = data.decode()
        except UnicodeDecodeError as error:
            raise UsageError(place, "not UTF-8", "save it as UTF-8") from error
        try:
            self.tables: dict[str, Any] = tomllib.loads(source)
            self._lines = _Lines(source).found
        except RecursionError as error:
            raise UsageError(place, "nested too deep", "keyaudit explain settings shows what may be in it") from error
        except tomllib.TOMLDecodeError as error:
            said = re.search(r"\(at line (\d+)", str(error))
            line = said[1] if said else source.count("\n") + 1
            what = one_line(str(error).partition(" (at")[0])
            raise UsageError(f"{place}:{line}", f"not TOML: {what}", "see https://toml.io") from error

    @classmethod
    def of_file(cls, path: Path) -> "Toml":
        """Read a file. The null device, by its own name, is an empty one: that is how no file is chosen."""
        place = one_line(str(path))
        remedy = "put a file of settings there, or name another with --config"
        data = b"" if str(path) == os.devnull else input_file.read(path, _MOST, remedy)
        return cls(place, data)

    def at(self, path: Keys) -> str:
        """`file:line` of the key, or of the nearest table that contains it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return f"{self.place}:{self._lines[path[:end]]}"
        return self.place

    def error(self, path: Keys, what: str, remedy: str) -> UsageError:
        """An error at that key."""
        return UsageError(self.at(path), what, remedy)

    def attempt(self, read: Callable[[], T], default: D) -> T | D:
        """The result of `read`, or the default if it raises UsageError, which is added to `mistakes`."""
        try:
            return read()
        except UsageError as error:
            self.mistakes.append(error)
            return default

    def value(self, path: Keys, table: Mapping[str, Any], key: str, read: Callable[[Keys, object], T], default: D) -> T | D:
        """The result of `read` for a key of the table, or the default if it is missing or wrong."""
        return self.attempt(lambda: read((*path, key), table[key]), default) if key in table else default

    def table(self, path: Keys, value: object, known: Sequence[str]) -> dict[str, Any]:
        """The known keys of a table. Others are errors. Raises UsageError if it is not a table."""
        table = self.named(path, value)
        for key in table.keys() - set(known):
            remedy = nearest(key, known) or f"known are {', '.join(known)}"
            self.mistakes.append(self.error((*path, key), f"no such setting: {dotted((*path, key))}", remedy))
        return {key: each for key, each in table.items() if key in known}

    def named(self, path: Keys, value: object) -> dict[str, Any]:
        """A table with any keys."""
        if not isinstance(value, dict):
            raise self.error(path, f"{dotted(path)}: not a table", f"write it as [{dotted(path)}]")
        return value

    def texts(self, path: Keys, value: object) -> tuple[str, ...]:
        """A string, or a list of strings."""
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise self.error(path, f"{dotted(path)}: not a list of texts", 'write it as ["one", "another"]')
        return tuple(self.text((*path, number), each) for number, each in enumerate(values))

    def text(self, path: Keys, value: object) -> str:
        """A string that is not empty."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(path, f"{dotted(path)}: not a text", 'write it in quotes, as "prod"')
        return value

    def one_of(self, path: Keys, value: object, known: Sequence[str]) -> str:
        """One of the known strings."""
        text = self.text(path, value)
        if text not in known:
            remedy = nearest(text, known) or f"one of {', '.join(known)}"
            raise self.error(path, f"{dotted(path)}: no such value: {one_line(text)!r}", remedy)
        return text


def dotted(path: Keys) -> str:
    """The keys with dots, safe for one line, without indexes of lists."""
    return one_line(".".join(key for key in path if isinstance(key, str)))


class _Lines:
    """The line of every key in valid TOML, by path."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._counted, self._line = 0, 1
        self._tables: dict[Keys, int] = {}
        self.found: dict[Keys, int] = {}
        header: Keys = ()
        while self._more():
            if self._take("[["):
                header = self._header(listed=True)
            elif self._take("["):
                header = self._header(listed=False)
            else:
                self._member(header)

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

    def _here(self, path: Keys) -> None:
        self._line += self._source.count("\n", self._counted, self._at)
        self._counted = self._at
        self.found.setdefault(path, self._line)

    def _header(self, *, listed: bool) -> Keys:
        keys = self._keys()
        path: Keys = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            self._here(path)
            if listed and number == len(keys) - 1:
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:
                path = (*path, self._tables[path])
                self._here(path)
        self._take("]]" if listed else "]")
        return path

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
            [key] = tomllib.loads(f"{quoted[0]} = 0")
            return key
        bare = _BARE.match(self._source, self._at)
        self._at = bare.end() if bare else len(self._source)
        return bare[0] if bare else ""

    def _member(self, path: Keys) -> None:
        for key in self._keys():
            path = (*path, key)
            self._here(path)
        self._take("=")
        self._value(path)

    def _value(self, path: Keys) -> None:
        self._more()
        if self._take("["):
            number = 0
            while not self._take("]") and self._more():
                self._here((*path, number))
                self._value((*path, number))
                self._take(",")
                number += 1
        elif self._take("{"):
            while not self._take("}") and self._more():
                self._member(path)
                self._take(",")
        else:
            plain = _QUOTED.match(self._source, self._at) or _PLAIN.match(self._source, self._at)
            self._at = plain.end() if plain else len(self._source)
