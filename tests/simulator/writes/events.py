"""New subscriptions to the events of a vault, in Azure Resource Manager."""

from collections.abc import Sequence

from msgspec.structs import replace

from keyaudit.simulator.resource_manager import events, resources
from keyaudit.simulator.resource_manager.answers import answer, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import allowed

_RIGHT = "Microsoft.EventGrid/eventSubscriptions/write"


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """A subscription on a vault. With the first one Event Grid makes a system topic."""
    return (Route("event_subscription.put", f"{events.LIST}/*", allowed(directory, may, _RIGHT, _subscription), "PUT"),)


def _subscription(directory: Directory, request: Request, stars: list[str]) -> Answer:
    vault = events.vault_at(directory, stars)
    if vault is None:
        return no_resource("Microsoft.KeyVault/vaults", *stars[1:3])
    asked = part_of(body_of(request), "properties")
    if not asked.get("destination") and not asked.get("deliveryWithResourceIdentity"):
        raise WriteError(400, "InvalidRequest", "Event subscription destination is required.")
    changed = replace(vault, event_subscriptions={**vault.event_subscriptions, stars[3]: dict(asked)})
    directory.change_vault(changed)
    source = resources.vault_id(vault).lower()
    topics = {str(one.properties.get("source")).lower() for one in directory.estate.resources if one.type == events.TOPIC}
    if source not in topics:
        every = (*directory.estate.resources, events.system_topic(changed))
        directory.change(replace(directory.estate, resources=every))
    # 201 also for one that exists: https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/create-or-update
    return replace(answer(events.subscription(changed, stars[3])), status=201)
