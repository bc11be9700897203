"""The view of certificates, by version."""

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.views import in_entra, sql, versions
from keyaudit.inventory.views.sql import Sources, Wanted
from keyaudit.model.reasons import Reason
from keyaudit.model.times import MAX_TIME

_UNKNOWN = "stored.unknown"
_BY_KTY = "CASE WHEN stored.kty LIKE '%-HSM' THEN 'vault-hsm' WHEN stored.kty IN ('RSA', 'EC') THEN 'software' END"

# The key's own custody is used if the key was read, even if it is unknown there.
CUSTODY_DOUBT = f"""CASE WHEN held.custody IS NOT NULL THEN NULL
    WHEN held.unknown['custody'] = '{Reason.UNRECOGNISED}' OR {_BY_KTY} IS NULL
    THEN coalesce(held.unknown['custody'], {_UNKNOWN}['kty'], '{Reason.UNRECOGNISED}') END"""

CUSTODY = f"CASE WHEN {CUSTODY_DOUBT} IS NULL THEN coalesce(held.custody, {_BY_KTY}) END"
"""SQL: the custody of `stored`, a certificate whose key version is `held`; NULL if unknown."""

# RFC 5280, 4.2.1.12: without the extension, or with anyExtendedKeyUsage, the key may be used for every purpose.
_PURPOSE_DOUBT = f"CASE WHEN stored.is_ca IS NULL THEN {_UNKNOWN}['is_ca'] WHEN NOT stored.is_ca THEN {_UNKNOWN}['ekus'] END"
_PURPOSE = f"""CASE WHEN stored.is_ca THEN 'ca'
    WHEN stored.is_ca IS NULL OR {_UNKNOWN}['ekus'] IS NOT NULL THEN NULL
    WHEN array_contains(stored.ekus, '1.3.6.1.5.5.7.3.3') THEN 'code-signing'
    WHEN stored.ekus IS NULL OR array_contains(stored.ekus, '2.5.29.37.0') THEN 'any'
    WHEN array_contains(stored.ekus, '1.3.6.1.5.5.7.3.1') THEN 'server'
    WHEN array_contains(stored.ekus, '1.3.6.1.5.5.7.3.2') THEN 'client'
    ELSE 'other' END"""
_INTEGRATED = "coalesce(stored.issuer_name, 'Unknown') NOT IN ('Self', 'Unknown')"
_PUBLIC_TLS_DOUBT = f"coalesce({_PURPOSE_DOUBT}, CASE WHEN {_PURPOSE} = 'server' THEN {_UNKNOWN}['issuer_name'] END)"


def view(sources: Sources, as_of: int, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    doubts = {
        **versions.reasons(sources.sql),
        **in_entra.REASONS,
        "custody": CUSTODY_DOUBT,
        "purpose": _PURPOSE_DOUBT,
        "public_tls": _PUBLIC_TLS_DOUBT,
        "renews_on": _renewal_doubt(),
    }
    public_tls = f"CASE WHEN {_PUBLIC_TLS_DOUBT} IS NULL THEN {_PURPOSE} = 'server' AND {_INTEGRATED} END"
    columns = {
        **versions.columns(sources.sql),
        **in_entra.COLUMNS,
        "custody": f"{CUSTODY} AS custody",
        "purpose": f"{_PURPOSE} AS purpose",
        "public_tls": f"{public_tls} AS public_tls",
        "renews_on": f"""
            CASE WHEN stored.auto_renews AND {_renewal_doubt()} IS NULL THEN {_renewal(sources.sql)} END AS renews_on""",
    }
    joins = {
        **versions.relations(sources, "certificate", "certificate_id"),
        "held": f"LEFT JOIN {sources['key']} AS held ON held.id = stored.key_version_id",
        **in_entra.relations(sources, as_of),
    }
    return sql.view("certificate", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def _renewal(dialect: DuckDB) -> str:
    # A percentage of its validity from its start; the product could exceed 64 bits, which would fail the query.
    activates, expires = map(dialect.wide, ("stored.activates_on", "stored.expires_on"))
    share = versions.bounded(f"({expires} - stored.activates_on) * stored.renews_at_percentage", 100 * (2 * MAX_TIME - 1))
    first = f"least({expires} - stored.renews_before_expiry, {activates} + {dialect.quotient(share, 100)})"
    return f"CAST({versions.bounded(first)} AS BIGINT)"


def _renewal_doubt() -> str:
    """Each date matters only for the action that depends on it."""
    dates = f"{_UNKNOWN}['activates_on'], {_UNKNOWN}['expires_on']"
    return f"""CASE WHEN stored.auto_renews IS NOT FALSE THEN coalesce(
        {_UNKNOWN}['auto_renews'], {_UNKNOWN}['renews_before_expiry'], {_UNKNOWN}['renews_at_percentage'],
        CASE WHEN stored.renews_at_percentage IS NOT NULL THEN coalesce({dates}) END,
        CASE WHEN stored.renews_before_expiry IS NOT NULL THEN {_UNKNOWN}['expires_on'] END) END"""
