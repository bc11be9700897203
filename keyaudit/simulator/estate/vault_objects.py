"""Certificates and secrets in a vault, and deleted objects."""

from msgspec import Struct, field


class CertificatePolicy(Struct, frozen=True, kw_only=True):
    """A certificate's policy, with an RSA key. Renewal and mail at a percentage of its lifetime, or some days before it
    expires.
    """

    kty: str = "RSA"
    key_size: int = 2048
    exportable: bool = True
    reuse_key: bool = False
    content_type: str = "application/x-pkcs12"
    issuer: str = "Self"
    validity_months: int = 12
    renew_percentage: int | None = None
    renew_days: int | None = None
    mail_percentage: int | None = None
    updated: int = 0


class CertificateVersion(Struct, frozen=True, kw_only=True):
    """One version of a certificate; `nbf` and `exp` are the certificate's own. `issued` false: not issued yet."""

    version: str
    created: int
    nbf: int | None
    exp: int | None
    updated: int | None = None
    enabled: bool = True
    issued: bool = True
    tags: dict[str, str] | None = None
    made_as: "Certificate | None" = None
    """The certificate as it was when this version was made, if it was changed since."""


class Certificate(Struct, frozen=True, kw_only=True):
    """A certificate with its versions in any order; `current` names the one that a request without a version gets."""

    name: str
    versions: tuple[CertificateVersion, ...]
    current: str
    subject: str
    """Its common name."""
    authority: str | None = None
    """The common name of the issuing CA; None: self-signed."""
    names: tuple[str, ...] = ()
    ekus: tuple[str, ...] = ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2")
    ca: bool = False
    digest: str = "sha256"
    """The hash of its signature: sha256, or sha1 in old certificates."""
    policy: CertificatePolicy = field(default_factory=CertificatePolicy)
    requested: bool = False
    """Whether the request of a further version waits for a CA to sign it."""


class SecretVersion(Struct, frozen=True, kw_only=True):
    """One version of a secret. Its value is always the canary."""

    version: str
    created: int | None
    updated: int | None = None
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None


class Secret(Struct, frozen=True, kw_only=True):
    """A secret with its versions in any order."""

    name: str
    versions: tuple[SecretVersion, ...]
    managed: bool = False


class DeletedCertificate(Struct, frozen=True, kw_only=True):
    """A soft-deleted certificate. The key and the secret that back it are deleted with it."""

    certificate: Certificate
    deleted: int
    purge: int


class DeletedSecret(Struct, frozen=True, kw_only=True):
    """A soft-deleted secret."""

    secret: Secret
    deleted: int
    purge: int


class DeletedVault(Struct, frozen=True, kw_only=True):
    """A soft-deleted vault, or Managed HSM."""

    name: str
    subscription: str
    resource_group: str
    deleted: int
    purge: int
    location: str = "westeurope"
    tags: dict[str, str] | None = None
    purge_protection: bool | None = None
    hsm: bool = False
