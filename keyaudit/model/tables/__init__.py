"""The tables by name, for decoding, loading, type checking, permissions and documentation."""

import functools
import importlib
import pkgutil
from collections.abc import Collection

from keyaudit.model.columns import Table
from keyaudit.model.operations import with_all_before

_MODULES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
_DECLARED = (each for module in _MODULES for each in vars(module).values() if isinstance(each, Table))

TABLES: dict[str, Table] = {table.name: table for table in sorted(_DECLARED, key=lambda table: table.order)}
"""The tables of a snapshot: collected from Azure, and from supplied evidence."""


def filled(evidence: Collection[str]) -> tuple[str, ...]:
    """The tables of a snapshot with this evidence. The others are not empty but unknown, because their evidence was not
    supplied.
    """
    return tuple(name for name, table in TABLES.items() if not table.needs or table.needs in evidence)


def table_named(asked: str) -> Table | None:
    """The table of that name or plural, ignoring case; None if there is none."""
    name = asked.lower().replace("-", "_").replace(" ", "_")
    for table in TABLES.values():
        if name in {table.name, f"{table.name}s", table.plural.replace(" ", "_").replace("-", "_")}:
            return table
    return None


@functools.cache  # asked of the same columns thousands of times in a command
def operations_of(table: str, column: str) -> tuple[str, ...]:
    """Every operation that must be assessed for this column to be known, including those of the columns that it is derived
    from.
    """
    declared = TABLES[table].by_name[column]
    found = dict.fromkeys(declared.operations)
    for base in declared.derived_from:
        # A derived column may depend on another table: `table.column`. Then all rows of that table are needed, or those of the
        # listings that it reads.
        other, _, name = base.rpartition(".")
        every = TABLES[other].listed_by if other else ()
        looked_at = tuple(operation for operation in declared.rows_of if operation in every)
        listed = with_all_before(*looked_at) if looked_at else every
        # Operations that list rows which it does not read fill no column that it reads.
        elsewhere = set(every).difference(listed) if other and TABLES[other].parts else set[str]()
        needed = (*listed, *operations_of(other or table, name))
        found.update(dict.fromkeys(operation for operation in needed if operation not in elsewhere))
    return tuple(found)


def operations(*names: str) -> frozenset[str]:
    """Every operation that these tables depend on; without names, that any table depends on."""
    tables = [TABLES[name] for name in names or TABLES]
    found = {operation for table in tables for operation in table.listed_by}
    return frozenset(found.union(*(operations_of(table.name, column.name) for table in tables for column in table.columns)))


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
