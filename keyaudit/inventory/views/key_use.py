"""The view of uses of keys."""

from dataclasses import replace

from keyaudit.inventory.facts.fact import case, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, one
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views import versions
from keyaudit.inventory.views.named import unlisted, vault_of
from keyaudit.inventory.views.vault import KEYS_LISTED
from keyaudit.model.reasons import Reason


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows, version = Rows(sources, "key_use"), Rows(sources, "key", "version")
    keys = groups(version, "keys", by=version["key_id"], key=rows["key_id"], missing_of_row=versions.unlisted(version))
    # Its vault decides whether there may be such a key, and its own list whether there may be other versions.
    found = replace(keys, missing=unlisted(vault_of(rows, rows["key_id"]), "listed", *KEYS_LISTED.values())).any_of("found")
    named = strict(lambda key_id, version: f"{key_id} || '/' || {version}", rows["key_id"], rows["version"])
    current = keys.the_one("current", version["id"], version.flag("is_current"))
    used = one(
        Rows(sources, "key", "used"),
        key=case((rows.flag("pinned") & rows["version"].present, named), otherwise=current),
        missing=keys.missing | because(Reason.NOT_VISIBLE),
    )
    newest = one(Rows(sources, "key", "newest"), key=current, missing=keys.missing | because(Reason.NOT_VISIBLE))
    facts = {
        "current_version": newest["version"].where(found),
        "current_since": newest["created_on"].where(found),
        "key_found": found,
        "key_enabled": used["enabled"].where(found),
        "key_expires_on": used["expires_on"].where(found),
    }
    return view_of("key_use", sources, facts, wanted)
