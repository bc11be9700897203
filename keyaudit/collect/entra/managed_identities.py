"""Federated credentials of user-assigned managed identities, from ARM: those that Graph does not return."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict

import msgspec
from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra import identity_limits
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.credentials import Rows
from keyaudit.collect.entra.relations import FederatedItem
from keyaudit.collect.places import Subscription, source
from keyaudit.collect.queries import Group, Query, ids_of
from keyaudit.collect.reading import Reading
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import UNSAFE, Reason
from keyaudit.model.values.guid import GUID

_FEDERATED = ("managed_identity.expressions_of", "managed_identity.federated_of")
OPERATIONS = ("managed_identity.query", *_FEDERATED, *identity_limits.OPERATIONS)

QUERY = Query(
    operation=OPERATIONS[0],
    types=("microsoft.managedidentity/userassignedidentities",),
    own=("id", "name", "subscriptionId", "properties"),
)
_NOBODYS = Refusal(Reason.BAD_VALUE, "a managed identity that does not say which service principal it is", 200)
_LACKS_IDENTITY = Refusal(Reason.INCONSISTENT, "it lacks a managed identity that a service principal names", 200)
_LACKS_ONE = Refusal(Reason.INCONSISTENT, "it lacks a federated credential that Graph has", 200)
_AT_ONCE = 16
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/([^/]+)",
    re.ASCII | re.IGNORECASE,
)


class Segments(TypedDict):
    """The segments of an ARM path that name an identity."""

    subscription: str
    resource_group: str
    identity: str


class IdentityItem(Struct):
    """A user-assigned managed identity from Resource Graph."""

    id: str
    name: Wire = UNSET
    properties: Wire = UNSET


class Identity(Struct, rename="camel"):
    """The properties of an identity."""

    principal_id: Wire = UNSET
    client_id: Wire = UNSET


class FederatedResource(Struct):
    """A federated credential from ARM."""

    id: str
    name: str
    properties: "FederatedProperties"


class FederatedProperties(Struct, rename="camel"):
    """Its properties."""

    issuer: Wire = UNSET
    subject: Wire = UNSET
    audiences: Wire = UNSET
    claims_matching_expression: Wire = UNSET


class _StoredCredential(Struct):
    """A stored row of a credential."""

    holder_id: str
    holder_kind: str
    kind: str | None = None
    name: str | None = None


class _StoredPrincipal(Struct):
    """A stored row of a service principal."""

    arm_id: str | None = None


async def collect_managed_identities(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per identity, and one per federated credential that Graph did not return.

    Returns the coverage of `OPERATIONS`.

    Graph returns a managed identity's federated credentials on its service principal, with the same names, so only missing ones
    are new: each is counted once, and none is lost if Graph refuses.
    """
    subscriptions = reading.found.subscriptions
    if not subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    queried = Calls(scope, "managed_identity.query")
    identities: dict[str, IdentityItem] = {}
    whole = True
    gateway = reading.connection.gateway
    for group, listing in reading.graph.queries(gateway, queried, QUERY, IdentityItem, subscriptions, by=_identity_of):
        identities |= await distinct(listing, _identity_of(group))
        whole = whole and why_incomplete(listing.end) is None
    # Resource Graph leaves out what the identity may not read.
    if whole and not _named(reading.spool.lines("service_principal"), subscriptions) <= identities.keys():
        queried.refused(_LACKS_IDENTITY)
    parent = queried.coverage()
    expressions, federated = (Calls(scope, operation, per_object=True) for operation in _FEDERATED)
    known = _Identities(reading.connection, unit, expressions, federated, _known(reading.spool.lines("credential")))
    await for_each([identities[id_] for id_ in sorted(identities)], known.read, limit=_AT_ONCE)
    named = [_named_one(identities[id_]) for id_ in sorted(identities)]
    limits = await identity_limits.collect_limits(reading, unit, scope, named, parent)
    return [parent, expressions.coverage(parent), federated.coverage(parent), *limits]


def _named_one(item: IdentityItem) -> identity_limits.Named:
    match = _ID.fullmatch(item.id)
    assert match is not None  # noqa: S101 - `_identity_of` accepted it
    found = read(item.properties, Identity)
    members = (UNSET, UNSET) if isinstance(found, Refusal) else (found.principal_id, found.client_id)
    return identity_limits.Named(item.id, match[1].lower(), match[2], item.name, *members)


class _Identities:
    def __init__(
        self, connection: Connection, unit: Unit, expressions: Calls, stable: Calls, known: frozenset[tuple[str, str]]
    ) -> None:
        self._gateway = connection.gateway
        self._environment = connection.environment
        self._tenant_id = connection.identity.tenant_id
        self._unit, self._expressions, self._stable, self._known = unit, expressions, stable, known

    async def read(self, item: IdentityItem) -> None:
        """Write the credentials of one identity.

        They are read with their expressions, or without them where that version is refused. Then the expression of a credential
        without a subject is unknown.
        """
        match = _ID.fullmatch(item.id)
        assert match is not None  # noqa: S101 - `_identity_of` accepted it
        segments: Segments = {"subscription": match[1].lower(), "resource_group": match[2], "identity": match[3]}

        def by(one: FederatedResource) -> str:
            if one.id.lower() != f"{item.id}/federatedIdentityCredentials/{one.name}".lower():
                raise ValueError("no credential of this identity")
            return one.name.lower()

        listing = self._gateway.pages(self._expressions.id, FederatedResource, by=by, **segments)
        shown = [one async for one in both(listing)]
        reason = why_incomplete(listing.end)
        if reason is None:
            self._expressions.ended(listing.end)
            self._write(item, segments, self._expressions.id, shown)
            return
        lacking = listing.end.refusal or Refusal(reason)
        listing = self._gateway.pages(self._stable.id, FederatedResource, by=by, **segments)
        found = [one async for one in both(listing)]
        self._stable.ended(listing.end)
        expressions = {one.name.lower(): one.properties.claims_matching_expression for one in shown}
        unread = self._write(item, segments, self._stable.id, found, (expressions, lacking))
        if unread or listing.end.refusal is not None or lacking.reason in UNSAFE:
            self._expressions.refused(lacking)

    def _write(
        self,
        item: IdentityItem,
        segments: Segments,
        operation: str,
        found: Sequence[FederatedResource],
        expressions: tuple[Mapping[str, Wire], Refusal] | None = None,
    ) -> bool:
        """Write a row for each credential that Graph did not return; whether an expression is unknown.

        `expressions`: for an answer without them, those that were read by name, and why the others were not.
        """
        holder = self._holder(item, segments, operation)
        unread = False
        principal = f"/tenants/{self._tenant_id}/servicePrincipals/{holder.object_id}".lower() if holder.object_id else ""
        if {name for owner, name in self._known if owner == principal}.difference(one.name.lower() for one in found):
            self._stable.refused(_LACKS_ONE)
        for one in found:
            name = one.name.lower()
            if principal and (principal, name) in self._known:
                continue
            if not principal and any(name == known for _, known in self._known):
                # Graph may have returned it.
                self._stable.refused(_NOBODYS)
                continue
            expression: Wire | Refusal = one.properties.claims_matching_expression
            if expressions is not None and isinstance(read(one.properties.subject, str), Refusal):
                expression = expressions[0].get(name, expressions[1])
                unread = unread or isinstance(expression, Refusal)
            # Copies get the same id, so that what differs in them becomes inconsistent.
            row = Rows(holder).federated(_as_graph(one), holder.url, holder.version, expression)
            self._unit.row("credential", row)
        return unread

    def _holder(self, item: IdentityItem, segments: Segments, operation: str) -> Holder:
        """The identity as `operation` returned its credentials; without an object id if Azure gives none."""
        properties = read(item.properties, Identity)
        principal = properties if isinstance(properties, Refusal) else read(properties.principal_id, str)
        url, version = source(self._environment, operation, **segments)
        return Holder(
            kind="managed_identity",
            tenant_id=self._tenant_id,
            object_id=principal if isinstance(principal, str) and GUID.fullmatch(principal) else "",
            url=url,
            version=version,
            name=item.name,
            app_id=properties if isinstance(properties, Refusal) else properties.client_id,
            type="ManagedIdentity",
            home="none",
            arm_id=item.id,
        )


def _as_graph(one: FederatedResource) -> FederatedItem:
    """The credential in Graph's form; ARM has no id for it except its name."""
    held = one.properties
    name = msgspec.Raw(msgspec.json.encode(one.name))
    return FederatedItem(id=one.name, name=name, issuer=held.issuer, subject=held.subject, audiences=held.audiences)


def _known(stored: Iterable[bytes]) -> frozenset[tuple[str, str]]:
    """Holder and name, in lower case, of every federated credential of a service principal."""
    decoder = msgspec.json.Decoder(_StoredCredential)
    rows = (decoder.decode(line) for line in stored)
    return frozenset(
        (row.holder_id, row.name.lower())
        for row in rows
        if row.kind == "federated" and row.holder_kind == "service_principal" and row.name is not None
    )


def _named(stored: Iterable[bytes], subscriptions: Iterable[Subscription]) -> frozenset[str]:
    """ARM ids, in lower case, of user-assigned identities of these subscriptions that service principals name."""
    decoder = msgspec.json.Decoder(_StoredPrincipal)
    asked = {subscription.id for subscription in subscriptions}
    matches = (_ID.fullmatch(decoder.decode(line).arm_id or "") for line in stored)
    return frozenset(match[0].lower() for match in matches if match and match[1].lower() in asked)


def _identity_of(group: Group) -> Callable[[IdentityItem], str]:
    asked = ids_of(group)

    def by(item: IdentityItem) -> str:
        match = _ID.fullmatch(item.id)
        if match is None or match[1].lower() not in asked:
            raise ValueError("no identity of a subscription that was asked for")
        return item.id.lower()

    return by
