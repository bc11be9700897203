"""Streams the rows of a table's view, with what is unknown in them."""

# ruff: noqa: S608 - every name in this SQL is declared in this program

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import duckdb

from keyaudit.inventory.load import quoted
from keyaudit.inventory.owners import NOBODY, Owning, called, owner_of, owning
from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Value
from keyaudit.model.results.listing import Listing, Selection, Unknown
from keyaudit.model.rows import Decoder, view_names
from keyaudit.model.schema.columns import Table

_BATCH = 1_024
_SLICE = 100_000
"""The number of rows sorted at once, about 100 MB; a view may take a second per slice, however small."""
_KNOWN = {str(reason): reason for reason in Reason}


def listing(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    supplied: Collection[str],
    selection: Selection | None = None,
    limits: Within = EVERYTHING,
    *,
    owners: bool = False,
) -> Listing:
    """The table, or a selection of it, valid while the connection is open. `supplied`: the evidence that the snapshot has.
    `limits`: only rows within. `owners`: its rows have owners, too; the connection then has the views `OWNERS_ASKED`.

    A row belongs to a selection, too, if the column that decides is unknown.
    """
    lacking = table.lacking(supplied)
    of = _relation(selection, limits.rows(table))
    ((count,),) = connection.execute(f"SELECT count(*) FROM {of}").fetchall()
    unknown = _unknown(connection, of, count, lacking)

    def owned() -> Iterator[tuple[Mapping[str, Value], Owner]]:
        people = called(connection)
        for row, names, source, doubt in _rows(connection, table, of, lacking, owning(table)):
            yield row, owner_of(people, names, source, doubt)

    def rows() -> Iterator[Mapping[str, Value]]:
        return (row for row, *_ in _rows(connection, table, of, lacking, NOBODY))

    return Listing(table, count, unknown, rows, selection, owned if owners else None)


def _relation(selection: Selection | None, rows: str) -> str:
    if selection is None:
        return rows
    wanted = ", ".join(map(quoted, selection.values))
    chosen = f"{selection.column} IN ({wanted}) OR unknown[{quoted(selection.column)}] IS NOT NULL"
    return f"(SELECT * FROM {rows} WHERE {chosen})"


def _unknown(connection: duckdb.DuckDBPyConnection, of: str, count: int, lacking: Sequence[str]) -> tuple[Unknown, ...]:
    found = connection.execute(
        f"SELECT entry.key, entry.value, count(*) FROM (SELECT unnest(map_entries(unknown)) AS entry FROM {of})"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found += [(column, Reason.NOT_SUPPLIED, count) for column in lacking if count]
    return tuple(Unknown(column, _KNOWN.get(reason, Reason.UNRECOGNISED), rows) for column, reason, rows in sorted(found))


def _rows(
    connection: duckdb.DuckDBPyConnection, table: Table, of: str, lacking: Sequence[str], own: Owning
) -> Iterator[tuple[Mapping[str, Value], Sequence[str] | None, str | None, str | None]]:
    """Each row with the names of its owner, their source, and why they are unknown.

    Yields slices of ids: DuckDB sorts in memory, and fails if the rows do not fit.
    """
    names = ", ".join(f"it.{name}" for name in view_names(table))
    decoder = Decoder(table, lacking=lacking)
    # A separate cursor, because another query on the connection would silently end this result.
    with connection.cursor() as cursor:
        numbered = f"SELECT id, row_number() OVER (ORDER BY id) AS number FROM {of}"
        firsts = cursor.execute(f"SELECT id FROM ({numbered}) WHERE (number - 1) % {_SLICE} = 0 ORDER BY id").fetchall()
        for first, after in pairwise([*(first for (first,) in firsts), None]):
            answer = cursor.execute(
                f"SELECT {names}, it.unknown, {own.names}, {own.source}, {own.doubt} FROM {of} AS it {own.joins}"
                " WHERE it.id >= $1 AND ($2 IS NULL OR it.id < $2) ORDER BY it.id",
                [first, after],
            )
            while rows := answer.fetchmany(_BATCH):
                for *cells, unknown, owner, source, doubt in rows:
                    yield decoder.row(cells, unknown), owner, source, doubt
