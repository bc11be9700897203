"""Reads the log destinations of vaults, Managed HSMs, subscriptions and the tenant."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.logs.sinks import Logged, collect_sinks
from keyaudit.collect.places import Subscription, Vault, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.defender_plan import DEFENDER_PLAN
from keyaudit.model.tables.places import KEY_VAULT

VAULT = ("diagnostic_setting.list",)
HSM = ("hsm.diagnostic_setting.list",)
SUBSCRIPTION = ("activity_log.list", "defender.plan")
TENANT = ("entra_log.list",)

_PLAN = "KeyVaults"
_TIERS = {"standard": True, "free": False}


class Pricing(Struct, rename="camel"):
    """The pricing tier of a Defender plan."""

    pricing_tier: str


class Plan(Struct):
    """A Defender plan."""

    properties: Pricing


async def collect_vault_logs(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write the log destinations of one vault or Managed HSM. Returns the coverage of `VAULT`, or of `HSM`."""
    id_ = vault.scope.id
    kind, [operation] = ("vault", VAULT) if vault.kind == KEY_VAULT else ("managed-hsm", HSM)
    logged = Logged(
        kind=kind,
        id=id_,
        scope=vault.scope,
        operation=operation,
        prefix=id_,
        segments={"subscription": vault.subscription_id, "resource_group": vault.resource_group, "vault": vault.name},
    )
    return [await collect_sinks(reading.connection, unit, logged)]


async def collect_subscription_logs(reading: Reading, unit: Unit, subscription: Subscription) -> Sequence[Coverage]:
    """Write the destinations of the activity log, and the Defender plan. Returns the coverage of `SUBSCRIPTION`."""
    id_ = subscription.scope.id
    logged = Logged(
        kind="activity-log",
        id=id_,
        scope=subscription.scope,
        operation="activity_log.list",
        prefix=id_,
        segments={"subscription": subscription.id},
    )
    exported = await collect_sinks(reading.connection, unit, logged)
    return [exported, await _defender(reading.connection, unit, subscription)]


async def collect_entra_logs(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the destinations of Entra's logs. Returns the coverage of `TENANT`."""
    prefix = "/providers/microsoft.aadiam"
    logged = Logged(kind="entra", id=scope.id, scope=scope, operation="entra_log.list", prefix=prefix)
    return [await collect_sinks(reading.connection, unit, logged)]


async def _defender(connection: Connection, unit: Unit, subscription: Subscription) -> Coverage:
    scope = subscription.scope
    calls = Calls(scope, "defender.plan")
    found = await connection.gateway.get("defender.plan", Plan, subscription=subscription.id)
    enabled: bool | Refusal
    if isinstance(found, Plan):
        calls.answered()
        enabled = _TIERS.get(found.properties.pricing_tier.lower(), Refusal(Reason.UNRECOGNISED))
    elif found.detail == "Subscription Not Registered":
        # Defender for Cloud was never used in this subscription. https://github.com/Azure/azure-sdk-for-go/issues/19900
        calls.answered()
        enabled = False
    else:
        calls.refused(found)
        enabled = found
    url, version = source(connection.environment, "defender.plan", subscription=subscription.id)
    id_ = f"{scope.id}/providers/Microsoft.Security/pricings/{_PLAN}"
    row = Row(DEFENDER_PLAN, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
    row.put_all(name=_PLAN, subscription_id=subscription.id, enabled=enabled)
    unit.row("defender_plan", row.finish())
    return calls.coverage()
