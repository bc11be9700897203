"""Deleted, recoverable objects: vaults and HSMs of a subscription, and the deleted content of existing vaults."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.key_vault.certificate_rows import thumbprint
from keyaudit.collect.key_vault.data_plane import bad_uri, object_row, was_deleted
from keyaudit.collect.key_vault.names import Named, named, object_id
from keyaudit.collect.places import Subscription, Vault, source, vault_id_parts
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM
from keyaudit.model.tables.vaults.deleted import DELETED

_PURGEABLE = "purgeable"


class _Kind(Struct, frozen=True):
    """A kind of object in a vault or Managed HSM: its name in paths, what its rows call it, the list of the deleted ones."""

    name: str
    row: str
    operation: str

    def named(self, item: "DeletedItem", uri: str) -> Named:
        """The name of an item; ValueError if it is not of this kind in the vault at `uri`."""
        return named(item.kid if self.name == "key" else item.id, uri, f"{self.name}s")

    def deleted_id(self, identifier: str, uri: str) -> str:
        """The normalised identifier of a deleted object; ValueError for other identifiers."""
        return object_id(uri, f"deleted{self.name}s", named(identifier, uri, f"deleted{self.name}s"))


_KINDS = {
    KEY_VAULT: tuple(_Kind(name, name, f"deleted_{name}.list") for name in ("key", "certificate", "secret")),
    MANAGED_HSM: (_Kind("key", "hsm-key", "hsm.deleted_key.list"),),
}
OBJECTS, OF_HSM = (tuple(kind.operation for kind in _KINDS[place]) for place in (KEY_VAULT, MANAGED_HSM))
_PLACES = (
    ("deleted_vault.list", KEY_VAULT, "deletedvaults"),
    ("deleted_hsm.list", MANAGED_HSM, "deletedmanagedhsms"),
)
"""By kind of vault, the list of deleted ones, and the resource type in their ids."""
VAULTS = tuple(operation for operation, _, _ in _PLACES)


@wired(DELETED)
class DeletedItem(Struct, rename="camel"):
    """A deleted key (`kid`), certificate or secret (`id`)."""

    id: str = ""
    kid: str = ""
    recovery_id: Wire = UNSET
    attributes: Wire = UNSET
    managed: Wire = UNSET
    x5t: Wire = UNSET


class Attributes(Struct, rename="camel"):
    """The attributes of a deleted object."""

    enabled: Wire = UNSET
    recovery_level: Wire = UNSET


class DeletedVault(Struct):
    """A deleted vault or Managed HSM."""

    id: str
    name: str
    properties: "DeletedVaultProperties"


class DeletedVaultProperties(Struct, rename="camel"):
    """Its properties. The id of the former vault or HSM is required."""

    vault_id: str = ""
    mhsm_id: str = ""
    location: Wire = UNSET
    deletion_date: Wire = UNSET
    scheduled_purge_date: Wire = UNSET
    purge_protection_enabled: Wire = UNSET

    @property
    def was(self) -> str:
        """Its former resource id."""
        return self.vault_id or self.mhsm_id


async def collect_deleted_vaults(reading: Reading, unit: Unit, subscription: Subscription) -> Sequence[Coverage]:
    """Write a row per deleted vault and Managed HSM of a subscription to `unit`. Returns the coverage of `VAULTS`."""
    return [await _deleted_vaults(reading.connection, unit, subscription, place) for place in _PLACES]


async def _deleted_vaults(
    connection: Connection, unit: Unit, subscription: Subscription, place: tuple[str, str, str]
) -> Coverage:
    """Write the rows of one kind; `place` is one of `_PLACES`."""
    operation, kind, segment = place
    prefix = f"{subscription.scope.id}/providers/microsoft.keyvault/locations/"

    def by(item: DeletedVault) -> str:
        id_ = item.id.lower()
        parts = vault_id_parts(item.properties.was)
        if not id_.startswith(prefix) or not id_.endswith(f"/{segment}/{item.name.lower()}"):
            raise ValueError("not a deleted vault of this subscription")
        if parts is None or (parts.subscription, parts.name.lower(), parts.kind) != (subscription.id, item.name.lower(), kind):
            raise ValueError("the deleted vault was a different vault")
        return id_

    calls = Calls(subscription.scope, operation)
    listing = connection.gateway.pages(operation, DeletedVault, by=by, subscription=subscription.id)
    async for item in both(listing):
        unit.row("deleted", _vault_row(connection, subscription, item, operation))
    calls.ended(listing.end)
    return calls.coverage()


async def collect_deleted(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per deleted object of a vault or Managed HSM to `unit`. Returns the coverage of `OBJECTS`, or of `OF_HSM`.

    A vault without soft delete keeps nothing, and answers these requests with an error:
    https://learn.microsoft.com/rest/api/keyvault/keys/get-deleted-keys
    """
    connection = reading.connection
    kinds = _KINDS[vault.kind]
    calls = {kind.operation: Calls(vault.scope, kind.operation) for kind in kinds}
    problem = bad_uri(vault, connection.environment)
    if problem:
        for call in calls.values():
            call.refused(problem)
    elif vault.soft_delete is not False:
        await for_each(kinds, lambda kind: _objects(connection, unit, vault, kind, calls[kind.operation]), limit=len(kinds))
    if await was_deleted(connection.gateway, vault, calls.values()):
        unit.discard()
        return not_assessed(vault.scope, tuple(calls), Reason.VANISHED)
    return [call.coverage() for call in calls.values()]


async def _objects(connection: Connection, unit: Unit, vault: Vault, kind: _Kind, calls: Calls) -> None:
    uri = "" if isinstance(vault.uri, Refusal) else vault.uri

    def name_of(item: DeletedItem) -> str:
        return kind.named(item, uri).name.lower()

    listing = connection.gateway.pages(kind.operation, DeletedItem, by=name_of, host=uri)
    url, version = source(connection.environment, kind.operation, host=uri)
    row = partial(_object_row, vault=vault, uri=uri, kind=kind, url=url, version=version)
    async for item in both(listing):
        unit.row("deleted", row(item))
    calls.ended(listing.end)


def _object_row(item: DeletedItem, *, vault: Vault, uri: str, kind: _Kind, url: str, version: str) -> dict[str, object]:
    name = kind.named(item, uri).name
    id_ = object_id(uri, f"deleted{kind.name}s", Named(name))
    row = object_row(DELETED, vault, id_=id_, resource_id=id_, url=url, version=version)
    row.put_all(name=name, kind=kind.row)
    row.fill(item)
    row.put_read("recovery_id", _recovery(item.recovery_id, kind, uri, id_))
    attributes = read(item.attributes, Attributes)
    row.fill(attributes, "attributes")
    level = attributes if isinstance(attributes, Refusal) else read(attributes.recovery_level, str)
    row.put_all(recovery_level=level, purge_protected=level if isinstance(level, Refusal) else _PURGEABLE not in level.lower())
    row.put("managed", None if kind.name == "certificate" else item.managed)
    issued = kind.name == "certificate" and not (item.x5t is UNSET or is_null(item.x5t))
    row.put_read("thumbprint", thumbprint(item.x5t) if issued else None)
    return row.finish()


def _recovery(raw: Wire, kind: _Kind, uri: str, expected: str) -> str | Refusal:
    """The recovery id, which must be that of this object."""
    text = read(raw, str)
    if isinstance(text, Refusal):
        return text
    try:
        return expected if kind.deleted_id(text, uri) == expected else Refusal(Reason.BAD_VALUE)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)


def _vault_row(connection: Connection, subscription: Subscription, item: DeletedVault, operation: str) -> dict[str, object]:
    url, version = source(connection.environment, operation, subscription=subscription.id)
    row = Row(DELETED, id=item.id, resource_id=item.id, scope_id=subscription.scope.id, url=url, version=version)
    parts = vault_id_parts(item.properties.was)
    if parts is None:
        raise ValueError(f"not a vault's id: {item.properties.was!r}")
    row.put_all(name=item.name, kind="managed-hsm" if parts.kind == MANAGED_HSM else "vault", subscription_id=subscription.id)
    row.put_all(subscription_name=subscription.name, resource_group=parts.resource_group, location=item.properties.location)
    row.put_all(vault_id=item.properties.was.lower(), recovery_id=item.id.lower(), deleted_on=item.properties.deletion_date)
    row.put_all(purge_on=item.properties.scheduled_purge_date, purge_protected=item.properties.purge_protection_enabled)
    row.clear(("recovery_level", "enabled", "managed", "thumbprint"))
    return row.finish()
