"""The view of service principals."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views import homes
from keyaudit.inventory.views.privileges import privileges
from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.model.tables import TABLES

_ACTIVITY = TABLES["sign_in_activity"].listed_by
_MOMENTS = ("last_sign_in_on", "last_client_sign_in_on")


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # A later record may be among those that were not read. So without the whole report nothing is known.
    found = ", ".join(f"max({name}) AS {name}, min(unknown['{name}']) AS {name}_doubt" for name in _MOMENTS)
    records = f"SELECT app_id, {found} FROM {sources['sign_in_activity']} GROUP BY app_id"
    doubts = {name: f"coalesce({gap('report')}, stored.unknown['app_id'], records.{name}_doubt)" for name in _MOMENTS}
    moments = ", ".join(f"CASE WHEN {doubt} IS NULL THEN records.{name} END AS {name}" for name, doubt in doubts.items())
    granted = privileges(sources, key="holder.id", match="stored.id")
    return f"""
        SELECT {stored("service_principal", "stored")}, {moments}, {granted.columns},
            CASE WHEN {homes.SUBSCRIPTION} IS NOT NULL THEN {homes.ENVIRONMENT} END AS environment,
            {extended({**doubts, **granted.doubts, "environment": homes.ENVIRONMENT_DOUBT})}
        FROM {sources["service_principal"]} AS stored
        LEFT JOIN ({records}) AS records ON records.app_id = lower(stored.app_id)
        LEFT JOIN {sources["subscription"]} AS place ON place.subscription_id = {homes.SUBSCRIPTION}
        LEFT JOIN ({read_to_the_end(_ACTIVITY)}) AS report ON report.scope_id = stored.scope_id
        {granted.joins}"""
