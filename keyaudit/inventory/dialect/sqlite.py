"""SQLite's SQL, where it differs from DuckDB's, for tenants so small that planning costs more than running.

A truth is 0 or 1. A list and a map are JSON texts, a map in the order of its entries, as in DuckDB. What SQLite has no function
for, a `Database` adds.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by the dialect

import functools
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from keyaudit.inventory.dialect.duckdb import DuckDB
from keyaudit.inventory.dialect.sqlite_functions import AGGREGATES, FUNCTIONS, encoded

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
        return self.text(encoded(list(values)))

    def entries(self, values: Mapping[str, str]) -> str:
        return self.text(encoded(dict(values)))

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
        places = self.text(encoded(list(range(len(values)))))
        return ", ".join((f"{self.unnested(places)} AS place", *found))

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

    def unnested(self, items: str) -> str:
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

    def contains_match(self, text: str, pattern: str) -> str:
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
                        row[number] = encoded(row[number])
            rows = changed
        places = ", ".join("?" * len(types))
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        self.connection.execute("COMMIT")


def _opened() -> sqlite3.Connection:
    # The server for assistants asks in threads, one after another.
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA case_sensitive_like = true")
    for name, count, function in FUNCTIONS:
        connection.create_function(name, count, function, deterministic=True)
    for name, aggregate in AGGREGATES.items():
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
