"""The view of uses of secrets."""

from dataclasses import replace

from keyaudit.inventory.facts.fact import Derived, Fact, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import One, Rows, because, one
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.vaults import versions
from keyaudit.inventory.views.vaults.addresses import unlisted, vault_of
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "secret_use")
    vault = vault_of(rows, rows["secret_id"])
    certificate_id = rows["secret_id"].map(lambda id_: f"replace({id_}, '/secrets/', '/certificates/')")
    secret, has_secret = _current(rows, "secret", rows["secret_id"], vault)
    certificate, has_certificate = _current(rows, "certificate", certificate_id, vault)
    return {
        "current_version": secret["version"].where(has_secret),
        "current_since": secret["created_on"].where(has_secret),
        "current_thumbprint": certificate["thumbprint"].where(has_certificate),
    }


def _current(rows: Rows, table: str, object_id: Fact, vault: Fact) -> tuple[One, Truth]:
    """The current version of an object, and whether its vault has the object."""
    version = Rows(rows.sources, table, f"{table}_version")
    listed = tuple(each for each in TABLES[table].listed_by if OPERATIONS[each].surface is Surface.VAULT)
    of_object = groups(
        version, f"{table}s", by=version[f"{table}_id"], key=object_id, missing_of_row=versions.unlisted(version)
    )
    found = replace(of_object, missing=unlisted(vault, f"{table}_listed", listed)).any_of("found")
    current = of_object.the_one("current", version["id"], version.flag("is_current"))
    missing = of_object.missing | because(Reason.NOT_VISIBLE)
    return one(Rows(rows.sources, table, f"{table}_newest"), key=current, missing=missing), found
