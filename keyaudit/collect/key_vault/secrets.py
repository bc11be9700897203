"""The secrets of one vault, every version, from lists only. A GET would return the value and is never sent."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.calls import not_assessed
from keyaudit.collect.key_vault.key_versions import Listed, newest
from keyaudit.collect.key_vault.names import Named
from keyaudit.collect.key_vault.versioned import VersionedObjects
from keyaudit.collect.places import Vault
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.secret import SECRET

OPERATIONS = ("secret.list", "secret.versions")


@wired(SECRET)
class SecretItem(Struct):
    """An item of the secret list or of a version list."""

    id: str
    attributes: Wire = UNSET
    managed: Wire = UNSET


@wired(SECRET, "attributes")
class _Attributes(Struct):
    created: Wire = UNSET


async def collect_secrets(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per secret version to `unit`. Returns the coverage of `OPERATIONS`."""
    focus = reading.confines.focus
    if focus is not None and not focus.holds(vault):
        return not_assessed(vault.scope, OPERATIONS, Reason.NOT_ASKED)
    return await _Secrets(reading, unit, vault, OPERATIONS).collect()


class _Secrets(VersionedObjects[SecretItem]):
    table, item = SECRET, SecretItem

    def _identifier(self, found: SecretItem) -> str:
        return found.id

    async def _object(self, item: SecretItem) -> None:
        focus = self._reading.confines.focus
        if focus is None or focus.object(self._vault, self._named(item).name, item.managed):
            await super()._object(item)

    async def _read(self, name: str, item: SecretItem, listed: Listed[SecretItem]) -> None:
        versions, unlisted = await self._agreed(name, listed, "")
        wrong = self._contradictions(name, item, self._copies(name, versions))
        if wrong:
            # It may have been changed between the two lists.
            again, _ = await self._list_versions(name)
            versions = {version: again.get(version, each) for version, each in versions.items()}
            wrong = self._contradictions(name, item, self._copies(name, versions))
        why = Refusal(unlisted) if unlisted else None
        # Of versions whose dates are contradicted, none is certainly the newest.
        doubted = any("created_on" in columns for columns in wrong.values())
        latest = (
            None if doubted else newest([(version, _created_on(each)) for version, each in versions.items()], self._unit.latest)
        )
        for version, each in versions.items():
            # With a tie, or a version without a date, the current one is unknown.
            told = version == latest if latest else Refusal(Reason.UNRECOGNISED)
            row = self._row(Named(name, version), "secret.versions", each.id)
            self._write(row, each, listed=why or True, current=why or told, wrong=wrong.get(version, ()))
        if not versions and why:
            row = self._row(Named(name), "secret.list", item.id)
            row.refuse(("version",), why.reason)
            self._write(row, item, listed=why, current=why)

    def _copies(self, name: str, versions: Mapping[str, SecretItem]) -> Mapping[str, Sequence[Row]]:
        return {version: [self._copy(name, version, item)] for version, item in versions.items()}

    def _put_item(self, row: Row, item: SecretItem) -> None:
        put_secret(row, item)

    def _write(
        self,
        row: Row,
        item: SecretItem,
        *,
        listed: bool | Refusal,
        current: bool | Refusal,
        wrong: Collection[str] = (),
    ) -> None:
        self._put_item(row, item)
        row.refuse(wrong, Reason.INCONSISTENT)
        row.put_all(versions_listed=listed, is_current=current)
        self._unit.row("secret", row.finish())


def _created_on(item: SecretItem) -> object:
    attributes = read(item.attributes, _Attributes)
    return attributes if isinstance(attributes, Refusal) else read(attributes.created, int)


def put_secret(row: Row, item: SecretItem) -> None:
    """Fill the columns that a list has."""
    row.fill(item)
    row.fill(read(item.attributes, _Attributes), "attributes")
