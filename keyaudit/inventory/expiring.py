"""Rows that expire within a time, or have expired, by owner, from every table with expiration dates."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Collection, Iterator, Mapping
from heapq import merge

import duckdb
from msgspec import Struct

from keyaudit.inventory.load import quoted
from keyaudit.inventory.owners import OWNED, called, owner_of, owning
from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.inventory.reads import operations_of
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import RENEWED_BY_AZURE, Ending
from keyaudit.model.rows import Decoder, view_names
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.tables import TABLES

_BATCH = 1_024
_END = "expires_on"
_KNOWN = {str(reason): reason for reason in Reason}
_NEVER = 2**63
# A certificate, its key and its secret share name and version, and expire together.
_CERTIFICATES = f"""LEFT JOIN (
        SELECT DISTINCT vault_id, name, version FROM certificate WHERE unknown['{_END}'] IS NULL
    ) AS whole ON whole.vault_id = it.vault_id AND whole.name = it.name AND whole.version = it.version"""
# A row with one of these values is not in use, so its expiry does not matter.
_OUT_OF_USE = {"enabled": "false", "holder_enabled": "false", "is_current": "false", "active": "false"}

# One that has expired was not renewed, and is listed.
_RENEWED = f"it.{RENEWED_BY_AZURE[0]} = {quoted(RENEWED_BY_AZURE[1])}"

TABLES_THAT_END: tuple[Table, ...] = tuple(
    table for table in TABLES.values() if _END in table.by_name and table.by_name[_END].type is Type.TIME and table.replaced
)
"""Every table whose rows expire and then have to be replaced."""


def columns_read() -> frozenset[tuple[str, str]]:
    """The columns, as (table, column), for expiration dates and owners."""
    found = set()
    for table in TABLES_THAT_END:
        found |= {(table.name, name) for name in (_END, "tags", "owner_ids", "app_id") if name in table.by_name}
        if "vault_id" in table.by_name:
            found.add(("vault", "tags"))
        if "holder_id" in table.by_name:
            found |= {(name, "owner_ids") for name in OWNED}
    return frozenset(found)


def operations_read() -> frozenset[str]:
    """The operations for expiration dates and owners."""
    found = {operation for column in columns_read() for operation in operations_of(*column)}
    return frozenset(found.union(*(table.listed_by for table in TABLES_THAT_END)))


class EndingCounts(Struct, frozen=True):
    """The numbers of rows that have expired, that expire before the given time, and with an unknown date.

    They count rows for which somebody has to act: those in use that are not part of another row and that Azure does not renew
    by itself; `retired` counts the others.
    """

    overdue: int
    soon: int
    unknown: int
    retired: int
    reasons: frozenset[Reason]
    """Why dates or owners are unknown."""


def prepare(connection: duckdb.DuckDBPyConnection, as_of: int, before: int, limits: Within = EVERYTHING) -> EndingCounts:
    """Creates the table of rows that expire before `before`; `endings` reads it while the connection is open. `limits`: only
    rows within."""
    # One table at a time: all views in one query would take too much memory.
    for number, table in enumerate(TABLES_THAT_END):
        rows = _endings(table, as_of, before, limits.rows(table))
        connection.execute(f"INSERT INTO found {rows}" if number else f"CREATE OR REPLACE TABLE found AS {rows}")
    connection.execute(
        f"""CREATE OR REPLACE TABLE ending AS
        SELECT *, dense_rank() OVER (ORDER BY soonest NULLS LAST, owner NULLS LAST, doubt) AS place,
            row_number() OVER (ORDER BY retired OR {_END} IS NULL, {_END}, kind, id) AS position
        FROM (SELECT *, min({_END}) FILTER (NOT retired) OVER (PARTITION BY owner, doubt) AS soonest FROM found)"""
    )
    ((overdue, soon, unknown, retired),) = connection.execute(
        f"""SELECT count(*) FILTER ({_END} <= $1), count(*) FILTER ({_END} > $1), count(*) FILTER ({_END} IS NULL),
            (SELECT count(*) FROM ending WHERE retired)
        FROM ending WHERE NOT retired""",
        [as_of],
    ).fetchall()
    reasons = connection.execute("SELECT DISTINCT unnest([doubt, why]) FROM ending").fetchall()
    return EndingCounts(overdue, soon, unknown, retired, frozenset(_reason(reason) for (reason,) in reasons if reason))


def endings(connection: duckdb.DuckDBPyConnection, supplied: Collection[str], most: int | None = None) -> Iterator[Ending]:
    """The rows that `prepare` found: the owner with the earliest date first, by date within an owner, unknown last.

    `supplied`: the evidence that the snapshot has. `most`: the maximum number, by date; rows not in use and unknown dates come
    last.
    """
    names = called(connection)
    for _, ending in merge(
        *(_of(connection, table, most, names, supplied) for table in TABLES_THAT_END), key=lambda each: each[0]
    ):
        yield ending


def _of(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    most: int | None,
    called_: Mapping[str, str],
    supplied: Collection[str],
) -> Iterator[tuple[tuple[int, int, str], Ending]]:
    decoder = Decoder(table, lacking=table.lacking(supplied))
    names = ", ".join(f"{table.name}.{name}" for name in (*view_names(table), "unknown"))
    # A separate cursor, because another query on the connection would silently end this result.
    with connection.cursor() as cursor:
        answer = cursor.execute(
            f"""SELECT place, owner, source, doubt, retired, ending.{_END}, {names}
            FROM {table.name} JOIN ending ON ending.kind = {quoted(table.name)} AND ending.id = {table.name}.id
            WHERE {"true" if most is None else f"position <= {most}"}
            ORDER BY place, ending.{_END} NULLS LAST, {table.name}.id"""
        )
        while rows := answer.fetchmany(_BATCH):
            for place, owner, source, doubt, retired, end, *cells, unknown in rows:
                row = decoder.row(cells, unknown)
                who = owner_of(called_, owner, source, doubt)
                yield (place, _NEVER if end is None else end, str(row["id"])), Ending(who, table.name, row, end, retired)


def out_of_use(table: Table) -> tuple[str, str]:
    """SQL over a table called `it`: whether a row is surely out of use or part of another, and the join that this needs."""
    off = [f"it.{name} = {value}" for name, value in _OUT_OF_USE.items() if name in table.by_name]
    managed = "managed" in table.by_name
    off += ["it.managed AND whole.name IS NOT NULL"] if managed else []
    return " OR ".join(f"coalesce({each}, false)" for each in off) or "false", _CERTIFICATES if managed else ""


def _endings(table: Table, as_of: int, before: int, rows: str) -> str:
    """Of these rows of a table those that expire before a time, or at an unknown time, with their owners."""
    own = owning(table)
    retired, join = out_of_use(table)
    if RENEWED_BY_AZURE[0] in table.by_name:
        retired = f"{retired} OR coalesce({_RENEWED} AND it.{_END} > {as_of}, false)"
    return f"""
        SELECT {quoted(table.name)} AS kind, it.id, it.{_END},
            {own.names} AS owner, {own.source} AS source, {own.doubt} AS doubt,
            it.unknown[{quoted(_END)}] AS why,
            {retired} AS retired
        FROM {rows} AS it {own.joins} {join}
        WHERE it.{_END} <= {before} OR it.unknown[{quoted(_END)}] IS NOT NULL"""


def _reason(text: str) -> Reason:
    return _KNOWN.get(text, Reason.UNRECOGNISED)
