"""The vaults that a principal which may write vaults in a scope can give itself access to: those under access policies.

Under Azure RBAC, to write a vault grants nothing, and to change its access model takes the right to assign roles.
https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy and .../rbac-migration
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from dataclasses import dataclass

from keyaudit.inventory.facts.fact import Doubt, Fact, Truth
from keyaudit.inventory.facts.joins import inside, lists
from keyaudit.inventory.facts.relation import by_hand, rows_read
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, VAULTS_FOUND


@dataclass(frozen=True, slots=True)
class Written:
    """The vaults under access policies in the scope of a row."""

    names: Fact
    """The sorted list of those that are known."""
    unread: Doubt
    """Why there may be others."""
    some: Truth
    """Whether there is one."""


def written(sources: Sources, scope: Fact, scopes: str) -> Written:
    """Those in the scope of a row. `scopes`: SQL of all scopes that are asked for."""
    clause = f"LEFT JOIN ({_vaults(sources, scopes)}) AS written ON written.scope = {scope.value}"
    needs = inside(rows_read("vault", "access_model", "name") | rows_read("subscription", "management_groups"))
    reads = by_hand("written", clause, scope.reads) | needs | lists(*VAULTS_FOUND)
    unread = scope.why | Doubt(("written.why",), reads)
    names = f"coalesce(written.vaults, {sources.sql.texts(())})"
    some = f"(CASE WHEN {sources.sql.size(names)} > 0 THEN true WHEN {unread.sql} IS NULL THEN false END)"
    return Written(Fact(names, reads=reads), unread, Truth(some, unread, exact=False, reads=reads))


def unlisted(scope: str) -> str:
    """Joins of `listed` and `unlisted`, for `unseen`; `scope`: SQL of a scope, which vaults may be missing in."""
    gaps = f"SELECT scope_id, reason FROM coverage WHERE operation = {quoted(VAULTS_FOUND[2])} AND state <> 'assessed'"
    return f"""
        CROSS JOIN (
            SELECT bool_and(whole) AS whole, min(reason) AS reason FROM ({read_to_the_end(VAULTS_FOUND[:2])})
        ) AS listed
        LEFT JOIN (
            SELECT scope_id, min(reason) AS reason FROM ({gaps}) GROUP BY scope_id
            UNION ALL SELECT '', min(reason) FROM ({gaps})
        ) AS unlisted ON unlisted.scope_id = coalesce(regexp_extract({scope}, '^/subscriptions/[^/]+', 0), '')"""


UNSEEN = f"coalesce({gap('listed')}, unlisted.reason)"
"""SQL: why vaults in the scope may not have been listed; the list of another subscription does not matter."""


def places(sources: Sources, vaults: str, columns: str, above: str) -> str:
    """SQL of `columns` of the vaults at each scope around them, and why they may not be there.

    `vaults`: their relation, with `subscription` and `resource_group`, the ids of these; `above`: the relation with the
    management groups that may be above a subscription whose own ones are unknown.
    """
    scopes = sources.sql.items("'/'", "inner_vault.subscription", "inner_vault.resource_group", "inner_vault.id")
    return f"""
        SELECT {columns}, {sources.sql.each(scopes)} AS scope, CAST(NULL AS STRING) AS doubt FROM {vaults} AS inner_vault
        UNION ALL
        SELECT {columns}, {sources.sql.each("place.management_groups")}, NULL FROM {vaults} AS inner_vault
        JOIN {sources["subscription"]} AS place ON place.id = inner_vault.subscription
        UNION ALL
        SELECT {columns}, above.scope, coalesce(place.unknown['management_groups'], '{Reason.PARENT_NOT_ASSESSED}')
        FROM {vaults} AS inner_vault LEFT JOIN {sources["subscription"]} AS place ON place.id = inner_vault.subscription
        CROSS JOIN ({above}) AS above
        WHERE place.management_groups IS NULL"""


def _vaults(sources: Sources, scopes: str) -> str:
    """By scope, the known vaults under access policies in it, and why there may be others."""
    vaults = f"""(SELECT id, name AS vault_name, unknown['name'] AS nameless,
        access_model, unknown['access_model'] AS modelless,
        '/subscriptions/' || subscription_id AS subscription, split_part(id, '/providers/', 1) AS resource_group
        FROM {sources["vault"]} WHERE kind = '{KEY_VAULT}')"""
    groups = f"SELECT scope FROM ({scopes}) WHERE scope LIKE '/providers/microsoft.management/%'"
    at = places(sources, vaults, "vault_name, nameless, access_model, modelless", groups)
    model = "place.access_model = 'access-policy'"
    doubt = f"coalesce(place.modelless, CASE WHEN {model} THEN coalesce(place.doubt, place.nameless) END)"
    return f"""
        SELECT asked.scope, {sources.sql.distinct("place.vault_name", f"{model} AND place.doubt IS NULL")} AS vaults,
            coalesce(min({doubt}), min({UNSEEN})) AS why
        FROM ({scopes}) AS asked LEFT JOIN ({at}) AS place ON place.scope = asked.scope {unlisted("asked.scope")}
        GROUP BY asked.scope"""
