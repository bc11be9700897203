"""The view of uses of keys."""

from dataclasses import replace

from keyaudit.inventory.facts.fact import FALSE, Derived, Doubt, case, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import lists
from keyaudit.inventory.facts.relation import Rows, because, one
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.environment import in_test, no_tests
from keyaudit.inventory.views.vaults import versions
from keyaudit.inventory.views.vaults.addresses import unlisted, vault_of
from keyaudit.inventory.views.vaults.vault import KEYS_LISTED
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import HSMS_FOUND


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, version = Rows(sources, "key_use"), Rows(sources, "key", "version")
    keys = groups(version, "keys", by=version["key_id"], key=rows["key_id"], missing_of_row=versions.unlisted(version))
    vault, homes = vault_of(rows, rows["key_id"]), Rows(sources, "vault", "home")
    home = one(homes, key=vault, missing=because(Reason.NOT_VISIBLE), facts={"in_test": in_test(homes)})
    # Its vault decides whether there may be such a key, and its own list whether there may be other versions.
    unseen = unlisted(vault, "listed", *KEYS_LISTED.values()) | Doubt(reads=lists(*HSMS_FOUND))
    found = replace(keys, missing=unseen).any_of("found")
    named = strict(lambda key_id, version: f"{key_id} || '/' || {version}", rows["key_id"], rows["version"])
    current = keys.the_one("current", version["id"], version.flag("is_current"))
    used = one(
        Rows(sources, "key", "used"),
        key=case((rows.flag("pinned") & rows["version"].present, named), otherwise=current),
        missing=keys.missing | because(Reason.NOT_VISIBLE),
    )
    newest = one(Rows(sources, "key", "newest"), key=current, missing=keys.missing | because(Reason.NOT_VISIBLE))
    return {
        "in_test": FALSE if no_tests(sources) else home.flag("in_test"),
        "current_version": newest["version"].where(found),
        "current_since": newest["created_on"].where(found),
        "key_found": found,
        "key_enabled": used["enabled"].where(found),
        "key_expires_on": used["expires_on"].where(found),
    }
