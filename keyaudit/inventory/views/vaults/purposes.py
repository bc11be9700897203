"""The number of applications and environments that a vault serves, from the tags of its objects."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Doubt, Fact, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import Reads, cells, inside
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
    tagged_with = Rows(rows.sources, "key", "purpose", f"({_purposes(rows.sources)})")

    tags, in_use = (cells(*(f"{table}.{name}" for table in TABLES_OF_OBJECTS)) for name in ("tags", "enabled"))
    of_vaults = inside(of_vault(Rows(rows.sources, "vault", "vault")).everything)

    def cell(name: str, reads: Reads) -> Fact:
        return Fact(f"purpose.{name}", Doubt((f"purpose.{name}_why",), reads), absent=True, reads=reads)

    enabled = Truth("purpose.enabled", Doubt(("purpose.enabled_why",), in_use), reads=in_use)
    its = groups(tagged_with, "purposes", by=tagged_with["vault_id"], key=rows["id"], missing=unlisted, each=enabled)
    return {
        "apps_in_it": its.count_of("apps", different=cell("app", tags)),
        "environments_in_it": its.count_of("environments", different=cell("environment", tags | of_vaults)),
    }


def _purposes(sources: Sources) -> str:
    """The application and environment in the tags of each object, and the environment of the vault itself."""
    # Most versions have no tags, so few rows are grouped.
    objects = " UNION ALL ".join(
        f"""SELECT vault_id, enabled, tags, unknown FROM {sources[table]}
        WHERE enabled IS NOT FALSE AND (tags IS NOT NULL OR unknown['tags'] IS NOT NULL)"""
        for table in TABLES_OF_OBJECTS
    )
    object_, vaults = Rows(sources, "key", "object", f"({objects})"), Rows(sources, "vault", "vault")
    app = object_["tags"].map(lambda tags: sources.sql.lower(f"{tags}['app']"), absent=True)
    home, enabled, own = tagged(object_), object_.flag("enabled"), of_vault(vaults)
    return f"""
        SELECT object.vault_id, {enabled.value} AS enabled, {enabled.why.sql} AS enabled_why,
            {app.value} AS app, {app.why.sql} AS app_why, {home.value} AS environment, {home.why.sql} AS environment_why
        FROM {object_.sql}
        UNION ALL SELECT vault.id, true, NULL, NULL, NULL, {own.value}, {own.why.sql} FROM {vaults.sql}"""
