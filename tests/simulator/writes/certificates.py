"""Changes of a vault's certificates on its data plane.

A new version of a self-signed certificate, or of one whose CA the vault orders from, is there at once; one of issuer Unknown
waits for somebody to merge what a CA signed: https://learn.microsoft.com/azure/key-vault/certificates/create-certificate-scenarios.
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    Key,
    KeyVersion,
    Secret,
    SecretVersion,
    Vault,
)
from keyaudit.simulator.key_vault import certificates
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request
from tests.simulator.writes import WriteError, body_of, part_of
from tests.simulator.writes.keys import deleted, new_version, not_found

Stored = TypeVar("Stored", Key, Secret)

_BACKDATED = 600
"""A certificate of Key Vault begins ten minutes before it is made."""


def create(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """A certificate, or a new version of one, by the policy in the body; the operation that makes it."""
    body = body_of(request)
    known = _named(vault, stars[0])
    if known is not None and (known.requested or not certificates.current(known).issued):
        message = (
            "A new key vault certificate can not be created or imported while a pending key vault certificate's status is "
            "inProgress."
        )
        raise WriteError(409, "Forbidden", message)
    if any(one.certificate.name.lower() == stars[0].lower() for one in vault.deleted_certificates):
        raise deleted("Certificate", stars[0])
    now, start = int(request.now), int(request.now) - _BACKDATED
    asked = part_of(body, "policy")
    if asked and not part_of(asked, "x509_props").get("subject"):
        # Whether the service keeps what a partial policy leaves out is not known, so here it must be whole.
        raise WriteError(400, "BadParameter", "Property subject or subject alternative names are required.")
    if not asked and known is None:
        raise WriteError(400, "BadParameter", "Property policy is required.")
    certificate = _with_policy(known or Certificate(name=stars[0], versions=(), current="", subject=""), asked, now, vault)
    certificate = replace(certificate, digest="sha256")
    version = CertificateVersion(
        version=new_version(directory, "certificate", vault.name, stars[0], str(len(certificate.versions))),
        created=now,
        nbf=start,
        exp=_months_later(start, certificate.policy.validity_months),
        enabled=part_of(body, "attributes").get("enabled") is not False,
        tags=body.get("tags"),
    )
    if certificate.policy.issuer.lower() == "unknown" and known is not None:
        certificate = replace(certificate, requested=True)
        _keep(directory, vault, certificate)
        return certificates.operation(vault, certificate)
    version = replace(version, issued=certificate.policy.issuer.lower() != "unknown")
    certificate = replace(certificate, versions=(*certificate.versions, version), current=version.version)
    _keep(directory, _with_backing(vault, certificate, version), certificate)
    return certificates.operation(vault, certificate)


def import_(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """A certificate, or a new version of one, with the key in a PKCS#12 file.

    The private key is not kept: subject, issuer, dates and usages are those of the file, and the key is one of the simulated
    tenant.
    """
    body = body_of(request)
    given = _in_file(str(body.get("value") or ""), body.get("pwd"))
    asked = part_of(body, "policy")
    if any(one.certificate.name.lower() == stars[0].lower() for one in vault.deleted_certificates):
        raise deleted("Certificate", stars[0])
    known = _named(vault, stars[0])
    subject, issuer = _common_name(given.subject), _common_name(given.issuer)
    certificate = replace(
        _with_policy(
            known or Certificate(name=stars[0], versions=(), current="", subject=subject), asked, int(request.now), vault
        ),
        subject=subject,
        authority=None if given.issuer == given.subject else issuer,
        ekus=_usages(given),
        names=(),
    )
    # Key Vault orders nothing from the CA of an imported certificate: its issuer is Unknown, unless the policy names one.
    policy = replace(certificate.policy, issuer=part_of(asked, "issuer").get("name") or "Unknown")
    version = CertificateVersion(
        version=new_version(directory, "certificate", vault.name, stars[0], str(len(certificate.versions))),
        created=int(request.now),
        nbf=int(given.not_valid_before_utc.timestamp()),
        exp=int(given.not_valid_after_utc.timestamp()),
        enabled=part_of(body, "attributes").get("enabled") is not False,
        tags=body.get("tags"),
    )
    certificate = replace(
        certificate, policy=policy, versions=(*certificate.versions, version), current=version.version, requested=False
    )
    vault = _with_backing(vault, certificate, version)
    _keep(directory, vault, certificate)
    return certificates.bundle(vault, certificate, version)


def _in_file(value: str, password: str | None) -> x509.Certificate:
    try:
        _, found, _ = pkcs12.load_key_and_certificates(base64.b64decode(value), password.encode() if password else None)
    except ValueError:
        found = None
    if found is None:
        # https://github.com/damienbod/AspNetCoreCertificates/issues/38
        message = (
            "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is in valid PKCS#12 "
            "format."
        )
        raise WriteError(400, "BadParameter", message)
    return found


def _common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _usages(given: x509.Certificate) -> tuple[str, ...]:
    try:
        return tuple(one.dotted_string for one in given.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return ()


def update(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """Another state or other tags of one version; without one in the address, of the current one."""
    name, wanted = (*stars, "")[:2]
    certificate = _named(vault, name)
    found = certificates.version(certificate, wanted) if certificate else None
    if certificate is None or found is None:
        raise not_found("certificate", "/".join(stars))
    body = body_of(request)
    enabled = part_of(body, "attributes").get("enabled")
    version = replace(
        found,
        updated=int(request.now),
        enabled=found.enabled if enabled is None else enabled,
        tags=found.tags if body.get("tags") is None else body["tags"],
    )
    versions = tuple(version if one.version == version.version else one for one in certificate.versions)
    certificate = replace(certificate, versions=versions)
    _keep(directory, _enabled_backing(vault, certificate, version), certificate)
    return certificates.bundle(vault, certificate, version)


def set_policy(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """Other members of the policy, for the next version."""
    certificate = _named(vault, stars[0])
    if certificate is None:
        raise not_found("certificate", stars[0])
    certificate = _with_policy(certificate, body_of(request), int(request.now), vault)
    _keep(directory, vault, certificate)
    return certificates.policy(vault, certificate)


def _with_policy(certificate: Certificate, asked: dict[str, Any], now: int, vault: Vault) -> Certificate:
    """The certificate with the members of a policy that a body names; the others stay."""
    x509 = part_of(asked, "x509_props")
    changed = {"updated": now, **_key(part_of(asked, "key_props"), certificate.policy, vault)}
    if x509.get("validity_months") is not None:
        changed["validity_months"] = x509["validity_months"]
    issuer = part_of(asked, "issuer").get("name")
    if issuer:
        if issuer not in ("Self", "Unknown", *certificates.issuers(vault)):
            raise WriteError(404, "CertificateIssuerNotFound", str(issuer))
        changed["issuer"] = issuer
    if asked.get("lifetime_actions") is not None:
        changed |= _actions(asked["lifetime_actions"])
    return replace(
        certificate,
        versions=tuple(one if one.made_as else replace(one, made_as=certificate) for one in certificate.versions),
        policy=replace(certificate.policy, **changed),
        subject=str(x509.get("subject") or certificate.subject).removeprefix("CN="),
        ekus=tuple(certificate.ekus if x509.get("ekus") is None else x509["ekus"]),
        names=tuple(part_of(x509, "sans").get("dns_names") or certificate.names),
        authority=None if issuer == "Self" else certificate.authority,
    )


def _key(asked: dict[str, Any], before: CertificatePolicy, vault: Vault) -> dict[str, Any]:
    """What a body changes of the key of the next version."""
    names = ("kty", "key_size", "exportable", "reuse_key")
    changed = {name: asked[name] for name in names if asked.get(name) is not None}
    if str(changed.get("kty", before.kty)).endswith("-HSM"):
        if vault.sku.lower() != "premium":
            raise WriteError(400, "BadParameter", "Hardware key operation not allowed on standard vault")
        if changed.get("exportable", before.exportable):
            # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: HSM keys are non-exportable.
            raise WriteError(400, "BadParameter", "Private key of a certificate with an HSM key cannot be exportable.")
    return changed


def _actions(asked: list[Any]) -> dict[str, int | None]:
    found: dict[str, int | None] = {"renew_percentage": None, "renew_days": None, "mail_percentage": None}
    for each in asked:
        trigger, kind = part_of(each, "trigger"), part_of(each, "action").get("action_type")
        if kind == "AutoRenew":
            found |= {"renew_percentage": trigger.get("lifetime_percentage"), "renew_days": trigger.get("days_before_expiry")}
        elif kind == "EmailContacts":
            found["mail_percentage"] = trigger.get("lifetime_percentage")
    return found


def _with_backing(vault: Vault, certificate: Certificate, version: CertificateVersion) -> Vault:
    """The vault with the same version of the key and the secret behind the certificate; a new certificate gets both."""
    policy: CertificatePolicy = certificate.policy
    hsm = policy.kty.endswith("-HSM")
    made = KeyVersion(
        version=version.version,
        kty=policy.kty,
        key_ops=("sign", "verify", "wrapKey", "unwrapKey", "encrypt", "decrypt"),
        created=version.created,
        updated=version.created,
        enabled=version.enabled,
        nbf=version.nbf,
        exp=version.exp,
        key_size=policy.key_size,
        exportable=False,
        hsm_platform="2" if hsm else "0",
    )
    stored = SecretVersion(
        version=version.version,
        created=version.created,
        updated=version.created,
        enabled=version.enabled,
        nbf=version.nbf,
        exp=version.exp,
        content_type=policy.content_type,
    )

    if len(certificate.versions) == 1:
        key = Key(name=certificate.name, versions=(made,), current=made.version, managed=True)
        secret = Secret(name=certificate.name, versions=(stored,), managed=True)
        return replace(vault, keys=(*vault.keys, key), secrets=(*vault.secrets, secret))
    return _backing(
        vault,
        certificate,
        lambda one: replace(one, versions=(*one.versions, made), current=made.version),
        lambda one: replace(one, versions=(*one.versions, stored)),
    )


def _enabled_backing(vault: Vault, certificate: Certificate, version: CertificateVersion) -> Vault:
    """The vault with the key and the secret of a version enabled or disabled as it is."""
    return _backing(vault, certificate, lambda one: _enabled(one, version), lambda one: _enabled(one, version))


def _backing(vault: Vault, certificate: Certificate, key: Callable[[Key], Key], secret: Callable[[Secret], Secret]) -> Vault:
    """The vault with the key and the secret of a certificate changed."""

    def mine(one: Key | Secret) -> bool:
        return one.managed and one.name.lower() == certificate.name.lower()

    return replace(
        vault,
        keys=tuple(key(one) if mine(one) else one for one in vault.keys),
        secrets=tuple(secret(one) if mine(one) else one for one in vault.secrets),
    )


def _enabled(one: Stored, as_in: CertificateVersion) -> Stored:
    same = (replace(each, enabled=as_in.enabled) if each.version == as_in.version else each for each in one.versions)
    return replace(one, versions=tuple(same))


def _months_later(start: int, months: int) -> int:
    """The same day and time some months later; the last day of that month where it has none such."""
    moment = datetime.fromtimestamp(start, UTC)
    year, month = divmod(moment.month - 1 + months, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return int(moment.replace(year=moment.year + year, month=month + 1, day=day).timestamp())
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _named(vault: Vault, name: str) -> Certificate | None:
    return next((one for one in vault.certificates if one.name.lower() == name.lower()), None)


def _keep(directory: Directory, vault: Vault, certificate: Certificate) -> None:
    others = tuple(one for one in vault.certificates if one.name.lower() != certificate.name.lower())
    directory.change_vault(replace(vault, certificates=(*others, certificate)))
