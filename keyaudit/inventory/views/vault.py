"""The view of vaults."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored, tag
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.tables import TABLES

_KEYS_OF_A_VAULT = tuple(operation for operation in TABLES["key"].listed_by if OPERATIONS[operation].surface is Surface.VAULT)


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # One enabled version that can sign settles it. That none does needs every version, and every version's answer.
    signing = f"""
        SELECT vault_id, bool_or(signs) AS signs,
            min(CASE WHEN enabled IS NULL THEN unknown['enabled'] ELSE unknown['key_ops'] END) FILTER (signs IS NULL) AS doubt
        FROM (SELECT vault_id, enabled, unknown, enabled AND list_contains(key_ops, 'sign') AS signs FROM {sources["key"]})
        GROUP BY vault_id"""
    doubt = f"CASE WHEN signing.signs THEN NULL ELSE coalesce({gap('listed')}, signing.doubt) END"
    return f"""
        SELECT {stored("vault", "stored")}, {tag("stored")} AS environment,
            CASE WHEN signing.signs THEN true WHEN {doubt} IS NULL THEN false END AS holds_signing_key,
            {extended({"environment": "stored.unknown['tags']", "holds_signing_key": doubt})}
        FROM {sources["vault"]} AS stored
        LEFT JOIN ({signing}) AS signing ON signing.vault_id = stored.id
        LEFT JOIN ({read_to_the_end(_KEYS_OF_A_VAULT)}) AS listed ON listed.scope_id = stored.id"""
