"""Permissions and roles whose grant is always reported: they control the tenant, or reach all of its mail or files."""

from keyaudit.model.directory.tiers import DELEGATED_CONTROL, DELEGATED_DATA_NAMES, DIRECTORY_ROLES, PERMISSIONS, tier_of_role

_NAMES = frozenset(
    {
        *(ranked.name.lower() for ranks in PERMISSIONS.values() for ranked in ranks),
        *(name.partition("/")[2] for name in DELEGATED_CONTROL),
    }
) - {"user_impersonation"}
"""Names in lower case; many APIs have a permission `user_impersonation`, and a log does not say which one is meant."""
_ROLES = frozenset(ranked.name.lower() for ranked in DIRECTORY_ROLES)
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged
_GIVES_ROLES = frozenset(
    {
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",  # User Access Administrator
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",  # Role Based Access Control Administrator
    }
)
_OF_SUBSCRIPTION = 2
"""Parts of /subscriptions/ID."""


def permissions(names: str) -> bool:
    """Whether one of these permissions, with a space between them, is such. A log names the API only by an id of the tenant."""
    return any(name in _NAMES or DELEGATED_DATA_NAMES.match(name) is not None for name in names.lower().split())


def directory_role(name: str | None, template_id: str | None) -> bool:
    """Whether a role of the directory is such; also if it is not named."""
    if not name and not template_id:
        return True
    return (name or "").lower() in _ROLES or (template_id is not None and tier_of_role(template_id) is not None)


def azure_role(definition_id: str) -> bool:
    """Whether the holder of a built-in role of Azure can give roles to others."""
    return definition_id.lower().rpartition("/")[2] in _GIVES_ROLES


def widely(scope: str) -> bool:
    """Whether a scope is a subscription or above one."""
    parts = scope.strip("/").lower().split("/")
    return len(parts) <= _OF_SUBSCRIPTION or parts[:2] == ["providers", "microsoft.management"]
