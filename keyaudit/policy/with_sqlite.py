"""Evaluates the views of a small snapshot with SQLite."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

import re
from collections.abc import Collection, Mapping, Sequence

from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.dialect.sqlite import SQLITE
from keyaudit.inventory.with_sqlite import WithSQLite
from keyaudit.model.columns import Table
from keyaudit.model.tables import TABLES
from keyaudit.policy.bind import Bound
from keyaudit.policy.engine import Entry
from keyaudit.policy.queries import BASELINE, OPENED, RANGED, REASONS, can_blank, judged, opens_columns, opens_of, rung_columns

_TYPES = (("code", "SMALLINT"), ("part", "SMALLINT"), ("class", "INTEGER"), ("held", "VARCHAR"))
_ADDED = re.compile(r"code\d+|part\d+_\d+|class\d+|held\d+")
"""The columns that the queries of policies add, besides the states of conditions and the reasons."""


class InSQLite:
    """Evaluates the views of `sqlite`, and gives all of them to its connection."""

    def __init__(self, sqlite: WithSQLite, as_of: int) -> None:
        self._sqlite = sqlite
        self._as_of = as_of

    def create_baseline(self, entries: Sequence[Entry]) -> None:
        self._sqlite.table(
            BASELINE, {"policy": "VARCHAR", "subject": "VARCHAR", "rank": "INTEGER", "because": "VARCHAR"}, entries
        )

    def judged(self, of_tables: Mapping[str, Sequence[Bound]]) -> dict[str, str]:
        """Every relation is given to the connection."""
        found: dict[str, str] = {}
        blanked: set[str] = set()
        for name, bounds in of_tables.items():
            asked = {str(column) for (column,) in self._sqlite.rows(_doubted(name))}
            if self._loses(TABLES[name], asked):
                blanked.add(name)
            made = f"judged_{name}"
            relation = judged(TABLES[name], bounds, self._as_of, frozenset(asked), SQLITE)
            self._sqlite.execute(f"CREATE TABLE {SQLITE.name(made)} AS SELECT * FROM {relation}")
            added = filter(_ADDED.fullmatch, self._sqlite.columns(made))
            types = self._sqlite.types(name) | {column: _type(column) for column in added}
            types |= dict.fromkeys([*rung_columns(dict(enumerate(bounds))), *opens_columns(bounds), RANGED], "BOOLEAN")
            if opens_of(bounds):
                types[OPENED] = "INTEGER"
            self._sqlite.give(made, made, types | {REASONS: "MAP(VARCHAR, VARCHAR)"})
            found[name] = DUCKDB.name(made)
        for name in self._sqlite.names:
            self._sqlite.show(name, None if name in blanked else found.get(name))
        return found

    def _loses(self, table: Table, asked: Collection[str]) -> bool:
        """Whether some row has a value that is not read, because the row says that it is unknown."""
        conditions = [
            f"(it.{SQLITE.name(column)} IS NOT NULL AND {SQLITE.has_entry('it.unknown', SQLITE.text(column))})"
            for column in asked
            if can_blank(table, column)
        ]
        if not conditions:
            return False
        found = f"SELECT 1 FROM {SQLITE.name(table.name)} AS it WHERE {' OR '.join(conditions)} LIMIT 1"
        return bool(self._sqlite.rows(found))


def _doubted(table: str) -> str:
    """The columns that are unknown in some row."""
    return f"SELECT DISTINCT doubted.key FROM {SQLITE.name(table)} AS it CROSS JOIN json_each(it.unknown) AS doubted"


def _type(column: str) -> str:
    return next(type_ for start, type_ in _TYPES if column.startswith(start))
