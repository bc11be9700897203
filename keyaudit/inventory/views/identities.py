"""How many other identities have a certificate on the same key: counted by key in one pass, never pair by pair."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

_UNSHOWN = "stored.unknown['public_key_sha256']"
_NO_CERTIFICATE = f"(stored.public_key_sha256 IS NULL AND {_UNSHOWN} IS NULL)"

LEAST = "greatest(coalesce(alike.known, 0) - 1, 0)"
"""The lower bound of the count; one whose identity is unknown may be any of the known ones.

Only the key itself proves that two are the same: a thumbprint is whatever its author wrote.
"""


def most(unlisted: str) -> str:
    """The upper bound; NULL for none. `unlisted` is why a holder may be missing, NULL where none is."""
    return f"""CASE WHEN {_NO_CERTIFICATE} THEN 0 WHEN {_UNSHOWN} IS NULL AND {unlisted} IS NULL
        THEN alike.known + alike.nameless - 1 + unshown.identities END"""


def doubt(unlisted: str) -> str:
    """Why the bounds differ; NULL where they do not."""
    return f"""CASE WHEN {most(unlisted)} = {LEAST} THEN NULL
        ELSE coalesce({_UNSHOWN}, {unlisted}, unshown.doubt, alike.doubt) END"""


def relations(source: str, identity: str) -> dict[str, str]:
    """The relations `alike` and `unshown`, to be joined to `stored`, a row of `source`.

    `identity` is SQL over a relation {0}: whose it is, NULL where that is unknown; then its `holder_id` tells it apart.
    """
    whose = identity.format("each")
    # Grouped twice, which is three times as fast as to count what is distinct.
    holders = f"""
        SELECT digest, whose, CASE WHEN whose IS NULL THEN holder_id END AS nameless, min(doubt) AS doubt
        FROM (
            SELECT each.public_key_sha256 AS digest, {whose} AS whose, each.holder_id, each.unknown['app_id'] AS doubt
            FROM {source} AS each
        ) WHERE digest IS NOT NULL GROUP BY ALL"""
    return {
        "alike": f"""
        LEFT JOIN (
            SELECT digest, count(whose) AS known, count(nameless) AS nameless, min(doubt) FILTER (whose IS NULL) AS doubt
            FROM ({holders}) GROUP BY digest
        ) AS alike ON alike.digest = stored.public_key_sha256""",
        "unshown": f"""
        CROSS JOIN (
            SELECT count(DISTINCT coalesce({whose}, each.holder_id)) AS identities,
                min(each.unknown['public_key_sha256']) AS doubt
            FROM {source} AS each WHERE each.unknown['public_key_sha256'] IS NOT NULL
        ) AS unshown""",
    }
