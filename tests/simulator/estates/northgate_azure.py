"""The subscriptions of Northgate: vaults by team and stage, what encrypts with their keys, identities and roles."""

from collections.abc import Iterator
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import (
    AccessPolicy,
    Eligibility,
    ManagedIdentity,
    Resource,
    RoleAssignment,
    ServicePrincipal,
    Subscription,
    Vault,
)
from keyaudit.simulator.estates.certificate_plans import CODE, SERVER, CertificatePlan, Furniture, SecretPlan, furnished
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.installer_credentials import Maker
from keyaudit.simulator.estates.key_plans import (
    EVERY,
    P256_HSM,
    RSA_2048,
    RSA_HSM_3072,
    SIGN,
    WRAP,
    KeyPlan,
    VaultPlan,
    VersionPlan,
    kept,
    lay_vault,
)
from keyaudit.simulator.estates.log_plans import PLATFORM as PLATFORM_SEED
from keyaudit.simulator.estates.log_plans import setting, to_sentinel, unlogged, workspace_id
from tests.simulator.estates.northgate_entra import (
    ADMINISTRATORS,
    AUDITORS,
    DEVELOPERS,
    FREIGHT_CI,
    KEY_CUSTODIANS,
    LANDING_ZONE,
    PLATFORM_TEAM,
)

PLATFORM, PROD, TEST = "ng-platform", "ng-prod", "ng-test"
CMK, WEB, SIGNING, BUILD, SANDBOX = (
    "kv-ng-cmk-prod",
    "kv-ng-web-prod",
    "kv-ng-signing-prod",
    "kv-ng-build-prod",
    "kv-ng-sandbox",
)
CODE_SIGNING, SQL_KEY, BILL_OF_LADING = "code-signing", "sql-protector", "bill-of-lading-signing"
_TEAMS = ("freight", "route", "dock", "telematics", "customs", "claims")
_TABLE_SHARED, _ADE, _SAP = "kv-ng-data-prod", "kv-ng-ade-prod", "kv-ng-sap-prod"
_BEK = "9D2F5F3A-7E4B-4C8C-8F63-1B2C3D4E5F60"
_GROUPS = {PROD: "rg-ng-prod", TEST: "rg-ng-test", PLATFORM: "rg-ng-platform"}

_prod = partial(VaultPlan, group=_GROUPS[PROD], default_action="Deny", endpoints=("Approved",), logs=to_sentinel)
_test = partial(VaultPlan, group=_GROUPS[TEST], sku="standard", tags={"env": "test"}, logs=unlogged)


def _tags(app: str) -> dict[str, str]:
    return {"env": "prod", "owner": "platform", "app": app}


_VAULTS = (
    _prod(
        name=CMK,
        tags=_tags("encryption"),
        keys=(
            kept("disks-cmk", RSA_2048, WRAP, 120),
            # Its creator chose neither its operations nor an end date.
            KeyPlan("storage-cmk", RSA_2048, EVERY, (VersionPlan(200),)),
            # https://learn.microsoft.com/azure/azure-sql/database/transparent-data-encryption-byok-overview
            kept(SQL_KEY, RSA_2048, WRAP, 90, count=2, live=1),
            kept("cosmos-cmk", RSA_2048, WRAP, 150),
        ),
    ),
    _prod(
        name=WEB,
        tags=_tags("edge"),
        keys=tuple(
            KeyPlan(name, RSA_2048, EVERY, (VersionPlan(age, 199),), managed=True, exportable=True)
            for name, age in (("www-northgate", 40), ("portal-northgate", 70), ("api-northgate", 25))
        ),
    ),
    _prod(
        name=SIGNING,
        tags=_tags("documents"),
        keys=(kept(BILL_OF_LADING, P256_HSM, SIGN, 80, count=2, live=1), kept("invoice-signing", P256_HSM, SIGN, 50)),
    ),
    # Publicly trusted code signing keys are in an HSM. https://cabforum.org/working-groups/code-signing/requirements/
    _prod(
        name=BUILD,
        tags=_tags("build"),
        keys=(KeyPlan(CODE_SIGNING, RSA_HSM_3072, EVERY, (VersionPlan(60, 365),), managed=True),),
    ),
    *(_prod(name=f"kv-ng-{team}-prod", sku="standard", tags=_tags(team)) for team in _TEAMS),
    *(_test(name=f"kv-ng-{team}-test") for team in _TEAMS),
    # Access policies, from before roles.
    *(_prod(name=name, sku="standard", rbac=False, tags=_tags("legacy")) for name in (_TABLE_SHARED, _SAP)),
    _prod(name=_ADE, rbac=False, tags=_tags("disks"), keys=(KeyPlan("disk-kek", RSA_2048, WRAP, (VersionPlan(300),)),)),
    _test(name=SANDBOX, purge_protection=None),
    _test(name="kv-ng-data-test", rbac=False),
    _prod(name="kv-ng-platform", group=_GROUPS[PLATFORM], sku="standard", tags=_tags("platform")),
)
_SUBSCRIPTIONS = {group: name for name, group in _GROUPS.items()}
_AUTHORITY = "GeoTrust TLS RSA CA G1"


def _furniture(vault: str) -> Furniture:
    if vault == WEB:
        return Furniture(
            certificates=tuple(
                CertificatePlan(
                    f"{host}-northgate", f"{host}.northgate.example", _AUTHORITY, "DigiCert",
                    names=(f"{host}.northgate.example",), ekus=(SERVER,), renew_percentage=80,
                )
                for host in ("www", "portal", "api")
            )
        )  # fmt: skip
    if vault == BUILD:
        plan = CertificatePlan(CODE_SIGNING, "Northgate Haulage Ltd", "DigiCert Code Signing CA G4", "Unknown", ekus=(CODE,))
        return Furniture(certificates=(replace(plan, exportable=False, mail_percentage=80),))
    if vault == _ADE:
        return Furniture(secrets=(SecretPlan(_BEK, (500,), "BEK"),))
    stage = "test" if "test" in vault or vault == SANDBOX else "prod"
    names = () if vault in (CMK, SIGNING) else (f"database-{stage}", f"smtp-relay-{stage}", f"partner-api-{stage}")
    lives: tuple[int | None, ...] = (180, 365, None if stage == "test" else 365)
    return Furniture(
        secrets=tuple(
            SecretPlan(name, (60 + 20 * nth,), "text/plain", life)
            for nth, (name, life) in enumerate(zip(names, lives, strict=False))
        )
    )


class Azure(Struct, frozen=True):
    """All of it."""

    subscriptions: tuple[Subscription, ...]
    vaults: tuple[Vault, ...]
    principals: tuple[ServicePrincipal, ...]
    identities: tuple[ManagedIdentity, ...]
    resources: tuple[Resource, ...]
    assignments: tuple[RoleAssignment, ...]
    eligibilities: tuple[Eligibility, ...]


def lay_azure(make: Maker) -> Azure:
    """The subscriptions with all they hold."""
    ground = make.ground
    vaults = tuple(_vault(ground, plan) for plan in _VAULTS)
    principals = tuple(_principals(make))
    return Azure(
        subscriptions=tuple(_subscription(ground, name) for name in (PLATFORM, PROD, TEST)),
        vaults=vaults,
        principals=principals,
        identities=tuple(
            ManagedIdentity(
                name=one.name or "",
                subscription=subscription_id(ground, PROD),
                resource_group=_GROUPS[PROD],
                principal_id=one.id,
                client_id=one.app_id,
            )
            for one in principals
            if one.alternative_names[0] == "isExplicit=True"
        ),
        resources=tuple(_resources(ground, vaults)),
        assignments=tuple(_assignments(ground)),
        eligibilities=tuple(_eligibilities(ground)),
    )


def subscription_id(ground: Ground, name: str) -> str:
    """The id of a subscription; the logs expect the one with the workspaces."""
    return ground.guid("subscription", PLATFORM_SEED if name == PLATFORM else name)


def cluster_issuer(ground: Ground) -> str:
    """The token issuer of the cluster."""
    return f"https://westeurope.oic.prod-aks.azure.com/{ground.tenant}/{ground.guid('cluster')}/"


def scope_of(ground: Ground, subscription: str, vault: str = "") -> str:
    """A subscription, or a vault in it, as Azure spells its id."""
    whole = f"/subscriptions/{subscription_id(ground, subscription)}"
    group = f"{whole}/resourceGroups/{_GROUPS[subscription]}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{vault}" if vault else whole


def assigned(ground: Ground, principal: str, role: str, scope: str, kind: str = "ServicePrincipal") -> RoleAssignment:
    """A role of a principal, by its id."""
    return RoleAssignment(
        id=ground.guid("assignment", principal, role, scope),
        scope=scope,
        role=role,
        principal=principal,
        principal_type=kind,
        created=ground.moment(200, "assignment", principal, role),
    )


def _subscription(ground: Ground, name: str) -> Subscription:
    # https://learn.microsoft.com/azure/cloud-adoption-framework/ready/landing-zone/
    place = f"subscriptions/{subscription_id(ground, name)}/providers/AzureResourceManager"
    categories = ("Administrative", "Security", "Alert", "Policy")
    return Subscription(
        id=subscription_id(ground, name),
        name=name,
        management_groups=("mg-platform" if name == PLATFORM else "mg-landing-zones", "mg-northgate"),
        activity_settings=(setting(place, "activity", categories, workspace=workspace_id(ground, "log-security")),),
        defender="Free" if name == TEST else "Standard",
    )


def _vault(ground: Ground, plan: VaultPlan) -> Vault:
    vault, _ = lay_vault(plan, subscription_id(ground, _SUBSCRIPTIONS[plan.group]), ground)
    vault, _ = furnished(vault, _furniture(plan.name), ground)
    policies = {
        # https://learn.microsoft.com/azure/databricks/security/secrets/workspace-secret-scopes: a scope reads the vault.
        _TABLE_SHARED: (("AzureDatabricks", (), ("get", "list")), ("mi-etl", (), ("get",))),
        _SAP: (("mi-sap", (), ("get",)),),
        # https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption
        _ADE: (("Backup Management Service", ("backup", "get", "list"), ("backup", "get", "list")),),
        "kv-ng-data-test": (("mi-etl", (), ("get",)),),
    }.get(plan.name, ())
    return replace(
        vault,
        access_policies=tuple(
            AccessPolicy(principal=ground.guid("principal", name), keys=keys, secrets=secrets)
            for name, keys, secrets in policies
        ),
    )


_WEB_APPS = tuple(
    f"app-{team}-{part}-{stage}" for team in _TEAMS for part in ("web", "api", "jobs", "mail") for stage in ("prod", "test")
)
_ASSIGNED = (
    "id-encryption",
    "id-freight-worker",
    "id-bill-of-lading",
    "id-code-signing",
    "azurekeyvaultsecretsprovider-aks-ng",
)


def _principals(make: Maker) -> Iterator[ServicePrincipal]:
    """Managed identities. Azure renews their certificates of 90 days.

    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq
    """
    kinds = {"mi-etl": "Microsoft.DataFactory/factories", "mi-sap": "Microsoft.Compute/virtualMachines"}
    kinds |= {"des-ng": "Microsoft.Compute/diskEncryptionSets", "agw-ng": "Microsoft.Logic/workflows"}
    kinds |= dict.fromkeys(_WEB_APPS, "Microsoft.Web/sites")
    kinds |= dict.fromkeys(_ASSIGNED, "Microsoft.ManagedIdentity/userAssignedIdentities")
    for name, kind in kinds.items():
        stage = TEST if name.endswith("test") else PROD
        group = f"{scope_of(make.ground, stage)}/resourcegroups/{_GROUPS[stage]}"
        yield make.principal(
            name,
            400,
            type="ManagedIdentity",
            home_tenant=None,
            keys=(make.certificate(name, f"CN={make.ground.guid('client', name)}", 12, life=90),),
            alternative_names=(f"isExplicit={name in _ASSIGNED}", f"{group}/providers/{kind}/{name}"),
        )


def _resources(ground: Ground, vaults: tuple[Vault, ...]) -> Iterator[Resource]:
    current = {key.name: key.current for vault in vaults for key in vault.keys}
    keys = f"https://{CMK}.vault.azure.net/keys"

    def resource(type_: str, name: str, properties: dict[str, object]) -> Resource:
        return Resource(
            type=type_,
            name=name,
            subscription=subscription_id(ground, PROD),
            resource_group=_GROUPS[PROD],
            tags=_tags("platform"),
            properties=properties,
        )

    disks = {
        "activeKey": {"keyUrl": f"{keys}/disks-cmk/{current['disks-cmk']}"},
        "rotationToLatestKeyVersionEnabled": True,
        "encryptionType": "EncryptionAtRestWithCustomerKey",
    }
    yield resource("Microsoft.Compute/diskEncryptionSets", "des-ng", disks)
    wrapper = f"{scope_of(ground, PROD)}/resourceGroups/{_GROUPS[PROD]}/providers/Microsoft.ManagedIdentity"
    wrapper = f"{wrapper}/userAssignedIdentities/id-encryption"
    for name in ("stngfreight", "stngtelematics"):
        encryption = {
            "keySource": "Microsoft.Keyvault",
            "identity": {"userAssignedIdentity": wrapper},
            "keyvaultproperties": {
                "keyvaulturi": f"https://{CMK}.vault.azure.net",
                "keyname": "storage-cmk",
                "keyversion": "",
                "currentVersionedKeyIdentifier": f"{keys}/storage-cmk/{current['storage-cmk']}",
            },
        }
        off = {"allowSharedKeyAccess": False, "keyCreationTime": {"key1": None, "key2": None}, "encryption": encryption}
        account = resource("Microsoft.Storage/storageAccounts", name, off)
        yield replace(account, identity={"type": "UserAssigned", "userAssignedIdentities": {wrapper: {}}})
    server = resource("Microsoft.Sql/servers", "sql-ng-prod", {"keyId": f"{keys}/{SQL_KEY}/{current[SQL_KEY]}"})
    yield replace(server, follows_rotation=True)
    cosmos = {"disableLocalAuth": True, "keyVaultKeyUri": f"{keys}/cosmos-cmk"}
    yield resource("Microsoft.DocumentDB/databaseAccounts", "cosmos-ng", cosmos)
    issuer = {"enabled": True, "issuerURL": cluster_issuer(ground)}
    cluster: dict[str, object] = {"disableLocalAccounts": True, "oidcIssuerProfile": issuer}
    yield resource("Microsoft.ContainerService/managedClusters", "aks-ng", cluster)
    [ade] = [vault for vault in vaults if vault.name == _ADE]
    secret = next(one for one in ade.secrets if one.name == _BEK).versions[0].version
    source, base = {"id": scope_of(ground, PROD, _ADE)}, f"https://{_ADE}.vault.azure.net"
    settings = {
        "enabled": True,
        "diskEncryptionKey": {"secretUrl": f"{base}/secrets/{_BEK}/{secret}", "sourceVault": source},
        "keyEncryptionKey": {"keyUrl": f"{base}/keys/disk-kek/{current['disk-kek']}", "sourceVault": source},
    }
    machine: dict[str, object] = {"storageProfile": {"osDisk": {"osType": "Windows", "encryptionSettings": settings}}}
    yield resource("Microsoft.Compute/virtualMachines", "mi-sap", machine)


def _assignments(ground: Ground) -> Iterator[RoleAssignment]:
    def principal(name: str) -> str:
        return ground.guid("principal", name)

    for name in _WEB_APPS:
        stage = TEST if name.endswith("test") else PROD
        yield assigned(
            ground, principal(name), roles.SECRETS_USER, scope_of(ground, stage, f"kv-ng-{name.split('-')[1]}-{stage[3:]}")
        )
    cmk, signing = scope_of(ground, PROD, CMK), scope_of(ground, PROD, SIGNING)
    for name, role, scope in (
        ("des-ng", roles.ENCRYPTION_USER, f"{cmk}/keys/disks-cmk"),
        ("id-encryption", roles.ENCRYPTION_USER, f"{cmk}/keys/storage-cmk"),
        ("Azure SQL Database", roles.ENCRYPTION_USER, f"{cmk}/keys/{SQL_KEY}"),
        ("Azure Cosmos DB", roles.ENCRYPTION_USER, f"{cmk}/keys/cosmos-cmk"),
        ("id-bill-of-lading", roles.CRYPTO_USER, f"{signing}/keys/{BILL_OF_LADING}"),
        ("app-customs-api-prod", roles.CRYPTO_USER, f"{signing}/keys/invoice-signing"),
        ("id-code-signing", roles.CRYPTO_USER, f"{scope_of(ground, PROD, BUILD)}/keys/{CODE_SIGNING}"),
        ("Microsoft.AzureFrontDoor-Cdn", roles.SECRETS_USER, scope_of(ground, PROD, WEB)),
        ("azurekeyvaultsecretsprovider-aks-ng", roles.SECRETS_USER, scope_of(ground, PROD, "kv-ng-freight-prod")),
        ("Datadog Azure Integration", roles.READER, scope_of(ground, PROD)),
        ("snow-discovery", roles.READER, scope_of(ground, PROD)),
        ("terraform-landing-zone-plan", roles.READER, scope_of(ground, PROD)),
        # https://azure.github.io/Azure-Landing-Zones/accelerator/faq/permissions: Reader to plan, Owner to apply.
        (LANDING_ZONE, roles.OWNER, scope_of(ground, PLATFORM)),
        (FREIGHT_CI, roles.CONTRIBUTOR, f"{scope_of(ground, PROD)}/resourceGroups/rg-freight-apps"),
    ):
        yield assigned(ground, principal(name), role, scope)
    for group, role, scope in (
        (AUDITORS, roles.READER, scope_of(ground, PROD)),
        (PLATFORM_TEAM, roles.READER, scope_of(ground, PROD)),
        (DEVELOPERS, roles.CONTRIBUTOR, scope_of(ground, TEST)),
        (DEVELOPERS, roles.SECRETS_OFFICER, scope_of(ground, TEST)),
    ):
        yield assigned(ground, ground.guid("group", group), role, scope, "Group")


def _eligibilities(ground: Ground) -> Iterator[Eligibility]:
    """Power over production is activated. https://learn.microsoft.com/entra/id-governance/privileged-identity-management/"""
    held = [(ground.guid("user", alias), "User", roles.OWNER, scope_of(ground, PROD)) for alias in ADMINISTRATORS]
    held += [
        (ground.guid("group", PLATFORM_TEAM), "Group", roles.CONTRIBUTOR, scope_of(ground, PROD)),
        *(
            (ground.guid("group", KEY_CUSTODIANS), "Group", roles.VAULT_ADMINISTRATOR, scope_of(ground, PROD, vault))
            for vault in (CMK, SIGNING, BUILD)
        ),
    ]
    for principal, kind, role, scope in held:
        yield Eligibility(
            id=ground.guid("eligible", principal, role, scope),
            scope=scope,
            role=role,
            principal=principal,
            principal_type=kind,
            start=ground.moment(100, "eligible", principal),
            end=ground.moment(-260, "eligible", principal),
        )
