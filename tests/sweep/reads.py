"""The columns that a statement reads in each table, independent of their content.

DuckDB itself says so: it plans the statement over empty tables of the same columns, and of all its optimizers only the one
that removes unused columns is on, so that no row and no statistics of rows have a say. The map `unknown` is read by key in
most places. So each of its keys is a column of its own there.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import duckdb

WHOLE = "unknown"
"""The map of a row's unknown columns."""

_BY_KEY = re.compile(r"\b(\w+)\.unknown\['(\w+)'\]")
_ALIAS = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)"?\s+AS\s+"?(\w+)"?', re.IGNORECASE)

Types = Mapping[str, str]
"""The columns of a table, with their types."""


def key_column(key: str) -> str:
    """The name of the column that stands for one key of `unknown`."""
    return f"{WHOLE}:{key}"


class Reads:
    """Keeps empty tables, and what was found with them."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        found = self._connection.execute("FROM duckdb_optimizers()").fetchall()
        off = ", ".join(name for (name,) in found if name != "unused_columns")
        self._connection.execute(f"SET disabled_optimizers = '{off}'")
        self._made: dict[str, str] = {}
        self._drops: dict[str, str] = {}
        """What removes each of them."""
        self._keys: dict[str, frozenset[str]] = {}
        self._found: dict[str, Mapping[str, frozenset[str]]] = {}

    def close(self) -> None:
        """Forget all of it."""
        self._connection.close()

    def table(self, name: str, types: Types) -> None:
        """A table of that name and those columns is there from now on."""
        if not self._changes(name, repr(types)):
            return
        self._keys[name] = frozenset(types) - {WHOLE} if WHOLE in types else frozenset()
        columns = [f'"{column}" {type_}' for column, type_ in types.items()]
        columns += [f'"{key_column(key)}" VARCHAR' for key in sorted(self._keys[name])]
        self._connection.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
        self._drops[name] = f'DROP TABLE "{name}"'

    def create(self, name: str, statement: str) -> None:
        """A view or a macro is there from now on."""
        if self._changes(name, statement):
            self._connection.execute(statement)
            self._drops[name] = f'DROP VIEW "{name}"' if " VIEW " in statement[:32] else f'DROP MACRO "{name}"'

    def of(self, key: str, query: str) -> Mapping[str, frozenset[str]]:
        """By table, the columns that the query reads. `key` tells it apart from others, with the columns of its tables."""
        if key not in self._found:
            self._found[key] = self._scanned(query)
        return self._found[key]

    def _changes(self, name: str, shape: str) -> bool:
        """Whether it is not there like this yet. Another one of that name is dropped."""
        if self._made.get(name) == shape:
            return False
        self._made[name] = shape
        if drop := self._drops.pop(name, ""):
            self._connection.execute(drop)
        return True

    def _scanned(self, query: str) -> Mapping[str, frozenset[str]]:
        try:
            plans = self._planned(self._rewritten(query))
        except duckdb.BinderException:
            # An alias of a table is elsewhere one of something without these columns.
            plans = self._planned(query)
        found: dict[str, frozenset[str]] = {}
        for table, columns in (scan for plan in plans for scan in _scans(plan)):
            found[table] = found.get(table, frozenset()) | columns
        return found

    def _planned(self, query: str) -> list[Any]:
        [(_, plans)] = self._connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
        return list(json.loads(plans))

    def _rewritten(self, query: str) -> str:
        """With a column in place of a key, wherever `unknown` is surely that of a table."""
        tables: dict[str, set[str]] = {}
        for table, alias in _ALIAS.findall(query):
            tables.setdefault(alias, set()).add(table)

        def by_column(found: re.Match[str]) -> str:
            alias, key = found.groups()
            named: Collection[str] = tables.get(alias, ())
            if named and all(key in self._keys.get(table, ()) for table in named):
                return f'{alias}."{key_column(key)}"'
            return found[0]

        return _BY_KEY.sub(by_column, query)


def _scans(plan: Any) -> Iterator[tuple[str, frozenset[str]]]:
    told = plan["extra_info"]
    if "Table" in told:
        columns = told.get("Projections", [])
        names = [columns] if isinstance(columns, str) else columns
        yield told["Table"].rpartition(".")[2].strip('"'), frozenset(names)
    for child in plan["children"]:
        yield from _scans(child)
