"""Certificate authorities that the tenant trusts for certificate sign-in of users and for certificates of applications."""

from collections.abc import Sequence

from msgspec import UNSET, Raw, Struct, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.certificates import certificate_of, put_dated
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.entra.credentials import read_items
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.collect.x509 import X509
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.trusted_authority import TRUSTED_AUTHORITY

OPERATIONS = ("pki.list", "pki.authorities", "classic_authority.list", "app_authority.list")

_AT_ONCE = 8
_NULL = Raw(b"null")
_IS_ROOT = {"root": True, "intermediate": False}


class Store(Related, rename="camel"):
    """A store of authorities."""

    display_name: Wire = UNSET


class PkiAuthority(Related, rename="camel"):
    """An authority of a public key infrastructure."""

    display_name: Wire = UNSET
    certificate_authority_type: Wire = UNSET
    certificate: Wire = UNSET
    created_date_time: Wire = UNSET
    certificate_revocation_list_url: Wire = UNSET
    delta: Wire = field(default=UNSET, name="deltacertificateRevocationListUrl")


class ClassicStore(Related, rename="camel"):
    """The older store; a tenant has at most one."""

    certificate_authorities: Wire = UNSET


class Authority(Struct, rename="camel"):
    """An authority of the older store, or one for applications."""

    certificate: Wire = UNSET
    is_root_authority: Wire = UNSET
    certificate_revocation_list_url: Wire = UNSET
    delta_certificate_revocation_list_url: Wire = UNSET


class ApplicationStore(Store, rename="camel"):
    """Authorities that must have issued applications' certificates."""

    trusted_certificate_authorities: Wire = UNSET


class Trusted(Struct, frozen=True, kw_only=True):
    """An authority for its row."""

    kind: str
    store: str
    store_name: Wire | Refusal
    name: Wire
    is_root: Wire | bool | Refusal
    crl: Wire
    delta: Wire
    created: Wire
    certificate: Wire


async def collect_authorities(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per trusted authority. Returns the coverage of `OPERATIONS`."""
    authorities = _Authorities(reading.connection, unit, scope)
    return [*await authorities.of_pki(), await authorities.classic(), await authorities.of_applications()]


class _Authorities:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._gateway, self._environment = connection.gateway, connection.environment
        self._tenant_id = connection.identity.tenant_id
        self._unit, self._scope = unit, scope
        self._taken: set[str] = set()

    async def of_pki(self) -> Sequence[Coverage]:
        stores = Calls(self._scope, "pki.list")
        single = Calls(self._scope, "pki.authorities", per_object=True)
        listing = self._gateway.pages("pki.list", Store, by=object_id)
        found = list((await distinct(listing, object_id)).values())
        stores.ended(listing.end)

        async def one(store: Store) -> None:
            request = source(self._environment, "pki.authorities", id=store.id)
            inner = self._gateway.pages("pki.authorities", PkiAuthority, by=object_id, id=store.id)
            for item in (await distinct(inner, object_id)).values():
                self._write(_of_pki(store, item), *request)
            single.ended(inner.end)

        await for_each(found, one, limit=_AT_ONCE)
        parent = stores.coverage()
        return parent, single.coverage(parent)

    async def classic(self) -> Coverage:
        calls = Calls(self._scope, "classic_authority.list")
        request = source(self._environment, calls.id, tenant=self._tenant_id)
        listing = self._gateway.pages(calls.id, ClassicStore, by=object_id, tenant=self._tenant_id)
        for store in (await distinct(listing, object_id)).values():
            for item in self._items(store.certificate_authorities, calls):
                self._write(_classic(store, item), *request)
        calls.ended(listing.end)
        return calls.coverage()

    async def of_applications(self) -> Coverage:
        calls = Calls(self._scope, "app_authority.list")
        request = source(self._environment, calls.id)
        listing = self._gateway.pages(calls.id, ApplicationStore, by=object_id)
        for store in (await distinct(listing, object_id)).values():
            for item in self._items(store.trusted_certificate_authorities, calls):
                self._write(_of_application(store, item), *request)
        calls.ended(listing.end)
        return calls.coverage()

    def _items(self, raw: Wire, calls: Calls) -> Sequence[Authority]:
        """The authorities in a member of a store."""
        items, bad = read_items(raw, Authority)
        if bad:
            calls.refused(Refusal(Reason.BAD_ITEM, "authorities that cannot be read", 200))
        return items

    def _write(self, trusted: Trusted, url: str, version: str) -> None:
        found = certificate_of(trusted.certificate) or Refusal(Reason.BAD_VALUE)
        store_id = f"/tenants/{self._tenant_id}/certificateAuthorities/{trusted.kind}/{trusted.store}"
        resource_id = self._id(f"{store_id}/{found.thumbprint.lower() if isinstance(found, X509) else 'unreadable'}")
        row = Row(
            TRUSTED_AUTHORITY,
            id=resource_id,
            resource_id=resource_id,
            scope_id=self._scope.id,
            url=url,
            version=version,
        )
        row.put("name", trusted.name)
        row.put("kind", trusted.kind)
        row.put("store_id", store_id.lower())
        row.put_read("store_name", trusted.store_name)
        row.put_read("is_root", Refusal(Reason.BAD_VALUE) if _is_null(trusted.is_root) else trusted.is_root)
        row.put_read("crl_url", _address(trusted.crl))
        row.put_read("delta_crl_url", _address(trusted.delta))
        row.put("created_on", trusted.created)
        put_dated(row, found)
        self._unit.row("trusted_authority", row.finish())

    def _id(self, base: str) -> str:
        """The id of an authority. A store can contain the same certificate twice: the second gets a number."""
        id_, number = base, 1
        while id_.lower() in self._taken:
            number += 1
            id_ = f"{base}/{number}"
        self._taken.add(id_.lower())
        return id_


def _of_pki(store: Store, item: PkiAuthority) -> Trusted:
    kind = read(item.certificate_authority_type, str)
    is_root = kind if isinstance(kind, Refusal) else _IS_ROOT.get(kind.lower(), Refusal(Reason.UNRECOGNISED))
    return Trusted(
        kind="pki",
        store=store.id,
        store_name=store.display_name,
        name=item.display_name,
        is_root=is_root,
        crl=item.certificate_revocation_list_url,
        delta=item.delta,
        created=item.created_date_time,
        certificate=item.certificate,
    )


def _classic(store: ClassicStore, item: Authority) -> Trusted:
    return Trusted(
        kind="classic",
        store=store.id,
        store_name=_NULL,
        name=_NULL,
        is_root=item.is_root_authority,
        crl=item.certificate_revocation_list_url,
        delta=item.delta_certificate_revocation_list_url,
        created=_NULL,
        certificate=item.certificate,
    )


def _of_application(store: ApplicationStore, item: Authority) -> Trusted:
    return Trusted(
        kind="application",
        store=store.id,
        store_name=store.display_name,
        name=_NULL,
        is_root=item.is_root_authority,
        crl=_NULL,
        delta=_NULL,
        created=_NULL,
        certificate=item.certificate,
    )


def _is_null(value: Wire | bool | Refusal) -> bool:
    return isinstance(value, Raw) and is_null(value)


def _address(raw: Wire) -> str | Refusal | None:
    """An address; an empty text means none."""
    if is_null(raw):
        return None
    found = read(raw, str)
    return found or None
