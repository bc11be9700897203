"""The tenant with certificates and secrets in its first vault, and with what was deleted."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    DeletedCertificate,
    DeletedKey,
    DeletedSecret,
    DeletedVault,
    Secret,
    SecretVersion,
)
from tests.collect.estate import AS_OF, BACKING, DAY, ESTATE, FIRST, SECOND, SUBSCRIPTION, version

VAULT = "https://kv-first.vault.azure.net"
SERVER, CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


def certificate_version(number: int, **fields: object) -> CertificateVersion:
    """A version made `number` days before the estate's day, valid for a year; its id is that of the key version."""
    made = AS_OF - number * DAY
    defaults: dict[str, object] = {
        "version": version(number).version,
        "created": made,
        "nbf": made - 600,
        "exp": made + 365 * DAY,
    }
    return CertificateVersion(**{**defaults, **fields})  # type: ignore[arg-type]


def secret_version(number: int, **fields: object) -> SecretVersion:
    made = AS_OF - number * DAY
    defaults: dict[str, object] = {"version": version(number).version, "created": made, "updated": made}
    return SecretVersion(**{**defaults, **fields})  # type: ignore[arg-type]


ISSUED = Certificate(
    name="backing",
    versions=(certificate_version(50, tags={"Env": "Test"}),),
    current=version(50).version,
    subject="api.example",
    authority="Example CA",
    names=("api.example", "www.api.example"),
    ekus=(SERVER,),
    policy=CertificatePolicy(
        exportable=False, reuse_key=True, issuer="digicert", renew_percentage=80, updated=AS_OF - 50 * DAY - 1
    ),
)
ROLLED = Certificate(
    name="Rolled",
    versions=(certificate_version(300, enabled=False), certificate_version(200), certificate_version(10)),
    current=version(10).version,
    subject="client.example",
    ekus=(CLIENT,),
    policy=CertificatePolicy(kty="RSA-HSM", key_size=3072, renew_days=30, mail_percentage=70, updated=AS_OF - 300 * DAY),
)
ASKED = Certificate(
    name="asked",
    versions=(certificate_version(1, nbf=None, exp=None, enabled=False, issued=False),),
    current=version(1).version,
    subject="asked.example",
    policy=CertificatePolicy(issuer="Unknown", renew_days=10, updated=AS_OF - DAY),
)
PASSWORD = Secret(
    name="Password",
    versions=(
        secret_version(90, enabled=False),
        secret_version(30, exp=AS_OF + DAY, nbf=AS_OF - 30 * DAY, content_type="text/plain", tags={"Env": "prod"}),
    ),
)
BACKED = Secret(name="backing", managed=True, versions=(secret_version(50, content_type="application/x-pkcs12"),))
_WHEN = {"deleted": AS_OF - 2 * DAY, "purge": AS_OF + 5 * DAY}

FURNISHED = replace(
    FIRST,
    certificates=(ISSUED, ROLLED, ASKED),
    secrets=(PASSWORD, BACKED),
    deleted_keys=(
        DeletedKey(key=replace(BACKING, name="Gone"), **_WHEN),
        DeletedKey(key=replace(BACKING, name="plain", managed=False), **_WHEN),
    ),
    deleted_certificates=(DeletedCertificate(certificate=replace(ISSUED, name="Gone"), **_WHEN),),
    deleted_secrets=(DeletedSecret(secret=replace(BACKED, name="Gone"), **_WHEN),),
)
GONE = DeletedVault(
    name="kv-Gone",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Old",
    location="northeurope",
    deleted=AS_OF - 9 * DAY,
    purge=AS_OF + 81 * DAY,
    purge_protection=True,
)
OTHER = replace(SECOND, certificates=(ISSUED,), secrets=(PASSWORD,))
OBJECTS = replace(ESTATE, vaults=(FURNISHED, OTHER), deleted_vaults=(GONE,))
