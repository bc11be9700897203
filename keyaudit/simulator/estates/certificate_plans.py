"""Plans of certificates and secrets in a vault; `furnished` dates them, as their managed keys are dated, and builds them."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    DeletedCertificate,
    DeletedKey,
    DeletedSecret,
    Key,
    Plant,
    Secret,
    SecretVersion,
    Vault,
)
from keyaudit.simulator.estates.ids import DAY, Ground, certificate_id, secret_id
from keyaudit.simulator.estates.key_plans import certificate_key, lay_key

SERVER, CLIENT, CODE = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3"
_BEFORE = 600
"""A certificate is valid from ten minutes before its creation, as recorded."""
_KEPT_FOR = 90 * DAY


class CertificatePlan(Struct, frozen=True):
    """A certificate with the managed key of the same name, and as many versions. `requested`: it is not issued yet.

    `finds`: the policies that must find it.
    """

    name: str
    subject: str
    authority: str | None = None
    issuer: str = "Self"
    names: tuple[str, ...] = ()
    ekus: tuple[str, ...] = (SERVER, CLIENT)
    ca: bool = False
    exportable: bool = True
    reuse_key: bool = False
    renew_percentage: int | None = None
    renew_days: int | None = None
    mail_percentage: int | None = None
    months: int = 12
    requested: bool = False
    digest: str = "sha256"
    tags: dict[str, str] | None = None
    finds: tuple[str, ...] = ()


class SecretPlan(Struct, frozen=True):
    """A secret; its versions are as many days old, newest first, and valid for `life` days (None: no expiration date).

    `finds`: the policies that must find it.
    """

    name: str
    ages: tuple[int, ...]
    content_type: str | None = None
    life: int | None = None
    enabled: bool = True
    tags: dict[str, str] | None = None
    finds: tuple[str, ...] = ()


class Furniture(Struct, frozen=True):
    """The contents of one vault. `removed`: objects that were deleted so many days ago."""

    certificates: tuple[CertificatePlan, ...] = ()
    secrets: tuple[SecretPlan, ...] = ()
    removed_certificates: tuple[tuple[CertificatePlan, int], ...] = ()
    removed_secrets: tuple[tuple[SecretPlan, int], ...] = ()


def furnished(vault: Vault, plan: Furniture, ground: Ground) -> tuple[Vault, set[Plant]]:
    """The vault with certificates, their backing secrets, and other secrets; and the planted defects."""
    plants = {Plant(policy, certificate_id(vault.name, each.name)) for each in plan.certificates for policy in each.finds}
    plants |= {Plant(policy, secret_id(vault.name, each.name)) for each in plan.secrets for policy in each.finds}
    return _with(vault, plan, ground), plants


def _with(vault: Vault, plan: Furniture, ground: Ground) -> Vault:
    keys = {key.name: key for key in vault.keys}
    backed = [(each, keys[each.name]) for each in plan.certificates]
    gone = [
        (each, days, lay_key(certificate_key(each.name, days + 200), vault.name, ground))
        for each, days in plan.removed_certificates
    ]
    removed = [(_backing(each, key), days) for each, days, key in gone]
    removed += [(_secret(each, vault.name, ground), days) for each, days in plan.removed_secrets]
    return replace(
        vault,
        certificates=tuple(_certificate(each, key) for each, key in backed),
        contacts=(f"certificates@{ground.domain}",) if any(each.mail_percentage for each, _ in backed) else (),
        secrets=(
            *(_backing(each, key) for each, key in backed if not each.requested),
            *(_secret(each, vault.name, ground) for each in plan.secrets),
        ),
        deleted_keys=(
            *vault.deleted_keys,
            *(DeletedKey(key=key, deleted=ground.as_of - days * DAY, purge=_purge(days, ground)) for _, days, key in gone),
        ),
        deleted_certificates=tuple(
            DeletedCertificate(
                certificate=_certificate(each, key), deleted=ground.as_of - days * DAY, purge=_purge(days, ground)
            )
            for each, days, key in gone
        ),
        deleted_secrets=tuple(
            DeletedSecret(secret=secret, deleted=ground.as_of - days * DAY, purge=_purge(days, ground))
            for secret, days in removed
        ),
    )


def _certificate(plan: CertificatePlan, key: Key) -> Certificate:
    made = _made(key)
    current = next(version for version in key.versions if version.version == key.current)
    return Certificate(
        name=plan.name,
        current=key.current,
        subject=plan.subject,
        authority=plan.authority,
        names=plan.names,
        ekus=plan.ekus,
        ca=plan.ca,
        digest=plan.digest,
        policy=CertificatePolicy(
            kty=current.kty,
            key_size=current.key_size or 0,
            exportable=plan.exportable,
            reuse_key=plan.reuse_key,
            issuer=plan.issuer,
            validity_months=plan.months,
            renew_percentage=plan.renew_percentage,
            renew_days=plan.renew_days,
            mail_percentage=plan.mail_percentage,
            updated=min(made.values()),
        ),
        versions=tuple(
            CertificateVersion(
                version=version.version,
                created=made[version.version],
                nbf=None if plan.requested else made[version.version] - _BEFORE,
                exp=None if plan.requested else version.exp,
                enabled=version.enabled and not plan.requested,
                issued=not plan.requested,
                tags=plan.tags,
            )
            for version in key.versions
        ),
    )


def _backing(plan: CertificatePlan, key: Key) -> Secret:
    made = _made(key)
    return Secret(
        name=plan.name,
        managed=True,
        versions=tuple(
            SecretVersion(
                version=version.version,
                created=made[version.version],
                updated=made[version.version],
                enabled=version.enabled,
                nbf=made[version.version] - _BEFORE,
                exp=version.exp,
                content_type="application/x-pkcs12",
                tags=plan.tags,
            )
            for version in key.versions
        ),
    )


def _made(key: Key) -> dict[str, int]:
    """The creation time of each version of a managed key, which the service always records."""
    return {version.version: version.created for version in key.versions if version.created is not None}


def _secret(plan: SecretPlan, vault: str, ground: Ground) -> Secret:
    versions: Sequence[SecretVersion] = [
        SecretVersion(
            version=ground.hexadecimal("secret", vault, plan.name, str(len(plan.ages) - nth)),
            created=ground.moment(age, "secret", vault, plan.name),
            updated=ground.moment(age, "secret", vault, plan.name),
            enabled=plan.enabled,
            exp=None if plan.life is None else ground.moment(age - plan.life, "secret", vault, plan.name),
            content_type=plan.content_type,
            tags=plan.tags,
        )
        for nth, age in enumerate(plan.ages)
    ]
    return Secret(name=plan.name, versions=tuple(versions))


def _purge(days: int, ground: Ground) -> int:
    return ground.as_of - days * DAY + _KEPT_FOR
