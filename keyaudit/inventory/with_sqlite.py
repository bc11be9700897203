"""Evaluates a small snapshot with SQLite: it makes the views, and what policies add to them; DuckDB reads the result."""

# ruff: noqa: S608 - every name in this SQL is declared in this program

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import duckdb
import msgspec

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.dialect.sqlite import SQLITE, Database
from keyaudit.inventory.rows import columns_of, stored_types, view_types
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.inventory.views import ledger
from keyaudit.model.tables import TABLES


class WithSQLite:
    """A snapshot's views in SQLite, and the connection that gets what is made of them."""

    def __init__(self, database: Database, connection: duckdb.DuckDBPyConnection, names: Collection[str]) -> None:
        self.connection = connection
        self.names = names
        """The tables that have a view."""
        self._database = database

    def execute(self, statement: str) -> None:
        """Executes a statement of the dialect SQLITE."""
        self._database.execute(statement)

    def table(self, name: str, types: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Creates a table of these rows; the types are declared as DuckDB writes them."""
        self._database.fill(name, types, list(rows))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query of the dialect SQLITE."""
        return self._database.execute(query).fetchall()

    def columns(self, relation: str) -> tuple[str, ...]:
        """The columns of a table of the database."""
        return self._database.columns(relation)

    def give(self, name: str, relation: str, types: Mapping[str, str]) -> None:
        """Creates the table `name` of the connection, with these columns of a table of the database."""
        held = DUCKDB.name(name)
        columns = {DUCKDB.name(column): type_ for column, type_ in types.items()}
        self.connection.execute(f"CREATE TABLE {held} ({columns_of(columns)})")
        rows = self.rows(f"SELECT {', '.join(columns)} FROM {SQLITE.name(relation)}")
        if not rows:
            return
        coded = [type_.endswith(("[]", ")")) for type_ in types.values()]
        made = [
            {
                column: msgspec.Raw(value.encode()) if as_json and isinstance(value, str) else value
                for column, value, as_json in zip(types, row, coded, strict=True)
            }
            for row in rows
        ]
        shape = msgspec.json.encode([{column: _shape(type_) for column, type_ in types.items()}]).decode()
        unpacked = f"unnest(from_json_strict(?::VARCHAR, {DUCKDB.text(shape)}), max_depth := 2)"
        self.connection.execute(f"INSERT INTO {held} SELECT {unpacked}", [msgspec.json.encode(made).decode()])

    def show(self, table: str, given: str | None = None) -> None:
        """Gives the view of a table to the connection, with the columns of its table `given`, or by itself."""
        types = self.types(table)
        if given is None:
            self.give(table, table, types)
        else:
            columns = ", ".join(map(DUCKDB.name, types))
            self.connection.execute(DUCKDB.view(DUCKDB.name(table), f"SELECT {columns} FROM {given}"))

    def types(self, table: str) -> dict[str, str]:
        """The columns of the view of a table that were made, with their types as DuckDB writes them."""
        here = set(self.columns(table))
        return {name: type_ for name, type_ in view_types(TABLES[table]).items() if name in here}


def _shape(declared: str) -> object:
    """A type as the structure of JSON; a truth is a number in SQLite."""
    if declared.endswith("[]"):
        return [declared.removesuffix("[]")]
    return "TINYINT" if declared == "BOOLEAN" else declared


@contextlib.contextmanager
def judging_with_sqlite(
    snapshot: Snapshot,
    as_of: int,
    *,
    reach_known: bool,
    names: Collection[str] = tuple(TABLES),
    columns: Mapping[str, Collection[str]] | None = None,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, WithSQLite]]:
    """Like `Snapshot.judging`, with the views in SQLite."""
    database = Database()
    with snapshot.judging(as_of, reach_known=False, names=()) as connection:
        filled = [name for name, table in snapshot.tables.items() if table.rows]
        rows = {name: snapshot.stored(name) for name in filled}
        ours = {name: f"stored_rows_of_{name}" for name in filled}
        for name in filled:
            read = connection.execute(f"SELECT {', '.join(stored_types(TABLES[name]))} FROM {rows[name]}").fetchall()
            database.fill(ours[name], stored_types(TABLES[name]), read)
        statements = views.statements(
            SQLITE,
            ours,
            snapshot.run,
            as_of,
            names=names,
            small=(),
            kept=(),
            reach_known=reach_known,
            columns=columns and views.needed(columns),
            looked_at=views.window(connection, rows, snapshot.run, as_of, names=names),
            unread=views.unread_tables(snapshot.coverage),
        )
        within = WithSQLite(database, connection, names)
        for name, (types, values) in ledger.tables(snapshot.coverage, statements).items():
            within.table(name, types, values)
        for statement in statements:
            within.execute(statement.text)
        yield connection, within
