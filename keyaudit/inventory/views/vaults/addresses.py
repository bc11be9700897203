"""Common to what names an object of a vault by its address: why there may be such an object that was not read."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Sequence

from keyaudit.inventory.facts.fact import Doubt, Fact
from keyaudit.inventory.facts.joins import cells, inside, lists
from keyaudit.inventory.facts.relation import Rows, because, by_hand, one, unread
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import VAULTS_FOUND


def vault_of(rows: Rows, address: Fact) -> Fact:
    """The id of the vault of an address, once in a view; unknown if it was not read."""
    host = f"regexp_extract({rows.sources.sql.lower('vault_uri')}, '^https://([^/:]+)', 1)"
    by_address = f"""(SELECT {host} AS address, min(id) AS id FROM {rows.sources["vault"]}
        WHERE vault_uri IS NOT NULL GROUP BY 1)"""
    # Written by hand, because a gap in any scope may hide the vault.
    unseen = f"""
        CROSS JOIN (
            SELECT min(reason) AS reason FROM coverage
            WHERE operation IN ({", ".join(map(quoted, VAULTS_FOUND))}) AND state <> 'assessed'
        ) AS unseen"""
    return one(
        Rows(rows.sources, "vault", "vault", by_address),
        key=address.map(lambda address: f"split_part({address}, '/', 3)"),
        missing=Doubt(("unseen.reason",), by_hand("unseen", unseen) | lists(*VAULTS_FOUND)) | because(Reason.NOT_VISIBLE),
        by=Fact("vault.address", reads=inside(cells("vault.vault_uri"), vault=VAULTS_FOUND)),
    )["id"]


def unlisted(vault: Fact, alias: str, *lists: Sequence[str]) -> Doubt:
    """Why a vault may have such an object that was not read: `lists` are the operations that list them."""
    return vault.why | unread(alias, *lists, scope=vault.value, needs=vault.reads, unbegun=Reason.PARENT_NOT_ASSESSED)
