"""SQL building blocks of the views."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.rows import columns_of, stored_types
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

T = TypeVar("T")

_IN = "stored_in_"
_ROWS, _LIST = "\x01", "\x02"
"""In SQL that is not finished, they stand before and after each name of a table that is read, and each list of operations that
is asked about. No SQL has these characters, and no tenant id.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that can be executed."""

    text: str
    lists: tuple[str, ...] = ()
    """The lists that it asks the table `lists_read` about, each as its operations, separated by spaces."""


class Sources(Mapping[str, str]):
    """By table, the SQL relation of its stored rows; `sql` is the dialect of the engine that has them.

    `environments`: by its other names, the name of an environment. `tests`: the environments for tests that settings record;
    None: it does not matter which.
    """

    def __init__(
        self,
        relations: Mapping[str, str],
        sql: DuckDB = DUCKDB,
        environments: Mapping[str, str] = MappingProxyType({}),
        tests: Collection[str] | None = None,
    ) -> None:
        self._relations = relations
        self.sql, self.environments, self.tests = sql, environments, tests
        self._made: dict[Callable[[Sources], Any], Any] = {}

    def once(self, make: Callable[["Sources"], T]) -> T:
        """The value of a function for these sources, which is made the first time and kept: several views read it."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def __getitem__(self, name: str) -> str:
        return self._relations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._relations)

    def __len__(self) -> int:
        return len(self._relations)


class StoredRows(Sources):
    """Places for the stored rows of every table, so that statements can be written before it is known which are read.

    `filled`: the tables that have rows, or may have some that were not read.
    """

    def __init__(
        self,
        filled: Container[str],
        sql: DuckDB = DUCKDB,
        environments: Mapping[str, str] = MappingProxyType({}),
        tests: Collection[str] | None = None,
    ) -> None:
        super().__init__({name: f"{_ROWS}{name}{_ROWS}" for name in TABLES}, sql, environments, tests)
        self.filled = filled

    def resolved(self, statements: Sequence[str], rows: Mapping[str, str], small: Collection[str]) -> Iterator[Statement]:
        """The statements over `rows`, relations by table, preceded by those that materialize relations that are read
        repeatedly.

        A table that is not in `rows` is created empty, and one in `small` is materialized from its file, because DuckDB plans a
        file scan, or an empty query, again for each use.
        """
        # Every second piece is a list, or the name of a table.
        asked = [text.split(_LIST) for text in statements]
        written = ["".join(pieces).split(_ROWS) for pieces in asked]
        read = Counter(name for pieces in written for name in pieces[1::2])
        direct = {}
        for name, times in read.items():
            if name not in rows:
                yield Statement(f"CREATE TABLE {_IN}{name} ({columns_of(stored_types(TABLES[name]), self.sql)})")
            elif name in small and times > 1:
                yield Statement(f"CREATE TABLE {_IN}{name} AS SELECT * FROM {rows[name]}")
            else:
                direct[name] = rows[name]
        for pieces, (_, *lists) in zip(written, asked, strict=True):
            pieces[1::2] = [direct.get(name, f"{_IN}{name}") for name in pieces[1::2]]
            yield Statement("".join(pieces), tuple(dict.fromkeys(lists[::2])))


def no_rows(sources: Sources, *tables: str) -> bool:
    """Whether these tables are known to have no rows, so that nothing need be planned for them."""
    return isinstance(sources, StoredRows) and not any(table in sources.filled for table in tables)


class _Every:
    """A container with every name."""

    def __contains__(self, name: object) -> bool:
        return True


Wanted = Container[str]
"""The derived columns of a view that are read."""

EVERY: Wanted = _Every()


def stored(table: str, relation: str) -> str:
    """The stored columns of `table`, from `relation`."""
    return ", ".join(f"{relation}.{column.name}" for column in TABLES[table].stored)


def read_to_the_end(operations: Sequence[str]) -> str:
    """Scopes, whether all of `operations` were assessed there, and the reason of the first that was not.

    Reads the table `lists_read`, which `ledger.create` creates for the lists of finished statements.
    """
    return f"SELECT scope_id, whole, reason FROM lists_read WHERE operations = '{_LIST}{' '.join(operations)}{_LIST}'"


def gap(relation: str) -> str:
    """SQL: NULL if everything was read, otherwise the reason. An operation without a record was never started."""
    return f"CASE WHEN {relation}.whole THEN NULL ELSE coalesce({relation}.reason, '{Reason.INTERRUPTED}') END"


def extended(sql: DuckDB, reasons: Mapping[str, str]) -> str:
    """`unknown` with the reasons of derived columns; the condition avoids building a map for the many rows without reasons."""
    if not reasons:
        return "stored.unknown"
    none = " AND ".join(f"({reason}) IS NULL" for reason in reasons.values())
    both = sql.with_present("stored.unknown", reasons)
    return f"CASE WHEN {none} THEN stored.unknown ELSE {both} END AS unknown"
