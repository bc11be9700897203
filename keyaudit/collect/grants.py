"""The rows of the table `grant`, alike whatever gives them."""

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
    """A row of that kind, begun: what only other kinds have is absent, and it holds now, through no role of the tenant's own.

    To be put yet: name, principal_type, scope, scope_kind, allows. To be put where it differs: all else.
    """
    row = Row(GRANT, id=resource_id, resource_id=resource_id, scope_id=scope_id, url=url, version=version)
    row.put_all(kind=kind, principal_id=principal_id.lower())
    for column in _OF_SOME_KINDS:
        row.put(column, None)
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
)
