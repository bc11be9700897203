"""Common to the tables of other services: how their rows are found, and what Resource Graph leaves out."""

from keyaudit.model.consumers import KEY, kinds
from keyaudit.model.schema.columns import Column, flag, text

SERVICE = ("service.query",)

KINDS = (
    "storage",
    "cosmos-db",
    "service-bus",
    "event-hubs",
    "cognitive-services",
    "container-registry",
    "app-configuration",
    "kubernetes",
    "arc-kubernetes",
    "openshift",
)
"""Services with account keys, with a token issuer of their own, or that sign in as an application."""

CONSUMERS = (
    "storage",
    "disk-encryption-set",
    "sql-server",
    "sql-managed-instance",
    "cosmos-db",
    "service-bus",
    "event-hubs",
    "cognitive-services",
    "container-registry",
    "app-configuration",
    "kubernetes",
    *kinds(KEY),
)
"""Services with a customer-managed key."""


def version_columns(named: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns with the version that a service is set to use, and the one that it uses; `named` return them."""
    return (
        flag("pinned", "it is pinned to the named version; else it follows the newest version", named),
        text("version", "the version that the setting names", named, absent="it names none"),
        text("version_in_use", "the version that the service says it uses now", named, absent="the service does not say"),
        text("status", "the service's own status for reading it", named, absent="the service does not say"),
        flag("broken", "the status says that the service cannot read it, so it keeps its copy until it restarts",
            named, absent="the service does not say"),
    )
