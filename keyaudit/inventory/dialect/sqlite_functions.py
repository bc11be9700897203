"""The functions and aggregates that SQLite lacks. A list or a map is text: JSON as `encoded` writes it."""

import functools
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from keyaudit.inventory.dialect.spark import SPACES

_ENCODER = msgspec.json.Encoder()


def encoded(value: Any) -> str:
    """A list or a map as it is stored."""
    return _ENCODER.encode(value).decode()


@functools.lru_cache(20_000)
def decoded(text: str) -> Any:
    """The list or map of a stored text, which nobody may change: it is shared."""
    return json.loads(text)


def _lower(text: str | None) -> str | None:
    if text is None:
        return None
    if text.isascii():
        return text.lower()
    return "".join("i" if each == "\u0130" else each.lower() for each in text)


def _known(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL for a NULL argument."""

    def unless_null(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return unless_null


def _contains(items: str | None, item: Any) -> int | None:
    if items is None:
        return None
    held = decoded(items)
    if not held:
        return 0
    return None if item is None else item in held


def _overlaps(left: str | None, right: str | None) -> int | None:
    if left == "[]" or right == "[]":
        return 0
    return None if left is None or right is None else not set(decoded(left)).isdisjoint(decoded(right))


def _covers(left: str | None, right: str | None) -> int | None:
    if right == "[]":
        return 1
    return None if left is None or right is None else set(decoded(left)).issuperset(decoded(right))


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    try:
        return parts[number - 1 if number > 0 else number]
    except IndexError:
        return ""


def _item(items: str, number: int) -> Any:
    held = decoded(items)
    return held[number - 1] if 0 < number <= len(held) else None


def _flattened(lists: str) -> str:
    return encoded(
        [item for each in decoded(lists) if each is not None for item in (each if isinstance(each, list) else decoded(each))]
    )


def _pairs(arguments: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def _with(column: str | None, *entries: Any) -> str | None:
    if column is None:
        return None
    return encoded(decoded(column) | {key: value for key, value in _pairs(entries).items() if value is not None})


def _only(column: str, keys: str) -> str:
    allowed = decoded(keys)
    return encoded({key: value for key, value in decoded(column).items() if key in allowed})


def _united(*maps: str | None) -> str:
    found: dict[str, str] = {}
    for each in maps:
        found |= decoded(each) if each is not None else {}
    return encoded(found)


@functools.lru_cache(None)
def _pattern(written: str) -> "re.Pattern[str]":
    return re.compile(written.replace("\\z", "\\Z"), re.ASCII)


def _extracted(text: str, pattern: str, group: int) -> str:
    found = _pattern(pattern).search(text)
    return (found[group] or "") if found else ""


def _present(values: Sequence[Any]) -> list[Any]:
    return [each for each in values if each is not None]


FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("lower", 1, _lower),
    ("trim", 1, _known(lambda text: text.strip(SPACES))),
    ("starts_with", 2, _known(lambda text, start: text.startswith(start))),
    ("ends_with", 2, _known(lambda text, end: text.endswith(end))),
    ("contains", 2, _known(lambda text, part: part in text)),
    ("split_part", 3, _known(_part)),
    ("text_matches", 2, _known(lambda text, pattern: _pattern(pattern).fullmatch(text) is not None)),
    ("text_found", 2, _known(lambda text, pattern: _pattern(pattern).search(text) is not None)),
    ("regexp_extract", 3, _known(_extracted)),
    ("text_without", 2, _known(lambda text, pattern: _pattern(pattern).sub("", text))),
    ("text_divided", 2, _known(lambda text, separator: encoded(text.split(separator)))),
    ("greatest", -1, lambda *values: max(_present(values), default=None)),
    ("least", -1, lambda *values: min(_present(values), default=None)),
    ("array_contains", 2, _contains),
    ("array_distinct", 1, _known(lambda items: encoded(list(dict.fromkeys(decoded(items)))))),
    ("array_sort", 1, _known(lambda items: encoded(sorted(decoded(items))))),
    ("map_concat", -1, _known(_united)),
    ("flatten", 1, _known(_flattened)),
    ("list_sorted", 1, _known(lambda items: encoded(sorted(decoded(items))))),
    ("list_of", -1, lambda *values: encoded(list(values))),
    ("list_size", 1, _known(lambda items: len(decoded(items)))),
    ("cardinality", 1, _known(lambda items: len(decoded(items)))),
    ("list_item", 2, _known(_item)),
    ("list_overlaps", 2, _overlaps),
    ("list_covers", 2, _covers),
    ("list_joined", 2, _known(lambda items, separator: separator.join(decoded(items)))),
    ("list_numbers", 1, _known(lambda last: encoded(list(range(1, last + 1))))),
    ("list_first", 2, _known(lambda items, most: encoded(decoded(items)[:most]))),
    ("list_concatenated", -1, _known(lambda *lists: encoded([item for each in lists for item in decoded(each)]))),
    ("list_repeated", 2, _known(lambda value, times: encoded([value] * times))),
    ("map_entry", 2, _known(lambda column, key: decoded(column).get(key))),
    ("map_has", 2, _known(lambda column, key: key in decoded(column))),
    ("map_with", -1, _with),
    ("map_of", -1, lambda *entries: encoded(_pairs(entries))),
    ("struct_of", -1, lambda *entries: encoded(_pairs(entries))),
    ("map_sorted", 1, _known(lambda column: encoded(dict(sorted(decoded(column).items()))))),
    ("map_only", 2, _known(_only)),
    ("map_united", -1, _united),
)


class _Collected:
    """A list of the values, in no order."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def step(self, value: Any) -> None:
        self.values.append(value)

    def finalize(self) -> Any:
        return encoded(self.values) if self.values else None


class _Different(_Collected):
    """The sorted list of different values."""

    def finalize(self) -> str | None:
        return encoded(sorted(set(self.values))) if self.values else None


class _DifferentItems(_Collected):
    """The same of the items of lists."""

    def finalize(self) -> str | None:
        return encoded(sorted({item for each in self.values for item in decoded(each)})) if self.values else None


class _Any(_Collected):
    """Whether one is true."""

    def finalize(self) -> Any:
        return max(_present(self.values), default=None)


class _All(_Collected):
    """Whether all are true."""

    def finalize(self) -> Any:
        return min(_present(self.values), default=None)


class _LeastBy:
    """The value with the least order."""

    def __init__(self) -> None:
        self.values: list[tuple[Any, Any]] = []

    def step(self, value: Any, order: Any) -> None:
        if value is not None and order is not None:
            self.values.append((order, value))

    def finalize(self) -> Any:
        return min(self.values)[1] if self.values else None


class _Bits(_Collected):
    """The bits of all numbers."""

    def finalize(self) -> int | None:
        return functools.reduce(lambda left, right: left | right, found) if (found := _present(self.values)) else None


class _Greatest(_Collected):
    """The greatest struct; NULL is greater than any value, as in DuckDB."""

    def finalize(self) -> str | None:
        def order(text: str) -> list[tuple[bool, Any]]:
            return [(value is None, value) for value in decoded(text).values()]

        return max(_present(self.values), key=order, default=None)


AGGREGATES: dict[str, type[Any]] = {
    "list_collected": _Collected,
    "list_different": _Different,
    "list_different_items": _DifferentItems,
    "struct_greatest": _Greatest,
    "bool_or": _Any,
    "bool_and": _All,
    "bit_or": _Bits,
    "min_by": _LeastBy,
}
