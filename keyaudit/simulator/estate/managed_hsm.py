"""Managed HSMs, and their local roles."""

from msgspec import Struct, field

from keyaudit.simulator.estate.key_vault import DeletedKey, Key


class HsmRole(Struct, frozen=True, kw_only=True):
    """A custom local role definition; data actions are without the prefix `Microsoft.KeyVault/managedHsm/`."""

    id: str
    name: str
    data_actions: tuple[str, ...]
    not_data_actions: tuple[str, ...] = ()


class HsmAssignment(Struct, frozen=True, kw_only=True):
    """A local role assignment. `scope` is `/`, `/keys` or `/keys/{name}`."""

    id: str
    role: str
    """The role definition's id, a GUID."""
    principal: str
    scope: str = "/"


class EkmConnection(Struct, frozen=True, kw_only=True):
    """The connection to an external key manager. Certificates are in DER."""

    host: str
    server_cas: tuple[bytes, ...]
    client_cas: tuple[bytes, ...]
    path_prefix: str | None = None
    server_name: str | None = None
    client_name: str = ""


class ManagedHsm(Struct, frozen=True, kw_only=True):
    """A Managed HSM. `access`: open; local: the audited identity has no local role; firewall; nowhere: no DNS has its name."""

    name: str
    subscription: str
    resource_group: str
    location: str = "westeurope"
    created: int | None = None
    """None: as old as the tenant."""
    sku: str = "Standard_B1"
    tags: dict[str, str] | None = None
    tenant: str | None = None
    """The tenant whose identities it accepts; None: its own."""
    purge_protection: bool | None = True
    soft_delete: bool | None = True
    retention_days: int | None = 90
    public_network_access: str = "Enabled"
    default_action: str = "Allow"
    ip_rules: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    """The state of each private endpoint connection: Approved, Pending, Rejected, Disconnected."""
    activation: str = "Active"
    admins: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    diagnostic_settings: tuple[dict[str, object], ...] = ()
    keys: tuple[Key, ...] = ()
    deleted_keys: tuple[DeletedKey, ...] = ()
    roles: tuple[HsmRole, ...] = ()
    assignments: tuple[HsmAssignment, ...] = ()
    settings: dict[str, str] = field(default_factory=lambda: {"AllowKeyManagementOperationsThroughARM": "false"})
    ekm: EkmConnection | None = None
    unknown_versions: tuple[str, ...] = ()
    """Versions of the API that it refuses; it answers all others."""
    access: str = "open"
    refused: tuple[str, ...] = ()
    """Data actions, without the prefix, that the identity's local role lacks: `settings/read/action`."""
