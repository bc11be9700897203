"""SQLite's SQL, where it differs from DuckDB's, for tenants so small that planning costs more than running.

A truth is 0 or 1. A list and a map are JSON texts, a map in the order of its entries, as in DuckDB. What SQLite has no function
for, a `Database` adds.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by the dialect

import functools
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from keyaudit.inventory.dialect.duckdb import DuckDB
from keyaudit.inventory.dialect.spark import SPACES

_ITEMS, _END, _ITEM = "\x03", "\x04", "item_of.value"
"""Before and after the list of a SELECT that has a row for each of its items; and such an item."""
_TOKENS = re.compile(
    r"""\[(?P<key>'(?:[^']|'')*')\]|'(?:[^']|'')*'|"[^"]*"|[()\x03\x04]|//|::(?:BIGINT|HUGEINT)\b"""
    r"|\b(?:FROM|JOIN|WHERE|GROUP|UNION|ORDER|LIMIT|STRING)\b"
)
_WRITTEN = {"//": "/", "::BIGINT": "", "::HUGEINT": "", "STRING": "TEXT"}
"""What DuckDB and Spark have in common, as SQLite has it."""
_QUOTE = "'"
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
_FUNCTION = re.compile(r"CREATE FUNCTION (\w+)\(([\w, ]*)\) AS (.*)", re.DOTALL)


class SQLite(DuckDB):
    """SQLite's SQL. The methods that are not here are the same in both."""

    def texts(self, values: Sequence[str]) -> str:
        return self.text(_encoded(list(values)))

    def entries(self, values: Mapping[str, str]) -> str:
        return self.text(_encoded(dict(values)))

    def type(self, declared: str) -> str:
        return "INTEGER" if declared in {"BOOLEAN", "BIGINT", "INTEGER", "HUGEINT", "TINYINT"} else "TEXT"

    def wide(self, value: str) -> str:
        return value

    def quotient(self, value: str, by: int | str) -> str:
        return f"({value} / {by})"

    def side_by_side(self, columns: Mapping[str, Sequence[str]]) -> str:
        found = []
        for name, values in columns.items():
            cases = (f"WHEN {place} THEN {value}" for place, value in enumerate(values))
            found.append(f"CASE {_ITEM} {' '.join(cases)} END AS {name}")
        places = self.text(_encoded(list(range(len(values)))))
        return ", ".join((f"{self.each(places)} AS place", *found))

    def view(self, name: str, query: str) -> str:
        return f"CREATE TABLE {name} AS {query}"

    def table(self, name: str, query: str) -> str:
        return f"CREATE TABLE {name} AS {query}"

    def function(self, name: str, parameters: Sequence[str], returns: str, expression: str) -> str:  # noqa: ARG002 - Spark's
        return f"CREATE FUNCTION {name}({', '.join(parameters)}) AS {expression}"

    def inlined(self, name: str, query: str) -> str:
        return f"{name} AS ({query})"

    def items(self, *values: str) -> str:
        return f"list_of({', '.join(values)})"

    def size(self, items: str) -> str:
        return f"list_size({items})"

    def item(self, items: str, number: int | str) -> str:
        return f"list_item({items}, {number})"

    def each(self, items: str) -> str:
        return f"{_ITEMS}{items}{_END}"

    def different(self, value: str, first: int, end: int) -> str:
        return f"count(DISTINCT CASE WHEN {value} >= {first} AND {value} < {end} THEN {value} END)"

    def collected(self, value: str) -> str:
        return f"list_collected({value}) FILTER (WHERE {value} IS NOT NULL)"

    def distinct(self, value: str, condition: str = "true") -> str:
        return f"list_different({value}) FILTER (WHERE {value} IS NOT NULL AND ({condition}))"

    def distinct_items(self, items: str, condition: str = "true") -> str:
        return f"list_different_items({items}) FILTER (WHERE {items} IS NOT NULL AND ({condition}))"

    def has(self, items: str, item: str) -> str:
        return f"array_contains({items}, {item})"

    def overlaps(self, left: str, right: str) -> str:
        return f"list_overlaps({left}, {right})"

    def covers(self, left: str, right: str) -> str:
        return f"list_covers({left}, {right})"

    def joined(self, items: str, separator: str) -> str:
        return f"list_joined({items}, {self.text(separator)})"

    def numbers(self, last: str) -> str:
        return f"list_numbers({last})"

    def first_items(self, items: str, most: int | str) -> str:
        return f"list_first({items}, {most})"

    def concatenated(self, *lists: str) -> str:
        return f"list_concatenated({', '.join(lists)})"

    def repeated(self, value: str, times: str) -> str:
        return f"list_repeated({self.text(value)}, {times})"

    def mapped(self, items: str, item: str, expression: str) -> str:
        query = f"SELECT json_group_array({expression}) FROM (SELECT value AS {item} FROM json_each({items}))"
        return f"CASE WHEN {items} IS NOT NULL THEN ({query}) END"

    def chosen(self, items: str, item: str, condition: str) -> str:
        chosen = f"SELECT value AS {item} FROM json_each({items})"
        query = f"SELECT list_sorted(json_group_array({item})) FROM ({chosen}) WHERE {condition}"
        return f"CASE WHEN {items} IS NOT NULL THEN ({query}) END"

    def matches(self, text: str, pattern: str) -> str:
        return f"text_matches({text}, {pattern})"

    def found(self, text: str, pattern: str) -> str:
        return f"text_found({text}, {self.text(pattern)})"

    def without(self, text: str, pattern: str) -> str:
        return f"text_without({text}, {self.text(pattern)})"

    def trimmed_left(self, text: str, character: str) -> str:
        return f"ltrim({text}, {self.text(character)})"

    def divided(self, text: str, separator: str) -> str:
        return f"text_divided({text}, {self.text(separator)})"

    def entry(self, column: str, key: str) -> str:
        return f"map_entry({column}, {key})"

    def has_entry(self, column: str, key: str) -> str:
        return f"map_has({column}, {key})"

    def with_entry(self, column: str, key: str, value: str) -> str:
        return f"map_with({column}, {key}, {value})"

    def in_order(self, column: str) -> str:
        return f"map_sorted({column})"

    def map(self, values: Mapping[str, str]) -> str:
        return f"map_of({', '.join(f'{self.text(name)}, {value}' for name, value in values.items())})"

    def present(self, values: Mapping[str, str]) -> str:
        return self.with_present("'{}'", values)

    def with_present(self, column: str, values: Mapping[str, str]) -> str:
        return f"map_with({column}, {', '.join(f'{self.text(name)}, {value}' for name, value in values.items())})"

    def only(self, column: str, keys: Sequence[str]) -> str:
        return f"map_only({column}, {self.texts(keys)})"

    def united(self, *maps: str) -> str:
        return f"map_united({', '.join(maps)})"

    def struct(self, values: Mapping[str, str]) -> str:
        return f"struct_of({', '.join(f'{self.text(name)}, {value}' for name, value in values.items())})"

    def member(self, struct: str, name: str) -> str:
        return f"json_extract({struct}, '$.{name}')"

    def greatest(self, struct: str) -> str:
        return f"struct_greatest({struct})"

    def excluding(self, *columns: str, of: str = "") -> str:  # noqa: ARG002 - more columns than asked for do no harm
        return f"{of}{'.' if of else ''}*"

    def replacing(self, columns: Mapping[str, str], *, of: str = "", without: Sequence[str] = ()) -> str:  # noqa: ARG002
        # Of two columns with one name, SQLite renames the second.
        others = ", ".join(f"{value} AS {self.name(name)}" for name, value in columns.items())
        return f"{others}, {of}{'.' if of else ''}*"


SQLITE = SQLite()


class Database:
    """A SQLite database in memory that executes the statements of the dialect."""

    def __init__(self) -> None:
        self.connection, self._beside = _opened(), _opened()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Executes a statement of the dialect."""
        if declared := _FUNCTION.fullmatch(statement):
            self._declare(*declared.groups())
            return self.connection.cursor()
        return self.connection.execute(translated(statement), parameters)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table."""
        return tuple(name for _, name, *_ in self.connection.execute(f'PRAGMA table_info("{table}")'))

    def _declare(self, name: str, parameters: str, expression: str) -> None:
        names = parameters.split(", ") if parameters else []
        given = f" FROM (SELECT {', '.join(f'? AS {each}' for each in names)})" if names else ""
        query = translated(f"SELECT {expression}{given}")
        # A function cannot use the connection that calls it, and one that refers to it would keep it open for ever.
        beside = self._beside

        @functools.lru_cache(None)
        def call(*arguments: str | None) -> Any:
            return beside.execute(query, arguments).fetchone()[0]

        self.connection.create_function(name, len(names), call, deterministic=True)

    def fill(self, table: str, types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
        """Creates a table with these rows; types are declared as DuckDB writes them."""
        columns = ", ".join(f"{SQLITE.name(name)} {SQLITE.type(type_)}" for name, type_ in types.items())
        self.connection.execute(f"CREATE TABLE {table} ({columns})")
        coded = [number for number, type_ in enumerate(types.values()) if type_.endswith(("[]", ")"))]
        if coded:
            changed = [list(row) for row in rows]
            for row in changed:
                for number in coded:
                    if row[number] is not None:
                        row[number] = _encoded(row[number])
            rows = changed
        places = ", ".join("?" * len(types))
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        self.connection.execute("COMMIT")


def _opened() -> sqlite3.Connection:
    # The server for assistants asks in threads, one after another.
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA case_sensitive_like = true")
    for name, count, function in _FUNCTIONS:
        connection.create_function(name, count, function, deterministic=True)
    for name, aggregate in _AGGREGATES.items():
        connection.create_aggregate(name, -1, aggregate)
    return connection


def translated(statement: str) -> str:
    """The statement, in which what DuckDB and Spark have in common is written for SQLite.

    Without flattening: each query in a FROM clause is computed once. With a join of the items of each list that is a column.
    """
    found: list[str] = []
    # For each open bracket: whether it is a query in FROM, where its list of items begins in `found`, and that list.
    stack: list[list[Any]] = [[False, None, None]]
    last = 0
    previous = ""
    for token in _TOKENS.finditer(statement):
        kind, between = token[0], statement[last : token.start()]
        last = token.end()
        if token["key"]:
            before = between.rstrip(_WORD)
            key, column = token["key"], between[len(before) :]
            entry = f"json_extract({column}, '$.{key[1:-1]}')" if key[1:-1].isidentifier() else f"map_entry({column}, {key})"
            found += (before, entry)
            previous = kind
            continue
        found.append(between)
        if kind == "(":
            query = previous in {"FROM", "JOIN"} and not between.strip()
            opens = query and statement[last : last + 60].lstrip().startswith("SELECT")
            found.append("(WITH m AS MATERIALIZED (" if opens else "(")
            stack.append([opens, None, None])
        elif kind == ")":
            _close(stack[-1], found)
            found.append(") SELECT * FROM m)" if stack.pop()[0] else ")")
        elif kind == _ITEMS:
            stack[-1][1] = len(found)
        elif kind == _END:
            start = stack[-1][1]
            stack[-1][1:] = None, "".join(found[start:])
            found[start:] = [_ITEM]
        else:
            if kind in {"WHERE", "GROUP", "UNION", "ORDER", "LIMIT"}:
                _close(stack[-1], found)
            found.append(_WRITTEN.get(kind, kind))
        previous = kind
    found.append(statement[last:])
    _close(stack[-1], found)
    return "".join(found)


def _close(top: list[Any], found: list[str]) -> None:
    if top[2] is not None:
        each = f"json_each({top[2]})"
        # It has more columns, which unqualified names may mean as well. A query in FROM sees no other relation there.
        found.append(f" CROSS JOIN {f'(SELECT value FROM {each})' if top[2].startswith(_QUOTE) else each} AS item_of ")
        top[2] = None


_ENCODER = msgspec.json.Encoder()


def _encoded(value: Any) -> str:
    return _ENCODER.encode(value).decode()


@functools.lru_cache(20_000)
def _decoded(text: str) -> Any:
    return json.loads(text)


def _lower(text: str | None) -> str | None:
    if text is None:
        return None
    if text.isascii():
        return text.lower()
    return "".join("i" if each == "\u0130" else each.lower() for each in text)


def _known(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL for a NULL argument."""

    def of(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return of


def _contains(items: str | None, item: Any) -> int | None:
    if items is None:
        return None
    held = _decoded(items)
    if not held:
        return 0
    return None if item is None else item in held


def _overlaps(left: str | None, right: str | None) -> int | None:
    if left == "[]" or right == "[]":
        return 0
    return None if left is None or right is None else not set(_decoded(left)).isdisjoint(_decoded(right))


def _covers(left: str | None, right: str | None) -> int | None:
    if right == "[]":
        return 1
    return None if left is None or right is None else set(_decoded(left)).issuperset(_decoded(right))


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    try:
        return parts[number - 1 if number > 0 else number]
    except IndexError:
        return ""


def _item(items: str, number: int) -> Any:
    held = _decoded(items)
    return held[number - 1] if 0 < number <= len(held) else None


def _flattened(lists: str) -> str:
    return _encoded(
        [item for each in _decoded(lists) if each is not None for item in (each if isinstance(each, list) else _decoded(each))]
    )


def _pairs(arguments: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def _with(column: str | None, *entries: Any) -> str | None:
    if column is None:
        return None
    return _encoded(_decoded(column) | {key: value for key, value in _pairs(entries).items() if value is not None})


def _only(column: str, keys: str) -> str:
    allowed = _decoded(keys)
    return _encoded({key: value for key, value in _decoded(column).items() if key in allowed})


def _united(*maps: str | None) -> str:
    found: dict[str, str] = {}
    for each in maps:
        found |= _decoded(each) if each is not None else {}
    return _encoded(found)


@functools.lru_cache(None)
def _pattern(written: str) -> "re.Pattern[str]":
    return re.compile(written.replace("\\z", "\\Z"), re.ASCII)


def _extracted(text: str, pattern: str, group: int) -> str:
    found = _pattern(pattern).search(text)
    return (found[group] or "") if found else ""


def _present(values: Sequence[Any]) -> list[Any]:
    return [each for each in values if each is not None]


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
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
    ("text_divided", 2, _known(lambda text, separator: _encoded(text.split(separator)))),
    ("greatest", -1, lambda *values: max(_present(values), default=None)),
    ("least", -1, lambda *values: min(_present(values), default=None)),
    ("array_contains", 2, _contains),
    ("array_distinct", 1, _known(lambda items: _encoded(list(dict.fromkeys(_decoded(items)))))),
    ("array_sort", 1, _known(lambda items: _encoded(sorted(_decoded(items))))),
    ("map_concat", -1, _known(_united)),
    ("flatten", 1, _known(_flattened)),
    ("list_sorted", 1, _known(lambda items: _encoded(sorted(_decoded(items))))),
    ("list_of", -1, lambda *values: _encoded(list(values))),
    ("list_size", 1, _known(lambda items: len(_decoded(items)))),
    ("cardinality", 1, _known(lambda items: len(_decoded(items)))),
    ("list_item", 2, _known(_item)),
    ("list_overlaps", 2, _overlaps),
    ("list_covers", 2, _covers),
    ("list_joined", 2, _known(lambda items, separator: separator.join(_decoded(items)))),
    ("list_numbers", 1, _known(lambda last: _encoded(list(range(1, last + 1))))),
    ("list_first", 2, _known(lambda items, most: _encoded(_decoded(items)[:most]))),
    ("list_concatenated", -1, _known(lambda *lists: _encoded([item for each in lists for item in _decoded(each)]))),
    ("list_repeated", 2, _known(lambda value, times: _encoded([value] * times))),
    ("map_entry", 2, _known(lambda column, key: _decoded(column).get(key))),
    ("map_has", 2, _known(lambda column, key: key in _decoded(column))),
    ("map_with", -1, _with),
    ("map_of", -1, lambda *entries: _encoded(_pairs(entries))),
    ("struct_of", -1, lambda *entries: _encoded(_pairs(entries))),
    ("map_sorted", 1, _known(lambda column: _encoded(dict(sorted(_decoded(column).items()))))),
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
        return _encoded(self.values) if self.values else None


class _Different(_Collected):
    """The sorted list of different values."""

    def finalize(self) -> str | None:
        return _encoded(sorted(set(self.values))) if self.values else None


class _DifferentItems(_Collected):
    """The same of the items of lists."""

    def finalize(self) -> str | None:
        return _encoded(sorted({item for each in self.values for item in _decoded(each)})) if self.values else None


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
            return [(value is None, value) for value in _decoded(text).values()]

        return max(_present(self.values), key=order, default=None)


_AGGREGATES: dict[str, type[Any]] = {
    "list_collected": _Collected,
    "list_different": _Different,
    "list_different_items": _DifferentItems,
    "struct_greatest": _Greatest,
    "bool_or": _Any,
    "bool_and": _All,
    "bit_or": _Bits,
    "min_by": _LeastBy,
}
