"""Common to all reads from a vault itself."""

from collections.abc import Iterable

from keyaudit.cloud.addresses import vault_host
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.key_vault.vaults import is_gone
from keyaudit.collect.places import Vault
from keyaudit.collect.rows import Row
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.places import MANAGED_HSM

# The signs of a deleted vault on the data plane: its DNS name is gone, or nothing answers.
_GONE = frozenset({Reason.DNS, Reason.UNREACHABLE, Reason.TIMEOUT, Reason.VANISHED})


def bad_uri(vault: Vault, environment: Environment) -> Refusal | None:
    """Why a vault's data plane is not read: its URI must not lead to another vault. None if the URI is its own."""
    if isinstance(vault.uri, Refusal):
        return vault.uri
    try:
        suffix = environment.hsm_suffix if vault.kind == MANAGED_HSM else environment.vault_suffix
        host = vault_host(vault.uri, suffix)
    except ValueError as problem:
        return Refusal(Reason.BAD_VAULT_URI, str(problem))
    if host.partition(".")[0] != vault.name.lower():
        return Refusal(Reason.BAD_VAULT_URI, "another vault's address")
    return None


async def was_deleted(gateway: Gateway, vault: Vault, calls: Iterable[Calls]) -> bool:
    """Whether the vault was deleted during `calls`: their failures suggest it, and ARM confirms it."""
    return any(call.reasons & _GONE for call in calls) and await is_gone(gateway, vault)


def object_row(table: Table, vault: Vault, *, id_: str, resource_id: str, url: str, version: str) -> Row:
    """A row for an object in a vault, with the vault's columns."""
    row = Row(table, id=id_, resource_id=resource_id, scope_id=vault.scope.id, url=url, version=version)
    vault.put_place(row)
    row.put("vault_id", vault.scope.id)
    return row
