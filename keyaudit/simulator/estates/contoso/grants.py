"""Defects in access to Contoso's keys: scopes too wide, across environments, or too many principals."""

from collections.abc import Iterator

from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import Estate, Group, Plant, RoleAssignment, ServicePrincipal
from keyaudit.simulator.estates.contoso.access import CROWN_VAULT, CUSTODIAN, ORDER_SIGNING, Ids, assigned
from keyaudit.simulator.estates.contoso.hsm import LAB_HSM, TRUST_HSM
from keyaudit.simulator.estates.defects import (
    ACCESS_POLICY_ALL,
    CONDITION_WITHOUT_EFFECT,
    CONTROL_PLANE_TO_DATA,
    CROSS_ENVIRONMENT,
    CROSS_ENVIRONMENT_KEY,
    CUSTOM_WILDCARD,
    DATA_PLANE_WIDE,
    DATABRICKS_READS,
    EKM_ADMINISTRATORS,
    FOREIGN_PRINCIPAL,
    HSM_ADMIN_ALSO_USER,
    HSM_ADMIN_COUNT,
    HSM_ROLE_AT_ROOT,
    HUMAN_SIGNER,
    KEY_BACKUP,
    MANY_SIGNERS,
    PATH_TO_TIER0,
    SERVICE_SIGNS,
)
from keyaudit.simulator.estates.holder_plans import MICROSOFT_SERVICES
from keyaudit.simulator.estates.hsm_plans import CRYPTO_OFFICER, CRYPTO_USER, EKM_ADMINISTRATOR, SERVICE_ENCRYPTION, HsmPlan
from keyaudit.simulator.estates.ids import (
    Ground,
    access_policy_id,
    assignment_id,
    certificate_id,
    eligibility_id,
    hsm_id,
    key_id,
    vault_id,
)

_DATABRICKS = "AzureDatabricks"
_DISK_SETS = ("des-contoso-vms", "des-contoso-analytics")
_RETAIL_NONPROD = "/providers/Microsoft.Management/managementGroups/mg-retail-nonprod"

_TAGS = {
    # Environment tags set by their owners.
    "id-orders-api-test": "env:test",
    "etl-runner-test": "env:test",
    "etl-runner": "env:prod",
    "id-payments-settlement-prod": "env:prod",
    "func-rewards-prod": "env:production",
    **dict.fromkeys(
        (
            "Humongous Insurance Claims",
            *_DISK_SETS,
            "Issuing CA service",
            "Key custodian runbook",
            "Payments SQL server",
            "Trust services",
            "app-supplier-portal-prod",
            "id-data-loader-prod",
            "id-identity-token-service-prod",
            "id-orders-api-prod",
        ),
        "env:prod",
    ),
}
_TEAMS = {
    "Loyalty Engineering": ("tomas.novak", "ines.moreau"),
    "Orders Engineering": ("jonas.lind", "lukas.brandt", "piotr.nowak"),
}


def with_grants(estate: Estate, ground: Ground) -> Estate:
    """The estate with these grants, and the planted defects of all grants."""
    ids = Ids(ground, {one.name: one.id for one in estate.subscriptions})
    given = dict(_assignments(ids))
    added = (_databricks(ids), *_disk_encryption_sets(ids))
    return replace(
        estate,
        groups=(*estate.groups, *_teams(ids)),
        service_principals=tuple(_tagged(one) for one in (*estate.service_principals, *added)),
        role_assignments=(*estate.role_assignments, *given.values()),
        plants=estate.plants
        | {Plant(policy, _row(given[what])) for what, policies in _FOUND_IN.items() for policy in policies}
        | {Plant(policy, subject) for policy, subject in (*_before(ids), *_of_hsms(ids), *_of_keys(estate))},
    )


def _tagged(principal: ServicePrincipal) -> ServicePrincipal:
    tag = _TAGS.get(principal.name or "")
    return replace(principal, tags=(*principal.tags, tag)) if tag else principal


def _databricks(ids: Ids) -> ServicePrincipal:
    """The service's own, which reads vaults for the secret scopes of workspaces."""
    return ServicePrincipal(
        id=ids.service(_DATABRICKS),
        app_id="2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        name=_DATABRICKS,
        home_tenant=MICROSOFT_SERVICES,
        created=ids.ground.moment(900, "principal", _DATABRICKS),
    )


def _disk_encryption_sets(ids: Ids) -> Iterator[ServicePrincipal]:
    """The system-assigned identities of the disk encryption sets."""
    for name in _DISK_SETS:
        arm = f"{ids.scope('contoso-prod', 'rg-data-prod')}/providers/Microsoft.Compute/diskEncryptionSets/{name}"
        yield ServicePrincipal(
            id=ids.service(name),
            app_id=ids.ground.guid("client", name),
            name=name,
            type="ManagedIdentity",
            created=ids.ground.moment(410, "principal", name),
            alternative_names=("isExplicit=False", arm),
        )


def _teams(ids: Ids) -> Iterator[Group]:
    for name, members in _TEAMS.items():
        # Their deployment pipeline is a member, too.
        pipeline = (ids.service("github-deploy-orders"),) if name.startswith("Orders") else ()
        yield Group(id=ids.group(name), name=name, members=(*map(ids.user, members), *pipeline))


def _assignments(ids: Ids) -> Iterator[tuple[str, RoleAssignment]]:
    payments = ids.scope("contoso-prod", "rg-payments-prod", "kv-payments-prod")
    identity = ids.scope("contoso-prod", "rg-identity-prod", "kv-identity-prod")
    data = ids.scope("contoso-prod", "rg-data-prod", "kv-data-prod")
    tests = (roles.CRYPTO_USER, ids.service("id-orders-api-test"), "ServicePrincipal")
    for what, scope, role, who, kind in (
        ("custodian", _RETAIL_NONPROD, ids.role(CUSTODIAN), ids.user("piotr.nowak"), "User"),
        (
            "insurer",
            ids.scope("contoso-prod", "rg-hr-prod", "kv-hr-prod"),
            roles.SECRETS_USER,
            ids.service("Humongous Insurance Claims"),
            "ServicePrincipal",
        ),
        (
            "scope of a notebook",
            ids.scope("contoso-prod", "rg-hr-prod", "kv-hr-prod"),
            roles.SECRETS_USER,
            ids.service(_DATABRICKS),
            "ServicePrincipal",
        ),
        # A test of the settlement needed a signature that the bank accepts.
        ("borrowed", f"{payments}/keys/settlement-signing", *tests),
        # A test of orders needed a signed-in consumer, and a model that the shop trusts.
        ("signed in", f"{identity}/keys/consumer-token-signing", *tests),
        ("model", f"{data}/keys/ml-registry-signing", *tests),
        # The tests of the ETL read the same secrets, and its sign-in certificate.
        (
            "reader",
            data,
            roles.SECRETS_USER,
            ids.service("etl-runner-test"),
            "ServicePrincipal",
        ),
        ("wrapper", f"{data}/keys/storage-cmk", roles.ENCRYPTION_USER, ids.service(_DISK_SETS[0]), "ServicePrincipal"),
        # Its role was chosen by the name that sounded right.
        ("signing service", f"{data}/keys/storage-cmk", roles.CRYPTO_USER, ids.service(_DISK_SETS[1]), "ServicePrincipal"),
        ("loyalty", ids.scope("contoso-prod", "rg-loyalty-prod"), roles.CONTRIBUTOR, ids.group("Loyalty Engineering"), "Group"),
        (
            "orders",
            ids.scope("contoso-nonprod", "rg-orders-nonprod"),
            roles.CONTRIBUTOR,
            ids.group("Orders Engineering"),
            "Group",
        ),
    ):
        yield what, assigned(ids, scope, role, who, kind)


_FOUND_IN = {
    "custodian": (DATA_PLANE_WIDE, CUSTOM_WILDCARD, KEY_BACKUP),
    "insurer": (FOREIGN_PRINCIPAL,),
    "scope of a notebook": (DATABRICKS_READS,),
    # Their identity belongs to a registry that encrypts, too.
    **dict.fromkeys(("borrowed", "signed in", "model"), (CROSS_ENVIRONMENT, KEY_BACKUP, SERVICE_SIGNS)),
    "reader": (CROSS_ENVIRONMENT,),
    "signing service": (SERVICE_SIGNS, KEY_BACKUP),
}


def _row(assignment: RoleAssignment) -> str:
    return assignment_id(assignment.scope, assignment.id)


def _before(ids: Ids) -> Iterator[tuple[str, str]]:
    """Defects of the grants of `contoso_access`, and of the vaults that they and these apply to."""
    orders = vault_id(ids.subscriptions["contoso-prod"], "rg-orders-prod", CROWN_VAULT)
    loyalty = vault_id(ids.subscriptions["contoso-prod"], "rg-loyalty-prod", "kv-loyalty-prod")
    identity = ids.scope("contoso-prod", "rg-identity-prod", "kv-identity-prod")
    payments = ids.scope("contoso-prod", "rg-payments-prod", "kv-payments-prod")

    def role(scope: str, role: str, who: str) -> str:
        return _row(assigned(ids, scope, role, who, ""))

    # Two users and a guest, through a nested group.
    signing = access_policy_id(orders, ids.group(ORDER_SIGNING))
    yield from ((policy, signing) for policy in (HUMAN_SIGNER, FOREIGN_PRINCIPAL))
    # All permissions: for an active user, and for a deleted one.
    everything = access_policy_id(loyalty, ids.user("sofia.rossi"))
    yield from ((policy, everything) for policy in (ACCESS_POLICY_ALL, HUMAN_SIGNER, KEY_BACKUP))
    yield ACCESS_POLICY_ALL, access_policy_id(orders, ids.user("gone"))
    platform = role(identity, roles.CRYPTO_USER, ids.group("Identity Platform"))
    custodian = role(identity, ids.role(CUSTODIAN), ids.user("ines.moreau"))
    yield from ((policy, platform) for policy in (HUMAN_SIGNER, KEY_BACKUP))
    yield from ((policy, custodian) for policy in (HUMAN_SIGNER, KEY_BACKUP, CUSTOM_WILDCARD))
    yield (
        KEY_BACKUP,
        role(f"{identity}/keys/workforce-token-signing", roles.CRYPTO_USER, ids.service("app-supplier-portal-prod")),
    )
    settlement = role(payments, roles.CRYPTO_USER, ids.service("id-payments-settlement-prod"))
    yield from ((policy, settlement) for policy in (KEY_BACKUP, CONDITION_WITHOUT_EFFECT))
    loader = role(ids.scope("contoso-prod", "rg-data-prod"), roles.ENCRYPTION_USER, ids.service("id-data-loader-prod"))
    yield DATA_PLANE_WIDE, loader
    # He must activate it, but then it applies to all vaults of the platform.
    whole = ids.scope("contoso-platform")
    yield DATA_PLANE_WIDE, eligibility_id(ids.ground.tenant, whole, ids.ground.guid("eligible", whole, "jonas.lind"))
    # Six users in one; in the other, six principals including a pipeline.
    yield CONTROL_PLANE_TO_DATA, loyalty
    yield CONTROL_PLANE_TO_DATA, vault_id(ids.subscriptions["contoso-nonprod"], "rg-orders-nonprod", "kv-orders-dev")


def _of_hsms(ids: Ids) -> Iterator[tuple[str, str]]:
    trust = hsm_id(ids.subscriptions["contoso-platform"], TRUST_HSM.group, TRUST_HSM.name)
    lab = hsm_id(ids.subscriptions["contoso-nonprod"], LAB_HSM.group, LAB_HSM.name)

    def local(plan: HsmPlan, role: str, holder: str, on: str) -> str:
        below = {"": "", "*": "/keys"}.get(on, f"/keys/{on}")
        scope = f"{trust if plan is TRUST_HSM else lab}{below}"
        return assignment_id(scope, ids.ground.guid("hsm-assignment", plan.name, role, holder, on))

    yield HSM_ROLE_AT_ROOT, local(TRUST_HSM, CRYPTO_OFFICER, "Key custodian runbook", "*")
    yield HSM_ROLE_AT_ROOT, local(TRUST_HSM, SERVICE_ENCRYPTION, "Payments SQL server", "*")
    yield EKM_ADMINISTRATORS, local(TRUST_HSM, EKM_ADMINISTRATOR, "Key custodian runbook", "")
    officer = local(TRUST_HSM, CRYPTO_USER, "Priya Nair", "branch-link-signing")
    yield from ((policy, officer) for policy in (HUMAN_SIGNER, KEY_BACKUP))
    yield KEY_BACKUP, local(TRUST_HSM, CRYPTO_USER, "Issuing CA service", "issuing-ca-signing")
    yield KEY_BACKUP, local(TRUST_HSM, CRYPTO_USER, "Trust services", "document-timestamping")
    yield KEY_BACKUP, local(LAB_HSM, CRYPTO_USER, "Ben Adeyemi", "")
    yield HSM_ADMIN_ALSO_USER, trust
    yield HSM_ADMIN_COUNT, lab


def _of_keys(estate: Estate) -> Iterator[tuple[str, str]]:
    # A team and the service itself; on one key, also another service.
    for key in ("consumer-token-signing", "workforce-token-signing", "partner-token-signing", "device-attestation"):
        yield MANY_SIGNERS, key_id("kv-identity-prod", key)
    # Three on-call users and the service.
    for key in (
        "order-event-signing",
        "warehouse-manifest-signing",
        "returns-label-signing",
        "carrier-webhook-signing",
        "edi-gateway-signing",
    ):
        yield MANY_SIGNERS, key_id(CROWN_VAULT, key)
    yield CROSS_ENVIRONMENT_KEY, key_id("kv-payments-prod", "settlement-signing")
    yield CROSS_ENVIRONMENT_KEY, key_id("kv-identity-prod", "consumer-token-signing")
    yield CROSS_ENVIRONMENT_KEY, key_id("kv-data-prod", "ml-registry-signing")
    # The uploaded version is the current one.
    [current] = (one.current for vault in estate.vaults for one in vault.certificates if one.name == "etl-client")
    yield PATH_TO_TIER0, f"{certificate_id('kv-data-prod', 'etl-client')}/{current}"
