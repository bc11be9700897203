"""How many applications and environments one vault serves, as the tags of what lies in it say."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources, gap, tag
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.tables import TABLES

TABLES_OF_OBJECTS = ("key", "certificate", "secret")


def listed_by(surface: Surface) -> tuple[str, ...]:
    """The lists of what one vault, or one Managed HSM, holds."""
    named = dict.fromkeys(operation for table in TABLES_OF_OBJECTS for operation in TABLES[table].listed_by)
    return tuple(operation for operation in named if OPERATIONS[operation].surface is surface)


def purposes(sources: Sources) -> str:
    """By `vault_id`: the applications and environments that enabled versions name; `doubt`: why there may be more.

    A vault whose objects all have no tags, and surely none, has no row.
    """
    # Most versions say nothing, so that few are grouped.
    objects = " UNION ALL ".join(
        f"""SELECT vault_id, enabled, lower(tags['app']) AS app, {tag("stored")} AS environment,
            CASE WHEN tags IS NULL THEN unknown['tags'] END AS untold, unknown['enabled'] AS undecided
        FROM {sources[table]} AS stored
        WHERE enabled IS NOT FALSE AND (tags IS NOT NULL OR enabled IS NULL OR unknown['tags'] IS NOT NULL)"""
        for table in TABLES_OF_OBJECTS
    )
    return f"""
        SELECT vault_id,
            count(DISTINCT app) FILTER (enabled) AS apps,
            list(DISTINCT environment) FILTER (enabled AND environment IS NOT NULL) AS environments,
            min(coalesce(untold, undecided)) AS doubt
        FROM ({objects}) GROUP BY vault_id"""


def columns(environment: str, doubt: str) -> dict[str, str]:
    """The counted columns, over `purposes` and `objects_listed`. `environment`: the vault's own; `doubt`: why it is unknown.

    No more are there than were seen only where every list was read, and every tag.
    """
    environments = f"len(list_distinct(list_append(coalesce(purposes.environments, []), {environment})))"
    apps = "coalesce(purposes.apps, 0)"
    sure = f"{REASON} IS NULL"
    return {
        "apps_in_it": f"{apps} AS apps_in_it_min, CASE WHEN {sure} THEN {apps} END AS apps_in_it_max",
        "environments_in_it": f"""{environments} AS environments_in_it_min,
            CASE WHEN {sure} AND ({doubt}) IS NULL THEN {environments} END AS environments_in_it_max""",
    }


REASON = f"coalesce({gap('objects_listed')}, purposes.doubt)"
"""Why there may be more of either."""
