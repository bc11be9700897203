"""The places of collection: the tenant, subscriptions and vaults, with their scopes and addresses."""

import re
from collections.abc import Mapping
from typing import NamedTuple, cast

import msgspec
from msgspec import UNSET, Raw, Struct

from keyaudit.cloud.environment import Environment
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire
from keyaudit.model.coverage import Refusal, Scope, ScopeKind
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM

_VAULT_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.KeyVault/(vaults|managedHSMs)/([^/]+)",
    re.ASCII | re.IGNORECASE,
)

_KINDS = {"vaults": KEY_VAULT, "managedhsms": MANAGED_HSM}
_SCOPES = {KEY_VAULT: ScopeKind.VAULT, MANAGED_HSM: ScopeKind.MANAGED_HSM}


def tenant_scope(tenant_id: str) -> Scope:
    """The tenant's scope."""
    return Scope(f"/tenants/{tenant_id.lower()}", tenant_id, ScopeKind.TENANT)


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription that the identity sees. `id` is its GUID in lower case, `tenant_id` the tenant it belongs to."""

    id: str
    name: Wire
    shown: str
    """Its display name; its id if Azure returned none."""
    tenant_id: str

    @classmethod
    def of_scope(cls, scope: Scope, tenant_id: str) -> "Subscription":
        """The subscription of a scope that an earlier run found in the tenant."""
        id_ = scope.id.rpartition("/")[2]
        name = UNSET if scope.name == id_ else Raw(msgspec.json.encode(scope.name))
        return cls(id=id_, name=name, shown=scope.name, tenant_id=tenant_id.lower())

    @property
    def scope(self) -> Scope:
        """The scope that its coverage is recorded under."""
        return Scope(f"/subscriptions/{self.id}", self.shown, ScopeKind.SUBSCRIPTION)


class Vault(Struct, frozen=True, kw_only=True):
    """A vault or Managed HSM."""

    resource_id: str
    kind: str
    """The value of the column `kind`."""
    name: str
    resource_group: str
    subscription_id: str
    subscription_name: str | Refusal
    location: str | Refusal
    uri: str | Refusal
    """Its address, from Azure."""
    soft_delete: bool | Refusal
    """Whether soft delete is on."""
    activated: bool = True
    """False only for a Managed HSM that is not activated."""

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> "Vault":
        """The vault of a finished row of the vault table, new or read back from the spool."""
        unknown = cast("Mapping[str, str]", row["unknown"])

        def value_of(column: str) -> str | Refusal:
            return Refusal(Reason(unknown[column])) if column in unknown else cast("str", row[column])

        soft_delete = Refusal(Reason(unknown["soft_delete"])) if "soft_delete" in unknown else row["soft_delete"] is True

        resource_id = cast("str", row["resource_id"])
        parts = vault_id_parts(resource_id)
        if parts is None:
            raise ValueError(f"not a vault's id: {resource_id!r}")
        return cls(
            resource_id=resource_id,
            kind=parts.kind,
            name=parts.name,
            resource_group=parts.resource_group,
            subscription_id=parts.subscription,
            subscription_name=value_of("subscription_name"),
            location=value_of("location"),
            uri=value_of("vault_uri"),
            activated=row["security_domain"] != "NotActivated",
            soft_delete=soft_delete,
        )

    @property
    def scope(self) -> Scope:
        """The scope that its coverage is recorded under."""
        return Scope(self.resource_id.lower(), self.name, _SCOPES[self.kind])

    @property
    def segments(self) -> dict[str, str]:
        """Its segments in an ARM path."""
        return {"subscription": self.subscription_id, "resource_group": self.resource_group, "vault": self.name}

    def put_place(self, row: Row) -> None:
        """Fill the columns with the location of a row in this vault."""
        row.put_all(subscription_id=self.subscription_id, subscription_name=self.subscription_name)
        row.put_all(resource_group=self.resource_group, location=self.location)


class VaultId(NamedTuple):
    """The parts of the ARM id of a vault or Managed HSM: the subscription in lower case, the others in its own spelling."""

    subscription: str
    resource_group: str
    name: str
    kind: str


def vault_id_parts(resource_id: str) -> VaultId | None:
    """The parts of the ARM id; None for any other text."""
    match = _VAULT_ID.fullmatch(resource_id)
    return VaultId(match[1].lower(), match[2], match[4], _KINDS[match[3].lower()]) if match else None


def source(environment: Environment, operation: str, *, host: str = "", **segments: str) -> tuple[str, str]:
    """The address of a request without its query, and its api-version, for a row's source columns."""
    declared = OPERATIONS[operation]
    if not host:
        host = environment.graph if declared.surface is Surface.GRAPH else environment.arm
    return f"https://{host.removeprefix('https://').rstrip('/')}{declared.path.format(**segments)}", declared.api_version
