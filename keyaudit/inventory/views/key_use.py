"""The view of uses of keys."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, stored
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.places import VAULTS_FOUND

_KEYS_OF_A_VAULT = tuple(operation for operation in TABLES["key"].listed_by if operation not in VAULTS_FOUND)
_DERIVED = {"key_enabled": "enabled", "key_expires_on": "expires_on"}
"""Derived columns, with the column of the key version that each copies."""


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    keys = f"""
        SELECT key_id, min(id) FILTER (WHERE is_current) AS current_version, min(unknown['is_current']) AS doubt,
            min(unknown['versions_listed']) AS unlisted
        FROM {sources["key"]} GROUP BY key_id"""
    vaults = f"""
        SELECT regexp_extract({sources.sql.lower("vault_uri")}, '^https://([^/:]+)', 1) AS host, min(id) AS id
        FROM {sources["vault"]} WHERE vault_uri IS NOT NULL GROUP BY ALL"""
    read = f"""
        SELECT scope_id, count(*) FILTER (WHERE state = 'assessed') > 0 AS some,
            min(reason) FILTER (WHERE state <> 'assessed') AS reason
        FROM coverage WHERE operation IN ({_list(_KEYS_OF_A_VAULT)}) GROUP BY scope_id"""
    unseen = f"(SELECT min(reason) AS reason FROM coverage WHERE operation IN ({_list(VAULTS_FOUND)}) AND state <> 'assessed')"
    setting = "coalesce(stored.unknown['key_id'], stored.unknown['pinned'], stored.unknown['version'])"
    # A missing key is certain only if the list of its vault's keys was read completely.
    gone = "(keys.key_id IS NULL AND read.some AND read.reason IS NULL)"
    hidden = f"""CASE WHEN keys.key_id IS NOT NULL OR {gone} THEN NULL
        WHEN vault.id IS NULL THEN coalesce(unseen.reason, '{Reason.NOT_VISIBLE}')
        ELSE coalesce(read.reason, '{Reason.PARENT_NOT_ASSESSED}') END"""
    found = f"coalesce(stored.unknown['key_id'], {hidden})"
    version = f"""coalesce({found}, CASE WHEN NOT {gone} THEN coalesce({setting},
        CASE WHEN version.id IS NULL THEN coalesce(keys.unlisted, keys.doubt, '{Reason.NOT_VISIBLE}') END) END)"""
    doubts = {name: f"coalesce({version}, version.unknown[{quoted(column)}])" for name, column in _DERIVED.items()}
    return f"""
        SELECT {stored("key_use", "stored")},
            CASE WHEN {found} IS NULL THEN keys.key_id IS NOT NULL END AS key_found,
            {", ".join(f"version.{column} AS {name}" for name, column in _DERIVED.items())},
            {extended(sources.sql, {"key_found": found, **doubts})}
        FROM {sources["key_use"]} AS stored
        CROSS JOIN {unseen} AS unseen
        LEFT JOIN ({keys}) AS keys ON keys.key_id = stored.key_id
        LEFT JOIN ({vaults}) AS vault ON vault.host = split_part(stored.key_id, '/', 3)
        LEFT JOIN ({read}) AS read ON read.scope_id = vault.id
        LEFT JOIN (SELECT id, enabled, expires_on, unknown FROM {sources["key"]}) AS version
            ON version.id = CASE WHEN stored.pinned AND stored.version IS NOT NULL THEN stored.key_id || '/' || stored.version
                WHEN stored.pinned IS NOT NULL THEN keys.current_version END"""


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))
