"""Event Grid: the subscriptions that were made on a vault itself. Those below a system topic are a list below a resource.

https://learn.microsoft.com/azure/event-grid/system-topics
"""

from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from keyaudit.simulator.estate import Resource, Vault
from keyaudit.simulator.resource_manager import resources
from keyaudit.simulator.resource_manager.answers import answer, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

TOPIC = "Microsoft.EventGrid/systemTopics"
LIST = "subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/vaults/*/providers/microsoft.eventgrid/eventsubscriptions"


def routes(directory: Directory) -> Sequence[Route]:
    """The list on a vault, and one subscription of it."""

    def listed(_request: Request, stars: list[str]) -> Answer:
        vault = vault_at(directory, stars)
        if vault is None:
            return no_resource("Microsoft.KeyVault/vaults", *stars[1:3])
        return answer({"value": [subscription(vault, name) for name in vault.event_subscriptions], "nextLink": None})

    def one(_request: Request, stars: list[str]) -> Answer:
        vault = vault_at(directory, stars)
        named = next((each for each in vault.event_subscriptions if each.lower() == stars[3].lower()), None) if vault else None
        if vault is None or named is None:
            return no_resource("Microsoft.EventGrid/eventSubscriptions", stars[1], stars[3])
        return answer(subscription(vault, named))

    return Route("event_topic.vault_subscriptions", LIST, listed), Route("event_subscription.get", f"{LIST}/*", one)


def vault_at(directory: Directory, stars: Sequence[str]) -> Vault | None:
    """The vault of a subscription, resource group and name."""
    found = directory.vaults.get(stars[2].lower())
    if found is None or [found.subscription.lower(), found.resource_group.lower()] != [each.lower() for each in stars[:2]]:
        return None
    return found


def subscription(vault: Vault, name: str) -> dict[str, object]:
    """A subscription as Event Grid shows it."""
    id_ = f"{resources.vault_id(vault)}/providers/Microsoft.EventGrid/eventSubscriptions/{name}"
    properties = {"topic": resources.vault_id(vault), "provisioningState": "Succeeded", **vault.event_subscriptions[name]}
    return {"id": id_, "name": name, "type": "Microsoft.EventGrid/eventSubscriptions", "properties": properties}


def system_topic(
    vault: Vault, name: str = "", subscriptions: Mapping[str, dict[str, object]] | None = None, group: str = ""
) -> Resource:
    """The system topic of a vault, with the subscriptions below it. Without a name: the one that Event Grid makes."""
    id_ = resources.vault_id(vault)
    return Resource(
        type=TOPIC,
        name=name or f"{vault.name}-{uuid5(NAMESPACE_URL, id_)}",
        subscription=vault.subscription,
        resource_group=group or vault.resource_group,
        location=vault.location,
        properties={"provisioningState": "Succeeded", "source": id_, "topicType": "Microsoft.KeyVault.vaults"},
        children={"eventSubscriptions": dict(subscriptions or {})},
    )
