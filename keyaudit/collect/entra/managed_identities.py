"""Federated credentials of user-assigned managed identities, from ARM: those that Graph does not return."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

import msgspec
from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.credentials import Rows
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.relations import FederatedItem
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason

OPERATIONS = ("managed_identity.query", "managed_identity.federated_of")

QUERY = (
    "resources | where type =~ 'microsoft.managedidentity/userassignedidentities' "
    "| project id, name, subscriptionId, properties | order by id asc"
)
_NOBODYS = Refusal(Reason.BAD_VALUE, "a managed identity that does not say which service principal it is", 200)
_PER_QUERY = 299
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


async def collect_managed_identities(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per federated credential that Graph did not return. Returns the coverage of `OPERATIONS`.

    Graph returns a managed identity's federated credentials on its service principal, with the same names, so only missing ones
    are new: each is counted once, and none is lost if Graph refuses.
    """
    subscriptions = reading.found.subscriptions
    if not subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    queried = Calls(scope, "managed_identity.query")
    identities: dict[str, IdentityItem] = {}
    for start in range(0, len(subscriptions), _PER_QUERY):
        group = [subscription.id for subscription in subscriptions[start : start + _PER_QUERY]]
        body = {"subscriptions": group, "query": QUERY}
        by = _identity_of(group)
        listing = reading.connection.gateway.pages("managed_identity.query", IdentityItem, by=by, body=body)
        identities |= await distinct(listing, by)
        queried.ended(listing.end)
    parent = queried.coverage()
    federated = Calls(scope, "managed_identity.federated_of", per_object=True)
    known = _Identities(reading.connection, unit, federated, _known(reading.spool.lines("credential")))
    await for_each([identities[id_] for id_ in sorted(identities)], known.read, limit=_AT_ONCE)
    return [parent, federated.coverage(parent)]


class _Identities:
    def __init__(self, connection: Connection, unit: Unit, calls: Calls, known: frozenset[tuple[str, str]]) -> None:
        self._gateway = connection.gateway
        self._environment = connection.environment
        self._tenant_id = connection.identity.tenant_id
        self._unit, self._calls, self._known = unit, calls, known

    async def read(self, item: IdentityItem) -> None:
        """Write the credentials of one identity."""
        match = _ID.fullmatch(item.id)
        assert match is not None  # noqa: S101 - `_identity_of` accepted it
        segments: Segments = {"subscription": match[1].lower(), "resource_group": match[2], "identity": match[3]}
        properties = read(item.properties, Identity)
        principal = properties if isinstance(properties, Refusal) else read(properties.principal_id, str)
        if isinstance(principal, str) and not GUID.fullmatch(principal):
            principal = Refusal(Reason.BAD_VALUE)
        url, version = source(self._environment, self._calls.id, **segments)
        identity = Holder(
            kind="managed_identity",
            tenant_id=self._tenant_id,
            object_id="" if isinstance(principal, Refusal) else principal,
            url=url,
            version=version,
            name=item.name,
            app_id=properties if isinstance(properties, Refusal) else properties.client_id,
            type="ManagedIdentity",
            home="none",
            microsoft_made=False,
            arm_id=item.id,
        )
        holder = "" if isinstance(principal, Refusal) else f"/tenants/{self._tenant_id}/servicePrincipals/{principal}".lower()

        def by(one: FederatedResource) -> str:
            if one.id.lower() != f"{item.id}/federatedIdentityCredentials/{one.name}".lower():
                raise ValueError("no credential of this identity")
            return one.name.lower()

        listing = self._gateway.pages(self._calls.id, FederatedResource, by=by, **segments)
        async for one in both(listing):
            if holder and (holder, one.name.lower()) in self._known:
                continue
            if not holder and any(one.name.lower() == name for _, name in self._known):
                # Graph may have returned it.
                self._calls.refused(_NOBODYS)
            else:
                self._unit.row(
                    "credential",
                    Rows(identity).federated(_as_graph(one), url, version, one.properties.claims_matching_expression),
                )
        self._calls.ended(listing.end)


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


def _identity_of(subscriptions: Sequence[str]) -> Callable[[IdentityItem], str]:
    asked = frozenset(subscriptions)

    def by(item: IdentityItem) -> str:
        match = _ID.fullmatch(item.id)
        if match is None or match[1].lower() not in asked:
            raise ValueError("no identity of a subscription that was asked for")
        return item.id.lower()

    return by
