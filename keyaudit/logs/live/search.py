"""Searches the unified audit log: creates a search, waits for it, and reads its records."""

from collections.abc import AsyncIterator, Callable

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Clock
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.wire import Wire, read
from keyaudit.logs.live.graph import read_list
from keyaudit.logs.live.place import Batch, Place
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Window
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_time

OPERATIONS = (
    "MailItemsAccessed",
    "AttachmentAccess",
    "Send",
    "SendAs",
    "SendOnBehalf",
    "New-InboxRule",
    "Set-InboxRule",
    "UpdateInboxRules",
    "Set-AdminAuditLogConfig",
    "Set-OrganizationConfig",
    "Set-Mailbox",
    "Set-MailboxAuditBypassAssociation",
    "New-TransportRule",
    "Set-TransportRule",
    "Add-MailboxPermission",
    "Add-RecipientPermission",
    "New-ManagementRoleAssignment",
    "Add-FederatedDomain",
)
"""The searched operations: those of Exchange. Entra's own log has the others."""

PATIENCE = 4 * 3600
"""Seconds after which an unfinished search is given up."""

_FIRST_WAIT, _LONGEST_WAIT = 5, 60
_UNDER_WAY = frozenset({"notStarted", "running"})


class _Search(Struct, rename="camel"):
    id: str
    status: Wire = UNSET
    is_record_count_limit_exceeded: Wire = UNSET


async def read_search(
    gateway: Gateway, clock: Clock, place: Place, window: Window, tell: Callable[[str], None]
) -> AsyncIterator[Batch]:
    """The uses of a new search, in batches, then its reading result. `tell` receives a message about the new search."""
    made = await gateway.make("audit_search.create", _Search, _body(window))
    if isinstance(made, Refusal):
        place.refused(made, "audit_search.create")
        yield [place.read()]
        return
    tell(f"made a search of the unified audit log, {one_line(made.id)}, which stays in the tenant; waiting for its results")
    found = await _ended(gateway, clock, made)
    if isinstance(found, Refusal):
        place.refused(found, "audit_search.get")
        yield [place.read()]
        return
    if refusal := _cut_short(found):
        place.refused(refusal, "audit_search.get")
    async for batch in read_list(gateway, "audit_search.records", place, search=made.id):
        yield batch


def _body(window: Window) -> dict[str, object]:
    return {
        "@odata.type": "#microsoft.graph.security.auditLogQuery",
        "displayName": f"keyaudit usage collect, {window}",
        "filterStartDateTime": iso_time(window.since),
        "filterEndDateTime": iso_time(window.until),
        "operationFilters": list(OPERATIONS),
    }


async def _ended(gateway: Gateway, clock: Clock, search: _Search) -> _Search | Refusal:
    """The search after it succeeded, or why it did not."""
    begun, wait = clock.monotonic(), _FIRST_WAIT
    while True:
        status = read(search.status, str)
        if status == "succeeded":
            return search
        if isinstance(status, Refusal):
            return status
        if status not in _UNDER_WAY:
            known = status in ("failed", "cancelled")
            return Refusal(Reason.SERVICE_ERROR if known else Reason.UNRECOGNISED, f"the search is {one_line(status, 40)}")
        if clock.monotonic() - begun + wait > PATIENCE:
            return Refusal(Reason.TIMEOUT, f"the search {one_line(search.id, 60)} is still {status}")
        await clock.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
        found = await gateway.get("audit_search.get", _Search, search=search.id)
        if isinstance(found, Refusal):
            return found
        search = found


def _cut_short(search: _Search) -> Refusal | None:
    """Whether a successful search has only a part of the records. Left out means false.

    https://learn.microsoft.com/graph/api/resources/security-auditlogquery
    """
    if search.is_record_count_limit_exceeded is UNSET:
        return None
    exceeded = read(search.is_record_count_limit_exceeded, bool)
    if isinstance(exceeded, Refusal):
        return exceeded
    return Refusal(Reason.TRUNCATED, "more records than a search may find: ask for fewer days") if exceeded else None
