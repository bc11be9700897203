"""What a simulated tenant holds. Times are whole seconds since 1970 UTC; None means the member was never set."""

from dataclasses import dataclass, field

from keyaudit.simulator.estate.directory import (
    Application,
    Domain,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
)
from keyaudit.simulator.estate.key_vault import DeletedKey, Key, KeyVersion, RotationPolicy, Vault
from keyaudit.simulator.estate.privileges import CredentialUse, ManagedIdentity, SignIn
from keyaudit.simulator.estate.services import Resource

__all__ = [
    "Application",
    "CredentialUse",
    "DeletedKey",
    "Domain",
    "Estate",
    "FederatedCredential",
    "Key",
    "KeyCredential",
    "KeyVersion",
    "ManagedIdentity",
    "PasswordCredential",
    "Plant",
    "Resource",
    "RotationPolicy",
    "ServicePrincipal",
    "SignIn",
    "Subscription",
    "Vault",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription, a GUID in lower case and its display name."""

    id: str
    name: str


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
    resources: tuple[Resource, ...] = ()
    """Other services' resources, with their keys and what they encrypt with."""
    identities: tuple[ManagedIdentity, ...] = ()
    sign_ins: tuple[SignIn, ...] = ()
    credential_uses: tuple[CredentialUse, ...] = ()
    graph_refuses: tuple[str, ...] = ()
    """Graph relations that answer 403: `owners`, `federatedIdentityCredentials`, `applications`, ..."""
    unlicensed: tuple[str, ...] = ()
    """Graph relations that the tenant has no licence for: `reports`, ..."""
    plants: frozenset[Plant] = field(default_factory=frozenset)
