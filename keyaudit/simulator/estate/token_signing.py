"""Keys that sign and verify tokens, except the certificates of service principals. Certificates are in DER."""

from msgspec import Struct


class Federation(Struct, frozen=True, kw_only=True):
    """The federation of a domain. `host`: the host of its identity provider."""

    id: str
    name: str
    host: str
    certificate: bytes | None
    next_certificate: bytes | None = None
    protocol: str | None = "wsFed"
    mfa_behavior: str | None = None
    signs_requests: bool | None = False
    update_result: str | None = None
    updated: int | None = None
    """The result of the last check for a new certificate; None: there was none."""


class ExternalProvider(Struct, frozen=True, kw_only=True):
    """An identity provider of another organization, whose users are guests."""

    id: str
    name: str
    host: str
    certificate: bytes
    domains: tuple[str, ...] = ()


class TokenPolicy(Struct, frozen=True, kw_only=True):
    """A policy on issued tokens; `collection` is Graph's name of its kind."""

    collection: str
    id: str
    name: str
    definition: tuple[str, ...]
    default: bool = False
    applies_to: tuple[str, ...] = ()
    """Object ids of applications and service principals."""


class Authority(Struct, frozen=True, kw_only=True):
    """A trusted certificate authority."""

    id: str
    name: str
    certificate: bytes
    root: bool = True
    crl: str | None = None
    delta_crl: str | None = None
    created: int | None = None


class AuthorityStore(Struct, frozen=True, kw_only=True):
    """A store of authorities: a public key infrastructure, or a chain of trust for applications."""

    id: str
    name: str
    authorities: tuple[Authority, ...] = ()


class PublishedKey(Struct, frozen=True, kw_only=True):
    """An additional key in the tenant's key set; another one signs the simulator's tokens."""

    certificate: bytes
    consumers: bool = False
    """Whether its issuer is the tenant of personal Microsoft accounts."""


class SetKey(Struct, frozen=True, kw_only=True):
    """A key of a B2C key set, whose private members cannot be read."""

    kid: str
    kty: str = "RSA"
    use: str | None = "sig"
    nbf: int | None = None
    exp: int | None = None
    status: str | None = "enabled"
    certificate: bytes | None = None


class KeySet(Struct, frozen=True, kw_only=True):
    """A key set of Azure AD B2C."""

    id: str
    keys: tuple[SetKey, ...] = ()


class TokenSigning(Struct, frozen=True, kw_only=True):
    """All of these in a tenant."""

    external: tuple[ExternalProvider, ...] = ()
    policies: tuple[TokenPolicy, ...] = ()
    validated_domains: str = "all"
    validated_names: tuple[str, ...] = ()
    infrastructures: tuple[AuthorityStore, ...] = ()
    classic: tuple[Authority, ...] = ()
    for_applications: tuple[AuthorityStore, ...] = ()
    published: tuple[PublishedKey, ...] = ()
    tenant_type: str = "AAD"
    key_sets: tuple[KeySet, ...] = ()
