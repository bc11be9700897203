"""Plans of Managed HSMs; `lay_hsm` dates and builds them."""

from msgspec import Struct

from keyaudit.simulator import x509
from keyaudit.simulator.estate import EkmConnection, HsmAssignment, HsmRole, ManagedHsm, Plant
from keyaudit.simulator.estates.ids import DAY, Ground, hsm_deleted_key_id, hsm_key_id
from keyaudit.simulator.estates.key_plans import KeyPlan, lay_deleted, lay_key, plants_of
from keyaudit.simulator.estates.log_plans import LogPlan, unlogged
from keyaudit.simulator.key_vault import hsm_roles

ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"
CRYPTO_OFFICER = "515eb02d-2335-4d2d-92f2-b1cbdf9c3778"
CRYPTO_USER = "21dbd100-6940-42c2-9190-5d6cb909625b"
CRYPTO_AUDITOR = "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3"
EKM_ADMINISTRATOR = hsm_roles.EKM_ADMINISTRATOR
SERVICE_ENCRYPTION = "33413926-3206-4cdd-b39a-83574fe37a17"


class EkmPlan(Struct, frozen=True, kw_only=True):
    """A connection to an external key manager: in how many days the authorities of both sides expire.

    `finds`: the policies that must find the authority of the proxy.
    """

    host: str
    server_ends: int
    client_ends: int
    finds: tuple[str, ...] = ()


class HsmPlan(Struct, frozen=True, kw_only=True):
    """A Managed HSM with its keys. `admins`: names of its first administrators. `finds`: the policies that must find the HSM.

    `held`: role, the holder's name, and the key of the role's scope (or empty for `/`, "*" for all keys).
    """

    name: str
    group: str
    location: str = "westeurope"
    age: int | None = None
    """In whole days, at any time of the day; None: as old as the tenant."""
    tags: dict[str, str] | None = None
    admins: tuple[str, ...] = ()
    custom: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Name and data actions of custom roles; `held` names them by that name."""
    held: tuple[tuple[str, str, str], ...] = ()
    purge_protection: bool = True
    default_action: str = "Deny"
    ip_rules: tuple[str, ...] = ("198.51.100.0/24",)
    endpoints: tuple[str, ...] = ("Approved",)
    through_arm: bool = False
    """Whether Resource Manager may manage its keys."""
    logs: LogPlan = unlogged
    keys: tuple[KeyPlan, ...] = ()
    deleted: tuple[tuple[KeyPlan, int], ...] = ()
    """Keys that were deleted so many days ago."""
    ekm: EkmPlan | None = None
    finds: tuple[str, ...] = ()


def lay_hsm(plan: HsmPlan, subscription: str, ground: Ground) -> tuple[ManagedHsm, set[Plant]]:
    """The HSM at the ground's `as_of`, and its planted defects."""
    keys, plants = [], set[Plant]()
    for planned in plan.keys:
        key = lay_key(planned, plan.name, ground)
        keys.append(key)
        plants |= plants_of(planned, key, hsm_key_id(plan.name, planned.name))
    deleted = []
    for planned, days in plan.deleted:
        deleted.append(lay_deleted(planned, days, plan.name, ground))
        plants |= {Plant(policy, hsm_deleted_key_id(plan.name, planned.name)) for policy in planned.finds}
    roles = {name: HsmRole(id=ground.guid("hsm-role", name), name=name, data_actions=actions) for name, actions in plan.custom}
    assignments = tuple(
        HsmAssignment(
            id=ground.guid("hsm-assignment", plan.name, role, holder, on),
            role=roles[role].id if role in roles else role,
            principal=ground.guid("principal", holder),
            scope={"": "/", "*": "/keys"}.get(on, f"/keys/{on}"),
        )
        for role, holder, on in plan.held
    )
    group = f"/subscriptions/{subscription}/resourceGroups/{plan.group}"
    row = f"{group}/providers/Microsoft.KeyVault/managedHSMs/{plan.name}"
    plants |= {Plant(policy, row.lower()) for policy in plan.finds}
    ekm = _lay_ekm(plan.ekm, ground) if plan.ekm else None
    if plan.ekm and ekm:
        server = f"{row}/ekm/server-ca/{x509.thumbprint(ekm.server_cas[0])}"
        plants |= {Plant(policy, server.lower()) for policy in plan.ekm.finds}
    hsm = ManagedHsm(
        name=plan.name,
        subscription=subscription,
        resource_group=plan.group,
        location=plan.location,
        created=None if plan.age is None else ground.as_of - plan.age * DAY - 1,
        tags=plan.tags,
        purge_protection=plan.purge_protection,
        default_action=plan.default_action,
        ip_rules=plan.ip_rules,
        endpoints=plan.endpoints,
        admins=tuple(ground.guid("principal", name) for name in plan.admins),
        diagnostic_settings=plan.logs(ground, row),
        keys=tuple(keys),
        deleted_keys=tuple(deleted),
        roles=tuple(roles.values()),
        assignments=assignments,
        ekm=ekm,
        settings={"AllowKeyManagementOperationsThroughARM": str(plan.through_arm).lower()},
    )
    return hsm, plants


def _lay_ekm(plan: EkmPlan, ground: Ground) -> EkmConnection:
    def authority(name: str, ends: int) -> bytes:
        end = ground.as_of + ends * DAY
        return x509.certificate(f"CN={name}", key_name=name, start=end - 1_825 * DAY, end=end, authority=True)

    return EkmConnection(
        host=plan.host,
        server_cas=(authority(f"{plan.host} CA", plan.server_ends),),
        client_cas=(authority("Managed HSM EKM Client CA", plan.client_ends),),
        path_prefix="/api",
        server_name=plan.host.partition(":")[0],
        client_name="ekm-client",
    )
