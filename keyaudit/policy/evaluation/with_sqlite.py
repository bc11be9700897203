"""Evaluates the views of an inventory of few rows with SQLite."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

from keyaudit.inventory.dialect.sqlite import SQLITE
from keyaudit.inventory.with_sqlite import WithSQLite
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.engine import Entry
from keyaudit.policy.evaluation.queries import BASELINE, judged


class InSQLite:
    """Evaluates the views of its reader. `again`: the name of a further evaluation of these, for its tables."""

    def __init__(self, reader: WithSQLite, as_of: int, again: str = "") -> None:
        self.reader = reader
        self._as_of = as_of
        self.again = again

    def create_baseline(self, entries: Sequence[Entry]) -> None:
        if self.reader.columns(BASELINE):
            return
        types = {"policy": "VARCHAR", "subject": "VARCHAR", "rank": "INTEGER", "because": "VARCHAR"}
        self.reader.table(BASELINE, types, entries)

    def judged(self, of_tables: Mapping[str, Sequence[Bound]]) -> dict[str, str]:
        """Every table has a relation."""
        found: dict[str, str] = {}
        for name, bounds in of_tables.items():
            asked = frozenset(str(column) for (column,) in self.reader.rows(_doubted(name)))
            found[name] = SQLITE.name(f"judged_{name}{self.again and f'_{self.again}'}")
            relation = judged(TABLES[name], bounds, self._as_of, asked, SQLITE)
            self.reader.execute(SQLITE.table(found[name], f"SELECT * FROM {relation}"))
        return found


def _doubted(table: str) -> str:
    """The columns that are unknown in some row."""
    return f"SELECT DISTINCT doubted.key FROM {SQLITE.name(table)} AS it CROSS JOIN json_each(it.unknown) AS doubted"
