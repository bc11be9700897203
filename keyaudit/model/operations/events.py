"""Reads of Event Grid: who is told of the events of a vault."""

from keyaudit.model.operations.about import Unnamed
from keyaudit.model.operations.kinds import Family, Paging, arm, resource_graph

FAMILY = Family("events of vaults", order=125)

_GROUP = "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers"
_VERSION = "2025-02-15"
# A list may name a subscription below the topic or below the vault. The collector takes both, and nothing else.
_EITHER = Unnamed("a subscription is named by its system topic or by the vault, and each item names one of the two")
_QUERY = "event_topic.query"

DECLARED = (
    resource_graph(_QUERY, "system topics of vaults (Resource Graph)"),
    # https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
    arm(
        "event_topic.subscriptions",
        "event subscriptions of system topics",
        _GROUP + "/Microsoft.EventGrid/systemTopics/{topic}/eventSubscriptions",
        version=_VERSION,
        paging=Paging.NEXT_LINK,
        after=(_QUERY,),
        about=_EITHER,
    ),
    # https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-by-resource
    arm(
        "event_topic.vault_subscriptions",
        "event subscriptions on vaults",
        _GROUP + "/Microsoft.KeyVault/vaults/{vault}/providers/Microsoft.EventGrid/eventSubscriptions",
        version=_VERSION,
        paging=Paging.NEXT_LINK,
        after=(_QUERY,),
        about=_EITHER,
    ),
)
