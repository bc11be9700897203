"""Role assignments and eligible roles on vaults, and the management groups above subscriptions."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access import delegations
from keyaudit.collect.access.assignments import QUERY, AssignmentItem, assignment_row, matters, name_of
from keyaudit.collect.access.definitions import ABOVE, Roles
from keyaudit.collect.access.denials import Denials, Holder
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import Subscription, Vault, source
from keyaudit.collect.queries import PER_QUERY
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.subscription import SUBSCRIPTION

OPERATIONS = ("role_definition.query", "role_assignment.query", "subscription.query", *delegations.OPERATIONS)

SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project id, name, subscriptionId, properties | order by id asc"
)
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
_AT_ONCE = 16


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
    assigned = _Roles(reading.connection, unit, scope, reading.found.subscriptions, reading.found.vaults)
    records = await assigned.collect()
    delegated = await delegations.collect_delegations(reading, unit, scope, assigned.roles)
    return [*records, delegated, *assigned.roles.coverage]


class _Roles:
    def __init__(
        self,
        connection: Connection,
        unit: Unit,
        scope: Scope,
        subscriptions: Sequence[Subscription],
        vaults: Sequence[Vault],
    ) -> None:
        self._connection, self._unit, self._scope = connection, unit, scope
        self._gateway = connection.gateway
        self._subscriptions = subscriptions
        self._ids = [subscription.id for subscription in subscriptions]
        self._groups = {vault.scope.id.partition("/providers/")[0] for vault in vaults}
        self.roles = Roles(connection, scope)
        self._denials = Denials(connection)
        self._above: dict[str, Sequence[str]] = {}
        self._written: set[str] = set()

    async def collect(self) -> Sequence[Coverage]:
        placed = await self._place()
        await self.roles.collect(self._ids)
        await for_each(self._subscriptions, self._deny, limit=_AT_ONCE)
        assigned = await self._assignments()
        eligible: list[Coverage] = []

        async def one(subscription: Subscription) -> None:
            eligible.append(await self._eligible(subscription))

        await for_each(self._subscriptions, one, limit=_AT_ONCE)
        records = [*eligible, *self._denials.coverage]
        records.sort(key=lambda record: (record.scope.id, record.operation))
        return [placed, assigned, *records]

    async def _place(self) -> Coverage:
        """Read the management groups above each subscription."""
        calls = Calls(self._scope, "subscription.query")
        found: dict[str, SubscriptionProperties | Refusal] = {}
        unseen = Reason.INCONSISTENT_PAGES
        for group in self._queried():
            body = {"subscriptions": group, "query": SUBSCRIPTIONS}
            listing = self._gateway.pages(calls.id, SubscriptionItem, by=_name_of, body=body)
            for item in (await distinct(listing, _name_of)).values():
                found[item.subscription_id.lower()] = read(item.properties, SubscriptionProperties)
            calls.ended(listing.end)
            unseen = why_incomplete(listing.end) or unseen
        for subscription in self._subscriptions:
            properties = found.get(subscription.id, Refusal(unseen))
            chain = properties if isinstance(properties, Refusal) else _chain(properties)
            if not isinstance(chain, Refusal):
                self._above[subscription.id] = chain
            self._unit.row("subscription", self._subscription_row(subscription, properties, chain))
        return calls.coverage()

    def _subscription_row(
        self, subscription: Subscription, properties: SubscriptionProperties | Refusal, chain: Sequence[str] | Refusal
    ) -> Mapping[str, object]:
        url, version = source(self._connection.environment, "subscription.query")
        id_ = subscription.scope.id
        row = Row(SUBSCRIPTION, id=id_, resource_id=id_, scope_id=id_, url=url, version=version)
        row.put_all(name=subscription.name, subscription_id=subscription.id)
        row.put_all(state=properties if isinstance(properties, Refusal) else properties.state, management_groups=chain)
        return row.finish()

    async def _deny(self, subscription: Subscription) -> None:
        await self._denials.collect(subscription.scope, subscription.id)

    async def _assignments(self) -> Coverage:
        calls = Calls(self._scope, "role_assignment.query")
        url, version = source(self._connection.environment, calls.id)
        for group in self._queried():
            body = {"subscriptions": group, "query": QUERY, "options": ABOVE}
            listing = self._gateway.pages(calls.id, AssignmentItem, by=name_of, body=body)
            async for item in listing:
                await self._write(item, url, version, standing=True)
            for copy in listing.copies():
                await self._write(copy, url, version, standing=True, copy=True)
            calls.ended(listing.end)
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

    def _queried(self) -> Sequence[Sequence[str]]:
        return [self._ids[start : start + PER_QUERY] for start in range(0, len(self._ids), PER_QUERY)]


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
