"""The data of a simulated tenant. Times are whole seconds since 1970 UTC; None means the member was never set."""

from msgspec import Struct, field

from keyaudit.simulator.estate.access import (
    AccessPolicy,
    Delegation,
    DenyAssignment,
    Eligibility,
    Group,
    Role,
    RoleAssignment,
    User,
)
from keyaudit.simulator.estate.directory import (
    Application,
    AppRole,
    Domain,
    FederatedCredential,
    Inheritable,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
)
from keyaudit.simulator.estate.key_vault import DeletedKey, Key, KeyVersion, RotationPolicy, Vault
from keyaudit.simulator.estate.logs import AlertRule, Events, Logs, LogTable, Row, SentinelRule, Workspace
from keyaudit.simulator.estate.managed_hsm import EkmConnection, HsmAssignment, HsmRole, ManagedHsm
from keyaudit.simulator.estate.posture import AppManagementPolicy, Posture, Restriction, Restrictions
from keyaudit.simulator.estate.privileges import (
    AppRoleGrant,
    Consent,
    CredentialUse,
    DirectoryRole,
    DirectoryRoleGrant,
    ManagedIdentity,
    SignIn,
)
from keyaudit.simulator.estate.services import Resource, Stored
from keyaudit.simulator.estate.token_signing import (
    Authority,
    AuthorityStore,
    ExternalProvider,
    Federation,
    KeySet,
    PublishedKey,
    SetKey,
    TokenPolicy,
    TokenSigning,
)
from keyaudit.simulator.estate.vault_objects import (
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    DeletedCertificate,
    DeletedSecret,
    DeletedVault,
    Secret,
    SecretVersion,
)

__all__ = [
    "AccessPolicy",
    "AlertRule",
    "AppManagementPolicy",
    "AppRole",
    "AppRoleGrant",
    "Application",
    "Authority",
    "AuthorityStore",
    "Certificate",
    "CertificatePolicy",
    "CertificateVersion",
    "Consent",
    "CredentialUse",
    "Delegation",
    "DeletedCertificate",
    "DeletedKey",
    "DeletedSecret",
    "DeletedVault",
    "DenyAssignment",
    "DirectoryRole",
    "DirectoryRoleGrant",
    "Domain",
    "EkmConnection",
    "Eligibility",
    "Estate",
    "Events",
    "ExternalProvider",
    "FederatedCredential",
    "Federation",
    "Group",
    "HsmAssignment",
    "HsmRole",
    "Inheritable",
    "Key",
    "KeyCredential",
    "KeySet",
    "KeyVersion",
    "LogTable",
    "Logs",
    "ManagedHsm",
    "ManagedIdentity",
    "PasswordCredential",
    "Plant",
    "Posture",
    "PublishedKey",
    "Resource",
    "Restriction",
    "Restrictions",
    "Role",
    "RoleAssignment",
    "RotationPolicy",
    "Row",
    "Secret",
    "SecretVersion",
    "SentinelRule",
    "ServicePrincipal",
    "SetKey",
    "SignIn",
    "Stored",
    "Subscription",
    "TokenPolicy",
    "TokenSigning",
    "User",
    "Vault",
    "Workspace",
]


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription, a GUID in lower case and its display name. `defender`: the tier of Defender for Key Vault."""

    id: str
    name: str
    management_groups: tuple[str, ...] = ()
    """Names of the management groups above it, the nearest first, without the root group."""
    state: str = "Enabled"
    activity_settings: tuple[dict[str, object], ...] = ()
    """Diagnostic settings of its activity log, as ARM shows them."""
    defender: str | None = "Free"
    """None: Microsoft.Security was never registered there."""


class Plant(Struct, frozen=True, order=True):
    """An intended defect: the policy that must find it, and the id in the finding (in lower case)."""

    policy: str
    subject: str


class Estate(Struct, frozen=True, kw_only=True):
    """A simulated tenant, and the complete list of defects planted in it."""

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
    stored: tuple[Stored, ...] = ()
    identities: tuple[ManagedIdentity, ...] = ()
    app_role_grants: tuple[AppRoleGrant, ...] = ()
    consents: tuple[Consent, ...] = ()
    directory_roles: tuple[DirectoryRole, ...] = ()
    directory_role_grants: tuple[DirectoryRoleGrant, ...] = ()
    sign_ins: tuple[SignIn, ...] = ()
    credential_uses: tuple[CredentialUse, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    roles: tuple[Role, ...] = ()
    """Custom roles; Azure's own are there too."""
    role_assignments: tuple[RoleAssignment, ...] = ()
    eligibilities: tuple[Eligibility, ...] = ()
    deny_assignments: tuple[DenyAssignment, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    hsms: tuple[ManagedHsm, ...] = ()
    deleted_vaults: tuple[DeletedVault, ...] = ()
    graph_refuses: tuple[str, ...] = ()
    """Graph relations that answer 403: `owners`, `federatedIdentityCredentials`, `applications`, `groups/ID`, ...

    `users` and other kinds: members of that kind are shown without names.
    """
    unlicensed: tuple[str, ...] = ()
    """Graph relations that the tenant has no licence for: `reports`, ..."""
    token_signing: TokenSigning = field(default_factory=TokenSigning)
    posture: Posture = field(default_factory=Posture)
    logs: Logs = field(default_factory=Logs)
    plants: frozenset[Plant] = field(default_factory=frozenset)
