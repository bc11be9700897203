"""Rows of the table `grant`, in the same form for all kinds."""

from keyaudit.collect.rows import Row
from keyaudit.model.tables.grant import GRANT


def grant_row(
    kind: str,
    *,
    resource_id: str,
    scope_id: str,
    url: str,
    version: str,
    principal_id: str,
) -> Row:
    """A new row of that kind: columns of other kinds are absent, it is active, and its role is not custom.

    The caller must fill name, principal_type, scope, scope_kind and allows, and may overwrite the others.
    """
    row = Row(GRANT, id=resource_id, resource_id=resource_id, scope_id=scope_id, url=url, version=version)
    row.put_all(kind=kind, principal_id=principal_id.lower())
    row.clear(_OF_SOME_KINDS)
    row.put_all(custom=False, wildcard=False, denied=[], standing=True)
    return row


_OF_SOME_KINDS = (
    "application_id",
    "vault_id",
    "role_id",
    "condition",
    "created_on",
    "expires_on",
    "api",
    "api_id",
    "tier",
    "on_behalf_of",
    "agent_credentials",
)
