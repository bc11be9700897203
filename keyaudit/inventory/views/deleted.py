"""The view of deleted objects that can be recovered."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, Wanted, stored
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views import reach
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.deleted import PLACES


def view(sources: Sources, *, known: bool, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the counts of principals that can grant themselves access, and the reasons.

    Without `known` the counts are NULL, for callers that do not read them.
    """
    rows = f"SELECT {stored('deleted', 'stored')}, stored.unknown FROM {sources['deleted']} AS stored"
    counted = reach.counted(sources.sql, rows, "granting", known=known, wanted=wanted, vault="vault_id")
    # A deleted vault is in no vault, so there is no access to count.
    places = ", ".join(map(quoted, PLACES))
    bounds = {
        bound: f"CASE WHEN kind IN ({places}) THEN 0 ELSE {bound} END"
        for column in TABLES["deleted"].derived
        if column.name in wanted
        for bound in view_name(column)
    }
    return f"SELECT {sources.sql.replacing(bounds)} FROM ({counted})" if bounds else counted
