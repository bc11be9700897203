"""The surfaces of a run, each declared once with its operations, place and collector."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec import Struct

from keyaudit.collect.access import assignments, definitions, principals, roles
from keyaudit.collect.declared import collect_declared
from keyaudit.collect.entra import (
    agents,
    applications,
    delegated,
    directory,
    directory_roles,
    federation,
    issuer,
    managed_identities,
    public_keys,
    service_principals,
    tenant,
)
from keyaudit.collect.entra.policies import app_management, token_policies
from keyaudit.collect.key_vault import certificates, deleted, keys, secrets, vaults
from keyaudit.collect.logs import alert_rules, places, workspaces
from keyaudit.collect.managed_hsm import devices, hsm
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Collector
from keyaudit.collect.services import consumers, events, hosts, items, secret_uses, services
from keyaudit.model import surfaces
from keyaudit.model.coverage import Scope
from keyaudit.model.declarations import modules_in
from keyaudit.model.schema.columns import Table

P = TypeVar("P")


class Source(Struct, Generic[P], frozen=True):
    """What `--source` names: a kind of objects, read in every place of its kind. `name` is for people, and names its units in
    the spool.
    """

    name: str
    operations: tuple[str, ...]
    collect: Collector[P]
    completes: tuple[str, ...] = ()
    """The surfaces whose rows it completes: filters that name one of them read it, too."""


class Surfaces(Struct, frozen=True):
    """Every surface, by the kind of its place."""

    tenant: Sequence[Source[Scope]] = ()
    """Tenant surfaces that are read first."""
    directory: Sequence[Source[Scope]] = ()
    """Tenant surfaces that depend on these alone."""
    subscription: Sequence[Source[Subscription]] = ()
    vault: Sequence[Source[Vault]] = ()
    hsm: Sequence[Source[Vault]] = ()
    placed: Sequence[Source[Scope]] = ()
    """Tenant surfaces that depend on the places alone, and are read while these are."""
    last: Sequence[Source[Scope]] = ()
    """Tenant surfaces that depend on the results of all surfaces above."""
    named: Sequence[Source[Scope]] = ()
    """Tenant surfaces that depend on these too: the principals that they name."""
    completing: Sequence[Source[Scope]] = ()
    """Tenant surfaces that are read one after the other when all others were: each depends on those before it."""
    discovery: tuple[str, ...] = ("vaults",)

    @property
    def operations(self) -> dict[str, tuple[str, ...]]:
        """Every surface's operations by its name."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(self.discovery, ())
        rings: tuple[Sequence[Source[Any]], ...] = (
            self.tenant,
            self.directory,
            self.subscription,
            self.vault,
            self.hsm,
            self.placed,
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


def _declared() -> Iterator[Source[Scope]]:
    """The surfaces whose files say how they are read."""
    for module in modules_in(surfaces.__name__):
        if hasattr(module, "SURFACE"):
            tables = [each for each in vars(module).values() if isinstance(each, Table)]
            reads = [read for table in tables for read in table.reads]
            operations = tuple(operation for read in reads for operation in (read.parent, read.operation) if operation)
            yield Source(module.SURFACE, operations, partial(collect_declared, [read.operation for read in reads]))


SURFACES = Surfaces(
    tenant=(
        Source("tenant", tenant.OPERATIONS, tenant.collect_tenant),
        Source("applications", directory.operations("application"), applications.collect_applications),
        Source("service principals", service_principals.OPERATIONS, service_principals.collect_service_principals),
        Source("directory roles", directory_roles.OPERATIONS, directory_roles.collect_directory_roles),
        Source("token policies", token_policies.OPERATIONS, token_policies.collect_token_policies),
        Source("app management policies", app_management.OPERATIONS, app_management.collect_app_management),
        *_declared(),
        Source("Entra logs", places.TENANT, places.collect_entra_logs),
    ),
    directory=(
        Source("delegated permissions", delegated.OPERATIONS, delegated.collect_delegated),
        Source("agent identities", agents.OPERATIONS, agents.collect_agents),
        Source("federation", federation.OPERATIONS, federation.collect_federation),
    ),
    subscription=(
        Source("deleted vaults", deleted.VAULTS, deleted.collect_deleted_vaults),
        Source("activity logs", places.SUBSCRIPTION, places.collect_subscription_logs),
    ),
    vault=(
        Source("keys", keys.OPERATIONS, keys.collect_keys),
        Source("certificates", certificates.OPERATIONS, certificates.collect_certificates),
        Source("secrets", secrets.OPERATIONS, secrets.collect_secrets),
        Source("deleted", deleted.OBJECTS, deleted.collect_deleted),
        Source("audit logs", places.VAULT, places.collect_vault_logs),
    ),
    hsm=(
        Source("HSMs", hsm.OPERATIONS, hsm.collect_hsm),
        Source("deleted HSM keys", deleted.OF_HSM, deleted.collect_deleted),
        Source("HSM audit logs", places.HSM, places.collect_vault_logs),
    ),
    placed=(
        Source("services", services.OPERATIONS, services.collect_services),
        Source("secrets of services", secret_uses.OPERATIONS, secret_uses.collect_secret_uses),
        Source("consumers", consumers.OPERATIONS, consumers.collect_consumers),
        Source("event subscriptions", events.OPERATIONS, events.collect_events),
        Source("host names of resources", hosts.OPERATIONS, hosts.collect_hosts),
        Source("Cloud and Dedicated HSMs", devices.OPERATIONS, devices.collect_devices),
        Source("role assignments", roles.OPERATIONS, roles.collect_roles),
    ),
    last=(
        Source("log workspaces", workspaces.OPERATIONS, workspaces.collect_workspaces),
        Source("alert rules", alert_rules.OPERATIONS, alert_rules.collect_alert_rules),
        Source("managed identities", managed_identities.OPERATIONS, managed_identities.collect_managed_identities),
    ),
    named=(Source("principals", principals.OPERATIONS, principals.collect_principals),),
    completing=(
        Source(
            "public keys",
            public_keys.OPERATIONS,
            public_keys.collect_public_keys,
            completes=("applications", "service principals"),
        ),
        Source("issuer keys", issuer.OPERATIONS, issuer.collect_issuer_keys),
    ),
)

TOGETHER: Sequence[Sequence[Query]] = (
    # Everything else waits for these, so they do not wait for the rest of their table.
    vaults.ASKED,
    (
        items.QUERY,
        secret_uses.QUERY,
        consumers.ASKED,
        events.QUERY,
        hosts.QUERY,
        devices.QUERY,
        alert_rules.QUERY,
        managed_identities.QUERY,
    ),
    (definitions.QUERY, assignments.QUERY),
)
"""What is asked of one table of Resource Graph together."""
