"""The number of applications and environments that a vault serves, from the tags of its objects."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Doubt, Fact, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.environment import of_vault, tagged
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.tables import TABLES

TABLES_OF_OBJECTS = ("key", "certificate", "secret")


def listed_by(surface: Surface) -> tuple[str, ...]:
    """The operations that list the content of one vault or Managed HSM."""
    named = dict.fromkeys(operation for table in TABLES_OF_OBJECTS for operation in TABLES[table].listed_by)
    return tuple(operation for operation in named if OPERATIONS[operation].surface is surface)


def facts(rows: Rows, unlisted: Doubt) -> dict[str, Count]:
    """The applications and environments that enabled versions in each vault are tagged with; the vault's own environment
    counts, too. `unlisted`: why its objects may not all have been listed.
    """
    tags = Rows(rows.sources, "key", "object", f"({_objects(rows.sources)})")
    app = tags["tags"].map(lambda tags: rows.sources.sql.lower(f"{tags}['app']"), absent=True)
    objects = groups(tags, "purposes", by=tags["vault_id"], key=rows["id"], missing=unlisted, each=tags.flag("enabled"))
    homes = Rows(rows.sources, "key", "home", f"({_homes(rows.sources)})")
    home = Fact("home.environment", Doubt(("home.environment_why",)), absent=True)
    enabled = Truth("home.enabled", Doubt(("home.enabled_why",)))
    environments = groups(homes, "homes", by=homes["vault_id"], key=rows["id"], missing=unlisted, each=enabled)
    return {
        "apps_in_it": objects.count_of("apps", different=app),
        "environments_in_it": environments.count_of("environments", different=home),
    }


def _objects(sources: Sources) -> str:
    # Most versions have no tags, so few rows are grouped.
    return " UNION ALL ".join(
        f"""SELECT vault_id, enabled, tags, unknown FROM {sources[table]}
        WHERE enabled IS NOT FALSE AND (tags IS NOT NULL OR unknown['tags'] IS NOT NULL)"""
        for table in TABLES_OF_OBJECTS
    )


def _homes(sources: Sources) -> str:
    """The environment in the tags of each object, and that of the vault itself."""
    objects = Rows(sources, "key", "object", f"({_objects(sources)})")
    vaults = Rows(sources, "vault", "vault")
    of_object, enabled, own = tagged(objects), objects.flag("enabled"), of_vault(vaults)
    return f"""
        SELECT object.vault_id, {enabled.value} AS enabled, {enabled.why.sql} AS enabled_why,
            {of_object.value} AS environment, {of_object.why.sql} AS environment_why
        FROM {objects.sql}
        UNION ALL SELECT vault.id, true, NULL, {own.value}, {own.why.sql} FROM {vaults.sql}"""
