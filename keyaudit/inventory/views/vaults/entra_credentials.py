"""The unexpired Entra credentials with the key of a vault's certificate, counted by key in one pass and not in pairs."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Doubt
from keyaudit.inventory.facts.joins import Reads
from keyaudit.inventory.facts.relation import Rows, by_hand, rows_read
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

ENTRA = ("application.list", "service_principal.list")
"""The lists with certificates of applications and service principals."""
_LISTS = (*TABLES["application"].listed_by, *TABLES["service_principal"].listed_by)


def facts(rows: Rows, as_of: int) -> dict[str, Count]:
    """The number of credentials and of identities; an application and its own service principal are one."""
    on_key, unshown, unlisted = _relations(rows, as_of)
    key = rows["public_key_sha256"]
    keyless = f"({key.value} IS NULL AND {key.doubt.sql} IS NULL)"
    # A certificate that a plan makes has a new key, which nothing else in the tenant has; only its thumbprint is not known yet.
    thumbprint = rows["thumbprint"].why
    new = f"{key.value} IS NOT NULL AND {thumbprint.sql} = '{Reason.NOT_IN_PLAN}'"
    elsewhere = f"CASE WHEN {new} THEN nullif(unlisted.reason, '{Reason.NOT_IN_PLAN}') ELSE unlisted.reason END"
    unseen = key.doubt | Doubt((elsewhere,), unlisted | thumbprint.reads)
    doubt = unseen | Doubt(("unshown.doubt", "on_key.doubt"), unshown | on_key)

    def count(certain: str, possible: str) -> Count:
        most = f"coalesce(on_key.{possible}, 0) + unshown.{possible}"
        return Count(
            f"coalesce(on_key.{certain}, 0)",
            f"CASE WHEN {keyless} THEN 0 WHEN {unseen.sql} IS NULL THEN {most} END",
            doubt,
            on_key | unshown,
        )

    return {"live_credentials": count("certain", "possible"), "live_identities": count("certain_identities", "identities")}


def _relations(rows: Rows, as_of: int) -> tuple[Reads, Reads, Reads]:
    """The relations that these columns depend on, to be joined to `rows`, certificates.

    on_key      credentials whose certificate is on its key
    unshown     one row: those whose certificate Graph does not show; each may be of any key, with any thumbprint
    unlisted    one row: why a credential may be missing, `reason`; NULL where all were listed
    """
    sources, of = rows.sources, "GROUP BY digest"
    totals = """sum(certain)::BIGINT AS certain, sum(possible)::BIGINT AS possible, count(*) AS identities,
            greatest(count(whose) FILTER (WHERE certain > 0), (sum(certain) > 0)::BIGINT) AS certain_identities,
            min(doubt) AS doubt"""
    on_key = f"""
        LEFT JOIN (SELECT digest, {totals} FROM ({_digests(sources, as_of)}) WHERE shown {of}) AS on_key
            ON on_key.digest = {rows.alias}.public_key_sha256"""
    unshown = f"""
        CROSS JOIN (
            SELECT coalesce(sum(possible), 0)::BIGINT AS possible, count(DISTINCT coalesce(whose, nameless)) AS identities,
                min(unshown) AS doubt
            FROM ({_digests(sources, as_of)}) WHERE NOT shown
        ) AS unshown"""
    unlisted = f"""
        CROSS JOIN (
            SELECT CASE WHEN count(DISTINCT operation) < {len(_LISTS)} THEN '{Reason.INTERRUPTED}'
                ELSE min(reason) FILTER (WHERE state <> 'assessed') END AS reason
            FROM coverage WHERE operation IN ({", ".join(map(quoted, _LISTS))})
        ) AS unlisted"""
    read = ("public_key_sha256", "app_id", "kind", "expires_on", "usage")
    credentials = rows_read("credential", *read, of=ENTRA)
    return by_hand("on_key", on_key) | credentials, by_hand("unshown", unshown) | credentials, by_hand("unlisted", unlisted)


def _digests(sources: Sources, as_of: int) -> str:
    # A row per digest and identity. Entra's own signing certificates cannot be used to sign in.
    each = f"""
        SELECT unknown['public_key_sha256'] IS NULL AS shown, public_key_sha256 AS digest,
            unknown['public_key_sha256'] AS unshown, {sources.sql.lower("app_id")} AS whose,
            CASE WHEN app_id IS NULL THEN holder_id END AS nameless,
            coalesce(unknown['kind'], unknown['expires_on'], unknown['usage'], unknown['app_id']) AS doubt,
            coalesce(unknown['kind'], unknown['expires_on'], unknown['usage']) IS NULL AS certain
        FROM {sources["credential"]}
        WHERE (public_key_sha256 IS NOT NULL OR unknown['public_key_sha256'] IS NOT NULL)
            AND usage IS DISTINCT FROM 'Sign' AND (expires_on IS NULL OR expires_on > {as_of})"""
    return f"""
        SELECT shown, digest, whose, nameless, count(*) FILTER (WHERE certain) AS certain, count(*) AS possible,
            min(unshown) AS unshown, min(doubt) AS doubt
        FROM ({each}) GROUP BY shown, digest, whose, nameless"""
