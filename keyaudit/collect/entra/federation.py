"""Federated domains, identity providers of other organizations, and the token-signing certificates that Entra trusts."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.certificates import certificate_of, put_dated
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import X509
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.federated_domain import FEDERATED_DOMAIN
from keyaudit.model.tables.entra.signing_certificate import SIGNING_CERTIFICATE

OPERATIONS = ("domain.federation", "external_federation.list")

_AT_ONCE = 16
_NULL = Raw(b"null")
_LISTED_BY = ("domain.list", "organization.get")
_UPDATE = "signingCertificateUpdateStatus"
_SETTINGS = tuple(column.name for column in FEDERATED_DOMAIN.columns if column.operations)


class Provider(Related, rename="camel"):
    """An identity provider that Entra trusts."""

    display_name: Wire = UNSET
    signing_certificate: Wire = UNSET


@wired(FEDERATED_DOMAIN)
class Federation(Provider, rename="camel"):
    """The federation configuration of a domain."""

    next_signing_certificate: Wire = UNSET
    signing_certificate_update_status: Wire = UNSET


@wired(FEDERATED_DOMAIN, _UPDATE)
class UpdateStatus(Struct):
    """The result of the last update of the certificate."""


class Holder(Struct, frozen=True):
    """The holder of certificates, and its request."""

    kind: str
    id: str
    name: Wire | str
    scope_id: str
    url: str
    version: str


async def collect_federation(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per stored federated domain, and per trusted certificate. Returns the coverage of `OPERATIONS`."""
    trusted = _Trusted(reading.connection, unit, scope)
    domains, parent = _federated(reading.spool, scope)
    works: list[Callable[[], Awaitable[None]]] = [trusted.external, *(partial(trusted.domain, name) for name in domains)]
    await for_each(works, lambda work: work(), limit=_AT_ONCE)
    return trusted.settings.coverage(parent), trusted.providers.coverage()


class _Tenant(Struct):
    federated_domains: list[str] | None = None


def _federated(spool: Spool, scope: Scope) -> tuple[Sequence[str], Coverage | None]:
    """The names of the federated domains, and the coverage of their list: the first incomplete record."""
    rows = [msgspec.json.decode(line, type=_Tenant) for line in spool.lines("tenant")]
    names = [name for row in rows for name in row.federated_domains or ()]
    listed = [record for record in spool.coverage() if record.scope == scope and record.operation in _LISTED_BY]
    unread = [record for record in listed if record.state is not State.ASSESSED]
    return names, next(iter(unread or listed), None)


class _Trusted:
    """Reads identity providers, and writes their trusted certificates."""

    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._gateway, self._environment = connection.gateway, connection.environment
        self._tenant_id = connection.identity.tenant_id
        self._unit, self._scope = unit, scope
        self.settings = Calls(scope, "domain.federation", per_object=True)
        self.providers = Calls(scope, "external_federation.list")

    async def domain(self, name: str) -> None:
        """One federated domain. Its row is written even if Graph refuses."""
        listing = self._gateway.pages("domain.federation", Federation, by=lambda item: item.id.lower(), id=name)
        found = [item async for item in both(listing)]
        self.settings.ended(listing.end)
        missing = why_incomplete(listing.end)
        if missing is None and len(found) != 1:
            # https://learn.microsoft.com/graph/api/domain-list-federationconfiguration: one object in the collection.
            missing = Reason.INCONSISTENT_PAGES
            self.settings.refused(Refusal(missing, "not one configuration of a federated domain", 200))
        holder = self._holder("federated-domain", "domains", name, name, "domain.federation", id=quote(name, safe=""))
        row = Row(
            FEDERATED_DOMAIN,
            id=holder.id,
            resource_id=holder.id,
            scope_id=holder.scope_id,
            url=holder.url,
            version=holder.version,
        )
        row.put("name", name)
        if missing:
            row.refuse(_SETTINGS, missing)
        else:
            _put_settings(row, found[0])
        self._unit.row("federated_domain", row.finish())
        for item in found:
            self._write(holder, self.settings, item.signing_certificate, item.next_signing_certificate)

    async def external(self) -> None:
        """Every identity provider of another organization."""
        listing = self._gateway.pages("external_federation.list", Provider, by=object_id)
        async for item in both(listing):
            collection = "externalIdentityProviders"
            holder = self._holder("external-idp", collection, item.id, item.display_name, "external_federation.list")
            self._write(holder, self.providers, item.signing_certificate)
        self.providers.ended(listing.end)

    def _holder(self, kind: str, collection: str, name: str, shown: Wire | str, operation: str, **segments: str) -> Holder:
        url, version = source(self._environment, operation, **segments)
        id_ = f"/tenants/{self._tenant_id}/{collection}/{quote(name, safe='')}"
        return Holder(kind, id_, shown, self._scope.id, url, version)

    def _write(self, holder: Holder, calls: Calls, certificate: Wire, following: Wire = _NULL) -> None:
        """Write a row for a provider's certificate, and for the secondary one of a domain unless it is the same.

        Every provider has a certificate: if it is null, empty or left out, its row has unknown columns.
        """
        if isinstance(certificate, UnsetType) or isinstance(following, UnsetType):
            calls.refused(Refusal(Reason.BAD_BODY, "an answer that does not say which certificates are trusted", 200))
        current = certificate_of(certificate) or Refusal(Reason.BAD_VALUE)
        after = None if isinstance(following, UnsetType) else certificate_of(following)
        self._unit.row("signing_certificate", _row(holder, current, name="current"))
        if after is not None and (after != current or isinstance(after, Refusal)):
            self._unit.row("signing_certificate", _row(holder, after, name="next", like=_alike(current, after)))


def _put_settings(row: Row, item: Federation) -> None:
    row.fill(item)
    following = "" if is_null(item.next_signing_certificate) else read(item.next_signing_certificate, str)
    row.put_read("has_next_certificate", following if isinstance(following, Refusal) else bool(following))
    update = item.signing_certificate_update_status
    row.fill(None if is_null(update) else read(update, UpdateStatus), _UPDATE)


def _row(holder: Holder, found: X509 | Refusal, *, name: str, like: bool | Refusal | None = None) -> dict[str, object]:
    """The row of a certificate, named `name` if it cannot be decoded. `like`: see `like_current`."""
    resource_id = f"{holder.id}/signingCertificates/{name if isinstance(found, Refusal) else found.thumbprint.lower()}"
    row = Row(
        SIGNING_CERTIFICATE,
        id=resource_id,
        resource_id=resource_id,
        scope_id=holder.scope_id,
        url=holder.url,
        version=holder.version,
    )
    row.put_all(name=found if isinstance(found, Refusal) else found.subject, kind=holder.kind, holder_id=holder.id.lower())
    row.put("holder_name", holder.name)
    row.clear(("app_id", "holder_enabled", "sso_mode"))
    row.put_all(active=True, is_next=name == "next", like_current=like, custody="external")
    put_dated(row, found)
    return row.finish()


def _alike(current: X509 | Refusal, after: X509 | Refusal) -> bool | Refusal:
    """Whether a domain's secondary certificate has the subject and issuer of its primary one."""
    pairs = []
    for found in (current, after):
        for fact in (found,) if isinstance(found, Refusal) else (found.subject, found.issuer):
            if isinstance(fact, Refusal):
                return fact
            pairs.append(fact)
    return pairs[:2] == pairs[2:]
