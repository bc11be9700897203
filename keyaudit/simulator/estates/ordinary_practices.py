"""How people run an ordinary tenant: administrators, workloads without tags, and accounts with keys that nobody changes.

None of it is a footprint of a product. It is there because a rule that finds nearly all of it is of no use.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import Estate, Group, Resource, ServicePrincipal, User, Vault
from keyaudit.simulator.estates.certificate_plans import Furniture, SecretPlan, furnished
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.installer_credentials import Maker
from keyaudit.simulator.estates.key_plans import P256_HSM, SIGN, KeyPlan, VaultPlan, VersionPlan, kept, lay_vault
from keyaudit.simulator.estates.log_plans import to_sentinel
from keyaudit.simulator.estates.ordinary_azure import ENCRYPTION, GROUP, assigned, vault_scope

SHOP = "kv-shop"
_OWNERS = ("cloud.admin", "platform.lead", "security.lead")
_OPERATORS = ("ops.one", "ops.two", "ops.three", "ops.four")
_OPERATIONS, _KEY_ADMINISTRATORS = "Cloud Operations", "Key Administrators"
_GROUPS = {_OPERATIONS: _OPERATORS, _KEY_ADMINISTRATORS: ("keys.one", "keys.two", "keys.three")}
_WORKLOADS = ("app-shop-web", "app-shop-orders", "app-shop-mail", "func-shop-import")
_TAGS = {"env": "prod", "owner": "it.operations", "app": "shop"}
_PLAN = VaultPlan(
    name=SHOP,
    group=GROUP,
    tags=_TAGS,
    default_action="Deny",
    endpoints=("Approved",),
    logs=to_sentinel,
    keys=(kept("order-signing", P256_HSM, SIGN, 60), KeyPlan("receipt-signing", P256_HSM, SIGN, (VersionPlan(300),))),
)
_SECRETS = (
    SecretPlan("shop-database", (90,), "text/plain", 180),
    SecretPlan("payment-provider", (40,), "text/plain", 365),
    SecretPlan("mail-relay", (300,)),
    SecretPlan("map-service", (500,)),
)


def with_habits(estate: Estate, ground: Ground) -> Estate:
    """The tenant of one subscription, and what people made in it."""
    [subscription] = estate.subscriptions
    workloads = tuple(_workloads(Maker(ground), subscription.id))
    return replace(
        estate,
        users=(*estate.users, *(_user(ground, alias) for alias in (*_OWNERS, *chain.from_iterable(_GROUPS.values())))),
        groups=(*estate.groups, *(_group(ground, name) for name in _GROUPS)),
        vaults=(*estate.vaults, _vault(ground, subscription.id)),
        service_principals=(*estate.service_principals, *workloads),
        resources=(*estate.resources, *_accounts(ground, subscription.id)),
        role_assignments=(
            *estate.role_assignments,
            *(
                assigned(ground, ground.guid("user", alias), roles.OWNER, f"/subscriptions/{subscription.id}", kind="User")
                for alias in _OWNERS
            ),
            *(
                assigned(ground, _group(ground, name).id, role, scope, kind="Group")
                for name, role, scope in (
                    (_OPERATIONS, roles.CONTRIBUTOR, f"/subscriptions/{subscription.id}"),
                    (_KEY_ADMINISTRATORS, roles.VAULT_ADMINISTRATOR, vault_scope(subscription.id, ENCRYPTION)),
                )
            ),
            *(assigned(ground, one.id, roles.SECRETS_USER, vault_scope(subscription.id, SHOP)) for one in workloads),
            *(assigned(ground, one.id, roles.CRYPTO_USER, vault_scope(subscription.id, SHOP)) for one in workloads[:2]),
        ),
    )


def _user(ground: Ground, alias: str) -> User:
    return User(id=ground.guid("user", alias), name=alias.replace(".", " ").title(), upn=f"{alias}@{ground.domain}")


def _group(ground: Ground, name: str) -> Group:
    members = tuple(ground.guid("user", alias) for alias in _GROUPS[name])
    return Group(id=ground.guid("group", name), name=name, members=members)


def _vault(ground: Ground, subscription: str) -> Vault:
    vault, _ = lay_vault(_PLAN, subscription, ground)
    return furnished(vault, Furniture(secrets=_SECRETS), ground)[0]


def _workloads(make: Maker, subscription: str) -> Iterator[ServicePrincipal]:
    """Identities of web applications. Nobody tags a managed identity."""
    for name in _WORKLOADS:
        arm = f"/subscriptions/{subscription}/resourcegroups/{GROUP}/providers/Microsoft.Web/sites/{name}"
        yield make.principal(
            name,
            300,
            type="ManagedIdentity",
            home_tenant=None,
            keys=(make.certificate(name, f"CN={make.ground.guid('client', name)}", 12, life=90),),
            alternative_names=("isExplicit=False", arm),
        )


def _accounts(ground: Ground, subscription: str) -> Iterator[Resource]:
    """Storage accounts whose keys nobody changes but for one, and a namespace with keys."""

    def resource(type_: str, name: str, properties: dict[str, object]) -> Resource:
        return Resource(
            type=type_, name=name, subscription=subscription, resource_group=GROUP, tags=_TAGS, properties=properties
        )

    for name, age in (("stshoplogs", 900), ("stshopmedia", 700), ("stshopexports", 20)):
        made = datetime.fromtimestamp(ground.moment(age, name), UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
        yield resource(
            "Microsoft.Storage/storageAccounts",
            name,
            {"keyCreationTime": {"key1": made, "key2": made}, "encryption": {"keySource": "Microsoft.Storage"}},
        )
    yield resource("Microsoft.ServiceBus/namespaces", "sb-shop", {})
