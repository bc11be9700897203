"""The number of applications and environments that a vault serves, from the tags of its objects."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources, gap, tag
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.tables import TABLES

TABLES_OF_OBJECTS = ("key", "certificate", "secret")


def listed_by(surface: Surface) -> tuple[str, ...]:
    """The operations that list the content of one vault or Managed HSM."""
    named = dict.fromkeys(operation for table in TABLES_OF_OBJECTS for operation in TABLES[table].listed_by)
    return tuple(operation for operation in named if OPERATIONS[operation].surface is surface)


def purposes(sources: Sources) -> str:
    """By `vault_id`, the applications and environments in tags of enabled versions; `doubt`: why there may be more.

    A vault whose objects certainly have no tags has no row.
    """
    # Most versions have no tags, so few rows are grouped.
    objects = " UNION ALL ".join(
        f"""SELECT vault_id, enabled, {sources.sql.lower("tags['app']")} AS app, {tag(sources.sql, "stored")} AS environment,
            CASE WHEN tags IS NULL THEN unknown['tags'] END AS untold, unknown['enabled'] AS undecided
        FROM {sources[table]} AS stored
        WHERE enabled IS NOT FALSE AND (tags IS NOT NULL OR enabled IS NULL OR unknown['tags'] IS NOT NULL)"""
        for table in TABLES_OF_OBJECTS
    )
    return f"""
        SELECT vault_id,
            count(DISTINCT app) FILTER (WHERE enabled) AS apps,
            {sources.sql.distinct("environment", "enabled")} AS environments,
            min(coalesce(untold, undecided)) AS doubt
        FROM ({objects}) GROUP BY vault_id"""


def columns(sql: DuckDB, environment: str, doubt: str) -> dict[str, str]:
    """The counted columns, over `purposes` and `objects_listed`. `environment`: the vault's own; `doubt`: why that is unknown.

    There is an upper bound only if every list and every tag was read.
    """
    # A missing list is taken for an empty one.
    known = f"{environment} IS NULL OR array_contains(purposes.environments, {environment})"
    environments = f"(coalesce({sql.size('purposes.environments')}, 0) + CASE WHEN {known} THEN 0 ELSE 1 END)"
    apps = "coalesce(purposes.apps, 0)"
    sure = f"{REASON} IS NULL"
    return {
        "apps_in_it": f"{apps} AS apps_in_it_min, CASE WHEN {sure} THEN {apps} END AS apps_in_it_max",
        "environments_in_it": f"""{environments} AS environments_in_it_min,
            CASE WHEN {sure} AND ({doubt}) IS NULL THEN {environments} END AS environments_in_it_max""",
    }


REASON = f"coalesce({gap('objects_listed')}, purposes.doubt)"
"""SQL: why there may be more of either."""
