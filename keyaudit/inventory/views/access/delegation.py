"""The view of delegations to other tenants."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Derived, Fact, Items
from keyaudit.inventory.facts.joins import cells
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.vaults.written_vaults import written


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "delegation")
    place = "'/subscriptions/' || {0}.subscription_id || coalesce('/resourcegroups/' || " + sources.sql.lower(
        "{0}.resource_group"
    )
    place += ", '')"
    scope = Fact(place.format(rows.alias), reads=cells("delegation.resource_group"))
    vaults = written(sources, scope, f"SELECT DISTINCT {place.format('given')} AS scope FROM {sources['delegation']} AS given")
    known = f"CASE WHEN {vaults.some.value} IS NOT NULL THEN {vaults.names.value} END"
    return {"policy_vaults": Items(known, vaults.unread, vaults.names.reads | vaults.unread.reads)}
