"""Access to Contoso's vaults: teams in nested groups, roles at high scopes, and access that no single list shows."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import (
    AccessPolicy,
    DenyAssignment,
    Eligibility,
    Estate,
    Group,
    Role,
    RoleAssignment,
    ServicePrincipal,
    Subscription,
    User,
    Vault,
)
from keyaudit.simulator.estates.contoso.hsm import EKM_TEAM
from keyaudit.simulator.estates.ids import DAY, Ground

CROWN_VAULT, CROWN_KEY = "kv-orders-prod", "order-event-signing"
"""Contoso's most important key: its users can forge any order. Its vault still has access policies."""

ORDER_SIGNING = "Order Signing"
"""The group in the access policies of that key's vault."""

_ABOVE: Mapping[str, tuple[str, ...]] = {
    "contoso-prod": ("mg-retail-prod", "mg-retail"),
    "contoso-nonprod": ("mg-retail-nonprod", "mg-retail"),
    "contoso-platform": ("mg-platform",),
}

_USERS: Mapping[str, str] = {
    "amira.haddad": "Amira Haddad",
    "jonas.lind": "Jonas Lind",
    "mei.tanaka": "Mei Tanaka",
    "lukas.brandt": "Lukas Brandt",
    "piotr.nowak": "Piotr Nowak",
    "sofia.rossi": "Sofia Rossi",
    "tomas.novak": "Tomas Novak",
    "ines.moreau": "Ines Moreau",
    "sara.lindqvist": "Sara Lindqvist",
    "daniel.okoye": "Daniel Okoye",
    "breakglass-01": "Break Glass 01",
}
_GUEST = "Pat Okafor"
_HSM_USERS = ("Ingrid Falk", "Tomas Reyes", "Priya Nair", "Olga Berg", "Ben Adeyemi", "Clara Martin")
_HSM_SERVICES = ("Issuing CA service", "Trust services", "Payments SQL server", "Key custodian runbook")

CUSTODIAN = "Contoso Key Custodian"
_POLICY_WRITER = "Contoso Vault Operator"
_LOOKER = "Contoso Vault Inspector"


class Ids(Struct, frozen=True):
    """Ids by name of the objects that `contoso` and this module create."""

    ground: Ground
    subscriptions: Mapping[str, str]

    def user(self, name: str) -> str:
        """A user, by the name before the @."""
        return self.ground.guid("user", name)

    def group(self, name: str) -> str:
        """A group."""
        return self.ground.guid("group", name)

    def service(self, name: str) -> str:
        """A service principal, or another name in an HSM's plan."""
        return self.ground.guid("principal", name)

    def role(self, name: str) -> str:
        """A custom role."""
        return self.ground.guid("role", name)

    def scope(self, subscription: str, group: str = "", vault: str = "") -> str:
        """The scope of a subscription, of a resource group in it, or of a vault in that."""
        found = f"/subscriptions/{self.subscriptions[subscription]}"
        found += f"/resourceGroups/{group}" if group else ""
        return found + (f"/providers/Microsoft.KeyVault/vaults/{vault}" if vault else "")


def with_access(estate: Estate, ground: Ground) -> Estate:
    """The estate with its users and groups, and with access to its vaults."""
    ids = Ids(ground, {one.name: one.id for one in estate.subscriptions})
    return replace(
        estate,
        subscriptions=tuple(_placed(one) for one in estate.subscriptions),
        vaults=tuple(_policed(vault, ids) for vault in estate.vaults),
        service_principals=(*estate.service_principals, *_services(ids)),
        users=_users(ids),
        groups=_groups(ids),
        roles=_roles(ids),
        role_assignments=tuple(_assignments(ids)),
        eligibilities=tuple(_eligible(ids)),
        deny_assignments=(_denial(ids),),
    )


def _placed(subscription: Subscription) -> Subscription:
    return replace(subscription, management_groups=_ABOVE[subscription.name])


def _users(ids: Ids) -> tuple[User, ...]:
    domain = ids.ground.domain
    own = (User(id=ids.user(alias), name=name, upn=f"{alias}@{domain}") for alias, name in _USERS.items())
    hsm = (User(id=ids.service(name), name=name, upn=f"{name.lower().replace(' ', '.')}@{domain}") for name in _HSM_USERS)
    guest = User(id=ids.user(_GUEST), name=_GUEST, upn=f"pat.okafor_fabrikam.example#EXT#@{domain}", type="Guest")
    return (*own, *hsm, guest)


def _services(ids: Ids) -> tuple[ServicePrincipal, ...]:
    return tuple(
        ServicePrincipal(
            id=ids.service(name),
            app_id=ids.ground.guid("client", name),
            name=name,
            created=ids.ground.moment(500, "service", name),
            type="ManagedIdentity",
        )
        for name in _HSM_SERVICES
    )


def _groups(ids: Ids) -> tuple[Group, ...]:
    on_call = Group(
        id=ids.group("Order Signing On-call"),
        name="Order Signing On-call",
        members=(ids.user("jonas.lind"), ids.user(_GUEST)),
    )
    signing = Group(id=ids.group(ORDER_SIGNING), name=ORDER_SIGNING, members=(ids.user("mei.tanaka"), on_call.id))
    identity = Group(
        id=ids.group("Identity Platform"),
        name="Identity Platform",
        members=(ids.user("daniel.okoye"), ids.user("sara.lindqvist"), ids.service("id-identity-token-service-prod")),
    )
    key_manager = Group(
        id=ids.ground.guid("principal", EKM_TEAM),
        name=EKM_TEAM,
        members=tuple(ids.ground.guid("principal", name) for name in _HSM_USERS[:3]),
    )
    return (signing, on_call, identity, key_manager)


def _roles(ids: Ids) -> tuple[Role, ...]:
    keys = "Microsoft.KeyVault/vaults/keys"
    write = "Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/accessPolicies/write"
    return (
        # All actions on keys except sign.
        Role(
            id=ids.role(CUSTODIAN),
            name=CUSTODIAN,
            custom=True,
            data_actions=(f"{keys}/*",),
            not_data_actions=(f"{keys}/sign/action",),
        ),
        # Despite its name, it can grant itself any access policy.
        Role(
            id=ids.role(_POLICY_WRITER),
            name=_POLICY_WRITER,
            custom=True,
            actions=("Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/accessPolicies/*"),
        ),
        # Wide read access; all write actions are excluded.
        Role(
            id=ids.role(_LOOKER),
            name=_LOOKER,
            custom=True,
            actions=("Microsoft.KeyVault/*",),
            not_actions=(*write, "Microsoft.KeyVault/locations/*/purge/action"),
        ),
    )


def _assignments(ids: Ids) -> Sequence[RoleAssignment]:
    orders = ids.scope("contoso-prod", "rg-orders-prod")
    identity = ids.scope("contoso-prod", "rg-identity-prod", "kv-identity-prod")
    loyalty = ids.scope("contoso-prod", "rg-loyalty-prod", "kv-loyalty-prod")
    retail = "/providers/Microsoft.Management/managementGroups/mg-retail"
    user, service = "User", "ServicePrincipal"
    payments = ids.scope("contoso-prod", "rg-payments-prod", "kv-payments-prod")
    # The first has no effect on the keys of the role; the second limits the secrets that its role reads.
    conditions = {
        (payments, roles.CRYPTO_USER): "(!(ActionMatches{'Microsoft.KeyVault/vaults/keys/sign/action'}))",
        (identity, ids.role(CUSTODIAN)): (
            "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR "
            "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'signing-'))"
        ),
    }
    return [
        replace(assigned(ids, scope, role, who, kind), condition=conditions.get((scope, role)))
        for scope, role, who, kind in (
            (retail, roles.USER_ACCESS_ADMINISTRATOR, ids.user("amira.haddad"), user),
            (ids.scope("contoso-prod"), roles.OWNER, ids.user("breakglass-01"), user),
            (orders, roles.CONTRIBUTOR, ids.service("github-deploy-orders"), service),
            (ids.scope("contoso-prod"), ids.role(_POLICY_WRITER), ids.user("lukas.brandt"), user),
            # None of these can sign with that key: a data role on a vault with access policies, a neighbouring vault, another
            # subscription, another management group, a read-only role.
            (f"{orders}/providers/Microsoft.KeyVault/vaults/{CROWN_VAULT}", roles.CRYPTO_USER, ids.user("tomas.novak"), user),
            (loyalty, roles.VAULT_CONTRIBUTOR, ids.user("sofia.rossi"), user),
            (ids.scope("contoso-nonprod"), roles.OWNER, ids.user("daniel.okoye"), user),
            ("/providers/Microsoft.Management/managementGroups/mg-platform", roles.OWNER, ids.user("daniel.okoye"), user),
            (ids.scope("contoso-prod"), ids.role(_LOOKER), ids.user("ines.moreau"), user),
            (ids.scope("contoso-prod"), roles.READER, ids.user("sara.lindqvist"), user),
            # The sign-in vault uses Azure RBAC.
            (identity, roles.CRYPTO_USER, ids.group("Identity Platform"), "Group"),
            (f"{identity}/keys/workforce-token-signing", roles.CRYPTO_USER, ids.service("app-supplier-portal-prod"), service),
            (identity, ids.role(CUSTODIAN), ids.user("ines.moreau"), user),
            (ids.scope("contoso-prod", "rg-data-prod"), roles.ENCRYPTION_USER, ids.service("id-data-loader-prod"), service),
            (payments, roles.CRYPTO_USER, ids.service("id-payments-settlement-prod"), service),
        )
    ]


def assigned(ids: Ids, scope: str, role: str, who: str, kind: str) -> RoleAssignment:
    """A role assignment of a year ago."""
    id_ = ids.ground.guid("assignment", scope, role, who)
    created = ids.ground.moment(320, "assignment", id_)
    return RoleAssignment(id=id_, scope=scope, role=role, principal=who, principal_type=kind, created=created)


def _eligible(ids: Ids) -> Sequence[Eligibility]:
    start = ids.ground.moment(60, "eligible")
    return [
        Eligibility(
            id=ids.ground.guid("eligible", scope, who),
            scope=scope,
            role=role,
            principal=ids.user(who),
            start=start,
            end=start + 365 * DAY,
        )
        for scope, role, who in (
            (ids.scope("contoso-prod"), roles.CONTRIBUTOR, "piotr.nowak"),
            (ids.scope("contoso-platform"), roles.VAULT_ADMINISTRATOR, "jonas.lind"),
        )
    ]


def _denial(ids: Ids) -> DenyAssignment:
    return DenyAssignment(
        id=ids.ground.guid("denial", "managed"),
        name="System deny assignment created by managed application",
        scope=ids.scope("contoso-nonprod", "mrg-analytics-managed"),
        actions=("*",),
        not_actions=("*/read",),
        excluded=(ids.service("Backup Orchestrator"),),
    )


def _policed(vault: Vault, ids: Ids) -> Vault:
    policies: Mapping[str, tuple[AccessPolicy, ...]] = {
        CROWN_VAULT: (
            AccessPolicy(principal=ids.group(ORDER_SIGNING), keys=("get", "list", "sign")),
            AccessPolicy(principal=ids.service("id-orders-api-prod"), keys=("Get", "Sign", "Verify"), secrets=("Get",)),
            # One is read-only; one, deleted from the directory, still has all permissions.
            AccessPolicy(principal=ids.user("sara.lindqvist"), keys=("get", "list", "verify"), storage=()),
            AccessPolicy(principal=ids.user("gone"), keys=("all",), secrets=("all",), certificates=("all",)),
        ),
        "kv-loyalty-prod": (
            AccessPolicy(principal=ids.service("func-rewards-prod"), keys=("get", "sign", "unwrapKey", "wrapKey")),
            # As az keyvault create gives them to the user who creates the vault.
            # https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/keyvault/custom.py
            AccessPolicy(
                principal=ids.user("sofia.rossi"), keys=("all",), secrets=("all",), certificates=("all",), storage=("all",)
            ),
        ),
        # Left from before the vault used RBAC: without effect.
        "kv-identity-prod": (AccessPolicy(principal=ids.user("tomas.novak"), keys=("sign", "get"), storage=("get", "getsas")),),
    }
    found = policies.get(vault.name, ())
    return replace(vault, access_policies=found) if found else vault
