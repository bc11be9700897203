"""What a simulated tenant holds. Times are whole seconds since 1970 UTC; None means the member was never set."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersion:
    """One version of a key, as Key Vault would describe it."""

    version: str
    kty: str
    key_ops: tuple[str, ...]
    created: int | None
    updated: int | None = None
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    key_size: int | None = None
    """Bits, for RSA."""
    crv: str | None = None
    exportable: bool = False
    hsm_platform: str | None = "0"
    release_policy_immutable: bool | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPolicy:
    """A rotation policy that was set; a key that never had one answers with the service's default."""

    rotate_after: str | None = None
    rotate_before_expiry: str | None = None
    notify_before_expiry: str | None = "P30D"
    expiry_time: str | None = None
    created: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key with its versions in any order; `current` names the one that a request without a version gets."""

    name: str
    versions: tuple[KeyVersion, ...]
    current: str
    managed: bool = False
    rotation: RotationPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedKey:
    """A soft-deleted key."""

    key: Key
    deleted: int
    purge: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A vault. `access`: open, or how its data plane refuses: firewall, private, rbac, policy."""

    name: str
    subscription: str
    resource_group: str
    location: str = "westeurope"
    sku: str = "standard"
    tags: dict[str, str] | None = None
    rbac: bool | None = True
    """None: never set, which means access policies."""
    purge_protection: bool | None = True
    soft_delete: bool | None = True
    retention_days: int | None = 90
    public_network_access: str | None = "Enabled"
    default_action: str | None = None
    """networkAcls.defaultAction; None: no networkAcls at all."""
    diagnostic_settings: tuple[dict[str, object], ...] = ()
    keys: tuple[Key, ...] = ()
    deleted_keys: tuple[DeletedKey, ...] = ()
    access: str = "open"
    refused: tuple[str, ...] = ()
    """Operations that the data plane refuses by permission: `rotationpolicy`, `list`, `get`."""
    vanishes_after: int | None = None
    """The vault is deleted after this many data-plane requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCredential:
    """A certificate or symmetric key of an application or service principal."""

    key_id: str
    start: int | None
    end: int | None
    usage: str = "Verify"
    type: str = "AsymmetricX509Cert"
    display_name: str | None = None
    thumbprint: str | None = None
    """customKeyIdentifier, upper-case hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCredential:
    """A client secret; its value exists nowhere."""

    key_id: str
    start: int | None
    end: int | None
    display_name: str | None = None
    thumbprint: str | None = None
    """customKeyIdentifier: set where it protects a SAML certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedCredential:
    """A federated identity credential; `subject` is None where a claims-matching expression stands in its place."""

    id: str
    name: str
    issuer: str
    subject: str | None
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)
    claims_expression: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application registration."""

    id: str
    app_id: str
    name: str | None
    created: int | None
    audience: str = "AzureADMyOrg"
    identifier_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Values of api.oauth2PermissionScopes."""
    roles: tuple[str, ...] = ()
    """Values of appRoles."""
    passwords: tuple[PasswordCredential, ...] = ()
    keys: tuple[KeyCredential, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """A service principal."""

    id: str
    app_id: str
    name: str | None
    created: int | None
    type: str = "Application"
    home_tenant: str | None = None
    enabled: bool | None = True
    sso_mode: str | None = None
    preferred_thumbprint: str | None = None
    passwords: tuple[PasswordCredential, ...] = ()
    keys: tuple[KeyCredential, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription, a GUID in lower case and its display name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain of the tenant."""

    name: str
    federated: bool = False
    default: bool = False
    initial: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Plant:
    """A defect put there on purpose: the policy that must find it, and the id of what it must name (in lower case)."""

    policy: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """A whole simulated tenant, and the defects planted in it: all of them, and no others."""

    name: str
    as_of: int
    tenant_id: str
    tenant_name: str
    tenant_created: int
    domains: tuple[Domain, ...]
    subscriptions: tuple[Subscription, ...]
    vaults: tuple[Vault, ...]
    applications: tuple[Application, ...]
    service_principals: tuple[ServicePrincipal, ...]
    graph_refuses: tuple[str, ...] = ()
    """Graph relations that answer 403: `owners`, `federatedIdentityCredentials`, `applications`, ..."""
    plants: frozenset[Plant] = field(default_factory=frozenset)
