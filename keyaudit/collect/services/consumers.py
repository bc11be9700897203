"""The services that `model.consumers` declares: one query for each group of subscriptions, and the lists below resources."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import UNSET, Raw, Struct, defstruct, structs

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.places import Subscription, source
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.services.items import UNREADABLE, text
from keyaudit.collect.services.key_uses import identities
from keyaudit.collect.services.settings import NamingSetting, settings
from keyaudit.collect.wire import Wire, is_null
from keyaudit.inventory.spool import Unit
from keyaudit.model.consumers import CHILDREN, DECLARED, KEY, QUERY, SECRET, Consumer
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import KEY_USE
from keyaudit.model.tables.vaults.secret_use import SECRET_USE

OPERATIONS = (QUERY, *(each.operation for each in CHILDREN))

_AT_ONCE = 48
"""Lists below resources, over all subscriptions: Azure limits the requests of each by itself."""
_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/([^/]+)/(.+)", re.ASCII | re.IGNORECASE)


def _by_type() -> Mapping[str, Sequence[Consumer]]:
    found = defaultdict[str, list[Consumer]](list)
    for each in DECLARED:
        found[each.type.lower()].append(each)
    return found


def _of_query() -> Iterator[Consumer]:
    return (each for each in DECLARED if each.children is None)


def _column(path: str) -> str:
    return path.replace(".", "_")


def _paths(each: Consumer) -> tuple[str, ...]:
    """The paths in the properties that the query returns for it: the list or object with its settings, or their members."""
    if each.at:
        return (each.at.partition("[]")[0],)
    own = (each.url, each.resource, each.vault, each.name, each.version, each.follows, each.reports, each.thumbprint)
    words = tuple(word.member for word in (each.status, each.says) if word)
    return tuple(filter(None, (*own, each.certificate, *words)))


BY_TYPE = _by_type()
_PATHS = tuple(dict.fromkeys(path for each in _of_query() for path in _paths(each)))
_COLUMNS = tuple(map(_column, _PATHS))
_NAMING = tuple(dict.fromkeys(_column(_paths(each)[0]) for each in _of_query()))
_PARENTS = tuple(dict.fromkeys(each.type.lower() for each in DECLARED if each.children))
# Only resources that name something are returned, and those below which there is a list.
ASKED = Query(
    operation=QUERY,
    types=tuple(BY_TYPE),
    own=("id", "name", "type", "location"),
    paths={
        "identityType": "identity.type",
        "userAssignedIdentities": "identity.userAssignedIdentities",
        **{column: f"properties.{path}" for column, path in zip(_COLUMNS, _PATHS, strict=True)},
    },
    given=_NAMING,
    always=_PARENTS,
)


class Item(Struct):
    """One resource. Members that settings are in are added; one that it lacks is null."""

    id: str
    type: str
    name: Wire = UNSET
    location: Wire = UNSET
    identity_type: Wire = msgspec.field(default=UNSET, name="identityType")
    user_assigned_identities: Wire = msgspec.field(default=UNSET, name="userAssignedIdentities")


_ITEM = cast("type[Item]", defstruct("Item", [(each, Wire, UNSET) for each in _COLUMNS], bases=(Item,)))


_OF_LISTS = ("location", "identity_type", "user_assigned_identities")


class Child(Struct):
    """An item of a list below a resource."""

    id: str
    name: Wire = UNSET
    properties: Wire = UNSET


class Resource(Struct, frozen=True):
    """A resource, by its id: the names of it and of the resource that it is part of."""

    item: Item
    subscription: Subscription
    resource_group: str
    type: str
    names: Sequence[str]

    @property
    def segments(self) -> dict[str, str]:
        """The segments of the path of a list below it."""
        own = dict(zip(("name", "part"), self.names, strict=False))
        return {"subscription": self.subscription.id, "resource_group": self.resource_group, **own}


def resource_of(item: Item, subscriptions: Collection[Subscription]) -> Resource:
    """The resource of an item. Raises ValueError for another resource type or subscription."""
    match = _ID.fullmatch(item.id)
    types = match[4].split("/") if match else []
    type_ = "/".join((match[3], *types[::2])).lower() if match else ""
    if match is None or len(types) % 2 or type_ != item.type.lower() or type_ not in BY_TYPE:
        raise ValueError("not the id of such a resource")
    for subscription in subscriptions:
        if subscription.id == match[1].lower():
            return Resource(item, subscription, match[2], type_, types[1::2])
    raise ValueError("of another subscription")


def _by_id(subscriptions: Collection[Subscription]) -> Callable[[Item], str]:
    return lambda item: resource_of(item, subscriptions).item.id.lower()


async def collect_consumers(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for each setting that names a key or secret of a vault. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    return await _Consumers(reading, unit, scope).collect()


class _Consumers:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope) -> None:
        self._reading, self._unit, self._scope = reading, unit, scope
        self._environment = reading.connection.environment
        self._query = Calls(scope, QUERY)
        self._lists = {each.operation: Calls(scope, each.operation, per_object=True) for each in CHILDREN}
        self._below: dict[str, list[Resource]] = {operation: [] for operation in self._lists}
        """By list, the resources that it is below."""

    async def collect(self) -> Sequence[Coverage]:
        gateway, subscriptions = self._reading.connection.gateway, self._reading.found.subscriptions
        for group, listing in self._reading.graph.queries(gateway, self._query, ASKED, _ITEM, subscriptions, by=_by_id):
            async for item in both(listing):
                self._resource(group, item)
        await self._lists_below()
        found = self._reading.confines.part(self._query.coverage(), "resource_groups")
        return [found, *(calls.coverage(found) for calls in self._lists.values())]

    async def _lists_below(self) -> None:
        """Read the lists below the resources: last, so that their number is known."""
        every = [(operation, resource) for operation, resources in self._below.items() for resource in resources]
        done = 0

        async def one(list_: tuple[str, Resource]) -> None:
            nonlocal done
            await self._children(*list_)
            done += 1
            self._reading.seen(done, len(every))

        gateway = self._reading.connection.gateway
        for operation, resources in self._below.items():
            left = (each for each in resources if not gateway.remembers(operation, **each.segments))
            self._reading.expect(operation, Counter(resource.subscription.id for resource in left))
        await for_each(every, one, limit=_AT_ONCE)

    def _resource(self, group: Sequence[Subscription], item: Item) -> None:
        if not self._reading.confines.resource(item.id):
            return
        resource = resource_of(item, group)
        declared = BY_TYPE[resource.type]
        found = [(each, setting) for each in declared if each.children is None for setting in self._settings(each, item)]
        self._write(resource, found, item.id, item.name, source(self._environment, QUERY))
        for operation in dict.fromkeys(each.operation for each in declared if each.children):
            self._below[operation].append(structs.replace(resource, item=_without_settings(item)))

    def _settings(self, declared: Consumer, item: Item) -> Iterator[NamingSetting]:
        if declared.at:
            _, items, rest = declared.at.partition("[]")
            return settings(declared, getattr(item, _column(_paths(declared)[0])), items + rest, self._environment)
        members = {path: getattr(item, _column(path)) for path in _paths(declared)}
        return settings(declared, _nested(members), "", self._environment)

    async def _children(self, operation: str, resource: Resource) -> None:
        declared = [each for each in BY_TYPE[resource.type] if each.operation == operation]
        pages = self._reading.connection.gateway.pages
        listing = pages(operation, Child, by=lambda child: child.id.lower(), host="", body=None, **resource.segments)
        place = source(self._environment, operation, **resource.segments)
        async for child in both(listing):
            # Null is Resource Graph's way of saying that there is no such member, and not that of a list.
            properties = UNREADABLE if child.properties is UNSET or is_null(child.properties) else child.properties
            found = [(each, own) for each in declared for own in settings(each, properties, each.at, self._environment)]
            own = text(child.name)
            shown = f"{resource.item.id.rpartition('/')[2]}/{own}" if isinstance(own, str) else child.name
            self._write(resource, found, child.id, shown, place)
        self._lists[operation].ended(listing.end)

    def _write(
        self,
        resource: Resource,
        found: Sequence[tuple[Consumer, NamingSetting]],
        id_: str,
        name: Wire | str,
        place: tuple[str, str],
    ) -> None:
        """`id_`, `name`: of the resource, or the item of a list below it, that has these settings."""
        names = Counter[str]()
        for declared, setting in found:
            names[setting.named] += 1
            again = f"/{names[setting.named]}" if names[setting.named] > 1 else ""
            table, noun = (KEY_USE, "encryption") if declared.names == KEY else (SECRET_USE, "secrets")
            row_id = f"{id_}/{noun}/{setting.named}{again}"
            row = Row(table, id=row_id, resource_id=id_, scope_id=self._scope.id, url=place[0], version=place[1])
            row.put_all(name=name, subscription_id=resource.subscription.id, resource_group=resource.resource_group)
            row.put_all(kind=declared.kind, consumer_id=id_.lower())
            _put(row, declared, setting)
            if declared.names == KEY:
                row.put_all(subscription_name=resource.subscription.name, location=resource.item.location)
                row.put_all(moving=None, rotated_on=None)
                row.put_read("identity_ids", identities(resource.item.identity_type, resource.item.user_assigned_identities))
            self._unit.row(table.name, row.finish())


def _without_settings(item: Item) -> Item:
    """What a list below a resource needs of it, apart from the page that it was on."""
    kept = {name: value.copy() if isinstance(value := getattr(item, name), Raw) else value for name in _OF_LISTS}
    return Item(id=item.id, type=item.type, **kept)


def _nested(members: Mapping[str, Wire]) -> Raw:
    """An object with these members, by their paths."""
    whole: dict[str, Any] = {}
    for path, raw in members.items():
        *parents, last = path.split(".")
        inner = whole
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = UNREADABLE if raw is UNSET else raw
    return Raw(msgspec.json.encode(whole))


def _put(row: Row, declared: Consumer, setting: NamingSetting) -> None:
    named = f"{declared.names}_id"
    if isinstance(setting.of, Refusal):
        row.refuse((named, "version"), setting.of.reason)
    else:
        row.put(named, f"https://{setting.of.host}/{declared.names}s/{setting.of.name}")
        row.put("version", setting.of.version)
    row.put_all(pinned=setting.pinned, version_in_use=setting.version_in_use, status=setting.status, broken=setting.broken)
    if declared.names == SECRET:
        row.put_all(active=True, thumbprint_in_use=setting.thumbprint_in_use)
