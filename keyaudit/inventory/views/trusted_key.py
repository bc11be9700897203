"""Whether Entra still publishes a key that a service trusts: yes if any key set has it, no only if all were read."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources, extended, stored
from keyaudit.inventory.load import quoted
from keyaudit.model.entra import CONSUMERS, ISSUING_HOSTS
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.tables.relying_parties import PUBLISHED

_READ = ", ".join(map(quoted, (*SHARED_AUTHORITIES, CONSUMERS, "{tenantid}")))

# A certificate identifies a key. Only keys without a certificate are compared by kid.
_SAME = """(stored.thumbprint = published.thumbprint OR stored.key_id = published.key_id AND (
    stored.thumbprint IS NULL AND stored.unknown['thumbprint'] IS NULL
    OR published.thumbprint IS NULL AND published.unknown['thumbprint'] IS NULL))"""
_MAY_BE = """(published.unknown['thumbprint'] IS NOT NULL AND (
    stored.key_id = published.key_id OR stored.key_id IS NULL AND stored.thumbprint IS NOT NULL))"""


# Keys of other issuers and of other tenants were not read.
def _elsewhere(sql: DuckDB) -> str:
    host = f"regexp_extract({sql.lower('stored.token_issuer')}, '^https://([^/?#]+)', 1)"
    tenant = sql.lower("split_part(stored.token_issuer, '/', 4)")
    return f"""CASE
    WHEN stored.unknown['token_issuer'] IS NOT NULL THEN stored.unknown['token_issuer']
    WHEN stored.token_issuer IS NULL THEN NULL
    WHEN {host} NOT IN ({", ".join(map(quoted, ISSUING_HOSTS))}) THEN '{Reason.NOT_SUPPLIED}'
    WHEN {tenant} NOT IN ({_READ}, split_part(stored.scope_id, '/', 3)) THEN '{Reason.OTHER_TENANT}' END"""


_UNNAMED = f"""coalesce(stored.unknown['thumbprint'], stored.unknown['key_id'],
    CASE WHEN stored.thumbprint IS NULL AND stored.key_id IS NULL THEN '{Reason.BAD_ITEM}' END)"""

# A key set that the cloud does not have is empty.
_GAP = f"""SELECT scope_id, count(*) = {len(PUBLISHED)} AS all_tried,
        min_by(reason, operation) FILTER (WHERE state <> 'assessed' AND reason <> '{Reason.NOT_IN_CLOUD}') AS reason
    FROM coverage WHERE operation IN ({", ".join(map(quoted, PUBLISHED))}) GROUP BY scope_id"""


def view(sources: Sources) -> str:
    """The stored columns with `published`."""
    own, shared = sources["issuer_key"], sources["shared_key"]
    doubt = f"""coalesce({_UNNAMED}, {_elsewhere(sources.sql)}, found.doubt, gaps.reason,
        CASE WHEN gaps.all_tried THEN NULL ELSE '{Reason.INTERRUPTED}' END)"""
    return f"""
        SELECT {stored("trusted_key", "stored")},
            CASE WHEN found.same THEN true WHEN {doubt} IS NULL THEN false END AS published,
            {extended(sources.sql, {"published": f"CASE WHEN NOT coalesce(found.same, false) THEN {doubt} END"})}
        FROM {sources["trusted_key"]} AS stored
        LEFT JOIN (
            SELECT stored.id, bool_or({_SAME}) AS same, min(published.unknown['thumbprint']) FILTER (WHERE {_MAY_BE}) AS doubt
            FROM {sources["trusted_key"]} AS stored, (
                SELECT key_id, thumbprint, unknown FROM {own} WHERE kind <> 'b2c'
                UNION ALL SELECT key_id, thumbprint, unknown FROM {shared}
            ) AS published
            GROUP BY stored.id
        ) AS found ON found.id = stored.id
        LEFT JOIN ({_GAP}) AS gaps ON gaps.scope_id = stored.scope_id"""
