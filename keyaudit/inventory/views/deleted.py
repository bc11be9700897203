"""The view of what was deleted and can still be recovered."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.load import quoted
from keyaudit.inventory.views import reach
from keyaudit.inventory.views.sql import Sources, Wanted, stored
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.deleted import PLACES


def view(sources: Sources, *, known: bool, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, who can give himself access to the vault, and the reasons of what is unknown.

    Without `known` the counts are NULL, for a reader of none of them.
    """
    rows = f"SELECT {stored('deleted', 'stored')}, stored.unknown FROM {sources['deleted']} AS stored"
    counted = reach.counted(rows, "granting", known=known, wanted=wanted, vault="vault_id")
    # A vault lies in none, and so nobody was asked about.
    places = ", ".join(map(quoted, PLACES))
    bounds = ", ".join(
        f"CASE WHEN kind IN ({places}) THEN 0 ELSE {bound} END AS {bound}"
        for column in TABLES["deleted"].derived
        if column.name in wanted
        for bound in view_name(column)
    )
    return f"SELECT * REPLACE ({bounds}) FROM ({counted})" if bounds else counted
