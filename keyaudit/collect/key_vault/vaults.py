"""The vaults and Managed HSMs of every subscription, from Resource Graph and ARM: each can miss some."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.access.policies import policy_grants
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import all_of, for_each
from keyaudit.collect.copies import agreed, both, distinct
from keyaudit.collect.key_vault.vault_rows import VaultItem, VaultProperties, vault_row
from keyaudit.collect.places import Subscription, Vault, vault_id_parts
from keyaudit.collect.queries import Graph, Group, Query, ids_of
from keyaudit.collect.scope_filters import Confines, confined
from keyaudit.collect.wire import read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM
from keyaudit.model.tables.vaults.vault import VAULT

_AT_ONCE = 16


class _Listing(Struct, frozen=True):
    """One kind of vault, and the operations that find it."""

    kind: str
    asked: Query
    list: str
    get: str


_COLUMNS = ("id", "name", "location", "subscriptionId", "resourceGroup", "tags", "sku", "properties")
VAULTS, HSMS = ASKED = (
    Query(operation="vault.query", types=("microsoft.keyvault/vaults",), own=_COLUMNS),
    Query(operation="hsm.query", types=("microsoft.keyvault/managedhsms",), own=_COLUMNS),
)

_LISTINGS = {
    KEY_VAULT: _Listing(KEY_VAULT, VAULTS, "vault.list", "vault.get"),
    MANAGED_HSM: _Listing(MANAGED_HSM, HSMS, "hsm.list", "hsm.get"),
}

QUERIES = tuple(query.operation for query in ASKED)
"""The operations on the tenant as a whole."""


async def collect_vaults(
    connection: Connection,
    unit: Unit,
    scope: Scope,
    subscriptions: Sequence[Subscription],
    parent: Coverage,
    *,
    confines: Confines,
    graph: Graph,
) -> tuple[Sequence[Vault], Sequence[Coverage]]:
    """Write a row per vault and HSM. Returns all of them, in order of id, and the coverage of every operation used.

    `parent` is the coverage of the subscription list. Subscriptions of other tenants, and those that `confines` excludes, are
    not read.
    """
    tenant_id = connection.identity.tenant_id.lower()
    own: list[Subscription] = []
    coverage: list[Coverage] = []
    lists = tuple(listing.list for listing in _LISTINGS.values())
    for subscription in subscriptions:
        foreign = subscription.tenant_id != tenant_id
        if not foreign and confines.subscription(subscription):
            own.append(subscription)
        else:
            coverage += not_assessed(subscription.scope, lists, Reason.OTHER_TENANT if foreign else Reason.EXCLUDED_BY_CONFIG)
    if not own:
        seen_none = parent.state is State.ASSESSED
        reason = Reason.NOTHING_VISIBLE if seen_none else Reason.PARENT_NOT_ASSESSED
        return (), [*coverage, *not_assessed(scope, QUERIES, reason)]
    kinds = [_Vaults(connection, unit, scope, listing, confines=confines, graph=graph) for listing in _LISTINGS.values()]
    await for_each(kinds, lambda found: found.collect(own), limit=len(kinds))
    coverage += [record for found in kinds for record in found.coverage]
    return sorted((vault for found in kinds for vault in found.vaults), key=lambda vault: vault.scope.id), coverage


async def is_gone(gateway: Gateway, vault: Vault) -> bool:
    """Whether ARM says that the vault or HSM no longer exists. Any other refusal proves nothing."""
    found = await gateway.get(_LISTINGS[vault.kind].get, VaultItem, **vault.segments)
    return isinstance(found, Refusal) and found.reason is Reason.VANISHED


_COMPARED = (
    "tenant_id",
    "access_model",
    "purge_protection",
    "soft_delete",
    "soft_delete_retention",
    "sku",
    "enabled_for_deployment",
    "enabled_for_disk_encryption",
    "enabled_for_template_deployment",
    "public_network_access",
    "network_default_action",
)
"""The columns that ARM and Resource Graph both return. Resource Graph lags by minutes, so the settings of a recently changed
vault are uncertain.
"""


class _Vaults:
    """The vaults of one kind."""

    def __init__(
        self, connection: Connection, unit: Unit, scope: Scope, listing: _Listing, *, confines: Confines, graph: Graph
    ) -> None:
        self._gateway = connection.gateway
        self._connection = connection
        self._unit = unit
        self._listing = listing
        self._confines = confines
        self._graph = graph
        self._asked = Calls(scope, listing.asked.operation)
        self._answered = asyncio.Event()
        """Resource Graph has."""
        self._left_out: dict[str, list[str]] = {}
        self._queried: dict[str, dict[str, VaultItem]] = {}
        self.vaults: list[Vault] = []
        self.coverage: list[Coverage] = []

    async def collect(self, subscriptions: Sequence[Subscription]) -> None:
        """Read and write all of them. Afterwards `vaults` and `coverage` are complete, the latter in a fixed order."""
        await all_of(partial(self._query, subscriptions), partial(for_each, subscriptions, self._subscription, limit=_AT_ONCE))
        queried = self._confines.part(self._asked.coverage(), "resource_groups", "vaults")
        self.coverage = [queried, *sorted(self.coverage, key=lambda record: (record.scope.id, record.operation))]

    async def _query(self, subscriptions: Sequence[Subscription]) -> None:
        """Query Resource Graph."""

        def by(group: Group) -> Callable[[VaultItem], str]:
            return self._vault_of(ids_of(group))

        for group, listing in self._graph.queries(
            self._gateway, self._asked, self._listing.asked, VaultItem, subscriptions, by=by
        ):
            for id_, item in (await distinct(listing, by(group))).items():
                self._queried.setdefault(_subscription_of(item), {})[id_] = item
        self._answered.set()

    async def _subscription(self, subscription: Subscription) -> None:
        """Read one subscription's list, and write its rows. Vaults that only Resource Graph returns are read separately."""
        calls = Calls(subscription.scope, self._listing.list)
        by = self._vault_of([subscription.id])
        listing = self._gateway.pages(self._listing.list, VaultItem, by=by, subscription=subscription.id)
        listed: dict[str, list[VaultItem]] = {}
        async for item in both(listing):
            listed.setdefault(by(item), []).append(item)
        calls.ended(listing.end)
        await self._answered.wait()
        queried = self._queried.pop(subscription.id, {})
        for id_, copies in listed.items():
            self._write(subscription, copies, self._listing.list, queried.get(id_))
        single = Calls(subscription.scope, self._listing.get, per_object=True)
        for id_ in sorted(queried.keys() - listed.keys()):
            await self._only_queried(subscription, queried[id_], single)
        self.coverage.append(confined(calls.coverage(), self._left_out.get(subscription.id, ()), "vaults"))
        if single.used:
            self.coverage.append(single.coverage())

    async def _only_queried(self, subscription: Subscription, item: VaultItem, calls: Calls) -> None:
        vault = Vault.of_row(self._row(subscription, item, self._listing.asked.operation))
        if not self._wanted(subscription, vault):
            return
        found = await self._gateway.get(self._listing.get, VaultItem, **vault.segments)
        if not isinstance(found, Refusal):
            calls.answered()
            self._write(subscription, [found], self._listing.get, item)
        # Resource Graph lags: a vault that ARM does not find was deleted before this run.
        elif found.reason is not Reason.VANISHED:
            calls.refused(found)
            self._write(subscription, [item], self._listing.asked.operation)

    def _write(
        self, subscription: Subscription, copies: Sequence[VaultItem], operation: str, queried: VaultItem | None = None
    ) -> None:
        """Write a vault's row from these copies of `operation` and `queried` of Resource Graph, and its access policies."""
        row, *others = (self._row(subscription, item, operation) for item in copies)
        for other in others:
            row = agreed(VAULT, row, other)
        if queried is not None:
            row = agreed(VAULT, row, self._row(subscription, queried, self._listing.asked.operation), _COMPARED)
        vault = Vault.of_row(row)
        if not self._wanted(subscription, vault):
            return
        self._unit.row("vault", row)
        self.vaults.append(vault)
        for item in copies:
            properties = read(item.properties, VaultProperties)
            if self._listing.kind == KEY_VAULT:
                # Of a vault without readable properties nobody knows whom it lets in.
                policies = UNSET if isinstance(properties, Refusal) else properties.access_policies
                for grant in policy_grants(policies, row):
                    self._unit.row("grant", grant)

    def _wanted(self, subscription: Subscription, vault: Vault) -> bool:
        if self._confines.vault(vault):
            return True
        self._left_out.setdefault(subscription.id, []).append(vault.name)
        return False

    def _row(self, subscription: Subscription, item: VaultItem, operation: str) -> dict[str, object]:
        tenant_id = self._connection.identity.tenant_id
        return vault_row(self._connection.environment, tenant_id, subscription, item, operation)

    def _vault_of(self, subscriptions: Collection[str]) -> Callable[[VaultItem], str]:
        """Returns an item's id in lower case, and raises ValueError for an item of another kind or subscription."""

        def name(item: VaultItem) -> str:
            parts = vault_id_parts(item.id)
            if parts is None or parts.kind != self._listing.kind or parts.subscription not in subscriptions:
                raise ValueError("another kind of resource, or of another subscription")
            return item.id.lower()

        return name


def _subscription_of(item: VaultItem) -> str:
    parts = vault_id_parts(item.id)
    if parts is None:
        raise ValueError("not a vault's id")
    return parts.subscription
