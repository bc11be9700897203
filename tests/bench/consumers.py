"""Says what the services that use keys, certificates and secrets add to a run over 60 subscriptions.

`python -m tests.bench consumers`. Each subscription has the services of a middle-sized team: 20 App Service apps with a slot
each, 10 storage accounts, 4 SQL servers, 10 container apps, 2 API Management services, and an application gateway, a Front Door
profile and a CDN endpoint. Half of the vaults have a system topic with a subscription to their events. The tenant is read with
them and without them, and waiting is counted as in `tests.bench.directory`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from keyaudit.collect.services.consumers import OPERATIONS
from keyaudit.model.tables.vaults.event_subscription import EVENTS
from keyaudit.simulator.estate import Estate, Resource
from keyaudit.simulator.estates import estate
from keyaudit.simulator.resource_manager.events import system_topic
from tests.bench.directory import Read, read, spread
from tests.bench.served import say

_SMALL = "sized:60x5x1x100"
_EACH = {
    "Microsoft.Web/sites": 20,
    "Microsoft.Web/sites/slots": 20,
    "Microsoft.Storage/storageAccounts": 10,
    "Microsoft.App/containerApps": 10,
    "Microsoft.Sql/servers": 4,
    "Microsoft.ApiManagement/service": 2,
    "Microsoft.Network/applicationGateways": 1,
    "Microsoft.Cdn/profiles": 1,
    "Microsoft.Cdn/profiles/endpoints": 1,
}


def added(folder: Path) -> None:
    """Print requests and seconds with and without the services."""
    without = spread(estate(_SMALL, int(time.time())))  # noqa: TID251 - as a command that starts now
    of = structs.replace(without, resources=(*_services(without), *_topics(without)))
    less, more = _read(without, folder / "without"), _read(of, folder / "with")
    say("services that may use a key, certificate or secret", f"{len(of.resources):,}", "")
    for what, found in (("without them", less), ("with them", more)):
        say(f"{what}: requests, waiting", f"{found.calls.total():,}, {found.seconds:,.0f} s", "")
    say("they add", f"{more.calls.total() - less.calls.total():,}, {more.seconds - less.seconds:,.0f} s", "")
    for operation in (*OPERATIONS, *EVENTS):
        say(f"   {operation}", f"{more.calls[operation]:,}", "")
    for throttle, forecast in more.forecasts.items():
        say(f"forecast, {throttle}", f"{forecast.requests:,} in {forecast.seconds:,.0f} s", "")


def _read(of: Estate, out: Path) -> Read:
    found = read(of, out)
    found.taken.spool.close()
    return found


def _topics(of: Estate) -> Iterator[Resource]:
    told: dict[str, object] = {
        "destination": {"endpointType": "AzureFunction"},
        "filter": {},
        "provisioningState": "Succeeded",
    }
    for vault in of.vaults[::2]:
        yield system_topic(vault, subscriptions={"near-expiry": told})


def _services(of: Estate) -> Iterator[Resource]:
    for subscription in of.subscriptions:
        for type_, count in _EACH.items():
            for nth in range(count):
                name = f"{type_.rpartition('/')[2].lower()}-{nth}"
                yield Resource(
                    type=type_,
                    name=f"{name}/part" if type_.count("/") > 1 else name,
                    subscription=subscription.id,
                    resource_group="rg",
                    properties={},
                )
