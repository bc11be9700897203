"""The view of token-signing certificates."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views import federation, identities

_LISTS = ("service_principal.list", "domain.federation", "external_federation.list")
_MAPPINGS = ("claims_mapping.list",)
_UNMAPPED = f"""CASE WHEN mapped.holder_id IS NULL AND stored.kind NOT IN ('federated-domain', 'external-idp')
    THEN coalesce({gap("policies")}, unassigned.doubt) END"""
"""SQL: why a claims-mapping policy may be assigned. An external provider has no service principal to assign one to."""
_OTHERS_UNREAD = """CASE WHEN stored.kind = 'federated-domain' AND NOT stored.is_next
    THEN domain.unknown['has_next_certificate'] END"""
"""SQL: why its holder may have more certificates; each holder is listed with all of them."""


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    groups = f"""
        SELECT holder_id, max(expires_on) AS latest, bool_or(expires_on IS NULL AND unknown['expires_on'] IS NULL) AS endless,
            min(unknown['expires_on']) AS doubt
        FROM {sources["signing_certificate"]} GROUP BY holder_id"""
    later = "stored.expires_on IS NOT NULL AND (groups.endless OR groups.latest > stored.expires_on)"
    # Nothing can expire after a certificate without an expiration date.
    doubt = f"""CASE WHEN stored.unknown['expires_on'] IS NOT NULL THEN stored.unknown['expires_on']
        WHEN stored.expires_on IS NULL OR {later} THEN NULL ELSE coalesce({_OTHERS_UNREAD}, groups.doubt) END"""
    # Who signs with it: an application, a domain or an identity provider.
    app_id = sources.sql.lower("{0}.app_id")
    identity = f"CASE WHEN {{0}}.unknown['app_id'] IS NULL THEN coalesce({app_id}, {{0}}.holder_id) END"
    doubts = {
        "has_successor": doubt,
        "same_elsewhere": identities.doubt(gap("signers")),
        "claims_mapped": _UNMAPPED,
        **federation.DOUBTS,
    }
    mappings = f"SELECT * FROM {sources['token_policy']} WHERE kind = 'claims-mapping'"
    return f"""
        SELECT {stored("signing_certificate", "stored")},
            CASE WHEN {later} THEN true WHEN {doubt} IS NULL THEN false END AS has_successor,
            {identities.LEAST} AS same_elsewhere_min, {identities.most(gap("signers"))} AS same_elsewhere_max,
            CASE WHEN mapped.holder_id IS NOT NULL THEN true WHEN {_UNMAPPED} IS NULL THEN false END AS claims_mapped,
            {federation.COLUMNS},
            {extended(sources.sql, doubts)}
        FROM {sources["signing_certificate"]} AS stored
        JOIN ({groups}) AS groups ON groups.holder_id = stored.holder_id
        {" ".join(identities.relations(sources["signing_certificate"], identity).values())}
        LEFT JOIN (SELECT DISTINCT {sources.sql.each("applies_to")} AS holder_id FROM ({mappings})) AS mapped
            ON mapped.holder_id = stored.holder_id
        CROSS JOIN (SELECT min(unknown['applies_to']) AS doubt FROM ({mappings})) AS unassigned
        LEFT JOIN ({read_to_the_end(_MAPPINGS)}) AS policies ON policies.scope_id = stored.scope_id
        {federation.joins(sources)}
        LEFT JOIN ({read_to_the_end(_LISTS)}) AS signers ON signers.scope_id = stored.scope_id
"""
