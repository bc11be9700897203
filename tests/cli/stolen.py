"""Contoso after a theft: the key of one certificate is trusted in every way there is, as far as nobody has closed that way."""

import asyncio
from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec.structs import replace

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.simulator import x509
from keyaudit.simulator.estate import (
    Application,
    Authority,
    Certificate,
    CertificateVersion,
    Domain,
    Estate,
    Key,
    KeyCredential,
    PasswordCredential,
    PublishedKey,
    Resource,
    ServicePrincipal,
    Vault,
)
from keyaudit.simulator.estates.contoso import contoso
from keyaudit.simulator.estates.contoso.signing import WHOLESALE
from keyaudit.simulator.key_vault import certificates
from tests.collect.estate import AS_OF, DAY
from tests.collect.rig import take

VAULT, CERTIFICATE = "kv-data-prod", "etl-client"
SECOND = "feed-client"
"""A certificate of another application in the same vault: principals that read the vault's secrets can get it, too."""
SAML, ON_PRINCIPAL, DISK = "Litware HR", "Billing API", "stcontosoetl"
AUTHORITY = "Contoso Workforce Issuing CA 2"
WAYS = ("etl-runner", "etl-runner-test", ON_PRINCIPAL, SAML, WHOLESALE, "published", AUTHORITY, DISK, VAULT)
"""All that trusts the key, by what it is planted in."""
_VAULTS = (VAULT, "kv-orders-prod")
_CERTIFICATE_ID = "11111111-aaaa-4bbb-8ccc-{:012}"


def stolen(open_: Collection[str] = WAYS) -> Estate:
    """The tenant in which those ways are open, and the others closed. Smaller than Contoso, to be read in a moment."""
    whole = contoso(AS_OF)
    vaults = [_readable(vault) for vault in whole.vaults if vault.name in _VAULTS]
    vault = next(vault for vault in vaults if vault.name == VAULT)
    held = next(one for one in vault.certificates if one.name == CERTIFICATE)
    version = max(held.versions, key=lambda one: one.created)
    own = certificates.der(vault, held, version)
    estate = replace(
        whole,
        vaults=tuple(_kept(one, version, VAULT in open_) if one is vault else one for one in vaults),
        hsms=(),
        deleted_vaults=(),
        applications=tuple(_without(one, x509.thumbprint(own), open_) for one in whole.applications),
        domains=tuple(_federated(one, version, WHOLESALE in open_) for one in whole.domains),
        resources=(*whole.resources, _disk(whole, version if DISK in open_ else None)),
        plants=frozenset(),
    )
    credentials = {
        SAML: _saml(version) if SAML in open_ else ((), ()),
        ON_PRINCIPAL: ((_key("on principal", version, 1),), ()) if ON_PRINCIPAL in open_ else ((), ()),
    }
    signing = whole.token_signing
    if "published" in open_:
        signing = replace(signing, published=(*signing.published, PublishedKey(certificate=_made("published", version))))
    if AUTHORITY in open_:
        store = signing.infrastructures[0]
        made = _made(f"CN={AUTHORITY}", version, authority=True)
        added = Authority(id=_CERTIFICATE_ID.format(9), name=AUTHORITY, certificate=made, root=True, created=AS_OF - DAY)
        signing = replace(signing, infrastructures=(replace(store, authorities=(*store.authorities, added)),))
    principals = tuple(_with(one, credentials) for one in estate.service_principals)
    return replace(estate, token_signing=signing, service_principals=principals)


def collected(folder: Path, estate: Estate) -> Path:
    """A snapshot of it."""
    return asyncio.run(take(folder, estate=estate)).folder


def asked_of(folder: Path, query: str, *values: str) -> tuple[str, ...]:
    """The one row that a view has; no other view is made."""
    snapshot = open_snapshot(folder)
    view = query.partition(" FROM ")[2].split()[:1]
    with snapshot.judging(snapshot.run.as_of, reach_known=False, names=view) as connection:
        (row,) = connection.execute(query, list(values)).fetchall()
    return tuple(map(str, row))


def _readable(vault: Vault) -> Vault:
    """The vault, with a second certificate whose private half can be read."""
    out = (
        replace(one, policy=replace(one.policy, exportable=True)) if one.name == SECOND else one for one in vault.certificates
    )
    return replace(vault, certificates=tuple(out))


def _kept(vault: Vault, version: CertificateVersion, enabled: bool) -> Vault:
    def switched(one: Certificate) -> Certificate:
        if one.name != CERTIFICATE:
            return one
        versions = (replace(each, enabled=enabled) if each is version else each for each in one.versions)
        return replace(one, versions=tuple(versions))

    def with_its_certificate(key: Key) -> Key:
        if key.name != CERTIFICATE:
            return key
        versions = (replace(each, enabled=enabled) if each.version == version.version else each for each in key.versions)
        return replace(key, versions=tuple(versions))

    certificates_, keys = map(switched, vault.certificates), map(with_its_certificate, vault.keys)
    return replace(vault, certificates=tuple(certificates_), keys=tuple(keys))


def _without(application: Application, thumbprint: str, open_: Collection[str]) -> Application:
    if application.name in open_:
        return application
    return replace(application, keys=tuple(key for key in application.keys if key.thumbprint != thumbprint))


def _made(subject: str, version: CertificateVersion, *, authority: bool = False) -> bytes:
    """Another certificate on the stolen key."""
    return x509.certificate(
        subject if subject.startswith("CN=") else f"CN={subject}",
        key_name=f"https://{VAULT}.vault.azure.net/keys/{CERTIFICATE}/{version.version}",
        start=AS_OF - 30 * DAY,
        end=AS_OF + 300 * DAY,
        authority=authority,
    )


def _key(name: str, version: CertificateVersion, number: int, usage: str = "Verify") -> KeyCredential:
    made = _made(name, version)
    return KeyCredential(
        key_id=_CERTIFICATE_ID.format(number),
        start=AS_OF - 30 * DAY,
        end=AS_OF + 300 * DAY,
        usage=usage,
        type="AsymmetricX509Cert" if usage == "Verify" else "X509CertAndPassword",
        display_name=f"CN={name}",
        thumbprint=x509.thumbprint(made),
        certificate=made,
    )


Credentials = tuple[Iterable[KeyCredential], Iterable[PasswordCredential]]


def _saml(version: CertificateVersion) -> Credentials:
    verify, sign = _key("saml", version, 2), _key("saml", version, 3, "Sign")
    opens = PasswordCredential(
        key_id=sign.key_id, start=sign.start, end=AS_OF + 300 * DAY, display_name="CN=saml", thumbprint=sign.thumbprint
    )
    return (verify, sign), (opens,)


def _with(principal: ServicePrincipal, credentials: dict[str, Credentials]) -> ServicePrincipal:
    keys, passwords = credentials.get(principal.name or "", ((), ()))
    return replace(principal, keys=(*principal.keys, *keys), passwords=(*principal.passwords, *passwords))


def _federated(domain: Domain, version: CertificateVersion, planted: bool) -> Domain:
    if domain.name != WHOLESALE or not planted or domain.federation is None:
        return domain
    return replace(domain, federation=replace(domain.federation, next_certificate=_made("sts", version)))


def _disk(estate: Estate, version: CertificateVersion | None) -> Resource:
    """A storage account that encrypts with the key, or has been moved to another."""
    name = CERTIFICATE if version else "lakehouse-cmk"
    encryption = {
        "keySource": "Microsoft.Keyvault",
        "keyvaultproperties": {
            "keyvaulturi": f"https://{VAULT}.vault.azure.net",
            "keyname": name,
            "keyversion": version.version if version else "",
            "currentVersionedKeyIdentifier": None,
        },
    }
    return Resource(
        type="Microsoft.Storage/storageAccounts",
        name=DISK,
        subscription=estate.subscriptions[0].id,
        resource_group="rg-data-prod",
        properties={"encryption": encryption},
    )
