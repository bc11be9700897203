"""The view of applications."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.privileges import privileges
from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.model.tables import TABLES

_APPLICATIONS = TABLES["application"].listed_by


def view(sources: Sources, as_of: int) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # No end is no expiry; an end that is unknown may be either.
    live = f"""
        SELECT holder_id, kind, unknown, kind <> 'federated' AND CASE
            WHEN expires_on IS NOT NULL THEN expires_on > {as_of} WHEN unknown['expires_on'] IS NULL THEN true END AS live
        FROM {sources["credential"]}"""
    groups = f"""
        SELECT holder_id, count(*) FILTER (live) AS certain, count(*) FILTER (live IS NOT FALSE) AS possible,
            min(coalesce(unknown['kind'], unknown['expires_on'])) FILTER (live IS NULL) AS doubt
        FROM ({live}) GROUP BY holder_id"""
    unlisted = gap("listed")
    granted = privileges(sources, key="lower(holder.app_id)", match="lower(stored.app_id)")
    return f"""
        SELECT {stored("application", "stored")},
            coalesce(groups.certain, 0) AS live_credentials_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(groups.possible, 0) END AS live_credentials_max,
            {granted.columns},
            {extended({"live_credentials": f"coalesce({unlisted}, groups.doubt)", **granted.doubts})}
        FROM {sources["application"]} AS stored
        LEFT JOIN ({groups}) AS groups ON groups.holder_id = stored.id
        LEFT JOIN ({read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id
        {granted.joins}"""
