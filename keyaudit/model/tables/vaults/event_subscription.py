"""The table of event subscriptions of vaults: who is told of their events."""

from keyaudit.model.schema.columns import Area, Left, Table, flag, text, texts, time, where_found

_LISTS = ("event_topic.subscriptions", "event_topic.vault_subscriptions")
EVENTS = ("event_topic.query", *_LISTS)
"""The operations without which subscriptions may be missing."""

OBJECTS = ("certificate", "key", "secret")
"""The objects whose expiration a vault announces."""

DELIVERS = ("Succeeded", "Updating")
"""The provisioning states in which events are delivered."""

_SPEC = (
    "Azure/azure-rest-api-specs, Microsoft.EventGrid 2025-02-15, EventSubscriptions_ListByResource: a subscription without an "
    "expiration lacks the member"
)

EVENT_SUBSCRIPTION = Table(
    name="event_subscription",
    order=245,
    area=Area.LOGS,
    noun="event subscription",
    plural="event subscriptions",
    meaning="an Event Grid subscription to the events of a vault. If a system topic's subscriptions were not read, the "
        "topic's row represents them",
    added_by=EVENTS,
    replaced=False,
    columns=(
        *where_found(*EVENTS),
        text("vault_id", "the vault's resource id, in lower case"),
        text("topic_id", "the system topic's resource id, in lower case"),
        texts("near_expiry", "the kinds of objects with near-expiry events that it receives, unless its own filter excludes "
            "them",
            _LISTS, values=OBJECTS),
        flag("filtered", "it filters on names or other fields, so it receives events of some objects only", _LISTS),
        text("destination", "the kind of its destination", _LISTS,
            values=("WebHook", "EventHub", "StorageQueue", "HybridConnection", "ServiceBusQueue", "ServiceBusTopic",
                "AzureFunction", "PartnerDestination", "MonitorAlert", "NamespaceTopic"),
            open_ended=True),
        text("state", "its provisioning state; AwaitingManualAction: its webhook was never validated", _LISTS,
            values=(*DELIVERS, "Creating", "Deleting", "Canceled", "Failed", "AwaitingManualAction")),
        time("expires_on", "when it ends", _LISTS,
            absent="it never ends", left_out=Left(None, _SPEC), wire="properties.expirationTimeUtc"),
    ),
)
