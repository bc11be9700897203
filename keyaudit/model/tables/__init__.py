"""The tables by name, for decoding, loading, type checking, permissions and documentation."""

from collections.abc import Collection

from keyaudit.model.declarations import modules_in
from keyaudit.model.schema.columns import Table

_MODULES = modules_in(__name__, "keyaudit.model.surfaces")
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
