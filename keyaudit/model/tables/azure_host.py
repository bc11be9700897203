"""The table of the names that Azure services give to resources in the public DNS."""

from keyaudit.model.schema.columns import Area, Table, text, where_found

_NAMED = ("host.query",)

HOSTS_NAMED = ("subscription.list", "host.query")
"""The operations without which names may be missing."""

AZURE_HOST = Table(
    name="azure_host",
    order=155,
    area=Area.SERVICES,
    noun="host name of a resource",
    plural="host names of resources",
    meaning="a public DNS name that an Azure service assigned to a resource in the subscriptions",
    added_by=_NAMED,
    columns=(
        *where_found(*_NAMED, wire="name"),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("kind", "the resource",
            values=("web-app", "web-app-slot", "front-door", "cdn-endpoint", "public-ip", "traffic-manager", "storage",
                "container-group", "api-management")),
        text("host", "the name, in lower case", _NAMED),
    ),
)
