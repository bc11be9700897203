"""The operations that a column depends on: of a stored one those that fill it, of a derived one those of all that its
expression reads.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from keyaudit.inventory import views
from keyaudit.inventory.facts.joins import Cell, Inside, Listed, Reads
from keyaudit.inventory.facts.sql import StoredRows
from keyaudit.model.evidence import EVIDENCE, USAGE_BASELINE
from keyaudit.model.operations import OPERATIONS, with_all_before
from keyaudit.model.tables import TABLES


@dataclass(frozen=True, slots=True)
class Read:
    """Something that an expression reads, and whose operations these are."""

    of: Cell | Listed
    operations: frozenset[str]
    own: bool
    """It is a column of the table that the expression is of, or the row would not be there without it."""
    if_missing: bool
    """It matters only where a row that is named was not read."""


@functools.cache
def reads_of(table: str, column: str) -> frozenset[Read]:
    """Every stored column and every list that a derived column depends on."""
    return frozenset(_walked(table, _expressions(table)[column]))


@functools.cache  # asked of the same columns thousands of times in a command
def operations_of(table: str, column: str) -> tuple[str, ...]:
    """Every operation that must be assessed for this column to be known; of a derived one, in the order of `OPERATIONS`."""
    declared = TABLES[table].by_name[column]
    if not declared.derived:
        return declared.operations
    found = {operation for read in reads_of(table, column) for operation in read.operations}
    return tuple(operation for operation in OPERATIONS if operation in found)


def operations_elsewhere(table: str, column: str) -> frozenset[str]:
    """Those of them that it depends on in another way than by its own table's columns."""
    if not TABLES[table].by_name[column].derived:
        return frozenset()
    return frozenset(operation for read in reads_of(table, column) if not read.own for operation in read.operations)


def operations(*names: str) -> frozenset[str]:
    """Every operation that these tables depend on; without names, that any table does."""
    tables = [TABLES[name] for name in names or TABLES]
    found = frozenset(operation for table in tables for operation in table.listed_by)
    # Of all tables together, derived columns depend on no other operations than stored ones.
    columns = ((table, column) for table in tables for column in (table.columns if names else table.stored))
    return found.union(*(operations_of(table.name, column.name) for table, column in columns))


def read_by(operation: str) -> tuple[str, ...]:
    """Every column, as `table.column`, and every table that depends on this operation."""
    found = [name for name, table in TABLES.items() if operation in table.listed_by]
    return (
        *found,
        *(
            f"{table.name}.{column.name}"
            for table in TABLES.values()
            for column in table.columns
            if operation in operations_of(table.name, column.name)
        ),
    )


@functools.cache
def _expressions(table: str) -> Mapping[str, Reads]:
    """What each derived column of a table reads, with all evidence."""
    sources = StoredRows(TABLES)
    evidence = (*EVIDENCE, USAGE_BASELINE)
    facts = views.facts_of(table, sources, 0, evidence, reach_known=True)
    return {name: fact.everything for name, fact in facts.items()} | views.reads_by_hand(table, sources)


@dataclass(frozen=True, slots=True)
class _Within:
    """Where something is read."""

    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By table, the operations whose rows alone count."""
    own: bool = False
    """The row itself would not be there without it."""
    if_missing: bool = False
    """It matters only where a row that is named was not read."""
    apart: bool = False
    """Which operations matter is declared apart."""

    def listing(self, table: str) -> tuple[str, ...]:
        """The operations whose rows of a table alone count; empty: all."""
        return next((operations for name, operations in reversed(self.listed) if name == table), ())


def _walked(table: str, reads: Reads) -> Iterator[Read]:
    """`table`: that of the rows."""
    waiting = [(read, _Within()) for read in reads]
    seen = set()
    while waiting:
        read, within = waiting.pop()
        if (read, within) in seen:
            continue
        seen.add((read, within))
        if isinstance(read, Cell):
            yield from _of_cell(table, read, within)
        elif isinstance(read, Listed):
            yield Read(read, _asked(read, within), own=within.own, if_missing=within.if_missing)
        elif isinstance(read, Inside):
            inner = _Within(
                within.listed + read.listed,
                within.own or read.own,
                within.if_missing or read.if_missing,
                within.apart or read.apart,
            )
            waiting += ((each, inner) for each in read.reads)
        else:
            join, part = read
            inner = replace(within, listed=within.listed + part.listed, own=within.own or part.own)
            waiting += ((each, within) for each in join.needs)
            waiting += ((each, inner) for each in (*join.choosing, *part.reads))


def _of_cell(table: str, cell: Cell, within: _Within) -> Iterator[Read]:
    declared, listed = TABLES[cell.table], within.listing(cell.table)
    own = within.own or cell.table == table
    elsewhere = declared.only_of(listed) if listed else frozenset[str]()
    if within.apart:
        yield Read(cell, frozenset(), own, within.if_missing)
    elif declared.by_name[cell.column].derived:
        for read in reads_of(cell.table, cell.column):
            yield Read(read.of, read.operations - elsewhere, own and read.own, within.if_missing or read.if_missing)
    else:
        filled_by = frozenset(declared.by_name[cell.column].operations) - elsewhere
        yield Read(cell, filled_by, own, within.if_missing)


def _asked(read: Listed, within: _Within) -> frozenset[str]:
    """The operations of a list, or those of them whose rows alone count, with what comes before these."""
    if not read.table:
        return frozenset(read.operations)
    every = TABLES[read.table].listed_by
    return frozenset(with_all_before(*(operation for operation in within.listing(read.table) if operation in every)) or every)
