"""The view of uses of keys."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from dataclasses import replace

from keyaudit.inventory.facts.fact import Doubt, Fact, case, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, by_hand, one, unread
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views import versions
from keyaudit.inventory.views.vault import KEYS_LISTED
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import VAULTS_FOUND


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows, version = Rows(sources, "key_use"), Rows(sources, "key", "version")
    keys = groups(version, "keys", by=version["key_id"], key=rows["key_id"], missing_of_row=versions.unlisted(version))
    # Its vault decides whether there may be such a key, and its own list whether there may be other versions.
    found = replace(keys, missing=_unlisted(rows)).any_of("found")
    named = strict(lambda key_id, version: f"{key_id} || '/' || {version}", rows["key_id"], rows["version"])
    current = keys.the_one("current", version["id"], version.flag("is_current"))
    used = one(
        Rows(sources, "key", "used"),
        key=case((rows.flag("pinned") & rows["version"].present, named), otherwise=current),
        missing=keys.missing | because(Reason.NOT_VISIBLE),
    )
    facts = {
        "key_found": found,
        "key_enabled": used["enabled"].where(found),
        "key_expires_on": used["expires_on"].where(found),
    }
    return view_of("key_use", sources, facts, wanted)


def _unlisted(rows: Rows) -> Doubt:
    """Why its vault may have a key that was not read."""
    address = f"regexp_extract({rows.sources.sql.lower('vault_uri')}, '^https://([^/:]+)', 1)"
    by_address = f"""(SELECT {address} AS address, min(id) AS id FROM {rows.sources["vault"]}
        WHERE vault_uri IS NOT NULL GROUP BY ALL)"""
    # Written by hand, because a gap in any scope may hide the vault.
    unseen = f"""
        CROSS JOIN (
            SELECT min(reason) AS reason FROM coverage
            WHERE operation IN ({", ".join(map(quoted, VAULTS_FOUND))}) AND state <> 'assessed'
        ) AS unseen"""
    vault = one(
        Rows(rows.sources, "vault", "vault", by_address),
        key=rows["key_id"].map(lambda key_id: f"split_part({key_id}, '/', 3)"),
        missing=Doubt(("unseen.reason",), by_hand("unseen", unseen)) | because(Reason.NOT_VISIBLE),
        by=Fact("vault.address"),
    )["id"]
    unread_keys = unread(
        "listed", *KEYS_LISTED.values(), scope=vault.value, needs=vault.reads, unbegun=Reason.PARENT_NOT_ASSESSED
    )
    return vault.why | unread_keys
