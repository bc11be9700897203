"""What a run reads: each surface declared once, with its operations, where it is read, and what reads it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access.principals import OPERATIONS as NAMED_OPERATIONS
from keyaudit.collect.access.principals import collect_principals
from keyaudit.collect.access.roles import OPERATIONS as ROLE_OPERATIONS
from keyaudit.collect.access.roles import collect_roles
from keyaudit.collect.confines import Confines
from keyaudit.collect.entra import activity, delegated, directory, directory_roles, managed_identities
from keyaudit.collect.entra.app_management import OPERATIONS as APP_MANAGEMENT_OPERATIONS
from keyaudit.collect.entra.app_management import collect_app_management
from keyaudit.collect.entra.applications import collect_applications
from keyaudit.collect.entra.authorities import OPERATIONS as AUTHORITY_OPERATIONS
from keyaudit.collect.entra.authorities import collect_authorities
from keyaudit.collect.entra.federation import OPERATIONS as FEDERATION_OPERATIONS
from keyaudit.collect.entra.federation import collect_federation
from keyaudit.collect.entra.issuer import OPERATIONS as ISSUER_OPERATIONS
from keyaudit.collect.entra.issuer import collect_issuer_keys
from keyaudit.collect.entra.service_principals import OPERATIONS as PRINCIPAL_OPERATIONS
from keyaudit.collect.entra.service_principals import collect_service_principals
from keyaudit.collect.entra.tenant import OPERATIONS as TENANT_OPERATIONS
from keyaudit.collect.entra.tenant import collect_tenant
from keyaudit.collect.entra.token_policies import OPERATIONS as POLICY_OPERATIONS
from keyaudit.collect.entra.token_policies import collect_token_policies
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.key_vault import certificates, deleted, secrets
from keyaudit.collect.key_vault.keys import OPERATIONS as KEY_OPERATIONS
from keyaudit.collect.key_vault.keys import collect_keys
from keyaudit.collect.logs import alert_rules, places, workspaces
from keyaudit.collect.managed_hsm.hsm import OPERATIONS as HSM_OPERATIONS
from keyaudit.collect.managed_hsm.hsm import collect_hsm
from keyaudit.collect.places import Subscription, Vault
from keyaudit.collect.services.services import OPERATIONS as SERVICE_OPERATIONS
from keyaudit.collect.services.services import collect_services
from keyaudit.inventory.earlier import Earlier
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.reasons import Reason

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Found:
    """The places that a run found, in order of id, before it reads what is in them."""

    subscriptions: Sequence[Subscription] = ()
    """Of the audited tenant alone."""
    vaults: Sequence[Vault] = ()
    hsms: Sequence[Vault] = ()
    """Managed HSMs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a collector reads with."""

    connection: Connection
    tenant: Scope
    found: Found
    spool: Spool
    """What units that are closed by now have read: `spool.lines(table)`."""
    at_once: int
    """How many objects of one place may be read at the same time."""
    evidence: Evidence
    """What files say that Azure's read APIs do not hold."""
    seen: Callable[[int], None]
    """Is told how many objects were seen so far, where nobody knows how many there are."""
    confines: Confines
    """What the run's filters leave."""
    earlier: Earlier | None = None
    """An earlier run of the tenant, of which what surely did not change is not read again."""

    def missing(self, operation: str) -> Reason | None:
        """Why an operation on the tenant, of a unit that is closed by now, was not read through; None: it was."""
        found = {record.operation: record.reason for record in self.spool.coverage() if record.scope == self.tenant}
        return found.get(operation, Reason.PARENT_NOT_ASSESSED)


Collector = Callable[[Reading, Unit, P], Awaitable[Sequence[Coverage]]]
"""Writes the rows of one place to its unit. Gives the coverage of every operation of its surface, and of others it used."""


@dataclass(frozen=True, slots=True)
class Surface(Generic[P]):
    """One thing to read in every place of its kind. `name` is for people, and names its units in the spool."""

    name: str
    operations: tuple[str, ...]
    collect: Collector[P]


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Every surface, by the place that it is read in."""

    tenant: Sequence[Surface[Scope]] = ()
    """Read from the start."""
    subscription: Sequence[Surface[Subscription]] = ()
    vault: Sequence[Surface[Vault]] = ()
    hsm: Sequence[Surface[Vault]] = ()
    last: Sequence[Surface[Scope]] = ()
    """Read of the tenant once all before are: what they found is what is asked for."""
    named: Sequence[Surface[Scope]] = ()
    """Read once those are, too: who it is that all of them name."""
    discovery: tuple[str, ...] = ("vaults",)

    @property
    def operations(self) -> dict[str, tuple[str, ...]]:
        """Every surface's operations by its name."""
        return {
            **dict.fromkeys(self.discovery, ()),
            **{surface.name: surface.operations for surface in self.tenant},
            **{surface.name: surface.operations for surface in self.subscription},
            **{surface.name: surface.operations for surface in self.vault},
            **{surface.name: surface.operations for surface in self.hsm},
            **{surface.name: surface.operations for surface in self.last},
            **{surface.name: surface.operations for surface in self.named},
        }

    @property
    def names(self) -> tuple[str, ...]:
        """What progress is told of."""
        return tuple(self.operations)


SURFACES = Surfaces(
    tenant=(
        Surface(
            "tenant",
            TENANT_OPERATIONS,
            lambda r, unit, scope: collect_tenant(r.connection, unit, scope, r.evidence.unified_audit),
        ),
        Surface(
            "applications",
            directory.operations("application"),
            lambda r, unit, scope: collect_applications(r.connection, unit, scope, r.seen),
        ),
        Surface(
            "service principals",
            PRINCIPAL_OPERATIONS,
            lambda r, unit, scope: collect_service_principals(r.connection, unit, scope, r.seen),
        ),
        Surface(
            "directory roles",
            directory_roles.OPERATIONS,
            lambda r, unit, scope: directory_roles.collect_directory_roles(r.connection, unit, scope),
        ),
        Surface(
            "sign-in activity",
            activity.SIGN_INS,
            lambda r, unit, scope: activity.collect_sign_ins(r.connection, unit, scope, r.seen),
        ),
        Surface(
            "credential activity",
            activity.CREDENTIALS,
            lambda r, unit, scope: activity.collect_credential_uses(r.connection, unit, scope, r.seen),
        ),
        Surface(
            "token policies",
            POLICY_OPERATIONS,
            lambda r, unit, scope: collect_token_policies(r.connection, unit, scope),
        ),
        Surface(
            "trusted authorities",
            AUTHORITY_OPERATIONS,
            lambda r, unit, scope: collect_authorities(r.connection, unit, scope),
        ),
        Surface(
            "app management policies",
            APP_MANAGEMENT_OPERATIONS,
            lambda r, unit, scope: collect_app_management(r.connection, unit, scope),
        ),
        Surface("Entra logs", places.TENANT, lambda r, unit, scope: places.collect_entra_logs(r.connection, unit, scope)),
    ),
    subscription=(
        Surface(
            "deleted vaults",
            deleted.VAULTS,
            lambda r, unit, subscription: deleted.collect_deleted_vaults(r.connection, unit, subscription),
        ),
        Surface(
            "activity logs",
            places.SUBSCRIPTION,
            lambda r, unit, subscription: places.collect_subscription_logs(r.connection, unit, subscription),
        ),
    ),
    vault=(
        Surface(
            "keys",
            KEY_OPERATIONS,
            lambda r, unit, vault: collect_keys(r.connection, unit, vault, at_once=r.at_once, earlier=r.earlier),
        ),
        Surface(
            "certificates",
            certificates.OPERATIONS,
            lambda r, unit, vault: certificates.collect_certificates(r.connection, unit, vault, at_once=r.at_once),
        ),
        Surface(
            "secrets",
            secrets.OPERATIONS,
            lambda r, unit, vault: secrets.collect_secrets(r.connection, unit, vault, at_once=r.at_once),
        ),
        Surface("deleted", deleted.OBJECTS, lambda r, unit, vault: deleted.collect_deleted(r.connection, unit, vault)),
        Surface("audit logs", places.VAULT, lambda r, unit, vault: places.collect_vault_logs(r.connection, unit, vault)),
    ),
    hsm=(
        Surface(
            "HSMs",
            HSM_OPERATIONS,
            lambda r, unit, hsm: collect_hsm(r.connection, unit, hsm, at_once=r.at_once, earlier=r.earlier),
        ),
        Surface("HSM audit logs", places.HSM, lambda r, unit, hsm: places.collect_vault_logs(r.connection, unit, hsm)),
    ),
    last=(
        Surface(
            "log workspaces",
            workspaces.OPERATIONS,
            lambda r, unit, scope: workspaces.collect_workspaces(r.connection, unit, scope, r.spool.lines("log_sink")),
        ),
        Surface(
            "alert rules",
            alert_rules.OPERATIONS,
            lambda r, unit, scope: alert_rules.collect_alert_rules(r.connection, unit, scope, r.found.subscriptions),
        ),
        Surface(
            "services",
            SERVICE_OPERATIONS,
            lambda r, unit, scope: collect_services(r.connection, unit, scope, r.found.subscriptions, r.confines),
        ),
        Surface(
            "delegated permissions",
            delegated.OPERATIONS,
            lambda r, unit, scope: delegated.collect_delegated(
                r.connection, unit, scope, r.spool.lines("service_principal"), r.missing("service_principal.list")
            ),
        ),
        Surface(
            "managed identities",
            managed_identities.OPERATIONS,
            lambda r, unit, scope: managed_identities.collect_managed_identities(
                r.connection, unit, scope, r.found.subscriptions, r.spool.lines("credential")
            ),
        ),
        Surface(
            "role assignments",
            ROLE_OPERATIONS,
            lambda r, unit, scope: collect_roles(
                r.connection,
                unit,
                scope,
                subscriptions=r.found.subscriptions,
                vaults=r.found.vaults,
                before=r.spool.coverage(),
            ),
        ),
        Surface(
            "federation",
            FEDERATION_OPERATIONS,
            lambda r, unit, scope: collect_federation(r.connection, unit, scope, r.spool),
        ),
        Surface(
            "issuer keys",
            ISSUER_OPERATIONS,
            lambda r, unit, scope: collect_issuer_keys(r.connection, unit, scope, r.spool),
        ),
    ),
    named=(
        Surface(
            "principals",
            NAMED_OPERATIONS,
            lambda r, unit, scope: collect_principals(r.connection, unit, scope, r.spool),
        ),
    ),
)
