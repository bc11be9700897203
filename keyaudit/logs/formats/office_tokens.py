"""The token that a record of the unified audit log names, by its member AppAccessContext.

https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.logs.token import Token
from keyaudit.logs.formats.office_audit import Audit, principal_of
from keyaudit.logs.formats.tokens import issue_time, token_id
from keyaudit.logs.formats.values import guid, lower
from keyaudit.model.tables.usage import MAIL_LOG

_WORKLOADS = {
    name.casefold(): said
    for name, said in (
        ("Exchange", "Exchange"),
        ("SharePoint", "SharePoint"),
        ("OneDrive", "OneDrive"),
        ("MicrosoftTeams", "Microsoft Teams"),
    )
}
"""The workloads that name tokens:
https://learn.microsoft.com/entra/identity/authentication/how-to-authentication-track-linkable-identifiers
"""
_GUEST = re.compile(r"#ext#", re.IGNORECASE)


def token_of(audit: Audit, on: int) -> Token | None:
    """The token of a record, without an id if it could name one; None for other workloads."""
    service = _WORKLOADS.get((audit.workload or "").casefold())
    if service is None:
        return None
    context = _context(audit.app_access_context)
    id_, odd = token_id(_text(context.get("UniqueTokenId")))
    if id_ is None:
        app = guid(audit.client_app_id) or lower(audit.app_id)
        return Token(source=MAIL_LOG, service=service, on=on, token=None, app=app, principal=principal_of(audit))
    client = guid(_text(context.get("ClientAppId"))) or guid(audit.client_app_id)
    principal = principal_of(audit)
    return Token(
        source=MAIL_LOG,
        service=service,
        on=on,
        token=id_,
        odd=odd,
        issued_on=issue_time(context.get("IssuedAtTime")),
        # Mail that an application reads may name the owner of the mailbox as its user, so the kind is not known.
        external=bool(_GUEST.search(principal or "")) or None,
        app=client or lower(audit.app_id),
        client=client,
        principal=principal,
        object_id=guid(audit.token_object_id) or guid(audit.user_key) or guid(principal),
        record=audit.id or None,
    )


def _context(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str) and value:
        try:
            value = msgspec.json.decode(value)
        except BROKEN:
            return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
