"""Adds custody records to views: custody that Azure does not show, and contradictions between records and Azure.

A record is valid until the end of its last day.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections.abc import Callable, Mapping

from keyaudit.inventory.facts.sql import Sources, stored
from keyaudit.model.custody import Kept
from keyaudit.model.tables.key import OUTSIDE
from keyaudit.model.times import DAY


def _valid(sources: Sources, as_of: int) -> str:
    return f"(SELECT * FROM {sources['custody_record']} WHERE valid_until + {DAY} > {as_of})"


def _signing_certificates(query: str, sources: Sources, as_of: int) -> str:
    """Of several records of one certificate the weaker one counts: software."""
    records = f"""SELECT name, max(kept_in) AS kept_in FROM {_valid(sources, as_of)}
        WHERE kept_in <> '{Kept.SECURITY_DOMAIN}' GROUP BY name"""
    return f"""
        SELECT made.*, greatest(by_sha1.kept_in, by_sha256.kept_in) AS custody_record FROM ({query}) AS made
        LEFT JOIN ({records}) AS by_sha1 ON by_sha1.name = upper(made.thumbprint)
        LEFT JOIN ({records}) AS by_sha256 ON by_sha256.name = upper(made.thumbprint_sha256)"""


def _vaults(query: str, sources: Sources, as_of: int) -> str:
    records = f"""SELECT name, max(recorded_on) AS recorded_on FROM {_valid(sources, as_of)}
        WHERE kept_in = '{Kept.SECURITY_DOMAIN}' GROUP BY name"""
    return f"""
        SELECT made.*, CASE WHEN made.kind = 'managed-hsm' THEN greatest(by_name.recorded_on, by_id.recorded_on)
            END AS security_domain_recorded_on FROM ({query}) AS made
        LEFT JOIN ({records}) AS by_name ON by_name.name = split_part(made.id, '/', -1)
        LEFT JOIN ({records}) AS by_id ON by_id.name = made.id"""


def view(sources: Sources) -> str:
    """The records, with Azure's custody of the same key; if versions differ, software, because it can be copied."""
    held = f"""
        SELECT {sources.sql.lower("key_id")} AS name, custody FROM {sources["key"]}
        UNION ALL SELECT {sources.sql.lower("id")}, custody FROM {sources["key"]}
        UNION ALL SELECT upper(thumbprint), key_custody FROM ({_certificates(sources)})
        UNION ALL SELECT upper(thumbprint_sha256), key_custody FROM ({_certificates(sources)})"""
    told = f"""SELECT name, CASE WHEN bool_or(custody = 'software') THEN 'software'
            WHEN bool_and(custody IN ('vault-hsm', 'managed-hsm', '{OUTSIDE}')) THEN 'hsm' END AS azure_custody
        FROM ({held}) WHERE name IS NOT NULL AND custody IS NOT NULL GROUP BY name"""
    return f"""
        SELECT {stored("custody_record", "stored")}, told.azure_custody, stored.unknown
        FROM {sources["custody_record"]} AS stored LEFT JOIN ({told}) AS told ON told.name = stored.name"""


def _certificates(sources: Sources) -> str:
    return f"""SELECT thumbprint, thumbprint_sha256, CASE WHEN kty LIKE '%-HSM' THEN 'vault-hsm'
        WHEN kty IS NOT NULL THEN 'software' END AS key_custody FROM {sources["certificate"]}"""


EXTENDED: Mapping[str, Callable[[str, Sources, int], str]] = {
    "signing_certificate": _signing_certificates,
    "vault": _vaults,
}
"""By table, the function that adds the column from records to its view query, given the sources and `as_of`."""
