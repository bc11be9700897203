"""The number of other identities with a certificate of the same key, counted by key in one pass and not in pairs."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

_UNSHOWN = "stored.unknown['public_key_sha256']"
_NO_CERTIFICATE = f"(stored.public_key_sha256 IS NULL AND {_UNSHOWN} IS NULL)"

LEAST = "greatest(alike.known - 1, 0)"
"""SQL: the lower bound of the count; an unknown identity may be one of the known ones.

Only the key itself proves that two are the same: the author of a credential can choose its thumbprint. A row without a key has
none alike, and `greatest` skips NULL.
"""


def most(unlisted: str) -> str:
    """SQL: the upper bound; NULL for none. `unlisted`: why a holder may be missing, or NULL."""
    return f"""CASE WHEN {_NO_CERTIFICATE} THEN 0 WHEN {_UNSHOWN} IS NULL AND {unlisted} IS NULL
        THEN alike.known + alike.nameless - 1 + unshown.identities END"""


def doubt(unlisted: str) -> str:
    """SQL: why the bounds differ, or NULL."""
    return f"""CASE WHEN {most(unlisted)} = {LEAST} THEN NULL
        ELSE coalesce({_UNSHOWN}, {unlisted}, unshown.doubt, alike.doubt) END"""


def relations(source: str, identity: str) -> dict[str, str]:
    """The relations `alike` and `unshown`, to be joined to `stored`, a row of `source`.

    `identity` is SQL over a relation {0}: its identity, or NULL if unknown, when its `holder_id` is used.
    """
    whose = identity.format("each")
    # Grouped twice, which is three times as fast as COUNT(DISTINCT).
    holders = f"""
        SELECT digest, whose, CASE WHEN whose IS NULL THEN holder_id END AS nameless, min(doubt) AS doubt
        FROM (
            SELECT each.public_key_sha256 AS digest, {whose} AS whose, each.holder_id, each.unknown['app_id'] AS doubt
            FROM {source} AS each
        ) WHERE digest IS NOT NULL GROUP BY ALL"""
    return {
        "alike": f"""
        LEFT JOIN (
            SELECT digest, count(whose) AS known, count(nameless) AS nameless, min(doubt) FILTER (WHERE whose IS NULL) AS doubt
            FROM ({holders}) GROUP BY digest
        ) AS alike ON alike.digest = stored.public_key_sha256""",
        "unshown": f"""
        CROSS JOIN (
            SELECT count(DISTINCT coalesce({whose}, each.holder_id)) AS identities,
                min(each.unknown['public_key_sha256']) AS doubt
            FROM {source} AS each WHERE each.unknown['public_key_sha256'] IS NOT NULL
        ) AS unshown""",
    }
