"""Reads the keys that validate the tenant's tokens, from the sign-in host (without a token) and from Azure AD B2C."""

import re
from collections.abc import Sequence
from functools import partial
from itertools import chain
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import all_of, for_each
from keyaudit.collect.entra.published_keys import Place, issuer_key, shared_key, write_keys
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.shared_key import SHARED

OPERATIONS = ("login.metadata", "login.keys", "login.app_keys", *SHARED.values(), "organization.type", "b2c.key_sets")

_AT_ONCE = 4
_HOLDERS = ("application.list", "service_principal.list")
# The other host name of the same service, which its answers may use: the second alias of its instance discovery.
_ALIASES = {"login.chinacloudapi.cn": "login.partner.microsoftonline.cn"}
_ISSUER = re.compile(r"https://[^/]+/([0-9a-f-]{36})/v2\.0", re.ASCII)
# https://learn.microsoft.com/graph/api/resources/organization: custom policies, and so key sets, are B2C's alone.
_NOT_B2C = frozenset({"AAD", "CIAM"})


class Metadata(Struct):
    """The metadata of a tenant, with the address of its keys."""

    issuer: str
    jwks_uri: str


class Document(Struct):
    """A JSON Web Key Set."""

    keys: list[Raw]


class TenantType(Struct, rename="camel"):
    """The type of a tenant."""

    id: str
    tenant_type: Wire = UNSET


class KeySet(Struct):
    """A key set of Azure AD B2C."""

    id: str
    keys: Wire = UNSET


class _Row(Struct):
    app_id: str | None = None
    kind: str | None = None
    usage: str | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)


async def collect_issuer_keys(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per published key: of the tenant, of applications with their own keys, and shared ones.

    Returns the coverage of `OPERATIONS`.
    """
    keys = _Keys(reading.connection, unit, scope)
    shared = (partial(keys.shared, authority, operation) for authority, operation in SHARED.items())
    found = await all_of(keys.of_tenant, partial(keys.of_applications, reading.spool), *shared, keys.of_b2c)
    return [record for records in found for record in records]


class _Keys:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._gateway, self._environment = connection.gateway, connection.environment
        self._tenant_id = connection.identity.tenant_id
        self._unit, self._scope = unit, scope

    async def of_tenant(self) -> Sequence[Coverage]:
        metadata, keys = Calls(self._scope, "login.metadata"), Calls(self._scope, "login.keys")
        found = await self._gateway.get(metadata.id, Metadata, tenant=self._tenant_id)
        problem = found if isinstance(found, Refusal) else self._misled(found)
        if problem:
            metadata.refused(problem)
        else:
            metadata.answered()
            await self._published(keys, self._place("entra", keys.id, "issuerKeys"))
        parent = metadata.coverage()
        return parent, keys.coverage(parent)

    async def of_applications(self, spool: Spool) -> Sequence[Coverage]:
        """The keys of applications with a signing key of their own, custom or left over from SAML."""
        calls = Calls(self._scope, "login.app_keys", per_object=True)
        place = partial(self._place, "application", calls.id)
        decoder = msgspec.json.Decoder(_Row)
        own: set[str | None] = set()
        unclear = False
        for row in map(decoder.decode, chain(spool.lines("signing_certificate"), spool.lines("credential"))):
            if row.kind == "application" or row.usage == "Sign":
                own.add(row.app_id)
            elif row.usage is None and (reasons := {row.unknown[name] for name in ("kind", "usage") if name in row.unknown}):
                # An application with a key of a new kind can be asked for. Many keys that were not read are not asked for.
                asked = row.app_id is not None and reasons == {Reason.UNRECOGNISED}
                own.update([row.app_id] if asked else [])
                unclear = unclear or not asked

        async def one(app: str) -> None:
            await self._published(calls, place(f"issuerKeys/{quote(app, safe='')}", app_id=app), app=app)

        await for_each(sorted(app for app in own if app), one, limit=_AT_ONCE)
        if None in own:
            calls.refused(Refusal(Reason.PARENT_NOT_ASSESSED, "an application whose client id is unknown"))
        if unclear:
            calls.refused(Refusal(Reason.PARENT_NOT_ASSESSED, "it is unknown whether an application has its own signing keys"))
        listed = [record for record in spool.coverage() if record.scope == self._scope and record.operation in _HOLDERS]
        return (calls.coverage(next((record for record in listed if record.state is not State.ASSESSED), None)),)

    async def shared(self, authority: str, operation: str) -> Sequence[Coverage]:
        """The keys under common, organizations or consumers, for tokens of many tenants."""
        calls = Calls(self._scope, operation)
        answer = await self._gateway.get(operation, Document)
        self._written(calls, self._place(authority, operation, f"sharedKeys/{authority}"), answer)
        return (calls.coverage(),)

    async def of_b2c(self) -> Sequence[Coverage]:
        """Key sets, if the tenant is or may be one of Azure AD B2C."""
        type_, sets = Calls(self._scope, "organization.type"), Calls(self._scope, "b2c.key_sets")
        if await self._type(type_) not in _NOT_B2C:
            listing = self._gateway.pages(sets.id, KeySet, by=lambda item: item.id)
            async for item in listing:
                keys = read(item.keys, list[Raw])
                place = self._place("b2c", sets.id, f"keySets/{quote(item.id, safe='')}", key_set=item.id)
                if isinstance(keys, Refusal) or write_keys(self._unit, place, keys, issuer_key).quarantined:
                    sets.refused(Refusal(Reason.BAD_ITEM, "keys that cannot be read", 200))
            sets.ended(listing.end)
        return type_.coverage(), sets.coverage()

    async def _type(self, calls: Calls) -> str | None:
        listing = self._gateway.pages(calls.id, TenantType, by=lambda item: item.id.lower())
        found = [read(item.tenant_type, str) async for item in listing if item.id.lower() == self._tenant_id.lower()]
        calls.ended(listing.end)
        if found and isinstance(found[0], str):
            return found[0]
        if listing.end.refusal is None:
            calls.refused(Refusal(Reason.BAD_BODY, "Graph does not say what kind of tenant it is", 200))
        return None

    def _misled(self, metadata: Metadata) -> Refusal | None:
        """Why a relying party would use other keys than those read here; None if it uses the same."""
        issuer = _ISSUER.fullmatch(metadata.issuer.lower())
        if issuer is None or issuer[1] != self._tenant_id.lower():
            return Refusal(Reason.BAD_BODY, "it names another issuer than this tenant", 200)
        try:
            split = urlsplit(metadata.jwks_uri.lower())
        except ValueError:
            return Refusal(Reason.BAD_BODY, "where its keys are is no address", 200)
        login = self._environment.login
        if split.scheme != "https" or split.netloc not in (login, _ALIASES.get(login)):
            return Refusal(Reason.FOREIGN_LINK, "its keys are said to be on another host", 200)
        if split.path != f"/{self._tenant_id.lower()}/discovery/v2.0/keys" or split.query:
            return Refusal(Reason.UNRECOGNISED, "its keys are said to be at another address", 200)
        return None

    async def _published(self, calls: Calls, place: Place, **segments: str) -> None:
        self._written(calls, place, await self._gateway.get(calls.id, Document, tenant=self._tenant_id, **segments))

    def _written(self, calls: Calls, place: Place, found: Document | Refusal) -> None:
        if isinstance(found, Refusal):
            calls.refused(found)
        elif not found.keys:
            calls.refused(Refusal(Reason.BAD_BODY, "no key is published", 200))
        else:
            form = shared_key if calls.id in SHARED.values() else issuer_key
            calls.ended(write_keys(self._unit, place, found.keys, form))

    def _place(
        self, kind: str, operation: str, collection: str, *, app_id: str | None = None, key_set: str | None = None
    ) -> Place:
        host = self._environment.login if kind != "b2c" else ""
        url, version = source(self._environment, operation, host=host, tenant=self._tenant_id)
        return Place(
            kind=kind,
            tenant_id=self._tenant_id,
            collection=collection,
            scope_id=self._scope.id,
            url=url,
            version=version,
            app_id=app_id,
            key_set=key_set,
        )
