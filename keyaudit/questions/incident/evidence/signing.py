"""Sign-ins with a credential, compared with the signatures of its key in a vault: one that no signature precedes was signed
elsewhere.

An application that keeps its key in a vault asks the vault to sign an assertion, and signs in with it, for as long as the
assertion is valid. Entra sets no limit to that: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Sequence
from typing import Any

import duckdb

from keyaudit.inventory.usage.complete_days import covered
from keyaudit.model.tables.usage import KEY_VAULT_LOG
from keyaudit.questions.incident.answer import KeyFacts, Signed
from keyaudit.questions.incident.evidence.acts import RECORDS
from keyaudit.questions.incident.evidence.subject import About
from keyaudit.questions.incident.evidence.work import Shown

_MARGIN = 600
"""The clocks of both logs may differ by so many seconds."""
_COPIED = ("import", "restore", "backup", "release")
"""Operations after which a copy of the key is or may be elsewhere, so that signatures elsewhere are no news."""


def signed(
    connection: duckdb.DuckDBPyConnection, about: About, keys: Sequence[KeyFacts], found: Shown, as_of: int
) -> Signed | None:
    """The sign-ins with the credentials of one key of a vault that its signatures do not explain.

    None if it is no such key, or its private key may be elsewhere anyway. `connection`: to all days of the log store, and
    `found` has its coverage.
    """
    if len(keys) != 1 or len(about.key_ids) != 1 or not about.credentials:
        return None
    (key,), (key_id,) = keys, about.key_ids
    if key.exportable is not False or key.created_on is None or not key.version:
        return None
    of_key = """target_kind IN ('key', 'certificate') AND split_part(target_id, '/', 6) IN ('', $version)
        AND replace(array_to_string(list_slice(string_split(target_id, '/'), 1, 5), '/'), '/certificates/', '/keys/') = $key"""
    values: dict[str, Any] = {"key": key_id, "version": key.version.lower()}
    query = f"SELECT 1 FROM usage WHERE {of_key} AND list_contains($copied, operation) LIMIT 1"
    if connection.execute(query, values | {"copied": list(_COPIED)}).fetchone():
        return None
    resources = {about.vault_id.lower(), "/".join(key_id.split("/")[:3])} - {""}
    own = [each for each in found.logs if each.source == KEY_VAULT_LOG and each.resource_id in resources]
    logs = ((each.whole_since, each.last_on) for each in own)
    days = covered(logs, found.unlogged, resources, as_of)
    if days is None or days.since > key.created_on:
        return Signed(covered=False)
    query = f"""
        WITH made AS (SELECT used_on, uses FROM usage WHERE operation = 'sign' AND succeeded IS NOT FALSE AND {of_key}),
        entered AS (SELECT used_on, coalesce(name, id) AS record FROM usage WHERE operation = 'sign-in' AND succeeded
            AND list_contains($credentials, credential_key_id) AND used_on >= {key.created_on} AND used_on < {days.until}),
        after AS (SELECT entered.used_on, record, made.used_on AS made_on
            FROM entered ASOF LEFT JOIN made ON entered.used_on + {_MARGIN} >= made.used_on)
        SELECT count(*) FILTER (made_on IS NULL),
            list_slice(list(record ORDER BY used_on, record) FILTER (made_on IS NULL), 1, {RECORDS}),
            min(used_on) FILTER (made_on IS NULL), (SELECT min(used_on) FROM made),
            CASE WHEN (SELECT coalesce(max(uses), 1) FROM made) = 1 THEN max(used_on - made_on) END,
            max_by(record, (used_on - made_on, record)) FILTER (made_on IS NOT NULL)
        FROM after"""
    values |= {"credentials": sorted(about.credentials)}
    [(before, records, first_on, made_on, gap, gap_record)] = connection.execute(query, values).fetchall()
    return Signed(
        covered=True, before=before, records=records or (), first_on=first_on, made_on=made_on, gap=gap, gap_record=gap_record
    )
