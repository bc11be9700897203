"""The unexpired Entra credentials with the key of a vault's certificate, counted by key in one pass and not in pairs."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.sql import Sources
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_LISTS = (*TABLES["application"].listed_by, *TABLES["service_principal"].listed_by)
_KEYLESS = "(stored.public_key_sha256 IS NULL AND stored.unknown['public_key_sha256'] IS NULL)"
_UNSEEN = "coalesce(stored.unknown['public_key_sha256'], unlisted.reason)"

_MOST = "CASE WHEN {keyless} THEN 0 WHEN {unseen} IS NULL THEN coalesce(on_key.{0}, 0) + unshown.{0} END"
_CREDENTIALS = (
    "coalesce(on_key.certain, 0)",
    _MOST.format("possible", keyless=_KEYLESS, unseen=_UNSEEN),
)
_IDENTITIES = (
    "coalesce(on_key.certain_identities, 0)",
    _MOST.format("identities", keyless=_KEYLESS, unseen=_UNSEEN),
)

COLUMNS = {
    "live_credentials": f"{_CREDENTIALS[0]} AS live_credentials_min, {_CREDENTIALS[1]} AS live_credentials_max",
    "live_identities": f"{_IDENTITIES[0]} AS live_identities_min, {_IDENTITIES[1]} AS live_identities_max",
}
"""The number of credentials and of identities; an application and its own service principal are one."""


def _doubt(bounds: tuple[str, str]) -> str:
    least, most = bounds
    return f"CASE WHEN {most} = {least} THEN NULL ELSE coalesce({_UNSEEN}, unshown.doubt, on_key.doubt) END"


REASONS = {"live_credentials": _doubt(_CREDENTIALS), "live_identities": _doubt(_IDENTITIES)}
"""SQL: why the bounds of one of these columns differ."""


def relations(sources: Sources, as_of: int) -> dict[str, str]:
    """The relations that these columns depend on, to be joined to `stored`, a certificate.

    on_key      credentials whose certificate is on its key
    unshown     one row: those whose certificate Graph does not show; each may be of any key, with any thumbprint
    unlisted    one row: why a credential may be missing, `reason`; NULL where all were listed
    """
    of = "GROUP BY digest"
    totals = """sum(certain)::BIGINT AS certain, sum(possible)::BIGINT AS possible, count(*) AS identities,
            greatest(count(whose) FILTER (WHERE certain > 0), (sum(certain) > 0)::BIGINT) AS certain_identities,
            min(doubt) AS doubt"""
    return {
        "on_key": f"""
        LEFT JOIN (SELECT digest, {totals} FROM ({_digests(sources, as_of)}) WHERE shown {of}) AS on_key
            ON on_key.digest = stored.public_key_sha256""",
        "unshown": f"""
        CROSS JOIN (
            SELECT coalesce(sum(possible), 0)::BIGINT AS possible, count(DISTINCT coalesce(whose, nameless)) AS identities,
                min(unshown) AS doubt
            FROM ({_digests(sources, as_of)}) WHERE NOT shown
        ) AS unshown""",
        "unlisted": f"""
        CROSS JOIN (
            SELECT CASE WHEN count(DISTINCT operation) < {len(_LISTS)} THEN '{Reason.INTERRUPTED}'
                ELSE min(reason) FILTER (WHERE state <> 'assessed') END AS reason
            FROM coverage WHERE operation IN ({", ".join(map(quoted, _LISTS))})
        ) AS unlisted""",
    }


def _digests(sources: Sources, as_of: int) -> str:
    # A row per digest and identity. Entra's own signing certificates cannot be used to sign in.
    live = f"""unknown['kind'] IS NULL AND unknown['usage'] IS NULL AND CASE
            WHEN expires_on IS NOT NULL THEN expires_on > {as_of} WHEN unknown['expires_on'] IS NULL THEN true END"""
    each = f"""
        SELECT unknown['public_key_sha256'] IS NULL AS shown, public_key_sha256 AS digest,
            unknown['public_key_sha256'] AS unshown, {sources.sql.lower("app_id")} AS whose,
            CASE WHEN app_id IS NULL THEN holder_id END AS nameless,
            coalesce(unknown['kind'], unknown['expires_on'], unknown['usage'], unknown['app_id']) AS doubt, {live} AS certain
        FROM {sources["credential"]}
        WHERE (public_key_sha256 IS NOT NULL OR unknown['public_key_sha256'] IS NOT NULL)
            AND usage IS DISTINCT FROM 'Sign' AND (expires_on IS NULL OR expires_on > {as_of})"""
    return f"""
        SELECT shown, digest, whose, nameless, count(*) FILTER (WHERE certain) AS certain, count(*) AS possible,
            min(unshown) AS unshown, min(doubt) AS doubt
        FROM ({each}) GROUP BY shown, digest, whose, nameless"""
