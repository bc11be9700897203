"""User-assigned managed identities, with what limits which resources can be given them.

https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-isolation-scope and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-assignment-restriction
"""

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.managed_identity import MANAGED_IDENTITY

OPERATIONS = ("managed_identity.list", "managed_identity.list_stable")

_AT_ONCE = 16
_NO_SUCH_VERSION = 400


class Named(Struct, frozen=True):
    """An identity from Resource Graph, with the parts of its id."""

    id: str
    subscription: str
    resource_group: str
    name: Wire
    principal_id: Wire
    client_id: Wire


class ListedItem(Struct):
    """An identity from Azure Resource Manager."""

    id: str
    properties: Wire = UNSET


@wired(MANAGED_IDENTITY, "properties")
class Limits(Struct, rename="camel"):
    """What limits who can be given it."""

    assignment_restrictions: Wire = UNSET


class Restrictions(Struct, rename="camel"):
    """The only kinds of resources that can be given it."""

    providers: Wire = UNSET


async def collect_limits(
    reading: Reading, unit: Unit, scope: Scope, identities: Sequence[Named], parent: Coverage
) -> Sequence[Coverage]:
    """Write a row per identity. Returns the coverage of the lists of the subscriptions that have one."""
    current, stable = (Calls(scope, operation, per_object=True) for operation in OPERATIONS)
    asked = sorted({each.subscription for each in identities})
    found: dict[str, Mapping[str, Wire] | Refusal] = {}
    restricted: dict[str, Refusal] = {}

    async def one(subscription: str) -> None:
        listed = await _listed(reading, current, subscription)
        if isinstance(listed, Refusal):
            # Its regions may not have the preview, which alone shows the restrictions.
            restricted[subscription] = listed
            listed = await _listed(reading, stable, subscription)
        found[subscription] = listed

    await for_each(asked, one, limit=_AT_ONCE)
    url, version = source(reading.connection.environment, "managed_identity.query")
    for each in identities:
        row = Row(MANAGED_IDENTITY, id=each.id, resource_id=each.id, scope_id=scope.id, url=url, version=version)
        row.put_all(name=each.name, subscription_id=each.subscription, resource_group=each.resource_group)
        principal = read(each.principal_id, str)
        row.put_read("principal_id", principal if isinstance(principal, Refusal) else principal.lower())
        row.put("app_id", each.client_id)
        _put_limits(row, found[each.subscription], each.id.lower(), restricted.get(each.subscription))
        unit.row(MANAGED_IDENTITY.name, row.finish())
    return [current.coverage(parent), stable.coverage(parent)]


async def _listed(reading: Reading, calls: Calls, subscription: str) -> Mapping[str, Wire] | Refusal:
    """The properties of the identities of a subscription by id, in lower case; or why the list is incomplete."""

    def by(item: ListedItem) -> str:
        if not _ID.fullmatch(item.id) or item.id.lower().split("/")[2] != subscription:
            raise ValueError("no identity of the subscription")
        return item.id.lower()

    listing = reading.connection.gateway.pages(calls.id, ListedItem, by=by, subscription=subscription)
    found = await distinct(listing, by)
    reason = why_incomplete(listing.end)
    if reason is None:
        calls.ended(listing.end)
        return {id_: item.properties for id_, item in found.items()}
    refusal = listing.end.refusal
    if calls.id == OPERATIONS[0] and refusal is not None and refusal.status == _NO_SUCH_VERSION:
        # Without the version nobody can have set a restriction, and nothing shows that it has none.
        refusal = Refusal(Reason.NOT_IN_CLOUD, refusal.detail, refusal.status)
        calls.refused(refusal)
    else:
        calls.ended(listing.end)
    return refusal or Refusal(reason)


def _put_limits(row: Row, listed: Mapping[str, Wire] | Refusal, id_: str, restricted: Refusal | None) -> None:
    if isinstance(listed, Refusal):
        row.refuse(("isolation_scope", "limited_to"), listed.reason)
        return
    # One list has it and the other does not: it was made or deleted in between.
    limits = read(listed[id_], Limits) if id_ in listed else Refusal(Reason.INCONSISTENT)
    if isinstance(limits, Refusal):
        row.refuse(("isolation_scope", "limited_to"), limits.reason)
        return
    row.fill(limits, "properties")
    row.put_read("limited_to", restricted or _providers(limits.assignment_restrictions))


def _providers(raw: Wire) -> Collection[str] | Refusal:
    """Without restrictions, or with none in the list, there is no limit: see the page about assignment restrictions."""
    if raw is UNSET or is_null(raw):
        return []
    found = read(raw, Restrictions)
    if isinstance(found, Refusal):
        return found
    if found.providers is UNSET or is_null(found.providers):
        return []
    listed = read(found.providers, list[str])
    return listed if isinstance(listed, Refusal) else sorted(set(listed))


_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+",
    re.ASCII | re.IGNORECASE,
)
