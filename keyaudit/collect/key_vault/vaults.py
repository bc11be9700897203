"""The vaults of every subscription, from Resource Graph and from ARM: each can miss what the other shows."""

from collections.abc import Callable, Collection, Sequence

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.cloud.connection import Connection
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.access.policies import policies_of, policy_grants
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.places import Subscription, Vault, source, vault_id_parts
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vault import VAULT
from keyaudit.model.times import DAY

# An order by a unique column: without one, pages drop and repeat rows.
# https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
QUERY = (
    "resources | where type =~ 'microsoft.keyvault/vaults' "
    "| project id, name, location, subscriptionId, resourceGroup, tags, properties | order by id asc"
)
_PER_QUERY = 299
_AT_ONCE = 16
_PROPERTIES = (
    "vault_uri",
    "sku",
    "access_model",
    "purge_protection",
    "soft_delete",
    "soft_delete_retention",
    "public_network_access",
    "access_policies",
)


class VaultItem(Struct):
    """A vault, alike in Resource Graph and in ARM."""

    id: str
    name: Wire = UNSET
    location: Wire = UNSET
    tags: Wire = UNSET
    properties: Wire = UNSET


class Sku(Struct):
    """A vault's SKU."""

    name: str


class Properties(Struct):
    """What is read of a vault's properties."""

    vaultUri: Wire = UNSET  # noqa: N815 - Azure's spelling, as in all wire structs
    sku: Wire = UNSET
    enableRbacAuthorization: Wire = UNSET  # noqa: N815
    enablePurgeProtection: Wire = UNSET  # noqa: N815
    enableSoftDelete: Wire = UNSET  # noqa: N815
    softDeleteRetentionInDays: Wire = UNSET  # noqa: N815
    publicNetworkAccess: Wire = UNSET  # noqa: N815
    accessPolicies: Wire = UNSET  # noqa: N815


async def collect_vaults(
    connection: Connection, unit: Unit, scope: Scope, subscriptions: Sequence[Subscription], parent: Coverage
) -> tuple[Sequence[Vault], Sequence[Coverage]]:
    """Write a row per vault; the vaults, in order of id, and the coverage of every operation used.

    `parent` is the coverage of the subscription list. Subscriptions of other tenants are not looked into.
    """
    own = [subscription for subscription in subscriptions if subscription.tenant_id == connection.identity.tenant_id.lower()]
    foreign = [subscription for subscription in subscriptions if subscription not in own]
    coverage: list[Coverage] = []
    for subscription in foreign:
        coverage += not_assessed(subscription.scope, ("vault.list",), Reason.OTHER_TENANT)
    if not own:
        seen_none = parent.state is State.ASSESSED
        reason = Reason.NOTHING_VISIBLE if seen_none else Reason.PARENT_NOT_ASSESSED
        return (), [*coverage, *not_assessed(scope, ("vault.query",), reason)]
    found = _Vaults(connection, unit)
    coverage.append(await found.query(scope, own))
    await for_each(own, found.subscription, limit=_AT_ONCE)
    vaults = sorted(found.vaults, key=lambda vault: vault.scope.id)
    return vaults, coverage + sorted(found.coverage, key=lambda record: (record.scope.id, record.operation))


async def is_gone(gateway: Gateway, vault: Vault) -> bool:
    """Whether ARM says that the vault is not there any more. Any other refusal proves nothing."""
    found = await gateway.get("vault.get", VaultItem, **vault.segments)
    return isinstance(found, Refusal) and found.reason is Reason.VANISHED


class _Vaults:
    def __init__(self, connection: Connection, unit: Unit) -> None:
        self._gateway = connection.gateway
        self._environment = connection.environment
        self._unit = unit
        self._queried: dict[str, dict[str, VaultItem]] = {}
        self.vaults: list[Vault] = []
        self.coverage: list[Coverage] = []

    async def query(self, scope: Scope, subscriptions: Sequence[Subscription]) -> Coverage:
        """Ask Resource Graph, a group of subscriptions at a time: its quota counts queries."""
        calls = Calls(scope, "vault.query")
        asked = [subscription.id for subscription in subscriptions]
        for start in range(0, len(asked), _PER_QUERY):
            group = asked[start : start + _PER_QUERY]
            body = {"subscriptions": group, "query": QUERY}
            listing = self._gateway.pages("vault.query", VaultItem, by=_vault_of(group), body=body)
            async for item in listing:
                self._queried.setdefault(_subscription_of(item), {})[item.id.lower()] = item
            calls.ended(listing.end)
        return calls.coverage()

    async def subscription(self, subscription: Subscription) -> None:
        """Read one subscription's list, and write its rows. What only Resource Graph shows is asked for by itself."""
        calls = Calls(subscription.scope, "vault.list")
        queried = self._queried.pop(subscription.id, {})
        by = _vault_of([subscription.id])
        listing = self._gateway.pages("vault.list", VaultItem, by=by, subscription=subscription.id)
        listed = {item.id.lower(): item async for item in listing}
        calls.ended(listing.end)
        for item in listed.values():
            self._write(subscription, item, "vault.list")
        single = Calls(subscription.scope, "vault.get", per_object=True)
        for id_ in sorted(queried.keys() - listed.keys()):
            await self._only_queried(subscription, queried[id_], single)
        self.coverage.append(calls.coverage())
        if single.used:
            self.coverage.append(single.coverage())

    async def _only_queried(self, subscription: Subscription, item: VaultItem, calls: Calls) -> None:
        vault = Vault.of_row(vault_row(self._environment, subscription, item, "vault.query"))
        found = await self._gateway.get("vault.get", VaultItem, **vault.segments)
        if not isinstance(found, Refusal) and found.id.lower() != item.id.lower():
            found = Refusal(Reason.BAD_BODY, "it answered with another vault than the one asked for", 200)
        if not isinstance(found, Refusal):
            calls.answered()
            self._write(subscription, found, "vault.get")
        # Resource Graph lags behind: what ARM does not find was deleted before this run.
        elif found.reason is not Reason.VANISHED:
            calls.refused(found)
            self._write(subscription, item, "vault.query")

    def _write(self, subscription: Subscription, item: VaultItem, operation: str) -> None:
        row = vault_row(self._environment, subscription, item, operation)
        self._unit.row("vault", row)
        properties = read(item.properties, Properties)
        if not isinstance(properties, Refusal):
            for grant in policy_grants(properties.accessPolicies, row):
                self._unit.row("grant", grant)
        self.vaults.append(Vault.of_row(row))


def vault_row(environment: Environment, subscription: Subscription, item: VaultItem, operation: str) -> dict[str, object]:
    """The row of a vault whose id is that of a vault of `subscription`, as `operation` answered it."""
    parts = vault_id_parts(item.id)
    if parts is None:
        raise ValueError(f"not a vault's id: {item.id!r}")
    _, resource_group, name = parts
    url, version = source(environment, operation, subscription=subscription.id, resource_group=resource_group, vault=name)
    row = Row(VAULT, id=item.id, resource_id=item.id, scope_id=subscription.scope.id, url=url, version=version)
    row.put("name", item.name)
    row.put("subscription_id", subscription.id)
    row.put("subscription_name", subscription.name)
    row.put("resource_group", resource_group)
    row.put("location", item.location)
    row.put("tags", item.tags)
    properties = read(item.properties, Properties)
    if isinstance(properties, Refusal):
        row.refuse(_PROPERTIES, properties.reason)
    else:
        _put_properties(row, properties)
    return row.finish()


def _put_properties(row: Row, properties: Properties) -> None:
    row.put("vault_uri", properties.vaultUri)
    sku = read(properties.sku, Sku)
    row.put_read("sku", sku if isinstance(sku, Refusal) else sku.name.lower())
    rbac = _never_set(properties.enableRbacAuthorization)
    allowed = read(rbac, bool)
    if isinstance(rbac, UnsetType) or isinstance(allowed, Refusal):
        row.put_read("access_model", rbac if isinstance(rbac, UnsetType) else allowed)
    else:
        row.put("access_model", "rbac" if allowed else "access-policy")
    row.put("purge_protection", _never_set(properties.enablePurgeProtection))
    row.put("soft_delete", properties.enableSoftDelete)
    row.put("public_network_access", properties.publicNetworkAccess)
    _, policies = policies_of(properties.accessPolicies)
    row.put_read("access_policies", policies)
    days = properties.softDeleteRetentionInDays
    count = read(days, int)
    if isinstance(days, UnsetType) or is_null(days):
        row.put("soft_delete_retention", UNSET)
    else:
        row.put_read("soft_delete_retention", count if isinstance(count, Refusal) else count * DAY)


def _never_set(raw: Wire) -> Wire:
    """These two switches are null on older vaults, which means never set, as when the member is left out.

    https://learn.microsoft.com/azure/key-vault/general/access-control-default
    """
    return UNSET if isinstance(raw, Raw) and is_null(raw) else raw


def _subscription_of(item: VaultItem) -> str:
    parts = vault_id_parts(item.id)
    if parts is None:
        raise ValueError("not a vault's id")
    return parts[0]


def _vault_of(subscriptions: Collection[str]) -> Callable[[VaultItem], str]:
    """Gives an item's id in lower case, and raises ValueError for what is no vault of these subscriptions."""

    def name(item: VaultItem) -> str:
        if _subscription_of(item) not in subscriptions:
            raise ValueError("a vault of another subscription")
        return item.id.lower()

    return name
