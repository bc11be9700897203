"""Common to keys, certificates and secrets of a vault: a list, a version list for each, and a GET of each version."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import Spare, for_each
from keyaudit.collect.copies import contradicted, distinct
from keyaudit.collect.key_vault.data_plane import bad_uri, object_row, was_deleted
from keyaudit.collect.key_vault.key_versions import Key, Listed, agreed, newest
from keyaudit.collect.key_vault.names import Named, named, object_id, version_named
from keyaudit.collect.places import Vault, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, End, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table

Item = TypeVar("Item", bound=Struct)
Bundle = TypeVar("Bundle", bound=Struct)

Wrong = Mapping[str, frozenset[str]]
"""The columns in which the copies of a version differ, by version; versions without any are left out."""


class VersionedObjects(ABC, Generic[Item]):
    """The objects of one kind in one vault, collected once. `Item` is an object or version in a list."""

    table: ClassVar[Table]
    """Its name is that of the objects in request paths, too, and its plural that of the collection in identifiers."""
    item: type[Item]

    def __init__(self, reading: Reading, unit: Unit, vault: Vault, operations: Sequence[str]) -> None:
        """`operations`: the list, the list of versions, and further reads of each object."""
        self._reading, self._unit, self._vault = reading, unit, vault
        self._connection, self._gateway = reading.connection, reading.connection.gateway
        self._operations = tuple(operations)
        self._list = Calls(vault.scope, operations[0])
        self._single = [Calls(vault.scope, operation, per_object=True) for operation in operations[1:]]
        self._versions = self._single[0]
        self._collection = f"{self.table.name}s"
        self.uri = "" if isinstance(vault.uri, Refusal) else vault.uri
        """Its address, which `collect` checks."""
        self._host, self._segments = self.uri, dict[str, str]()
        """The host and path segments of every request."""
        self.closed: Refusal | None = None
        """Set by `collect` if nothing more is read: its address is not its own, or it was deleted."""

    @abstractmethod
    def _identifier(self, found: Item) -> str:
        """The identifier of the object or version of an item."""

    @abstractmethod
    def _put_item(self, row: Row, item: Item) -> None:
        """Fill the columns that both lists have."""

    @abstractmethod
    async def _read(self, name: str, item: Item, listed: Listed[Item]) -> None:
        """Write the rows of one object: `item` is its entry in the list, `listed` its versions."""

    async def collect(self) -> Sequence[Coverage]:
        """Write a row per version. Returns the coverage of the list, then of the reads of its objects.

        If the vault was deleted meanwhile, its rows are dropped.
        """
        self.closed = bad_uri(self._vault, self._connection.environment)
        if self.closed:
            self._list.refused(self.closed)
        else:
            await self._read_all(self._reading.at_once, self._reading.spare)
        if await was_deleted(self._gateway, self._vault, (self._list, *self._single)):
            self._unit.discard()
            self.closed = Refusal(Reason.VANISHED)
            return not_assessed(self._vault.scope, self._operations, Reason.VANISHED)
        more = await self._elsewhere()
        return [*self._coverage(), *more]

    def _coverage(self) -> Sequence[Coverage]:
        parent = self._list.coverage()
        return [parent, *(call.coverage(parent) for call in self._single)]

    async def _elsewhere(self) -> Sequence[Coverage]:
        """Alternative reads if the vault's own answers are insufficient."""
        return ()

    async def _read_all(self, limit: int, spare: Spare | None = None) -> None:
        listing = self._gateway.pages(self._list.id, self.item, by=self._name_of, host=self._host, body=None, **self._segments)
        await for_each(listing, self._object, limit=limit, spare=spare)
        await for_each(listing.copies(), self._object, limit=limit, spare=spare)
        self._list.ended(self._explained(listing.end))

    def _explained(self, end: End) -> End:
        return end

    def _named(self, found: Item) -> Named:
        """The object of an item; ValueError if it is not of this kind in this vault."""
        return named(self._identifier(found), self.uri, self._collection)

    def _name_of(self, item: Item) -> str:
        return self._named(item).name.lower()

    def _version_of(self, name: str) -> Callable[[Item], str]:
        """Returns the version of `name` of an item, and raises ValueError for others."""
        return lambda item: version_named(self._identifier(item), self.uri, self._collection, name).version

    async def _object(self, item: Item) -> None:
        name = self._named(item).name
        # Versions first: a version created in between is missing from the list, and the GET returns it.
        await self._read(name, item, await self._list_versions(name))

    async def _agreed(self, name: str, listed: Listed[Item], version: str) -> Listed[Item]:
        return await agreed(listed, version, lambda: self._list_versions(name), self._versions)

    async def _list_versions(self, name: str) -> Listed[Item]:
        by, segments = self._version_of(name), {self.table.name: name, **self._segments}
        listing = self._gateway.pages(self._versions.id, self.item, by=by, host=self._host, body=None, **segments)
        versions = await distinct(listing, by)
        self._versions.ended(listing.end)
        return versions, why_incomplete(listing.end)

    def _copy(self, name: str, version: str, item: Item) -> Row:
        """What an item of a list says about a version, for comparison."""
        row = self._row(Named(name, version), self._versions.id, "")
        self._put_item(row, item)
        return row

    def _contradictions(self, name: str, item: Item, copies: Mapping[str, Sequence[Row]]) -> Wrong:
        """The columns in which the `copies` of a version differ, by version.

        `item` is of the list of objects, and a copy of the version that it describes, if that is certain.
        """
        listed = self._copy(name, "", item)
        described = self._described(listed, {version: rows[0] for version, rows in copies.items() if rows})
        found: dict[str, frozenset[str]] = {}
        for version, rows in copies.items():
            more = [listed] if version == described else []
            if rows and (wrong := contradicted(*rows, *more)):
                found[version] = wrong
        return found

    def _described(self, listed: Row, versions: Mapping[str, Row]) -> str | None:
        """The version that an item of the list of objects describes: it names none, and may be older than the other reads.

        By its dates, or else the newest one, unless that was made or changed after the item. One that was made when no version
        was contradicts them all, and is held against the newest.
        """
        same = [version for version, row in versions.items() if _dates(row) == _dates(listed)]
        if same:
            return same[0] if len(same) == 1 else None
        last = newest([(version, row.values.get("created_on")) for version, row in versions.items()], self._unit.latest)
        made, dates = listed.values.get("created_on"), {row.values.get("created_on") for row in versions.values()}
        if made is not None and made not in dates and None not in dates:
            return last
        changed, told = (row.values.get("updated_on") for row in (versions[last] if last is not None else listed, listed))
        return last if isinstance(changed, int) and isinstance(told, int) and told >= changed else None

    def _row(self, found: Named, operation: str, resource_id: str) -> Row:
        """A new row of a version from `operation`, with the columns of identity and location."""
        segments = {self.table.name: found.name, "version": found.version}
        url, version = source(self._connection.environment, operation, host=self._host, **segments, **self._segments)
        return version_row(self.table, self._vault, self.uri, found, resource_id=resource_id, url=url, version=version)


class FetchedObjects(VersionedObjects[Item], Generic[Item, Bundle]):
    """Objects whose versions are read with a GET each, which returns a `Bundle`."""

    bundle: type[Bundle]

    def __init__(self, reading: Reading, unit: Unit, vault: Vault, operations: Sequence[str]) -> None:
        """`operations`: the list, the list of versions, the GET of one, and further reads of each object."""
        super().__init__(reading, unit, vault, operations)
        self._get = self._single[1]

    @abstractmethod
    def _named_in(self, found: Bundle) -> Named:
        """The object of an answer; ValueError if it is not of this kind in this vault."""

    @abstractmethod
    def _put_answer(self, row: Row, answer: Bundle) -> None:
        """Fill the columns of `_put_item` from the answer of a GET."""

    @abstractmethod
    async def _writer(self, found: Key[Item, Bundle], wrong: Wrong) -> Callable[[str, Bundle | Refusal], None]:
        """Writes the row of a version from the answer of its GET; the version is empty for the object as a whole.

        `wrong`: the columns in which the copies of a version differ, which are unknown.
        """

    async def _read(self, name: str, item: Item, listed: Listed[Item]) -> None:
        """Read the versions of one object, and write them."""
        current, version = await self._current(name)
        if self._has_versions(current):
            listed = await self._agreed(name, listed, version)
        versions, unlisted = listed
        found = Key(name=name, item=item, versions=versions, unlisted=unlisted, current=current, current_version=version)
        known = self._unchanged_versions(found)
        answers = await found.answers(lambda each: self._get_version(name, each), without=known)
        wrong = self._compared(found, answers)
        if wrong:
            wrong = await self._compared_again(found, answers, wrong)
        write = await self._writer(found, wrong)
        for each, answer in answers.items():
            write(each, answer)
        for each, row in known.items():
            self._get.answered()
            self._take_over_version(found, each, row)

    def _unchanged_versions(self, found: Key[Item, Bundle]) -> Mapping[str, Mapping[str, object]]:  # noqa: ARG002
        """By version, the rows of an earlier run that are copied, not read again; never the current version."""
        return {}

    def _take_over_version(self, found: Key[Item, Bundle], version: str, known: Mapping[str, object]) -> None:
        """Write the row of a version of `_unchanged_versions`."""
        raise NotImplementedError

    def _compared(self, found: Key[Item, Bundle], answers: Mapping[str, Bundle | Refusal]) -> Wrong:
        """The columns in which the answer and the lists differ, by version."""
        copies: dict[str, list[Row]] = {version: [] for version in answers}
        for version, answer in answers.items():
            if not isinstance(answer, Refusal):
                row = self._row(Named(found.name, version), self._get.id, "")
                self._put_answer(row, answer)
                copies[version].append(row)
            if version in found.versions:
                copies[version].append(self._copy(found.name, version, found.versions[version]))
        return self._contradictions(found.name, found.item, copies)

    async def _compared_again(self, found: Key[Item, Bundle], answers: dict[str, Bundle | Refusal], wrong: Wrong) -> Wrong:
        """What still differs after the list of versions, and each version in `wrong`, are read once more.

        A version may have been changed between the first reads. Replaces what was read first in `found` and `answers`.
        """
        versions, _ = await self._list_versions(found.name)
        found.versions.update({version: item for version, item in versions.items() if version in found.versions})
        for version in wrong:
            answer = await self._get_version(found.name, version)
            if not isinstance(answer, Refusal):
                answers[version] = answer
        return self._compared(found, answers)

    def _has_versions(self, current: Bundle | Refusal) -> bool:  # noqa: ARG002 - an answer may have none yet
        """Whether the list of versions cannot be empty."""
        return True

    async def _current(self, name: str) -> tuple[Bundle | Refusal, str]:
        """The answer of a GET without a version, and the version in it."""
        current = await self._get_version(name, "")
        return current, "" if isinstance(current, Refusal) else self._named_in(current).version

    async def _get_version(self, name: str, version: str) -> Bundle | Refusal:
        return await self._ask(self._get, name, version)

    async def _ask(self, calls: Calls, name: str, version: str | None) -> Bundle | Refusal:
        """One answer, counted in `calls`; `version` is None if the request takes none."""
        return counted(calls, await self._answer(calls.id, self.bundle, name, version))

    async def _answer(self, operation: str, bundle: type[Bundle], name: str, version: str | None) -> Bundle | Refusal:
        segments = {self.table.name: name, **({} if version is None else {"version": version}), **self._segments}
        found = await self._gateway.get(operation, bundle, host=self._host, **segments)
        if not isinstance(found, Refusal) and not self._is_whole(found):
            found = Refusal(Reason.BAD_BODY, f"it does not say which version of the {self.table.name} it is", 200)
        return found

    def _is_whole(self, bundle: Bundle) -> bool:
        """Whether an answer names a version, if it has to."""
        try:
            return bool(self._named_in(bundle).version) or not self._has_versions(bundle)
        except ValueError:
            return False


T = TypeVar("T")


def _dates(row: Row) -> tuple[object, object]:
    return row.values.get("created_on"), row.values.get("updated_on")


def version_row(table: Table, vault: Vault, uri: str, found: Named, *, resource_id: str, url: str, version: str) -> Row:
    """A new row with the columns of identity and location; without a version it has the object's own id.

    `url` and `version` are the request of the row and its api-version.
    """
    collection = f"{table.name}s"
    row = object_row(table, vault, id_=object_id(uri, collection, found), resource_id=resource_id, url=url, version=version)
    row.put("name", found.name)
    row.put(f"{table.name}_id", object_id(uri, collection, Named(found.name)))
    row.put("vault_name", vault.name)
    if "vault_kind" in table.by_name:
        row.put("vault_kind", vault.kind)
    if found.version:
        row.put("version", found.version)
    return row


def counted(calls: Calls, found: T | Refusal) -> T | Refusal:
    """The answer, after counting it in `calls`."""
    calls.got(found)
    return found
