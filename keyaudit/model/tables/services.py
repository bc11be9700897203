"""What the tables of other services have in common: how their rows are found, and what Resource Graph leaves out."""

SERVICES_FOUND = ("subscription.list", "service.query")
"""The operations without which services may be missing. What the identity may not read, Resource Graph leaves out unsaid."""

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
)
"""Services whose accounts have keys of their own."""

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
"""Services that are told to encrypt with a key of a vault."""
