"""What evaluates the tables: DuckDB, or another engine."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import duckdb

from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.inventory.reader import Connection, Reader
from keyaudit.inventory.views import SMALL
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.queries import create_baseline, doubted, judged, materialize

Entry = tuple[str, str, int, str | None]
"""A row of the table `baseline`."""


@runtime_checkable
class Engine(Protocol):
    """Evaluates views."""

    again: str
    """The name of a further evaluation of the same views; empty for the first."""

    @property
    def reader(self) -> Reader:
        """What has the views and the results."""

    def create_baseline(self, entries: Sequence[Entry]) -> None:
        """Creates the table `baseline` for `judged`, unless it exists."""

    def judged(self, of_tables: Mapping[str, Sequence[Bound]]) -> dict[str, str]:
        """By table, the relation of the reader with its verdicts. Tables without rows may have none."""


class InDuckDB:
    """Evaluates the views of a connection. `sizes`: known row counts of tables, which only affect speed.

    `again`: the name of a further evaluation in the same connection, for its tables. `within`: only these rows.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        as_of: int,
        sizes: Mapping[str, int],
        again: str = "",
        within: Within = EVERYTHING,
    ) -> None:
        self.reader = Connection(connection)
        self._connection = connection
        self.again = again
        self._within = within
        self._as_of = as_of
        self._sizes = sizes

    def create_baseline(self, entries: Sequence[Entry]) -> None:
        self._connection.execute(create_baseline(), [list(column) for column in zip(*entries, strict=True)])

    def judged(self, of_tables: Mapping[str, Sequence[Bound]]) -> dict[str, str]:
        """Tables without rows have none; small ones are materialized here."""
        filled = {name: of_table for name, of_table in of_tables.items() if self._sizes.get(name) != 0}
        # Querying small tables for their unknown columns is faster than planning for every column.
        small = [name for name in filled if is_small(self._sizes.get(name))]
        asked: dict[str, set[str]] = {name: set() for name in small}
        for name, column in self._connection.execute(doubted(small)).fetchall() if small else ():
            asked[name].add(column)
        return {
            name: self._kept("judged", name, self._judged(TABLES[name], of_table, asked.get(name)))
            for name, of_table in filled.items()
        }

    def _judged(self, table: Table, bounds: Sequence[Bound], asked: Collection[str] | None) -> str:
        known = None if asked is None else frozenset(asked)
        return judged(table, bounds, self._as_of, known, rows=self._within.rows(table))

    def _kept(self, what: str, name: str, relation: str) -> str:
        """The relation, materialized as a table if its size is known to be small."""
        if not is_small(self._sizes.get(name)):
            return relation
        statement, held = materialize(f"{what}_{name}{self.again and f'_{self.again}'}", relation)
        self._connection.execute(statement)
        return held


def is_small(size: int | None) -> bool:
    """Whether a table is known to have few rows."""
    return size is not None and size <= SMALL
