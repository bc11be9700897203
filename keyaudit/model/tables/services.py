"""Common to the tables of other services: how their rows are found, and what Resource Graph leaves out."""

SERVICES_FOUND = ("subscription.list", "service.query")
"""The operations without which services may be missing. Resource Graph silently leaves out what the identity may not read."""

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
)
"""Services with account keys, or with a token issuer of their own."""

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
)
"""Services with a customer-managed key."""
