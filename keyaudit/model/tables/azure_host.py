"""The table of the names that Azure services give to resources in the public DNS."""

from keyaudit.model.columns import Area, Table, text, where_found

_NAMED = ("host.query",)

NAMED_BY_AZURE = (
    ".azurewebsites.net",
    ".azurefd.net",
    ".azureedge.net",
    ".cloudapp.azure.com",
    ".trafficmanager.net",
    ".blob.core.windows.net",
    ".web.core.windows.net",
    ".azurecontainer.io",
    ".azure-api.net",
)
"""Ends of names that a service gives to the first who asks for one, and again after a resource was deleted.

https://learn.microsoft.com/azure/security/fundamentals/subdomain-takeover
"""

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
