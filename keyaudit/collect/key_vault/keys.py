"""The keys of one vault or Managed HSM, every version, from its data plane; from ARM what a vault refuses or leaves out."""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec.structs import replace

from keyaudit.collect.calls import Calls
from keyaudit.collect.key_vault.arm_keys import ArmKeys
from keyaudit.collect.key_vault.key_rows import (
    ATTRIBUTES,
    MATERIAL,
    KeyBundle,
    KeyItem,
    OlderKeyBundle,
    PreviewKeyBundle,
    created_on,
    put_attributes,
    put_material,
    refuse_material,
)
from keyaudit.collect.key_vault.key_versions import Key, Listed
from keyaudit.collect.key_vault.names import Named, named
from keyaudit.collect.key_vault.rotation import BY_HAND, ROTATION, RotationPolicy, no_rotation, put_rotation
from keyaudit.collect.key_vault.versioned import FetchedObjects, Wrong, counted
from keyaudit.collect.places import Vault
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import read
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import SHOWN_BAD, Coverage, End, Refusal
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import UNSAFE, Reason
from keyaudit.model.tables.places import MANAGED_HSM
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.model.values.text import listed as listed_texts
from keyaudit.model.values.text import one_line

Known = Mapping[str, object]
"""A row of an earlier snapshot."""

_COMPARED = ("enabled", "created_on", "updated_on", "activates_on", "expires_on", "recovery_level", "tags")
"""The columns in a list of versions, which must be equal in the earlier row."""

REUSED = (*ATTRIBUTES, *MATERIAL, "tags", "managed", "is_current")
"""The columns that are copied if all compared columns are equal."""


def unchanged(earlier: Earlier, known: Known, item: KeyItem, compared: Row) -> bool:
    """Whether a listed version is certainly unchanged. `compared` is a new row, filled with the columns from the list."""
    unknown = known["unknown"]
    if not isinstance(unknown, Mapping) or unknown.keys() & {*REUSED, "version"} or known["versions_listed"] is not True:
        return False
    put_attributes(compared, item.attributes, promised=False, reason=Reason.BAD_BODY)
    compared.put("tags", item.tags)
    if any(column in compared.unknown or compared.values[column] != known[column] for column in _COMPARED):
        return False
    # Lists may contain these too.
    told = [column for column in ("exportable", "hsm_platform") if column not in compared.unknown]
    return all(compared.values[column] == known[column] for column in told) and earlier.settled(known["updated_on"])


def take_over(row: Row, known: Known) -> None:
    """Fill the columns of a key version from the earlier row."""
    for column in REUSED:
        row.put(column, known[column])


OPERATIONS = ("key.list", "key.versions", "key.get", "key.rotation_policy")
HSM_OPERATIONS = ("hsm.key.list", "hsm.key.versions", "hsm.key.get", "hsm.key.rotation_policy")

# Further versions of the API for the GET of one key, sent only where the first one falls short.
_OLDER, _PREVIEW = "hsm.key.get_older", {False: "key.get_preview", True: "hsm.key.get_preview"}

# Reasons for which ARM is not used instead: a refusal for safety, or the end of the run.
_FINAL = UNSAFE | {Reason.IDENTITY_REVOKED, Reason.BUDGET, Reason.INTERRUPTED}

_NOT_ACTIVATED = "the HSM was never activated: nobody has downloaded its security domain"


async def collect_keys(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per key version to `unit`. Returns the coverage of `OPERATIONS`, and of ARM's if they were used."""
    return await VaultKeys(reading, unit, vault, OPERATIONS).collect()


_Key = Key[KeyItem, KeyBundle]


class VaultKeys(FetchedObjects[KeyItem, KeyBundle]):
    """The keys of one vault or Managed HSM.

    ARM is not used for a Managed HSM, which allows it to read keys only with a setting. A key that certainly has not changed
    since an earlier run counts as read after only its versions and rotation policy are read.
    """

    table, item, bundle = KEY, KeyItem, KeyBundle

    def __init__(self, reading: Reading, unit: Unit, vault: Vault, operations: Sequence[str]) -> None:
        """`operations`: `OPERATIONS`, or `HSM_OPERATIONS`."""
        super().__init__(reading, unit, vault, operations)
        self._hsm = vault.kind == MANAGED_HSM
        self._earlier = reading.earlier
        self._known = reading.earlier.keys(vault.scope.id) if reading.earlier else {}
        self._seen: dict[str, str] = {}
        self._denied: list[str] = []
        self._rotation = self._single[-1]
        self._older = Calls(vault.scope, _OLDER, per_object=True)
        self._preview = Calls(vault.scope, _PREVIEW[self._hsm], per_object=True)
        self._external = False
        self._untold: set[Reason] = set()
        self._without_external = Reason.UNRECOGNISED

    @property
    def names(self) -> Sequence[str]:
        """Names of the keys that were listed, in order."""
        return [self._seen[name] for name in sorted(self._seen)]

    @property
    def external(self) -> bool | Reason:
        """Whether a key that was read is external; why it is unknown, if no such key was found."""
        return self._external or min(self._untold, default=False)

    def _identifier(self, found: KeyItem) -> str:
        return found.kid

    def _named_in(self, found: KeyBundle) -> Named:
        return named(found.key.kid, self.uri, self._collection)

    def _coverage(self) -> Sequence[Coverage]:
        return [*super()._coverage(), *(calls.coverage() for calls in (self._older, self._preview) if calls.used)]

    async def _answer(self, operation: str, bundle: type[KeyBundle], name: str, version: str | None) -> KeyBundle | Refusal:
        """The first answer of several versions of the API: of the usual one, for a Managed HSM of an older one, of a preview.

        Clouds differ in the versions that they know, and only the preview names ML-DSA keys. A status of 400 may mean either.
        """
        found = await super()._answer(operation, bundle, name, version)
        if self._hsm and _is_bad_request(found):
            older = await super()._answer(_OLDER, OlderKeyBundle, name, version)
            counted(self._older, older)
            if not isinstance(older, Refusal) and isinstance(found, Refusal):
                self._without_external = self._why_without(found)
                found = older
        if _is_bad_request(found) or not (isinstance(found, Refusal) or found.whole):
            preview = _offered(await super()._answer(self._preview.id, PreviewKeyBundle, name, version))
            counted(self._preview, preview)
            found = found if isinstance(preview, Refusal) else preview
        return found

    def _why_without(self, refusal: Refusal) -> Reason:
        """Why the version of the API that shows external keys was not answered."""
        return refusal.reason if self._connection.environment.name == GLOBAL_CLOUD else Reason.NOT_IN_CLOUD

    async def _elsewhere(self) -> Sequence[Coverage]:
        """The keys that ARM shows and the vault's own list lacks, because it failed or left them out.

        Keys that only the vault lists prove nothing: whether ARM lists the keys of certificates is not documented.
        """
        refused = self._list.reasons
        if self._hsm or refused & _FINAL:
            return ()
        arm = ArmKeys(self._reading, self._unit, self._vault, set(self._seen), None if refused else self._is_gone)
        found = await arm.collect()
        if self._denied:
            number, names = _counted(sorted(self._denied, key=str.lower))
            self._list.odd = f"ARM shows {number} that the vault does not list: {names}"
        if not refused and arm.found:
            number, names = _counted(arm.found)
            self._list.refused(Refusal(Reason.INCONSISTENT, f"it lacks {number} that ARM shows: {names}"))
        return found if refused or arm.found else ()

    async def _is_gone(self, name: str) -> bool:
        """Whether the vault itself says that it has no such key: ARM may still show one that was deleted just now."""
        found = await super()._answer(self._get.id, self.bundle, name, "")
        gone = isinstance(found, Refusal) and found.reason is Reason.VANISHED
        if gone:
            self._denied.append(name)
        return gone

    def _explained(self, end: End) -> End:
        """The refusal, replaced with ARM's state of the HSM if that explains it better."""
        if end.refusal is None or self._vault.activated:
            return end
        detail = f"{end.refusal.detail}; {_NOT_ACTIVATED}" if end.refusal.detail else _NOT_ACTIVATED
        return replace(end, refusal=replace(end.refusal, detail=detail))

    async def _object(self, item: KeyItem) -> None:
        name, focus = self._named(item).name, self._reading.confines.focus
        if focus is None or focus.object(self._vault, name, item.managed):
            await super()._object(item)
        else:
            self._seen[name.lower()] = name

    async def _read(self, name: str, item: KeyItem, listed: Listed[KeyItem]) -> None:
        self._seen[name.lower()] = name
        if known := self._unchanged(name, item, listed):
            await self._take_over(name, known)
        else:
            await super()._read(name, item, listed)

    def _put_item(self, row: Row, item: KeyItem) -> None:
        put_attributes(row, item.attributes, promised=False, reason=Reason.BAD_BODY)
        row.put_all(tags=item.tags, managed=item.managed)

    def _put_answer(self, row: Row, answer: KeyBundle) -> None:
        put_attributes(row, answer.attributes, promised=True, reason=Reason.BAD_BODY)
        row.put_all(tags=answer.tags, managed=answer.managed)

    async def _writer(self, found: _Key, wrong: Wrong) -> Callable[[str, KeyBundle | Refusal], None]:
        # A certificate's key has no rotation policy of its own.
        managed = read(found.item.managed if isinstance(found.current, Refusal) else found.current.managed, bool)
        external = not isinstance(found.current, Refusal) and isinstance(found.current.external_key_id, str)
        certified = managed is True and not any("managed" in columns for columns in wrong.values())
        rotation = None if certified else BY_HAND if external else await self._get_rotation(found.name)
        return lambda version, answer: self._write(found, version, answer, rotation, wrong.get(version, ()))

    def _unchanged(self, name: str, listed_as: KeyItem, listed: Listed[KeyItem]) -> Mapping[str, Known]:
        """The rows of the earlier run, by version, if certainly no version has changed; otherwise none."""
        versions, unlisted = listed
        known = self._known.get(f"{self.uri.rstrip('/')}/keys/{name}".lower(), {})
        if self._earlier is None or unlisted or versions.keys() != known.keys():
            return {}
        copies: dict[str, Sequence[Row]] = {}
        for version, item in versions.items():
            compared = self._row(Named(name, version), self._get.id, item.kid)
            if not unchanged(self._earlier, known[version], item, compared):
                return {}
            copies[version] = [compared]
        return {} if self._contradictions(name, listed_as, copies) else known

    async def _take_over(self, name: str, known: Mapping[str, Known]) -> None:
        rotation: RotationPolicy | Refusal | None = None
        if any(row["is_current"] is True and row["external_key_id"] is not None for row in known.values()):
            rotation = BY_HAND
        elif not all(row["managed"] is True for row in known.values()):
            rotation = await self._get_rotation(name)
        for version, row in known.items():
            self._get.answered()
            taken = self._row(Named(name, version), self._get.id, str(row["resource_id"]))
            take_over(taken, row)
            taken.put("versions_listed", True)
            self._finish(taken, rotation)

    async def _get_rotation(self, name: str) -> RotationPolicy | Refusal:
        found = await self._gateway.get(self._rotation.id, RotationPolicy, host=self.uri, key=name)
        # The documentation contradicts itself on whether HSM keys have such policies, so a missing one proves nothing.
        if isinstance(found, Refusal) and self._hsm and found.status in (400, 404):
            found = replace(found, reason=Reason.UNRECOGNISED)
        return counted(self._rotation, found)

    def _write(
        self,
        key: _Key,
        version: str,
        bundle: KeyBundle | Refusal,
        rotation: RotationPolicy | Refusal | None,
        wrong: Collection[str],
    ) -> None:
        found = Named(key.name, version)
        if isinstance(bundle, Refusal):
            item = key.versions.get(version, key.item)
            row = self._row(found, self._versions.id if version else self._list.id, item.kid)
            put_attributes(row, item.attributes, promised=False, reason=bundle.reason)
            row.put_all(tags=item.tags, managed=item.managed)
            row.refuse(wrong, Reason.INCONSISTENT)
            refuse_material(row, bundle.reason)
            row.refuse(() if version else ("version",), bundle.reason)
        else:
            row = self._row(found, self._answered_by(bundle), bundle.key.kid)
            self._put_answer(row, bundle)
            row.refuse(wrong, Reason.INCONSISTENT)
            put_material(row, bundle, self._without_external)
        row.put_read("versions_listed", key.versions_listed)
        row.put_read("is_current", key.is_current(version, lambda item: created_on(item.attributes), self._unit.latest))
        self._finish(row, rotation)

    def _answered_by(self, bundle: KeyBundle) -> str:
        """The operation whose answer it is."""
        if isinstance(bundle, OlderKeyBundle):
            return self._older.id
        return self._preview.id if isinstance(bundle, PreviewKeyBundle) else self._get.id

    def _finish(self, row: Row, rotation: RotationPolicy | Refusal | None) -> None:
        self._external |= row.values.get("external_key_id") is not None
        if "external_key_id" in row.unknown:
            self._untold.add(row.unknown["external_key_id"])
        if rotation is None:
            no_rotation(row)
        elif isinstance(rotation, Refusal):
            row.refuse(ROTATION, rotation.reason)
        else:
            put_rotation(row, rotation)
        self._unit.row("key", row.finish())


def _offered(found: KeyBundle | Refusal) -> KeyBundle | Refusal:
    """The answer of a preview, which not every cloud and region has: keyaudit knows it, so an update would not help."""
    if isinstance(found, Refusal) and found.reason in (Reason.UNRECOGNISED, Reason.API_RETIRED):
        return replace(found, reason=Reason.NOT_IN_CLOUD)
    return found


def _is_bad_request(found: KeyBundle | Refusal) -> bool:
    return isinstance(found, Refusal) and found.status == 400


def _counted(names: Sequence[str]) -> tuple[str, str]:
    """ "2 keys", and their names; of many the first ones."""
    shown, more = names[:SHOWN_BAD], len(names) - SHOWN_BAD
    listed = listed_texts([*shown, f"{more:,} more"] if more > 0 else shown)
    return f"{len(names):,} key{'s' * (len(names) != 1)}", one_line(listed, 120)
