"""A tenant whose rows and coverage can be had otherwise than they are, for properties of the derived columns."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from msgspec import structs

from keyaudit.inventory.rows import stored_types
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.evidence import EVIDENCE, USAGE_BASELINE
from keyaudit.model.reasons import Reason
from keyaudit.model.rows import view_name
from keyaudit.model.schema.columns import Column, Type
from keyaudit.model.tables import TABLES
from tests.estates import snapshot
from tests.inventory.sample import made, row

Cell = tuple[str, str, str]
"""Table, column, and id of a row."""
Cells = Mapping[Cell, tuple[Any, ...]]
"""By cell the value, as many bounds as it has, and the reason why it is unknown."""

_WHERE = ("scope_id", "source_url", "source_version")


class Tenant:
    """A tenant whose rows and coverage can be had otherwise than they are; where it has no row of a table, with one."""

    def __init__(self, folder: Path | None = None, *, evidence: bool = True) -> None:
        """`folder`: its snapshot; by default, that of the demo tenant. `evidence`: as if all evidence had been supplied."""
        self._found = open_snapshot(folder or snapshot("contoso"))
        supplied = dict.fromkeys((*EVIDENCE, USAGE_BASELINE) if evidence else (), "")
        self._run = structs.replace(self._found.run, evidence=supplied)
        self.coverage = self._found.coverage
        self.whole = self.cells()

    def cells(
        self,
        *,
        strangers: bool = False,
        coverage: tuple[Coverage, ...] = (),
        unread: Mapping[str, Collection[str]] | None = None,
    ) -> Cells:
        """Every derived column of every row. `strangers`: add, for each table and kind of row, another row with unknown columns
        that no other row refers to. `unread`: by table the stored columns that are unknown in a third of its rows.
        """
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET disabled_optimizers = 'partial_aggregate_pushdown'")
            for name in TABLES:
                connection.execute(f"CREATE TABLE s_{name} AS FROM {self._found.stored(name)}")
                if not self._found.tables[name].rows:
                    self._put(connection, name)
                for number, column in enumerate((unread or {}).get(name, ())):
                    connection.execute(_forgotten(name, column, number))
            if strangers:
                for name in TABLES:
                    connection.execute(f"INSERT INTO s_{name} BY NAME {_stranger(name)}")
            sources = {name: f"s_{name}" for name in TABLES}
            records, names = coverage or self.coverage, tuple(TABLES)
            made(connection, sources, records, self._run, self._run.as_of, names=names, reach_known=True)
            return dict(_read(connection))

    def _put(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        made = row(name, f"{self._run.tenant_id}/{name}/1", scope_id=f"/tenants/{self._run.tenant_id}")
        known = {column: value for column, value in made.items() if column != "unknown" and value is not None}
        names = ", ".join(known)
        connection.execute(
            f"INSERT INTO s_{name} ({names}, unknown) VALUES ({', '.join('?' * len(known))}, MAP {{}})", list(known.values())
        )


def _forgotten(table: str, column: str, number: int) -> str:
    """SQL that makes a column unknown in a third of the rows, another third for each number."""
    return f"""
        UPDATE s_{table} SET {column} = NULL, unknown = map_concat(unknown, MAP {{'{column}': '{Reason.BAD_VALUE}'}})
        WHERE md5_number_upper(id || '{column}') % 3 = {number % 3}"""


def _stranger(name: str) -> str:
    """SQL of a row like each kind in the table, with only the id and the place known."""
    table, types = TABLES[name], stored_types(TABLES[name])
    read = [column for column in table.stored if column.can_be_unknown and not column.needs]
    kinds = [column.name for column in table.stored if column not in read and (column.values or column.type is not Type.TEXT)]

    def value(column: Column) -> str:
        if column in read:
            return f"NULL::{types[column.name]} AS {column.name}"
        if column.name in kinds or column.name in _WHERE or column.type is not Type.TEXT:
            return column.name
        return f"'/tenants/strange/{name}/{column.name}/' || row_number() OVER () AS {column.name}"

    reasons = ", ".join(f"'{column.name}': '{Reason.BAD_ITEM}'" for column in read)
    distinct = f"DISTINCT ON ({', '.join(kinds)}) *" if kinds else "*"
    of_each = f"SELECT {distinct} FROM s_{name}" + ("" if kinds else " LIMIT 1")
    columns = ", ".join(map(value, table.stored))
    return f"SELECT {columns}, MAP {{{reasons}}}::MAP(VARCHAR, VARCHAR) AS unknown FROM ({of_each})"


def _read(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Cell, tuple[object, ...]]]:
    for table in TABLES.values():
        # Some are not there without their evidence.
        here = {name for name, *_ in connection.execute(f"SELECT * FROM {table.name} LIMIT 0").description or ()}
        for column in (column for column in table.derived if here.issuperset(view_name(column))):
            names = ", ".join(view_name(column))
            found = connection.execute(f"SELECT id, {names}, unknown['{column.name}'] FROM {table.name}").fetchall()
            yield from (((table.name, column.name, id_), tuple(rest)) for id_, *rest in found)


def unread_item(coverage: tuple[Coverage, ...], which: Callable[[Coverage], bool]) -> tuple[Coverage, ...]:
    """The coverage with one more item in each of those lists, which could not be read."""
    more: dict[str, Any] = {"state": State.PARTIAL, "reason": Reason.BAD_ITEM, "received": 1, "quarantined": 1}
    counts: dict[str, Any] = {"kept": 0, "duplicate": 0, "refused": 0}
    return tuple(
        structs.replace(record, **more, **counts) if record.state is State.ASSESSED and which(record) else record
        for record in coverage
    )


def wrong(whole: Cells, cells: Cells) -> Iterator[Cell]:
    """The cells of `cells` that are known, and not as they are in `whole`, which knows more.

    A count is known as far as its bounds go: it is wrong if they leave out what is possible in `whole`.
    """
    for cell, (*found, reason) in cells.items():
        *true, unknown = whole[cell]
        if len(found) > 1:
            least, most, at_least, at_most = *found, *true
            # No bound is NULL: without evidence there are none.
            below = least is None or (at_least is not None and least <= at_least)
            above = most is None or (at_most is not None and most >= at_most)
            if not (below and above):
                yield cell
        elif reason is None and (unknown is not None or found != true):
            yield cell
