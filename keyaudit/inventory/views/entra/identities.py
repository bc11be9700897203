"""The number of other identities with a certificate of the same key, counted by key in one pass and not in pairs."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Doubt, Fact
from keyaudit.inventory.facts.joins import NOTHING, cells, inside
from keyaudit.inventory.facts.relation import Rows, by_hand
from keyaudit.inventory.load import quoted

EACH = "each"
"""The alias of the rows that are counted."""


def same_elsewhere(rows: Rows, whose: Fact, unlisted: Doubt, but_of: tuple[str, ...] = ()) -> Count:
    """For each of `rows`, the number of other identities that have its key. `whose`: the identity of one of the rows `EACH`;
    where it is unknown, each `holder_id` may be another one. `unlisted`: why a holder may be missing. `but_of`: kinds of rows
    that do not count as others.

    Only the key itself proves that two are the same: the author of a credential can choose its thumbprint.
    """
    key = rows["public_key_sha256"]
    counted = _counted(EACH, but_of)
    one = f"CASE WHEN {_counted(rows.alias, but_of)} THEN 1 ELSE 0 END" if but_of else "1"
    # Written by hand, because it is grouped twice: that is three times as fast as COUNT(DISTINCT).
    holders = f"""
        SELECT digest, whose, CASE WHEN whose IS NULL THEN holder_id END AS nameless, min(doubt) AS doubt
        FROM (
            SELECT each.public_key_sha256 AS digest, {whose.value} AS whose, each.holder_id, {whose.doubt.sql} AS doubt
            FROM {rows.sources[rows.table]} AS {EACH} WHERE {counted}
        ) WHERE digest IS NOT NULL GROUP BY 1, 2, 3"""
    alike = f"""
        LEFT JOIN (
            SELECT digest, count(whose) AS known, count(nameless) AS nameless, min(doubt) FILTER (WHERE whose IS NULL) AS doubt
            FROM ({holders}) GROUP BY digest
        ) AS alike ON alike.digest = {key.value}"""
    unshown = f"""
        CROSS JOIN (
            SELECT count(DISTINCT coalesce({whose.value}, each.holder_id)) AS identities,
                min(each.unknown['public_key_sha256']) AS doubt
            FROM {rows.sources[rows.table]} AS {EACH} WHERE each.unknown['public_key_sha256'] IS NOT NULL AND {counted}
        ) AS unshown"""
    of_others = cells(f"{rows.table}.kind") if but_of else NOTHING
    reads = by_hand("alike", alike) | by_hand("unshown", unshown) | inside(whose.everything) | of_others
    unseen = key.doubt | unlisted
    # An unknown identity may be one of the known ones. `greatest` skips NULL, so that without a key there are none.
    return Count(
        f"greatest(alike.known - {one}, 0)",
        f"""CASE WHEN {key.value} IS NULL AND {key.doubt.sql} IS NULL THEN 0
            WHEN {unseen.sql} IS NULL THEN coalesce(alike.known + alike.nameless - {one}, 0) + unshown.identities END""",
        unseen | Doubt(("unshown.doubt", "alike.doubt"), reads),
        reads | unlisted.reads,
    )


def _counted(alias: str, but_of: tuple[str, ...]) -> str:
    # Only the kind of what an application has may be unknown.
    return f"coalesce({alias}.kind NOT IN ({', '.join(map(quoted, but_of))}), true)" if but_of else "true"
