"""Encodes a row as one line of JSON, checked against the table's declaration, and the SQL types of its columns."""

from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.ledger import BreachError
from keyaudit.model.reasons import Reason
from keyaudit.model.rows import view_name
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import MAX_TIME

_INTEGER = Annotated[int, msgspec.Meta(ge=-MAX_TIME, le=MAX_TIME)]
_PYTHON: dict[Type, Any] = {
    Type.TEXT: str,
    Type.BOOLEAN: bool,
    Type.INTEGER: _INTEGER,
    Type.TIME: _INTEGER,
    Type.DURATION: _INTEGER,
    Type.TEXTS: list[str],
    Type.MAP: dict[str, str],
}
SQL_TYPES: dict[Type, str] = {
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.INTEGER: "BIGINT",
    Type.TIME: "BIGINT",
    Type.DURATION: "BIGINT",
    Type.TEXTS: "VARCHAR[]",
    Type.MAP: "MAP(VARCHAR, VARCHAR)",
}
MAX_ROW = 16 * 1024 * 1024
"""The maximum size of one row as JSON in bytes; objects in Azure are much smaller."""

# Sorted, so that maps have the same order in every run.
_ENCODER = msgspec.json.Encoder(order="deterministic")


def stored_types(table: Table) -> dict[str, str]:
    """The SQL type of each stored column, `unknown` last."""
    return {column.name: SQL_TYPES[column.type] for column in table.stored} | {"unknown": SQL_TYPES[Type.MAP]}


def view_types(table: Table) -> dict[str, str]:
    """The SQL type of each column of a table's view, `unknown` last."""
    types = {name: SQL_TYPES.get(column.type, "BIGINT") for column in table.columns for name in view_name(column)}
    return types | {"unknown": SQL_TYPES[Type.MAP]}


def columns_of(types: Mapping[str, str], sql: DuckDB = DUCKDB) -> str:
    """Columns of these SQL types, as in CREATE TABLE."""
    return ", ".join(f"{name} {sql.type(type_)}" for name, type_ in types.items())


def no_rows(types: Mapping[str, str], sql: DuckDB = DUCKDB) -> str:
    """A query with columns of these SQL types, and no rows."""
    return "SELECT " + ", ".join(f"{sql.typed('NULL', type_)} AS {name}" for name, type_ in types.items()) + " WHERE false"


def declared() -> dict[str, dict[str, str]]:
    """The stored columns of every table with their SQL types: versions with equal ones can read each other's files."""
    return {table.name: stored_types(table) for table in TABLES.values()}


def encode(table: str, row: Mapping[str, object]) -> bytes:
    """The row as one line of JSON. Raises BreachError for a row that violates the table's declaration.

    The loader checks again on disk; a failure here affects only one unit and not the whole run.
    """
    form = _forms().get(table)
    if form is None:
        raise BreachError(f"no table is named {table!r}")
    try:
        made = msgspec.convert(row, form.shape)
        line = _ENCODER.encode(made) + b"\n"
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise BreachError(f"{table} {row.get('id')}: {error}") from error
    wrong = form.contradiction(made)
    if wrong:
        raise BreachError(f"{table} {row['id']}: {wrong}")
    if len(line) > MAX_ROW:
        raise BreachError(f"{table} {row['id']}: a row of {len(line):,} bytes")
    return line


def check(table: str, lines: bytes) -> None:
    """Raises BreachError for a line that `encode` would not have made."""
    try:
        for line in filter(None, lines.split(b"\n")):
            encode(table, msgspec.json.decode(line, type=dict[str, object]))
    except msgspec.DecodeError as error:
        raise BreachError(f"{table}: {error}") from error


class _Form:
    """The shape of rows of one table."""

    def __init__(self, table: Table) -> None:
        optional = [(column.name, _PYTHON[column.type] | None, None) for column in table.stored if column.name != "id"]
        names: Any = Literal[tuple(column.name for column in table.stored if column.can_be_unknown)]
        reasons = dict[names, Reason]
        self.shape = msgspec.defstruct(
            f"{table.name}_row",
            [("id", str), *optional, ("unknown", reasons, msgspec.field(default_factory=dict))],
            forbid_unknown_fields=True,
            omit_defaults=True,
            gc=False,
        )
        self._present = [column.name for column in table.stored if not column.absent]
        self._values_present = attrgetter(*self._present)
        self._conditional = [
            (column.name, attrgetter(*(name for name, _ in where)), tuple(values for _, values in where))
            for column in table.stored
            if (where := table.never_absent(column)) and all(values for _, values in where)
        ]

    def contradiction(self, row: Any) -> str:
        """A violation of the declaration, in words; empty if there is none."""
        unknown = row.unknown
        # A fast path: nearly every row has all columns.
        for name in self._present if None in self._values_present(row) else ():
            if getattr(row, name) is None and name not in unknown:
                return f"{name}: neither a value nor a reason"
        for name, decides, values in self._conditional:
            if getattr(row, name) is None and name not in unknown and _all_among(decides(row), values):
                return f"{name}: neither a value nor a reason"
        for name in unknown:
            if getattr(row, name) is not None:
                return f"{name}: a value and a reason"
        return ""


def _all_among(held: Any, values: tuple[tuple[object, ...], ...]) -> bool:
    """Whether each value is one of its allowed values."""
    many = held if len(values) > 1 else (held,)
    return all(each in among for each, among in zip(many, values, strict=True))


@cache
def _forms() -> dict[str, _Form]:
    return {table.name: _Form(table) for table in TABLES.values()}
