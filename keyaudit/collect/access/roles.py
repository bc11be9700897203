"""Role assignments and eligible roles on vaults, and the management groups above subscriptions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import UNSET, Struct

from keyaudit.cloud.answers.listing import Listing
from keyaudit.collect.access import delegations
from keyaudit.collect.access.assignments import QUERY, AssignmentItem, assignment_row, matters, name_of
from keyaudit.collect.access.definitions import Roles
from keyaudit.collect.access.denials import Denials, Holder
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import all_of, for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import Subscription, source
from keyaudit.collect.queries import Group, Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.subscription import SUBSCRIPTION

OPERATIONS = ("role_definition.query", "role_assignment.query", "subscription.query", *delegations.OPERATIONS)

SUBSCRIPTIONS = Query(
    operation="subscription.query",
    table="resourcecontainers",
    types=("microsoft.resources/subscriptions",),
    own=("id", "name", "subscriptionId", "properties"),
)
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
_AT_ONCE = 16

T = TypeVar("T")


class GroupItem(Struct):
    """A management group above a subscription."""

    name: str


class SubscriptionProperties(Struct, rename="camel"):
    """The properties of a subscription."""

    management_group_ancestors_chain: Wire = UNSET
    state: Wire = UNSET


class SubscriptionItem(Struct, rename="camel"):
    """A subscription from Resource Graph."""

    id: str
    subscription_id: str
    properties: Wire = UNSET


async def collect_roles(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per subscription, and a grant per role assignment and eligibility on a vault.

    And a row per scope that is delegated to another tenant. Returns the coverage of `OPERATIONS`, and of the reads in each
    subscription.
    """
    if not reading.found.subscriptions:
        before = reading.spool.coverage()
        seen = any(record.operation == "subscription.list" and record.state is State.ASSESSED for record in before)
        return not_assessed(scope, OPERATIONS, Reason.NOTHING_VISIBLE if seen else Reason.PARENT_NOT_ASSESSED)
    assigned = _Roles(reading, unit, scope)
    records = await assigned.collect()
    delegated = await delegations.collect_delegations(reading, unit, scope, assigned.roles)
    return [*records, delegated, *assigned.roles.coverage]


class _Roles:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope) -> None:
        self._connection, self._graph = reading.connection, reading.graph
        self._unit, self._scope = unit, scope
        self._gateway = reading.connection.gateway
        self._subscriptions = reading.found.subscriptions
        self._groups = {vault.scope.id.partition("/providers/")[0] for vault in reading.found.vaults}
        self.roles = Roles(reading, scope)
        self._denials = Denials(reading.connection)
        self._placing = Calls(scope, SUBSCRIPTIONS.operation)
        self._above: dict[str, Sequence[str]] = {}
        self._written: set[str] = set()

    async def collect(self) -> Sequence[Coverage]:
        # A grant needs all three.
        await all_of(self._place, self.roles.collect, self._deny)
        assigned = await self._assignments()
        eligible: list[Coverage] = []

        async def one(subscription: Subscription) -> None:
            eligible.append(await self._eligible(subscription))

        await for_each(self._subscriptions, one, limit=_AT_ONCE)
        records = [*eligible, *self._denials.coverage]
        records.sort(key=lambda record: (record.scope.id, record.operation))
        return [self._placing.coverage(), assigned, *records]

    async def _place(self) -> None:
        """Read the management groups above each subscription."""
        found: dict[str, SubscriptionProperties | Refusal] = {}
        unseen = Reason.INCONSISTENT_PAGES
        for _, listing in self._asked(self._placing, SUBSCRIPTIONS, SubscriptionItem, _name_of):
            for item in (await distinct(listing, _name_of)).values():
                found[item.subscription_id.lower()] = read(item.properties, SubscriptionProperties)
            unseen = why_incomplete(listing.end) or unseen
        for subscription in self._subscriptions:
            properties = found.get(subscription.id, Refusal(unseen))
            chain = properties if isinstance(properties, Refusal) else _chain(properties)
            if not isinstance(chain, Refusal):
                self._above[subscription.id] = chain
            self._unit.row("subscription", self._subscription_row(subscription, properties, chain))

    def _subscription_row(
        self, subscription: Subscription, properties: SubscriptionProperties | Refusal, chain: Sequence[str] | Refusal
    ) -> Mapping[str, object]:
        url, version = source(self._connection.environment, "subscription.query")
        id_ = subscription.scope.id
        row = Row(SUBSCRIPTION, id=id_, resource_id=id_, scope_id=id_, url=url, version=version)
        row.put_all(name=subscription.name, subscription_id=subscription.id)
        row.put_all(state=properties if isinstance(properties, Refusal) else properties.state, management_groups=chain)
        return row.finish()

    async def _deny(self) -> None:
        await for_each(
            self._subscriptions, lambda subscription: self._denials.collect(subscription.scope, subscription.id), limit=_AT_ONCE
        )

    async def _assignments(self) -> Coverage:
        calls = Calls(self._scope, QUERY.operation)
        url, version = source(self._connection.environment, calls.id)
        for _, listing in self._asked(calls, QUERY, AssignmentItem, name_of):
            async for item in listing:
                await self._write(item, url, version, standing=True)
            for copy in listing.copies():
                await self._write(copy, url, version, standing=True, copy=True)
        return calls.coverage()

    async def _eligible(self, subscription: Subscription) -> Coverage:
        calls = Calls(subscription.scope, "role_eligibility.list")
        url, version = source(self._connection.environment, calls.id, subscription=subscription.id)
        listing = self._gateway.pages(calls.id, AssignmentItem, by=name_of, subscription=subscription.id)
        async for item in listing:
            await self._write(item, url, version, standing=False)
        for copy in listing.copies():
            await self._write(copy, url, version, standing=False, copy=True)
        calls.ended(listing.end)
        return calls.coverage()

    async def _write(self, item: AssignmentItem, url: str, version: str, *, standing: bool, copy: bool = False) -> None:
        """Write the grant once: those above subscriptions are listed in each of them. `copy`: a copy that differs from the
        first.
        """
        place = item.place
        role = await self.roles.role(item.role)
        if (item.id.lower() in self._written and not copy) or not matters(role, place, self._groups):
            return
        self._written.add(item.id.lower())
        principal = item.principal
        # From somebody who is not known, only what is taken from everybody is surely taken.
        holder = Holder("" if isinstance(principal, Refusal) else principal, read(item.properties.principal_type, str))
        denied = self._denials.taken(holder, place, self._above)
        row = assignment_row(item, role, denied, scope_id=self._scope.id, url=url, version=version, standing=standing)
        self._unit.row("grant", row.finish())

    def _asked(self, calls: Calls, query: Query, kind: type[T], by: Callable[[T], str]) -> Iterator[tuple[Group, Listing[T]]]:
        return self._graph.queries(self._gateway, calls, query, kind, self._subscriptions, by=lambda _: by)


def _name_of(item: SubscriptionItem) -> str:
    """The id in lower case. Raises ValueError if the row is not a subscription."""
    if item.id.lower() != f"/subscriptions/{item.subscription_id.lower()}":
        raise ValueError("not a subscription")
    return item.id.lower()


def _chain(properties: SubscriptionProperties) -> Sequence[str] | Refusal:
    """Ids of the management groups above, the nearest first. Every subscription is below the root group, so an empty list is
    invalid.
    """
    groups = read(properties.management_group_ancestors_chain, list[GroupItem])
    if isinstance(groups, Refusal):
        return groups
    return [f"{_MANAGEMENT_GROUP}{group.name.lower()}" for group in groups] or Refusal(Reason.NOT_VISIBLE)
