"""A vault's keys as ARM tells them, where the data plane does not: firewalls and access policies do not apply there.

ARM has no `hsmPlatform`, no `managed`, no release policy's state; the columns that it cannot give are unknown.
https://learn.microsoft.com/rest/api/keyvault/keys
"""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.key_vault.key_rows import (
    ATTRIBUTES,
    MATERIAL,
    KeyName,
    created_on,
    key_row,
    put_attributes,
    put_custody,
    put_size,
    version_name,
)
from keyaudit.collect.key_vault.key_versions import Key, Listed, agreed
from keyaudit.collect.key_vault.names import is_name
from keyaudit.collect.key_vault.rotation import ROTATION, RotationPolicy, put_rotation
from keyaudit.collect.places import Vault, source
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason

OPERATIONS = ("arm.key.list", "arm.key.versions", "arm.key.get", "arm.key.version")

_AT_ONCE = 16
_ANOTHER = Refusal(Reason.BAD_BODY, "it answered with another key than the one asked for", 200)


class ArmKey(Struct):
    """A key or a key version in ARM."""

    id: str
    name: str
    tags: Wire = UNSET
    properties: Wire = UNSET


class ArmProperties(Struct, rename="camel"):
    """What is read of its properties."""

    attributes: Wire = UNSET
    kty: Wire = UNSET
    key_ops: Wire = UNSET
    key_size: Wire = UNSET
    curve_name: Wire = UNSET
    key_uri_with_version: Wire = UNSET
    rotation_policy: Wire = UNSET


_Key = Key[ArmKey, ArmKey]


class ArmKeys:
    """The keys of one vault in ARM, but for those in `seen` (names in lower case), which the data plane has shown."""

    def __init__(self, connection: Connection, unit: Unit, vault: Vault, seen: set[str]) -> None:
        self._gateway = connection.gateway
        self._environment = connection.environment
        self._unit = unit
        self._vault = vault
        self._seen = seen
        # Where Azure did not say the URI, ids are made from the name, as the service itself does.
        made = f"https://{vault.name}.{connection.environment.vault_suffix}/"
        self._uri = made if isinstance(vault.uri, Refusal) else vault.uri
        self._list = Calls(vault.scope, "arm.key.list")
        self._versions = Calls(vault.scope, "arm.key.versions", per_object=True)
        self._get = Calls(vault.scope, "arm.key.get", per_object=True)
        self._version = Calls(vault.scope, "arm.key.version", per_object=True)

    async def collect(self) -> Sequence[Coverage]:
        """Write a row per key version; the coverage of `OPERATIONS`."""
        listing = self._gateway.pages("arm.key.list", ArmKey, by=_name, **self._vault.segments)
        await for_each(listing, self._key, limit=_AT_ONCE)
        await for_each(listing.copies(), self._key, limit=_AT_ONCE)
        self._list.ended(listing.end)
        parent = self._list.coverage()
        return [parent, *(call.coverage(parent) for call in (self._versions, self._get, self._version))]

    async def _key(self, listed: ArmKey) -> None:
        name = listed.name
        if name.lower() in self._seen:
            return
        first = await self._list_versions(name)
        current = await self._read_key(name)
        named = _current_version(current, name, self._uri)
        current_version = "" if isinstance(named, Refusal) else named
        versions, unlisted = await agreed(first, current_version, lambda: self._list_versions(name), self._versions)
        key = _Key(
            name=name,
            item=listed,
            versions=versions,
            unlisted=unlisted,
            current=named if isinstance(named, Refusal) else current,
            current_version=current_version,
        )
        await key.each(
            lambda version: self._read_version(name, version),
            lambda version, answer: self._write(key, version, answer, _policy(current)),
        )

    async def _list_versions(self, name: str) -> Listed[ArmKey]:
        listing = self._gateway.pages("arm.key.versions", ArmKey, by=_version, key=name, **self._vault.segments)
        versions = await distinct(listing, _version)
        self._versions.ended(listing.end)
        return versions, why_incomplete(listing.end)

    async def _read_key(self, name: str) -> ArmKey | Refusal:
        found = await self._gateway.get("arm.key.get", ArmKey, key=name, **self._vault.segments)
        if isinstance(found, ArmKey) and found.name.lower() != name.lower():
            found = _ANOTHER
        return _counted(self._get, found)

    async def _read_version(self, name: str, version: str) -> ArmKey | Refusal:
        found = await self._gateway.get("arm.key.version", ArmKey, key=name, version=version, **self._vault.segments)
        if isinstance(found, ArmKey) and not found.id.lower().endswith(f"/keys/{name}/versions/{version}".lower()):
            found = _ANOTHER
        return _counted(self._version, found)

    def _write(self, key: _Key, version: str, answer: ArmKey | Refusal, policy: RotationPolicy | Refusal) -> None:
        if isinstance(answer, Refusal):
            item = key.versions.get(version, key.item)
            operation = "arm.key.versions" if version else "arm.key.list"
        else:
            item = answer
            operation = "arm.key.get" if version == key.current_version else "arm.key.version"
        row = self._row(KeyName(key.name, version), operation, item.id)
        if isinstance(answer, Refusal) and not version:
            row.refuse(("version",), answer.reason)
        properties = read(item.properties, ArmProperties)
        if isinstance(properties, Refusal):
            row.refuse((*ATTRIBUTES, *MATERIAL), properties.reason)
        else:
            put_attributes(row, properties.attributes, promised=False, reason=Reason.CONTROL_PLANE_ONLY)
            _put_material(row, properties, answer)
        _put_tags(row, item.tags)
        row.refuse(("managed",), Reason.CONTROL_PLANE_ONLY)
        row.put_read("versions_listed", key.versions_listed)
        row.put_read("is_current", key.is_current(version, _created_on, self._unit.latest))
        if isinstance(policy, Refusal):
            row.refuse(ROTATION, policy.reason)
        else:
            put_rotation(row, policy)
        self._unit.row("key", row.finish())

    def _row(self, key: KeyName, operation: str, resource_id: str) -> Row:
        segments = self._vault.segments
        url, api_version = source(self._environment, operation, key=key.name, version=key.version, **segments)
        return key_row(self._vault, self._uri, key, resource_id=resource_id, url=url, version=api_version)


def _counted(calls: Calls, found: ArmKey | Refusal) -> ArmKey | Refusal:
    if isinstance(found, Refusal):
        calls.refused(found)
    else:
        calls.answered()
    return found


def _put_material(row: Row, properties: ArmProperties, answer: ArmKey | Refusal) -> None:
    if isinstance(answer, Refusal):
        row.refuse(MATERIAL, answer.reason)
        return
    row.put("kty", properties.kty)
    row.put("key_ops", properties.key_ops)
    put_size(row, properties.key_size, properties.curve_name)
    put_custody(row, platform_known="hsm_platform" not in row.unknown)
    row.refuse(("release_policy_immutable",), Reason.CONTROL_PLANE_ONLY)


def _put_tags(row: Row, tags: Wire) -> None:
    # No document says that ARM shows the tags that a key was given on the data plane: to show none proves nothing.
    row.put("tags", tags)
    if row.values.get("tags") is None and "tags" not in row.unknown:
        row.refuse(("tags",), Reason.CONTROL_PLANE_ONLY)


def _current_version(answer: ArmKey | Refusal, name: str, uri: str) -> str | Refusal:
    """The version that ARM's answer for the key as a whole names."""
    if isinstance(answer, Refusal):
        return answer
    properties = read(answer.properties, ArmProperties)
    kid = properties if isinstance(properties, Refusal) else read(properties.key_uri_with_version, str)
    if isinstance(kid, Refusal):
        return kid
    try:
        return version_name(kid, uri, name).version
    except ValueError:
        return Refusal(Reason.BAD_VALUE)


def _policy(answer: ArmKey | Refusal) -> RotationPolicy | Refusal:
    """The rotation policy, where ARM shows it: its documents disagree on whether it does."""
    properties = answer if isinstance(answer, Refusal) else read(answer.properties, ArmProperties)
    if isinstance(properties, Refusal):
        return properties
    policy = properties.rotation_policy
    if isinstance(policy, UnsetType) or is_null(policy):
        return Refusal(Reason.CONTROL_PLANE_ONLY)
    return read(policy, RotationPolicy)


def _created_on(item: ArmKey) -> object:
    properties = read(item.properties, ArmProperties)
    return properties if isinstance(properties, Refusal) else created_on(properties.attributes)


def _name(item: ArmKey) -> str:
    """A key's name in lower case; ValueError if no key can have it."""
    if not is_name(item.name):
        raise ValueError("not a key's name")
    return item.name.lower()


def _version(item: ArmKey) -> str:
    """The version that an item of a version list is about; ValueError if it is none."""
    version = item.id.rpartition("/versions/")[2].lower()
    if not is_name(version):
        raise ValueError("not a key version's id")
    return version
