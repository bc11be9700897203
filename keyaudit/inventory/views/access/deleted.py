"""The view of deleted objects that can be recovered."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.access import reach
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.deleted import PLACES


def counted(sources: Sources, query: str, *, known: bool, wanted: Wanted) -> str:
    """The view in `query` with the counts of principals that can grant themselves access.

    Without `known` the counts are NULL, for callers that do not read them.
    """
    made = reach.counted(sources, query, "granting", known=known, wanted=wanted, vault="vault_id")
    # A deleted vault is in no vault, so there is no access to count.
    places = ", ".join(map(quoted, PLACES))
    bounds = {
        bound: f"CASE WHEN kind IN ({places}) THEN 0 ELSE {bound} END"
        for column in TABLES["deleted"].derived
        if column.name in wanted
        for bound in view_name(column)
    }
    return f"SELECT {sources.sql.replacing(bounds)} FROM ({made})" if bounds else made
