"""Event Grid: the subscriptions to the events of vaults.

A subscription is made below a system topic, or on the vault itself, which then gets a system topic that goes with its last
subscription. A vault has at most one: https://learn.microsoft.com/azure/event-grid/system-topics. So a vault without a system
topic has no subscription, and of one with a topic both lists are read.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.places import Vault, source, vault_id_parts
from keyaudit.collect.queries import Group, Query, ids_of
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.services.resource_queries import Identified
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.event_subscription import EVENT_SUBSCRIPTION, EVENTS, OBJECTS

OPERATIONS = EVENTS
_BELOW = "event_topic.subscriptions"
"""The list below a system topic; the other one is on the vault."""

QUERY = Query(
    operation="event_topic.query",
    types=("microsoft.eventgrid/systemtopics",),
    own=("id", "name"),
    paths={"source": "properties.source", "topicType": "properties.topicType"},
    only=("topicType", "microsoft.keyvault.vaults"),
)
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.EventGrid/systemTopics/([^/]+)",
    re.ASCII | re.IGNORECASE,
)
_AT_ONCE = 16
_LISTED = ("near_expiry", "filtered", "destination", "state", "expires_on")
# https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
_NEAR_EXPIRY = {f"microsoft.keyvault.{each}nearexpiry": each for each in OBJECTS}
_OTHERS = frozenset(f"microsoft.keyvault.{each}{what}" for each in OBJECTS for what in ("newversioncreated", "expired"))
_TYPES = _OTHERS | {*_NEAR_EXPIRY, "microsoft.keyvault.vaultaccesspolicychanged"}


class Item(Identified):
    """A system topic of the query."""

    source: str
    name: Wire = UNSET


class Topic(Struct, frozen=True):
    """A system topic of a vault that is read."""

    id: str
    group: str
    name: str
    vault: Vault

    def segments(self, operation: str) -> dict[str, str]:
        """The segments of the path of one of its lists."""
        if operation != _BELOW:
            return self.vault.segments
        return {"subscription": self.vault.subscription_id, "resource_group": self.group, "topic": self.name}

    def named(self, item: "Subscription") -> str:
        """The id of a subscription, in lower case; ValueError for one of something else."""
        id_ = item.id.lower()
        if not id_.startswith((f"{self.id.lower()}/", f"{self.vault.scope.id}/")):
            raise ValueError("a subscription to something else")
        return id_


class Filter(Struct, rename="camel"):
    """Which events are delivered."""

    included_event_types: Wire = UNSET
    subject_begins_with: Wire = UNSET
    subject_ends_with: Wire = UNSET
    advanced_filters: Wire = UNSET


class Destination(Struct, rename="camel"):
    """Where events are delivered to."""

    endpoint_type: Wire = UNSET


class Delivery(Struct):
    """A delivery with a managed identity."""

    destination: Wire = UNSET


@wired(EVENT_SUBSCRIPTION, "properties")
class Properties(Struct, rename="camel"):
    """The properties of a subscription."""

    filter: Wire = UNSET
    destination: Wire = UNSET
    delivery_with_resource_identity: Wire = UNSET
    provisioning_state: Wire = UNSET


class Subscription(Struct):
    """An event subscription."""

    id: str
    name: Wire = UNSET
    properties: Wire = UNSET


async def collect_events(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the subscriptions to the events of the vaults that are read. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    vaults = {vault.scope.id: vault for vault in reading.found.vaults}
    calls = Calls(scope, OPERATIONS[0])
    lists = [Calls(scope, operation, per_object=True) for operation in OPERATIONS[1:]]
    topics: list[Topic] = []
    gateway, subscriptions = reading.connection.gateway, reading.found.subscriptions
    for _, listing in reading.graph.queries(gateway, calls, QUERY, Item, subscriptions, by=_by):
        async for item in both(listing):
            match, vault = _ID.fullmatch(item.id), vaults.get(item.source.lower())
            if match is not None and vault is not None:
                topics.append(Topic(item.id, match[2], match[3], vault))
    for each in lists:
        left = (topic for topic in topics if not gateway.remembers(each.id, **topic.segments(each.id)))
        reading.expect(each.id, Counter(topic.vault.subscription_id for topic in left))
    work = [(topic, each) for topic in topics for each in lists]
    await for_each(work, lambda one: _subscriptions(reading, unit, scope, *one), limit=_AT_ONCE)
    found = calls.coverage()
    return [found, *(each.coverage(found) for each in lists)]


def _by(group: Group) -> Callable[[Item], str]:
    subscriptions = ids_of(group)

    def name(item: Item) -> str:
        match, about = _ID.fullmatch(item.id), vault_id_parts(item.source)
        if match is None or match[1].lower() not in subscriptions:
            raise ValueError("not a system topic of these subscriptions")
        # A system topic is in the subscription of its source: https://learn.microsoft.com/azure/event-grid/system-topics
        if about is None or about.subscription != match[1].lower():
            raise ValueError("not a system topic of a vault")
        return item.id.lower()

    return name


async def _subscriptions(reading: Reading, unit: Unit, scope: Scope, topic: Topic, calls: Calls) -> None:
    """Write the subscriptions of one list. If it was not read to its end, a row stands for the others."""
    segments = topic.segments(calls.id)
    listing = reading.connection.gateway.pages(calls.id, Subscription, by=topic.named, host="", body=None, **segments)
    place = source(reading.connection.environment, calls.id, **segments)
    where = topic.id if calls.id == _BELOW else topic.vault.resource_id

    def row(id_: str, resource: str, name: object) -> Row:
        made = Row(EVENT_SUBSCRIPTION, id=id_, resource_id=resource, scope_id=scope.id, url=place[0], version=place[1])
        made.put_all(name=name, vault_id=topic.vault.scope.id, topic_id=topic.id.lower())
        return made

    async for item in both(listing):
        found = row(f"{where}/eventSubscriptions/{item.id.rpartition('/')[2]}", item.id, item.name)
        _put(found, read(item.properties, Properties))
        unit.row(EVENT_SUBSCRIPTION.name, found.finish())
    calls.ended(listing.end)
    refusal = listing.end.refusal or (Refusal(Reason.BAD_ITEM) if listing.end.quarantined else None)
    if refusal is not None:
        others = row(f"{where}/eventSubscriptions", where, topic.name)
        others.refuse(_LISTED, refusal.reason)
        unit.row(EVENT_SUBSCRIPTION.name, others.finish())


def _put(row: Row, properties: Properties | Refusal) -> None:
    if isinstance(properties, Refusal):
        row.refuse(_LISTED, properties.reason)
        return
    row.fill(properties, "properties")
    row.put("state", properties.provisioning_state)
    row.put_read("destination", _destination(properties))
    chosen = read(properties.filter, Filter)
    if isinstance(chosen, Refusal):
        row.refuse(("near_expiry", "filtered"), chosen.reason)
        return
    row.put_all(near_expiry=_near_expiry(chosen.included_event_types), filtered=_filtered(chosen))


def _near_expiry(types: Wire) -> list[str] | Refusal:
    # Left out or null: all default types, which these are among.
    # https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-by-resource#eventsubscriptionfilter
    if types is UNSET or is_null(types):
        return list(OBJECTS)
    found = read(types, list[str])
    if isinstance(found, Refusal):
        return found
    named = {each.lower() for each in found}
    if not named:
        return Refusal(Reason.BAD_VALUE)
    return (
        sorted(_NEAR_EXPIRY[each] for each in named & _NEAR_EXPIRY.keys()) if named <= _TYPES else Refusal(Reason.UNRECOGNISED)
    )


def _filtered(chosen: Filter) -> bool | Refusal:
    for member in (chosen.subject_begins_with, chosen.subject_ends_with):
        if not (member is UNSET or is_null(member)):
            found = read(member, str)
            if found:
                return found if isinstance(found, Refusal) else True
    if chosen.advanced_filters is UNSET or is_null(chosen.advanced_filters):
        return False
    more = read(chosen.advanced_filters, list[object])
    return more if isinstance(more, Refusal) else bool(more)


def _destination(properties: Properties) -> str | Refusal:
    """Its kind, also if a managed identity delivers: then the destination itself is null."""
    place = properties.destination
    if (place is UNSET or is_null(place)) and not (
        properties.delivery_with_resource_identity is UNSET or is_null(properties.delivery_with_resource_identity)
    ):
        delivery = read(properties.delivery_with_resource_identity, Delivery)
        if isinstance(delivery, Refusal):
            return delivery
        place = delivery.destination
    found = read(place, Destination)
    return found if isinstance(found, Refusal) else read(found.endpoint_type, str)
