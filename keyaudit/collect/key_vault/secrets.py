"""The secrets of one vault, every version, as far as lists tell of them. A GET would give the value: none is ever made."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.key_vault.data_plane import bad_uri, object_row, was_deleted
from keyaudit.collect.key_vault.key_versions import Listed, agreed, newest
from keyaudit.collect.key_vault.names import Named, named, object_id, version_named
from keyaudit.collect.places import Vault, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.secret import SECRET

OPERATIONS = ("secret.list", "secret.versions")

_ATTRIBUTES = ("enabled", "created_on", "updated_on", "activates_on", "expires_on")


class SecretItem(Struct):
    """An item of the secret list or of a version list."""

    id: str
    attributes: Wire = UNSET
    tags: Wire = UNSET
    contentType: Wire = UNSET  # noqa: N815 - Azure's spelling
    managed: Wire = UNSET


class _Attributes(Struct):
    enabled: Wire = UNSET
    created: Wire = UNSET
    updated: Wire = UNSET
    nbf: Wire = UNSET
    exp: Wire = UNSET


async def collect_secrets(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per secret version to `unit`; the coverage of `OPERATIONS`.

    Of a vault that was deleted meanwhile no row is kept.
    """
    return await _Secrets(reading.connection, unit, vault).collect(reading.at_once)


class _Secrets:
    def __init__(self, connection: Connection, unit: Unit, vault: Vault) -> None:
        self._connection = connection
        self._gateway = connection.gateway
        self._unit = unit
        self._vault = vault
        self._uri = "" if isinstance(vault.uri, Refusal) else vault.uri
        self._list = Calls(vault.scope, "secret.list")
        self._versions = Calls(vault.scope, "secret.versions", per_object=True)

    async def collect(self, at_once: int) -> Sequence[Coverage]:
        problem = bad_uri(self._vault, self._connection.environment)
        if problem:
            self._list.refused(problem)
        else:
            listing = self._gateway.pages("secret.list", SecretItem, by=self._name_of, host=self._uri)
            await for_each(listing, self._secret, limit=at_once)
            await for_each(listing.copies(), self._secret, limit=at_once)
            self._list.ended(listing.end)
        if await was_deleted(self._gateway, self._vault, (self._list, self._versions)):
            self._unit.discard()
            return not_assessed(self._vault.scope, OPERATIONS, Reason.VANISHED)
        parent = self._list.coverage()
        return [parent, self._versions.coverage(parent)]

    def _name_of(self, item: SecretItem) -> str:
        return named(item.id, self._uri, "secrets").name.lower()

    async def _secret(self, item: SecretItem) -> None:
        name = named(item.id, self._uri, "secrets").name
        versions, unlisted = await agreed(
            await self._list_versions(name), "", lambda: self._list_versions(name), self._versions
        )
        why = Refusal(unlisted) if unlisted else None
        latest = newest([(version, _created_on(each)) for version, each in versions.items()], self._unit.latest)
        for version, each in versions.items():
            row = self._row(Named(name, version), "secret.versions", each)
            row.put("version", version)
            # A tie, or a version without a date: nothing names the current one.
            told = version == latest if latest else Refusal(Reason.UNRECOGNISED)
            self._finish(row, listed=why or True, current=why or told)
        if not versions and why:
            row = self._row(Named(name), "secret.list", item)
            row.refuse(("version",), why.reason)
            self._finish(row, listed=why, current=why)

    async def _list_versions(self, name: str) -> Listed[SecretItem]:
        def version_of(item: SecretItem) -> str:
            return version_named(item.id, self._uri, "secrets", name).version

        listing = self._gateway.pages("secret.versions", SecretItem, by=version_of, host=self._uri, secret=name)
        versions = await distinct(listing, version_of)
        self._versions.ended(listing.end)
        return versions, why_incomplete(listing.end)

    def _finish(self, row: Row, *, listed: bool | Refusal, current: bool | Refusal) -> None:
        row.put_read("versions_listed", listed)
        row.put_read("is_current", current)
        self._unit.row("secret", row.finish())

    def _row(self, secret: Named, operation: str, item: SecretItem) -> Row:
        segments = {"secret": secret.name} if secret.version else {}
        url, api_version = source(self._connection.environment, operation, host=self._uri, **segments)
        id_ = object_id(self._uri, "secrets", secret)
        row = object_row(SECRET, self._vault, id_=id_, resource_id=item.id, url=url, version=api_version)
        row.put("name", secret.name)
        row.put("secret_id", object_id(self._uri, "secrets", Named(secret.name)))
        row.put("vault_name", self._vault.name)
        row.put("tags", item.tags)
        row.put("content_type", item.contentType)
        row.put("managed", item.managed)
        attributes = read(item.attributes, _Attributes)
        if isinstance(attributes, Refusal):
            row.refuse(_ATTRIBUTES, attributes.reason)
        else:
            row.put("enabled", attributes.enabled)
            row.put("created_on", attributes.created)
            row.put("updated_on", attributes.updated)
            row.put("activates_on", attributes.nbf)
            row.put("expires_on", attributes.exp)
        return row


def _created_on(item: SecretItem) -> object:
    attributes = read(item.attributes, _Attributes)
    return attributes if isinstance(attributes, Refusal) else read(attributes.created, int)
