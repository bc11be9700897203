"""The surfaces of a run, each declared once with its operations, place and collector."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from keyaudit.collect.access import principals, roles
from keyaudit.collect.entra import (
    activity,
    agents,
    app_management,
    applications,
    authorities,
    delegated,
    directory,
    directory_roles,
    federation,
    foreign,
    issuer,
    managed_identities,
    public_keys,
    service_principals,
    tenant,
    token_policies,
    workloads,
)
from keyaudit.collect.key_vault import certificates, deleted, keys, secrets
from keyaudit.collect.logs import alert_rules, places, workspaces
from keyaudit.collect.managed_hsm import devices, hsm
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.reading import Collector
from keyaudit.collect.services import consumers, events, hosts, secret_uses, services
from keyaudit.model.coverage import Scope

P = TypeVar("P")


class Surface(Struct, Generic[P], frozen=True):
    """A surface, read in every place of its kind. `name` is for people, and names its units in the spool."""

    name: str
    operations: tuple[str, ...]
    collect: Collector[P]
    completes: tuple[str, ...] = ()
    """The surfaces whose rows it completes: filters that name one of them read it, too."""


class Surfaces(Struct, frozen=True):
    """Every surface, by the kind of its place."""

    tenant: Sequence[Surface[Scope]] = ()
    """Tenant surfaces that are read first."""
    subscription: Sequence[Surface[Subscription]] = ()
    vault: Sequence[Surface[Vault]] = ()
    hsm: Sequence[Surface[Vault]] = ()
    last: Sequence[Surface[Scope]] = ()
    """Tenant surfaces that depend on the results of all surfaces above."""
    named: Sequence[Surface[Scope]] = ()
    """Tenant surfaces that depend on these too: the principals that they name."""
    completing: Sequence[Surface[Scope]] = ()
    """Tenant surfaces that are read one after the other when all others were: each depends on those before it."""
    discovery: tuple[str, ...] = ("vaults",)

    @property
    def operations(self) -> dict[str, tuple[str, ...]]:
        """Every surface's operations by its name."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(self.discovery, ())
        rings: tuple[Sequence[Surface[Any]], ...] = (
            self.tenant,
            self.subscription,
            self.vault,
            self.hsm,
            self.last,
            self.named,
            self.completing,
        )
        for ring in rings:
            found |= {surface.name: surface.operations for surface in ring}
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The names in progress reports."""
        return tuple(self.operations)


SURFACES = Surfaces(
    tenant=(
        Surface("tenant", tenant.OPERATIONS, tenant.collect_tenant),
        Surface("applications", directory.operations("application"), applications.collect_applications),
        Surface("service principals", service_principals.OPERATIONS, service_principals.collect_service_principals),
        Surface("directory roles", directory_roles.OPERATIONS, directory_roles.collect_directory_roles),
        Surface("sign-in activity", activity.SIGN_INS, activity.collect_sign_ins),
        Surface("credential activity", activity.CREDENTIALS, activity.collect_credential_uses),
        Surface("token policies", token_policies.OPERATIONS, token_policies.collect_token_policies),
        Surface("trusted authorities", authorities.OPERATIONS, authorities.collect_authorities),
        Surface("app management policies", app_management.OPERATIONS, app_management.collect_app_management),
        Surface("Conditional Access", workloads.POLICIES, workloads.collect_conditional_access),
        Surface("risk of workloads", workloads.RISKS, workloads.collect_risks),
        Surface("cross-tenant access", foreign.OPERATIONS, foreign.collect_foreign),
        Surface("Entra logs", places.TENANT, places.collect_entra_logs),
    ),
    subscription=(
        Surface("deleted vaults", deleted.VAULTS, deleted.collect_deleted_vaults),
        Surface("activity logs", places.SUBSCRIPTION, places.collect_subscription_logs),
    ),
    vault=(
        Surface("keys", keys.OPERATIONS, keys.collect_keys),
        Surface("certificates", certificates.OPERATIONS, certificates.collect_certificates),
        Surface("secrets", secrets.OPERATIONS, secrets.collect_secrets),
        Surface("deleted", deleted.OBJECTS, deleted.collect_deleted),
        Surface("audit logs", places.VAULT, places.collect_vault_logs),
    ),
    hsm=(
        Surface("HSMs", hsm.OPERATIONS, hsm.collect_hsm),
        Surface("deleted HSM keys", deleted.OF_HSM, deleted.collect_deleted),
        Surface("HSM audit logs", places.HSM, places.collect_vault_logs),
    ),
    last=(
        Surface("log workspaces", workspaces.OPERATIONS, workspaces.collect_workspaces),
        Surface("alert rules", alert_rules.OPERATIONS, alert_rules.collect_alert_rules),
        Surface("services", services.OPERATIONS, services.collect_services),
        Surface("secrets of services", secret_uses.OPERATIONS, secret_uses.collect_secret_uses),
        Surface("consumers", consumers.OPERATIONS, consumers.collect_consumers),
        Surface("event subscriptions", events.OPERATIONS, events.collect_events),
        Surface("host names of resources", hosts.OPERATIONS, hosts.collect_hosts),
        Surface("Cloud and Dedicated HSMs", devices.OPERATIONS, devices.collect_devices),
        Surface("delegated permissions", delegated.OPERATIONS, delegated.collect_delegated),
        Surface("agent identities", agents.OPERATIONS, agents.collect_agents),
        Surface("managed identities", managed_identities.OPERATIONS, managed_identities.collect_managed_identities),
        Surface("role assignments", roles.OPERATIONS, roles.collect_roles),
        Surface("federation", federation.OPERATIONS, federation.collect_federation),
    ),
    named=(Surface("principals", principals.OPERATIONS, principals.collect_principals),),
    completing=(
        Surface(
            "public keys",
            public_keys.OPERATIONS,
            public_keys.collect_public_keys,
            completes=("applications", "service principals"),
        ),
        Surface("issuer keys", issuer.OPERATIONS, issuer.collect_issuer_keys),
    ),
)
