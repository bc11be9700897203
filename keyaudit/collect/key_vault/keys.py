"""The keys of one vault or Managed HSM, every version, from its data plane; from ARM where a vault refuses or shows none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.key_vault.arm_keys import ArmKeys
from keyaudit.collect.key_vault.data_plane import bad_uri, was_deleted
from keyaudit.collect.key_vault.key_rows import (
    MATERIAL,
    KeyBundle,
    KeyItem,
    KeyName,
    created_on,
    key_name,
    key_row,
    put_attributes,
    put_material,
    version_name,
)
from keyaudit.collect.key_vault.key_versions import Key, Listed, agreed
from keyaudit.collect.key_vault.rotation import ROTATION, RotationPolicy, no_rotation, put_rotation
from keyaudit.collect.key_vault.unchanged import Known, take_over, unchanged
from keyaudit.collect.places import Vault, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, read
from keyaudit.inventory.earlier import Earlier
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, End, Refusal
from keyaudit.model.reasons import UNSAFE, Reason
from keyaudit.model.tables.places import MANAGED_HSM

OPERATIONS = ("key.list", "key.versions", "key.get", "key.rotation_policy")
HSM_OPERATIONS = ("hsm.key.list", "hsm.key.versions", "hsm.key.get", "hsm.key.rotation_policy")

# Where ARM must not or cannot stand in: a boundary was met, or the run itself is at its end.
_FINAL = UNSAFE | {Reason.IDENTITY_REVOKED, Reason.BUDGET, Reason.INTERRUPTED}

_NOT_ACTIVATED = "the HSM was never activated: nobody has downloaded its security domain"


async def collect_keys(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per key version to `unit`; the coverage of `OPERATIONS`, and of ARM's where they were used.

    Of a Managed HSM: of `HSM_OPERATIONS`, and ARM is not asked, since an HSM lets it read keys only where it was told to.
    Of a vault that was deleted meanwhile no row is kept. A key that is surely as an earlier run has it counts as read, though
    only its versions and its rotation policy are asked for.
    """
    return await VaultKeys(reading.connection, unit, vault, reading.at_once, reading.earlier).collect()


_Key = Key[KeyItem, KeyBundle]


class VaultKeys:
    """The keys of one vault or Managed HSM, to be collected once."""

    def __init__(self, connection: Connection, unit: Unit, vault: Vault, at_once: int, earlier: Earlier | None = None) -> None:
        self._at_once = at_once
        self._gateway = connection.gateway
        self._connection = connection
        self._unit = unit
        self._vault = vault
        self.uri = "" if isinstance(vault.uri, Refusal) else vault.uri
        """Its address. Whether that is its own, `collect` finds out."""
        self.closed: Refusal | None = None
        """Set by `collect` where nothing more is to be asked of it: its address is not its own, or it is gone."""
        self._hsm = vault.kind == MANAGED_HSM
        self._operations = HSM_OPERATIONS if self._hsm else OPERATIONS
        self._earlier = earlier
        self._known = earlier.keys(vault.scope.id) if earlier else {}
        self._seen: dict[str, str] = {}
        list_, versions, get, rotation = self._operations
        self._list = Calls(vault.scope, list_)
        self._versions = Calls(vault.scope, versions, per_object=True)
        self._get = Calls(vault.scope, get, per_object=True)
        self._rotation = Calls(vault.scope, rotation, per_object=True)

    @property
    def names(self) -> Sequence[str]:
        """Names of the keys that were listed, in order."""
        return [self._seen[name] for name in sorted(self._seen)]

    async def collect(self) -> Sequence[Coverage]:
        """Write a row per key version; the coverage of the list of keys, then of what it led to."""
        self.closed = bad_uri(self._vault, self._connection.environment)
        if self.closed:
            self._list.refused(self.closed)
        else:
            listing = self._gateway.pages(self._list.id, KeyItem, by=self._name_of, host=self.uri)
            await for_each(listing, self._key, limit=self._at_once)
            await for_each(listing.copies(), self._key, limit=self._at_once)
            self._list.ended(self._explained(listing.end))
        calls = (self._list, self._versions, self._get, self._rotation)
        if await was_deleted(self._gateway, self._vault, calls):
            self._unit.discard()
            self.closed = Refusal(Reason.VANISHED)
            return not_assessed(self._vault.scope, self._operations, Reason.VANISHED)
        in_arm = await self._in_arm()
        parent = self._list.coverage()
        return [parent, *(call.coverage(parent) for call in calls[1:]), *in_arm]

    async def _in_arm(self) -> Sequence[Coverage]:
        """What ARM shows, where the vault's own list failed or is empty: that ARM has no key either proves it empty."""
        refused = self._list.reasons
        if self._hsm or refused & _FINAL or (self._seen and not refused):
            return ()
        found = await ArmKeys(self._connection, self._unit, self._vault, set(self._seen)).collect()
        if refused:
            return found
        shown = found[0].kept
        if shown:
            self._list.refused(Refusal(Reason.INCONSISTENT, f"it is empty, and ARM shows {shown:,} key{'s' * (shown != 1)}"))
        return found if shown else ()

    def _explained(self, end: End) -> End:
        """What ARM says of an HSM explains a refusal better than the refusal itself."""
        if end.refusal is None or self._vault.activated:
            return end
        detail = f"{end.refusal.detail}; {_NOT_ACTIVATED}" if end.refusal.detail else _NOT_ACTIVATED
        return replace(end, refusal=replace(end.refusal, detail=detail))

    def _name_of(self, item: KeyItem) -> str:
        return key_name(item.kid, self.uri).name.lower()

    async def _key(self, item: KeyItem) -> None:
        name = key_name(item.kid, self.uri).name
        self._seen[name.lower()] = name
        # Versions first: one made in between is then missing from the list, and the GET shows it.
        listed = await self._list_versions(name)
        if known := self._unchanged(name, listed):
            await self._take_over(name, known)
            return
        current = await self._get_version(name, "")
        current_version = "" if isinstance(current, Refusal) else key_name(current.key.kid, self.uri).version
        versions, unlisted = await agreed(listed, current_version, lambda: self._list_versions(name), self._versions)
        key = _Key(
            name=name,
            item=item,
            versions=versions,
            unlisted=unlisted,
            current=current,
            current_version=current_version,
        )
        # A certificate's key has none of its own to ask for.
        managed = read(item.managed if isinstance(current, Refusal) else current.managed, bool)
        rotation = None if managed is True else await self._get_rotation(name)
        await key.each(
            lambda version: self._get_version(name, version),
            lambda version, answer: self._write(key, version, answer, rotation),
        )

    def _unchanged(self, name: str, listed: Listed[KeyItem]) -> Mapping[str, Known]:
        """The rows of the earlier run, by version, if every version is surely as it was; else none."""
        versions, unlisted = listed
        known = self._known.get(f"{self.uri.rstrip('/')}/keys/{name}".lower(), {})
        if self._earlier is None or unlisted or versions.keys() != known.keys():
            return {}
        for version, item in versions.items():
            compared = self._row(KeyName(name, version), self._get.id, item.kid)
            if not unchanged(self._earlier, known[version], item, compared):
                return {}
        return known

    async def _take_over(self, name: str, known: Mapping[str, Known]) -> None:
        rotation = None if all(row["managed"] is True for row in known.values()) else await self._get_rotation(name)
        for version, row in known.items():
            self._get.answered()
            taken = self._row(KeyName(name, version), self._get.id, str(row["resource_id"]))
            take_over(taken, row)
            taken.put("versions_listed", True)
            self._finish(taken, rotation)

    async def _list_versions(self, name: str) -> Listed[KeyItem]:
        def version_of(item: KeyItem) -> str:
            return version_name(item.kid, self.uri, name).version

        listing = self._gateway.pages(self._versions.id, KeyItem, by=version_of, host=self.uri, key=name)
        versions = await distinct(listing, version_of)
        self._versions.ended(listing.end)
        return versions, why_incomplete(listing.end)

    async def _get_version(self, name: str, version: str) -> KeyBundle | Refusal:
        found = await self._gateway.get(self._get.id, KeyBundle, host=self.uri, key=name, version=version)
        if isinstance(found, KeyBundle) and not self._answers(found, name, version):
            found = Refusal(Reason.BAD_BODY, "it answered with another key than the one asked for", 200)
        if isinstance(found, Refusal):
            self._get.refused(found)
        else:
            self._get.answered()
        return found

    def _answers(self, bundle: KeyBundle, name: str, version: str) -> bool:
        try:
            return version_name(bundle.key.kid, self.uri, name).version == version or not version
        except ValueError:
            return False

    async def _get_rotation(self, name: str) -> RotationPolicy | Refusal:
        found = await self._gateway.get(self._rotation.id, RotationPolicy, host=self.uri, key=name)
        # The documents disagree on whether HSM keys have such policies; that none is there, no answer says for certain.
        if isinstance(found, Refusal) and self._hsm and found.status in (400, 404):
            found = replace(found, reason=Reason.UNRECOGNISED)
        if isinstance(found, Refusal):
            self._rotation.refused(found)
        else:
            self._rotation.answered()
        return found

    def _write(self, key: _Key, version: str, bundle: KeyBundle | Refusal, rotation: RotationPolicy | Refusal | None) -> None:
        named = KeyName(key.name, version)
        if isinstance(bundle, Refusal):
            item = key.versions.get(version, key.item)
            row = self._row(named, self._versions.id if version else self._list.id, item.kid)
            put_attributes(row, item.attributes, promised=False, reason=bundle.reason)
            row.refuse(MATERIAL if version else (*MATERIAL, "version"), bundle.reason)
        else:
            item = KeyItem(bundle.key.kid, bundle.attributes, bundle.tags, bundle.managed)
            row = self._row(named, self._get.id, item.kid)
            put_attributes(row, item.attributes, promised=True, reason=Reason.BAD_BODY)
            put_material(row, bundle)
        row.put("tags", item.tags)
        row.put("managed", item.managed)
        row.put_read("versions_listed", key.versions_listed)
        row.put_read("is_current", key.is_current(version, lambda item: created_on(item.attributes), self._unit.latest))
        self._finish(row, rotation)

    def _finish(self, row: Row, rotation: RotationPolicy | Refusal | None) -> None:
        if rotation is None:
            no_rotation(row)
        elif isinstance(rotation, Refusal):
            row.refuse(ROTATION, rotation.reason)
        else:
            put_rotation(row, rotation)
        self._unit.row("key", row.finish())

    def _row(self, key: KeyName, operation: str, resource_id: str) -> Row:
        segments = {"key": key.name} if operation != self._list.id else {}
        if operation == self._get.id:
            segments["version"] = key.version
        url, api_version = source(self._connection.environment, operation, host=self.uri, **segments)
        return key_row(self._vault, self.uri, key, resource_id=resource_id, url=url, version=api_version)
