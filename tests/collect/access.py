"""A tenant in which vaults are reached in every way that grants tell apart."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    AccessPolicy,
    DenyAssignment,
    DirectoryRole,
    DirectoryRoleGrant,
    Eligibility,
    Group,
    Role,
    RoleAssignment,
    ServicePrincipal,
    Subscription,
    User,
    Vault,
)
from keyaudit.simulator.roles import CONTRIBUTOR, CRYPTO_USER, OWNER, READER, SECRETS_USER
from tests.collect.estate import AS_OF, DAY, EMPTY_SUBSCRIPTION, ESTATE, FIRST, PRINCIPALS, SECOND, SUBSCRIPTION
from tests.collect.rig import Collected

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROOT_GROUP = "/providers/Microsoft.Management/managementGroups"
HOME = f"/subscriptions/{SUBSCRIPTION}"
FIRST_SCOPE = f"{HOME}/resourceGroups/Rg-Main/providers/Microsoft.KeyVault/vaults/kv-First"
KEY_SCOPE = f"{FIRST_SCOPE}/keys/Rotated"


def user(number: int, name: str, **fields: object) -> User:
    """A user."""
    return User(id=f"0c000000-0000-4000-8000-{number:012}", name=name, upn=f"{name}@b.example", **fields)  # type: ignore[arg-type]


ALICE, BOB, CAROL, DAVE = (user(number, name) for number, name in enumerate(("alice", "bob", "carol", "dave")))
GUEST = user(9, "guest", type="Guest")
ROBOT, IDENTITY, FOREIGN = (
    PRINCIPALS[0],
    PRINCIPALS[1],
    ServicePrincipal(
        id="50000000-0000-4000-8000-000000000009",
        app_id="a1000000-0000-4000-8000-000000000009",
        name="partner",
        created=None,
        home_tenant="99999999-0000-4000-8000-000000000009",
    ),
)
INNER = Group(id="60000000-0000-4000-8000-000000000002", name="Inner", members=(BOB.id, ROBOT.id))
OUTER = Group(id="60000000-0000-4000-8000-000000000001", name="Outer", members=(ALICE.id, INNER.id))
GONE = "0c000000-0000-4000-8000-00000000dead"

KEEPER = Role(
    id="70000000-0000-4000-8000-000000000001",
    name="Key Keeper",
    custom=True,
    data_actions=("microsoft.keyvault/VAULTS/keys/*",),
    not_data_actions=("Microsoft.KeyVault/vaults/keys/sign/*",),
)


def assigned(number: int, scope: str, role: str, who: str, kind: str = "User", **fields: object) -> RoleAssignment:
    """A role assignment, `number` its name."""
    id_ = f"ea000000-0000-4000-8000-{number:012}"
    return RoleAssignment(id=id_, scope=scope, role=role, principal=who, principal_type=kind, **fields)  # type: ignore[arg-type]


ASSIGNMENTS = (
    assigned(1, "/", OWNER, DAVE.id),
    assigned(2, f"{ROOT_GROUP}/mg-Prod", CRYPTO_USER, OUTER.id, "Group"),
    assigned(3, HOME, CONTRIBUTOR, FOREIGN.id, "ServicePrincipal"),
    assigned(4, f"{HOME}/resourceGroups/Rg-Main", KEEPER.id, CAROL.id, condition="@Resource[x] StringEquals 'y'"),
    assigned(5, FIRST_SCOPE, SECRETS_USER, GONE),
    assigned(6, KEY_SCOPE, CRYPTO_USER, IDENTITY.id, "ServicePrincipal"),
    # None of these is a way to a vault.
    assigned(7, HOME, READER, BOB.id),
    assigned(8, f"{HOME}/resourceGroups/elsewhere", CRYPTO_USER, BOB.id),
    assigned(9, f"{HOME}/resourceGroups/Rg-Main/providers/Microsoft.Storage/storageAccounts/st", OWNER, BOB.id),
    assigned(10, f"{ROOT_GROUP}/mg-Other", OWNER, BOB.id),
)
ELIGIBLE = Eligibility(
    id="eb000000-0000-4000-8000-000000000001",
    scope=HOME,
    role=CRYPTO_USER,
    principal=GUEST.id,
    start=AS_OF - DAY,
    end=AS_OF + 90 * DAY,
)
POLICIES = (
    AccessPolicy(principal=CAROL.id, keys=("Get", "UnwrapKey", "SIGN"), secrets=("list",)),
    AccessPolicy(principal=ROBOT.id, application=ROBOT.app_id, keys=("all",), secrets=("get",), certificates=("import",)),
    AccessPolicy(principal=BOB.id, keys=("get", "list", "encrypt", "verify")),
)
SECOND_OPEN: Vault = replace(SECOND, access_policies=POLICIES)
DENIAL = DenyAssignment(
    id="ed000000-0000-4000-8000-000000000001",
    name="no signing here",
    scope=f"{HOME}/resourceGroups/Rg-Main",
    data_actions=("Microsoft.KeyVault/vaults/keys/decrypt/action", "Microsoft.KeyVault/vaults/keys/unwrap/action"),
)

ACCESS = replace(
    ESTATE,
    subscriptions=(
        Subscription(id=SUBSCRIPTION, name="Production", management_groups=("mg-Prod",)),
        Subscription(id=EMPTY_SUBSCRIPTION, name="Sandbox"),
    ),
    vaults=(FIRST, SECOND_OPEN),
    service_principals=(*PRINCIPALS, FOREIGN),
    users=(ALICE, BOB, CAROL, DAVE, GUEST),
    groups=(OUTER, INNER),
    roles=(KEEPER,),
    role_assignments=ASSIGNMENTS,
    eligibilities=(ELIGIBLE,),
    directory_roles=(DirectoryRole(id=GLOBAL_ADMINISTRATOR, name="Global Administrator"),),
    directory_role_grants=(DirectoryRoleGrant(principal_id=DAVE.id, role_id=GLOBAL_ADMINISTRATOR),),
)


def grant(found: Collected, number: int) -> dict[str, object]:
    """The grant that an assignment of the estate is."""
    [row] = [row for id_, row in found.rows["grant"].items() if id_.endswith(ASSIGNMENTS[number - 1].id)]
    return row
