"""A vault's keys from ARM, if the data plane refuses them or leaves them out: its firewall does not apply to ARM.

ARM has no `hsmPlatform`, no `managed` and no state of the release policy; these columns are unknown.
https://learn.microsoft.com/rest/api/keyvault/keys
"""

import bisect
from collections.abc import Awaitable, Callable, Collection, Sequence

from msgspec import UNSET, Struct, UnsetType

from keyaudit.collect.key_vault.key_rows import (
    ATTRIBUTES,
    created_on,
    put_attributes,
    put_custody,
    put_size,
    refuse_material,
)
from keyaudit.collect.key_vault.key_versions import Key
from keyaudit.collect.key_vault.names import Named, is_name, version_named
from keyaudit.collect.key_vault.rotation import ROTATION, RotationPolicy, put_rotation
from keyaudit.collect.key_vault.versioned import FetchedObjects, Wrong
from keyaudit.collect.places import Vault
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key import KEY

OPERATIONS = ("arm.key.list", "arm.key.versions", "arm.key.get", "arm.key.version")

_AT_ONCE = 16


class ArmKey(Struct):
    """A key or a key version in ARM."""

    id: str
    name: str
    tags: Wire = UNSET
    properties: Wire = UNSET


class ArmProperties(Struct, rename="camel"):
    """The properties of a key."""

    attributes: Wire = UNSET
    kty: Wire = UNSET
    key_ops: Wire = UNSET
    key_size: Wire = UNSET
    curve_name: Wire = UNSET
    key_uri_with_version: Wire = UNSET
    rotation_policy: Wire = UNSET


_Key = Key[ArmKey, ArmKey]


class ArmKeys(FetchedObjects[ArmKey, ArmKey]):
    """The keys of one vault in ARM, without those in `seen` (names in lower case), which the data plane returned.

    `gone`: whether a key is left out too, because the vault itself says that it has none of that name.
    """

    table, item, bundle = KEY, ArmKey, ArmKey

    def __init__(
        self, reading: Reading, unit: Unit, vault: Vault, seen: set[str], gone: Callable[[str], Awaitable[bool]] | None = None
    ) -> None:
        super().__init__(reading, unit, vault, OPERATIONS)
        self._seen, self._gone = seen, gone
        self.found: list[str] = []
        """The names of the keys that were written."""
        # Without a URI from Azure, ids are built from the name, like the service does.
        self.uri = self.uri or f"https://{vault.name}.{self._connection.environment.vault_suffix}/"
        self._host, self._segments = "", vault.segments
        self._version = self._single[2]
        self._policies: dict[str, RotationPolicy | Refusal] = {}

    async def collect(self) -> Sequence[Coverage]:
        """Write a row per key version; the coverage of `OPERATIONS`."""
        await self._read_all(_AT_ONCE)
        return self._coverage()

    def _identifier(self, found: ArmKey) -> str:
        return found.id

    def _named_in(self, found: ArmKey) -> Named:
        return self._named(found)

    def _named(self, found: ArmKey) -> Named:
        if not is_name(found.name):
            raise ValueError("not a key's name")
        return Named(found.name)

    def _version_of(self, name: str) -> Callable[[ArmKey], str]:  # noqa: ARG002 - ARM lists the versions of one key only
        return _version

    async def _object(self, item: ArmKey) -> None:
        if item.name.lower() in self._seen or (self._gone and await self._gone(item.name)):
            return
        bisect.insort(self.found, item.name, key=str.lower)
        await super()._object(item)

    async def _current(self, name: str) -> tuple[ArmKey | Refusal, str]:
        current = await self._get_version(name, "")
        self._policies[name] = _policy(current)
        version = _current_version(current, name, self.uri)
        return (version, "") if isinstance(version, Refusal) else (current, version)

    async def _get_version(self, name: str, version: str) -> ArmKey | Refusal:
        return await (self._ask(self._version, name, version) if version else self._ask(self._get, name, None))

    def _is_whole(self, bundle: ArmKey) -> bool:  # noqa: ARG002 - the version is in the properties
        return True

    def _put_item(self, row: Row, item: ArmKey) -> None:
        properties = read(item.properties, ArmProperties)
        if isinstance(properties, Refusal):
            row.refuse(ATTRIBUTES, properties.reason)
        else:
            put_attributes(row, properties.attributes, promised=False, reason=Reason.CONTROL_PLANE_ONLY)
        _put_tags(row, item.tags)

    def _put_answer(self, row: Row, answer: ArmKey) -> None:
        self._put_item(row, answer)

    async def _writer(self, found: _Key, wrong: Wrong) -> Callable[[str, ArmKey | Refusal], None]:
        policy = self._policies.pop(found.name)
        return lambda version, answer: self._write(found, version, answer, policy, wrong.get(version, ()))

    def _write(
        self,
        key: _Key,
        version: str,
        answer: ArmKey | Refusal,
        policy: RotationPolicy | Refusal,
        wrong: Collection[str],
    ) -> None:
        if isinstance(answer, Refusal):
            item = key.versions.get(version, key.item)
            operation = "arm.key.versions" if version else "arm.key.list"
        else:
            item = answer
            operation = "arm.key.get" if version == key.current_version else "arm.key.version"
        row = self._row(Named(key.name, version), operation, item.id)
        if isinstance(answer, Refusal) and not version:
            row.refuse(("version",), answer.reason)
        self._put_item(row, item)
        row.refuse(wrong, Reason.INCONSISTENT)
        properties = read(item.properties, ArmProperties)
        if isinstance(properties, Refusal):
            refuse_material(row, properties.reason)
        else:
            _put_material(row, properties, answer)
        row.refuse(("managed",), Reason.CONTROL_PLANE_ONLY)
        row.put_all(versions_listed=key.versions_listed, is_current=key.is_current(version, _created_on, self._unit.latest))
        if isinstance(policy, Refusal):
            row.refuse(ROTATION, policy.reason)
        else:
            put_rotation(row, policy)
        self._unit.row("key", row.finish())


def _put_material(row: Row, properties: ArmProperties, answer: ArmKey | Refusal) -> None:
    if isinstance(answer, Refusal):
        refuse_material(row, answer.reason)
        return
    row.put_all(kty=properties.kty, key_ops=properties.key_ops)
    # ARM documents no member for the algorithm of an AKP key, and reads no keys of Managed HSMs.
    put_size(row, properties.key_size, properties.curve_name, UNSET)
    row.put("external_key_id", None)
    put_custody(row, platform_known="hsm_platform" not in row.unknown)
    row.refuse(("release_policy_immutable",), Reason.CONTROL_PLANE_ONLY)


def _put_tags(row: Row, tags: Wire) -> None:
    # It is not documented that ARM returns tags set on the data plane, so their absence proves nothing.
    row.put("tags", tags)
    if row.values.get("tags") is None and "tags" not in row.unknown:
        row.refuse(("tags",), Reason.CONTROL_PLANE_ONLY)


def _current_version(answer: ArmKey | Refusal, name: str, uri: str) -> str | Refusal:
    """The version in ARM's answer for the key."""
    if isinstance(answer, Refusal):
        return answer
    properties = read(answer.properties, ArmProperties)
    kid = properties if isinstance(properties, Refusal) else read(properties.key_uri_with_version, str)
    if isinstance(kid, Refusal):
        return kid
    try:
        return version_named(kid, uri, "keys", name).version
    except ValueError:
        return Refusal(Reason.BAD_VALUE)


def _policy(answer: ArmKey | Refusal) -> RotationPolicy | Refusal:
    """The rotation policy, if ARM returns it: the documentation contradicts itself on that."""
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


def _version(item: ArmKey) -> str:
    """The version of an item in a version list; ValueError if it is malformed."""
    version = item.id.rpartition("/versions/")[2].lower()
    if not is_name(version):
        raise ValueError("not a key version's id")
    return version
