"""The coverage ledger as tables for the views: the records, and which lists were read completely."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections.abc import Iterable, Iterator, Mapping, Sequence

import duckdb
import msgspec

from keyaudit.inventory.facts.sql import Statement
from keyaudit.model.coverage import Coverage, State

COVERAGE = {
    **dict.fromkeys(("scope_id", "scope_name", "scope_kind", "operation", "state", "reason", "detail"), "VARCHAR"),
    **dict.fromkeys(("received", "kept", "duplicate", "quarantined", "refused"), "BIGINT"),
}
"""The columns of the table `coverage`."""
_LISTS_READ = {"operations": "VARCHAR", "scope_id": "VARCHAR", "whole": "BOOLEAN", "reason": "VARCHAR"}

Row = tuple[str | int | None, ...]


def create(connection: duckdb.DuckDBPyConnection, coverage: Sequence[Coverage], statements: Iterable[Statement]) -> None:
    """Creates the tables of `tables`."""
    for table, (types, rows) in tables(coverage, statements).items():
        _fill(connection, table, types, rows)


def tables(coverage: Sequence[Coverage], statements: Iterable[Statement]) -> dict[str, tuple[Mapping[str, str], Iterable[Row]]]:
    """The table `coverage`, and the table `lists_read` of the lists that the statements ask about: types and rows."""
    asked = dict.fromkeys(each for statement in statements for each in statement.lists)
    return {
        "coverage": (COVERAGE, map(_flat, coverage)),
        "lists_read": (_LISTS_READ, _lists_read(coverage, asked)),
    }


def _fill(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Creates a table of these rows from one JSON text, because DuckDB plans for every literal in a statement."""
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {type_}' for name, type_ in types.items())})")
    shape = ", ".join(f'"{name}":"{type_}"' for name, type_ in types.items())
    text = msgspec.json.encode([dict(zip(types, row, strict=True)) for row in rows]).decode()
    connection.execute("CREATE TEMP TABLE ledger_text (text VARCHAR)")
    connection.execute("INSERT INTO ledger_text VALUES (?)", [text])
    unpacked = f"unnest(from_json_strict(text, '[{{{shape}}}]'), recursive := true)"
    connection.execute(f"INSERT INTO {table} SELECT {unpacked} FROM ledger_text")
    connection.execute("DROP TABLE ledger_text")


def _lists_read(coverage: Sequence[Coverage], asked: Iterable[str]) -> Iterator[Row]:
    by_operation: dict[str, list[Coverage]] = {}
    for record in coverage:
        by_operation.setdefault(record.operation, []).append(record)
    for text in asked:
        operations = text.split(" ")
        by_scope: dict[str, list[Coverage]] = {}
        for record in (each for operation in operations for each in by_operation.get(operation, ())):
            by_scope.setdefault(record.scope.id, []).append(record)
        for scope, records in by_scope.items():
            short = [record.reason for record in records if record.state is not State.ASSESSED]
            whole = len(records) - len(short) == len(operations)
            yield text, scope, whole, next(filter(None, short), None)


def _flat(record: Coverage) -> Row:
    return (
        record.scope.id,
        record.scope.name,
        record.scope.kind.value,
        record.operation,
        record.state.value,
        record.reason.value if record.reason else None,
        record.detail,
        record.received,
        record.kept,
        record.duplicate,
        record.quarantined,
        record.refused,
    )
