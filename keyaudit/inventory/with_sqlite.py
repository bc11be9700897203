"""Evaluates an inventory of few rows with SQLite, which answers before DuckDB has planned: it makes the same views.

DuckDB plans each expression, which takes as long for ten rows as for a million.
"""

# ruff: noqa: S608 - every name in this SQL is declared in this program

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import duckdb
import msgspec

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.dialect.sqlite import SQLITE, Database
from keyaudit.inventory.owners import functions
from keyaudit.inventory.reader import NOTHING
from keyaudit.inventory.rows import columns_of, stored_types, view_types
from keyaudit.inventory.views import environment, ledger
from keyaudit.model.coverage import Coverage
from keyaudit.model.results.run import Run
from keyaudit.model.scope.owners import NO_RULES, OwnerRules
from keyaudit.model.tables import TABLES
from keyaudit.model.usage import Window

_LARGE = 64 * 1024 * 1024
"""The maximum bytes of all rows, which are in memory."""
_BATCH = 64
_WIDE = 2**53
"""Sums and products of integers up to this have 64 bits, so that none overflows."""


class WithSQLite:
    """The views of an inventory in SQLite; it reads them, too."""

    sql = SQLITE

    def __init__(self, names: Collection[str], owner_rules: OwnerRules) -> None:
        self._names, self._owner_rules = names, owner_rules
        self._database = Database()
        self._kept = 0
        self._given = False

    def rows(
        self, query: str, parameters: Sequence[object] = (), types: Mapping[str, str] = NOTHING
    ) -> Iterator[tuple[Any, ...]]:
        answer = self._database.execute(query, parameters)
        coded = {
            place: bool if types[name] == "BOOLEAN" else msgspec.json.decode
            for place, (name, *_) in enumerate(answer.description or ())
            if name in types
        }
        for row in answer:
            cells = list(row)
            for place, read in coded.items():
                if cells[place] is not None:
                    cells[place] = read(cells[place])
            yield tuple(cells)

    def keep(self, name: str, query: str) -> str:
        self._kept += 1
        relation = f"{name}_{self._kept}"
        self._database.execute(SQLITE.table(relation, query))
        return relation

    @contextmanager
    def apart(self) -> Iterator[Self]:
        yield self

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table; none if there is no such table."""
        return self._database.columns(table)

    def execute(self, statement: str) -> None:
        """Executes a statement of the dialect."""
        self._database.execute(statement)

    def table(self, name: str, types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
        """Creates a table of these rows; the types are declared as DuckDB writes them."""
        self._database.fill(name, types, rows)

    def give(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Gives all that `views.create` creates for other readers to its connection, once."""
        if self._given:
            return
        self._given = True
        for name in self._names:
            here, types = self._database.columns(name), view_types(TABLES[name])
            self._give(connection, name, {column: types[column] for column in types if column in here})
        self._give(connection, environment.NAMED, {"id": "VARCHAR"})
        self._give(connection, "coverage", ledger.COVERAGE)
        for function in functions(self._owner_rules):
            connection.execute(function)

    def _give(self, connection: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, str]) -> None:
        columns = {DUCKDB.name(column): type_ for column, type_ in types.items()}
        connection.execute(f"CREATE TABLE {DUCKDB.name(name)} ({columns_of(columns)})")
        rows = list(self.rows(f"SELECT {', '.join(columns)} FROM {SQLITE.name(name)}"))
        if not rows:
            return
        # Of a column of NULL, nothing need be planned.
        held = zip(types, types.values(), zip(*rows, strict=True), strict=True)
        given = [each for each in held if any(value is not None for value in each[2])]
        text = msgspec.json.encode({column: _coded(type_, values) for column, type_, values in given})
        shape = msgspec.json.encode({column: [_shape(type_)] for column, type_, _ in given})
        names = [DUCKDB.name(column) for column, *_ in given]
        unpacked = ", ".join(f"unnest(given.{name})" for name in names)
        parsed = f"SELECT from_json_strict(?::VARCHAR, {DUCKDB.text(shape.decode())}) AS given"
        connection.execute(
            f"INSERT INTO {DUCKDB.name(name)} ({', '.join(names)}) SELECT {unpacked} FROM ({parsed})", [text.decode()]
        )


def _coded(type_: str, values: Sequence[object]) -> Sequence[object]:
    """The values as they are in JSON; lists and maps are already."""
    if not type_.endswith(("[]", ")")):
        return values
    return [msgspec.Raw(value.encode()) if isinstance(value, str) else value for value in values]


def _shape(declared: str) -> object:
    """A type as the structure of JSON; a truth is a number in SQLite."""
    if declared.endswith("[]"):
        return [declared.removesuffix("[]")]
    return "TINYINT" if declared == "BOOLEAN" else declared


def create(
    connection: duckdb.DuckDBPyConnection,
    sources: Mapping[str, str],
    coverage: Sequence[Coverage],
    run: Run,
    as_of: int,
    *,
    names: Collection[str],
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None = None,
    owner_rules: OwnerRules = NO_RULES,
) -> WithSQLite | None:
    """All that `views.create` creates with the same arguments, in SQLite; None for rows that it may see otherwise: of text with
    NUL, integers that may overflow, or more than memory should hold; and where this SQLite cannot create them.
    """
    stored = _stored(connection, sources)
    if stored is None:
        return None
    looked_at = views.window(connection, sources, run, as_of, names=names)
    how: dict[str, Any] = {"names": names, "reach_known": reach_known, "columns": columns, "owner_rules": owner_rules}
    try:
        return over(stored, coverage, run, as_of, looked_at=looked_at, **how)
    except sqlite3.OperationalError:
        # A build may have lower limits than the one that is tested.
        return None


def _stored(connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str]) -> dict[str, list[tuple[Any, ...]]] | None:
    """The rows by table, as `over` takes them; None if SQLite may see them otherwise."""
    stored: dict[str, list[tuple[Any, ...]]] = {}
    large = 0
    for name, source in sources.items():
        types = stored_types(TABLES[name])
        rows = stored[name] = []
        answer = connection.execute(f"SELECT {', '.join(types)} FROM {source}")
        while found := answer.fetchmany(_BATCH):
            text = msgspec.json.encode(found)
            large += len(text)
            if b"\\u0000" in text or large > _LARGE:
                return None
            rows += found
        whole = (values for values, type_ in zip(zip(*rows, strict=True), types.values(), strict=True) if type_ == "BIGINT")
        if rows and any(abs(value) > _WIDE for values in whole for value in values if value is not None):
            return None
    return stored


def over(
    stored: Mapping[str, Sequence[Sequence[object]]],
    coverage: Sequence[Coverage],
    run: Run,
    as_of: int,
    *,
    names: Collection[str],
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None = None,
    owner_rules: OwnerRules = NO_RULES,
    looked_at: Window | None = None,
) -> WithSQLite:
    """The views over these rows, which have the columns of `stored_types`; the other arguments as in `views.statements`."""
    filled = {name: f"stored_rows_of_{name}" for name in stored}
    statements = views.statements(
        SQLITE,
        filled,
        run,
        as_of,
        names=names,
        small=(),
        kept=(),
        reach_known=reach_known,
        columns=columns,
        looked_at=looked_at,
        unread=views.unread_tables(coverage),
    )
    made = WithSQLite(names, owner_rules)
    for name, relation in filled.items():
        made.table(relation, stored_types(TABLES[name]), stored[name])
    for name, (types, rows) in ledger.tables(coverage, statements).items():
        made.table(name, types, list(rows))
    for statement in statements:
        made.execute(statement.text)
    for function in functions(owner_rules, SQLITE):
        made.execute(function)
    return made
