"""Vaults and their contents."""

from msgspec import Struct

from keyaudit.simulator.estate.access import AccessPolicy
from keyaudit.simulator.estate.vault_objects import Certificate, DeletedCertificate, DeletedSecret, Secret


class KeyVersion(Struct, frozen=True, kw_only=True):
    """One version of a key, as Key Vault describes it."""

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
    alg: str | None = None
    """For AKP: ML-DSA-44, ML-DSA-65 or ML-DSA-87."""
    external_key: str | None = None
    """The id of a key in an HSM outside Azure."""


class RotationPolicy(Struct, frozen=True, kw_only=True):
    """A rotation policy that was set; a key that never had one answers with the service's default."""

    rotate_after: str | None = None
    rotate_before_expiry: str | None = None
    notify_before_expiry: str | None = "P30D"
    expiry_time: str | None = None
    created: int = 0


class Key(Struct, frozen=True, kw_only=True):
    """A key with its versions in any order; `current` names the one that a request without a version gets."""

    name: str
    versions: tuple[KeyVersion, ...]
    current: str
    managed: bool = False
    rotation: RotationPolicy | None = None


class DeletedKey(Struct, frozen=True, kw_only=True):
    """A soft-deleted key."""

    key: Key
    deleted: int
    purge: int


class Vault(Struct, frozen=True, kw_only=True):
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
    ip_rules: tuple[str, ...] = ()
    subnet_rules: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    """The state of each private endpoint connection: Approved, Pending, Rejected, Disconnected."""
    create_mode: str | None = None
    tenant: str | None = None
    """The tenant whose identities it accepts; None: its own."""
    diagnostic_settings: tuple[dict[str, object], ...] = ()
    event_subscriptions: dict[str, dict[str, object]] = {}
    """The Event Grid subscriptions that were made on the vault itself: their properties by name."""
    keys: tuple[Key, ...] = ()
    deleted_keys: tuple[DeletedKey, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    deleted_certificates: tuple[DeletedCertificate, ...] = ()
    contacts: tuple[str, ...] = ()
    """The mail addresses that are told before a certificate expires."""
    secrets: tuple[Secret, ...] = ()
    deleted_secrets: tuple[DeletedSecret, ...] = ()
    access: str = "open"
    refused: tuple[str, ...] = ()
    """Permissions that it refuses: `list`, `get`, `rotationpolicy` of keys; `certificates`, `secrets`, `deleted`."""
    access_policies: tuple[AccessPolicy, ...] = ()
    """In addition to the audited identity's policy, which a vault with access policies has; with RBAC they have no effect."""
    vanishes_after: int | None = None
    """The vault is deleted after this many requests about its keys."""
