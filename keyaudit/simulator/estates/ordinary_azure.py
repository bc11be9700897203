"""What Azure's services leave in the subscription of an ordinary tenant: vaults, keys they use, identities and access."""

from collections.abc import Iterator, Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import (
    AccessPolicy,
    ManagedIdentity,
    Resource,
    RoleAssignment,
    ServicePrincipal,
    Stored,
    Vault,
)
from keyaudit.simulator.estates.certificate_plans import SERVER, CertificatePlan, Furniture, SecretPlan, furnished
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.installer_credentials import Maker
from keyaudit.simulator.estates.key_plans import EVERY, RSA_2048, WRAP, KeyPlan, VaultPlan, VersionPlan, lay_vault
from keyaudit.simulator.estates.log_plans import to_sentinel
from keyaudit.simulator.estates.ordinary_entra import ARO_APP, CLI_APP, DEVOPS_APP, RUN_AS

ENCRYPTION, COSMOS, DISKS, WEB = "kv-encryption", "kv-cosmos", "kv-disks", "kv-web"
DISK_KEY, STORAGE_KEY, SQL_KEY, COSMOS_KEY = "disks-cmk", "storage-cmk", "sql-protector", "cosmos-cmk"
WRAPS_DISK_KEYS, REPORTS_KEY = "disk-kek", "reports-protector"
BEK, BEK_OF_DATABASE = "8C1F4E2B-6D3A-4F7B-9E52-0A1B2C3D4E5F", "5A2D9C74-1E8B-4B36-A0F7-C3D2E1F0A9B8"
BOUGHT = "fabrikam-shop7c9d2f6e-1b3a-4c5d-8e7f-90a1b2c3d4e5"
FRONT_DOOR, LISTENER, ACME = "www-fabrikam", "test-listener", "api-fabrikam"
VPN_SECRET = "vpn-pfx-password"  # noqa: S105
DISK_SET, POLICY, MACHINE, DATABASE_MACHINE = "des-web", "deploy-diagnostics", "vm-app-01", "vm-db-01"
SECRETS_PROVIDER, WRAPPER = "azurekeyvaultsecretsprovider-aks-web", "id-encryption"
OPENSHIFT = "aro-shop"
PARTNER = "Foreign Principal for 'Litware Cloud Services' in Role 'TenantAdmins'"
GROUP = "rg-fabrikam"
_TAGS = {"env": "prod", "owner": "it.operations", "app": "platform"}
_COMPUTE = "Microsoft.Compute"

_closed = partial(VaultPlan, group=GROUP, tags=_TAGS, default_action="Deny", endpoints=("Approved",), logs=to_sentinel)

_VAULTS = (
    _closed(
        name=ENCRYPTION,
        keys=(
            KeyPlan(DISK_KEY, RSA_2048, WRAP, (VersionPlan(120),)),
            # As the portal makes them.
            KeyPlan(STORAGE_KEY, RSA_2048, EVERY, (VersionPlan(200),)),
            KeyPlan(REPORTS_KEY, RSA_2048, EVERY, (VersionPlan(90),)),
            KeyPlan(SQL_KEY, RSA_2048, WRAP, (VersionPlan(20), VersionPlan(385))),
        ),
    ),
    _closed(
        name=COSMOS,
        rbac=False,
        keys=(KeyPlan(COSMOS_KEY, RSA_2048, WRAP, (VersionPlan(150),)),),
    ),
    _closed(name=DISKS, rbac=False, keys=(KeyPlan(WRAPS_DISK_KEYS, RSA_2048, EVERY, (VersionPlan(400),)),)),
    _closed(
        name=WEB,
        keys=(
            KeyPlan(FRONT_DOOR, RSA_2048, EVERY, (VersionPlan(30, 199),), managed=True, exportable=True),
            KeyPlan(LISTENER, RSA_2048, EVERY, (VersionPlan(100, 365),), managed=True, exportable=True),
            # Renewed every 30 days, at two thirds of 45.
            KeyPlan(
                ACME,
                RSA_2048,
                EVERY,
                tuple(VersionPlan(age, 45) for age in (25, 55, 85)),
                managed=True,
                exportable=True,
            ),
        ),
    ),
)
_WEB = Furniture(
    certificates=(
        CertificatePlan(
            FRONT_DOOR,
            "www.fabrikam.example",
            "GeoTrust TLS RSA CA G1",
            "DigiCert",
            names=("www.fabrikam.example",),
            ekus=(SERVER,),
            renew_percentage=80,
        ),
        CertificatePlan(LISTENER, "test.fabrikam.example", reuse_key=True, renew_days=90),
        CertificatePlan(
            ACME, "api.fabrikam.example", "R12", "Unknown", names=("api.fabrikam.example",), ekus=(SERVER,), months=2
        ),
    ),
    secrets=(
        SecretPlan(BOUGHT, (40,), "application/x-pkcs12", 365),
        SecretPlan(VPN_SECRET, (30,), None, 180),
    ),
)
_DISKS = Furniture(secrets=(SecretPlan(BEK, (700,), "BEK"), SecretPlan(BEK_OF_DATABASE, (400,), "BEK")))
_POLICIES: Mapping[str, Mapping[str, AccessPolicy]] = {
    COSMOS: {
        "Azure Cosmos DB": AccessPolicy(principal="", keys=("get", "wrapKey", "unwrapKey")),
        "AzureDatabricks": AccessPolicy(principal="", secrets=("get", "list")),
        "Azure Storage": AccessPolicy(principal="", keys=("get", "wrapKey", "unwrapKey")),
    },
    DISKS: {
        "Backup Management Service": AccessPolicy(principal="", keys=("backup", "get", "list"), secrets=("get", "list")),
        # A job on the machine that gets shared access signatures from the vault, as it did before Microsoft deprecated them.
        MACHINE: AccessPolicy(principal="", storage=("get", "getsas", "listsas")),
    },
}


class Azure(Struct, frozen=True):
    """The subscription of an ordinary tenant."""

    vaults: tuple[Vault, ...]
    principals: tuple[ServicePrincipal, ...]
    identities: tuple[ManagedIdentity, ...]
    resources: tuple[Resource, ...]
    stored: tuple[Stored, ...]
    assignments: tuple[RoleAssignment, ...]


def lay_azure(ground: Ground, subscription: str) -> Azure:
    """The contents of the subscription with that id."""
    vaults = tuple(_vault(plan, subscription, ground) for plan in _VAULTS)
    principals = tuple(_principals(Maker(ground), subscription))
    return Azure(
        vaults=vaults,
        principals=principals,
        identities=tuple(
            ManagedIdentity(
                name=one.name or "",
                subscription=subscription,
                resource_group=GROUP,
                principal_id=one.id,
                client_id=one.app_id,
            )
            for one in principals
            if one.name in (SECRETS_PROVIDER, WRAPPER)
        ),
        resources=tuple(_resources(ground, subscription, vaults)),
        stored=(_policy_assignment(subscription),),
        assignments=tuple(_assignments(ground, subscription)),
    )


def cluster_issuer(ground: Ground, tenant: str = "") -> str:
    """The token issuer of a cluster in Azure."""
    return f"https://westeurope.oic.prod-aks.azure.com/{tenant or ground.tenant}/{ground.guid('cluster')}/"


def arc_issuer(ground: Ground, tenant: str = "") -> str:
    """The token issuer of a cluster that Azure Arc connects."""
    return f"https://westeurope.oic.prod-arc.azure.com/{tenant or ground.tenant}/{ground.guid('arc cluster')}/"


def vault_scope(subscription: str, vault: str) -> str:
    """The scope of a vault, as Azure spells it."""
    return f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{vault}"


def assigned(ground: Ground, principal: str, role: str, scope: str, *, kind: str = "ServicePrincipal") -> RoleAssignment:
    """A role of a principal, by its id."""
    return RoleAssignment(
        id=ground.guid("assignment", principal, role, scope),
        scope=scope,
        role=role,
        principal=principal,
        principal_type=kind,
        created=ground.moment(200, "assignment", principal, role),
    )


def _vault(plan: VaultPlan, subscription: str, ground: Ground) -> Vault:
    vault, _ = lay_vault(plan, subscription, ground)
    vault, _ = furnished(vault, {WEB: _WEB, DISKS: _DISKS}.get(plan.name, Furniture()), ground)
    policies = _POLICIES.get(plan.name, {})
    return replace(
        vault,
        access_policies=tuple(replace(policy, principal=ground.guid("principal", name)) for name, policy in policies.items()),
    )


def _principals(make: Maker, subscription: str) -> Iterator[ServicePrincipal]:
    """Managed identities: of resources, of a policy assignment, and two that users assigned."""
    group = f"/subscriptions/{subscription}/resourcegroups/{GROUP}/providers"
    user_assigned = "Microsoft.ManagedIdentity/userAssignedIdentities"
    for name, explicit, arm in (
        (MACHINE, False, f"{group}/{_COMPUTE}/virtualMachines/{MACHINE}"),
        (DISK_SET, False, f"{group}/{_COMPUTE}/diskEncryptionSets/{DISK_SET}"),
        (POLICY, False, _policy_assignment(subscription).id),
        (SECRETS_PROVIDER, True, f"{group}/{user_assigned}/{SECRETS_PROVIDER}"),
        (WRAPPER, True, f"{group}/{user_assigned}/{WRAPPER}"),
    ):
        yield make.principal(
            name,
            400,
            type="ManagedIdentity",
            home_tenant=None,
            # The platform's own certificate.
            keys=(make.certificate(name, f"CN={make.ground.guid('client', name)}", 12, life=90),),
            alternative_names=(f"isExplicit={explicit}", arm),
            tags=("env:prod",),
        )


def _policy_assignment(subscription: str) -> Stored:
    """The assignment of an own definition that deploys diagnostic settings."""
    scope = f"/subscriptions/{subscription}"
    properties: dict[str, object] = {
        "displayName": POLICY,
        "policyDefinitionId": f"{scope}/providers/Microsoft.Authorization/policyDefinitions/{POLICY}",
        "scope": scope,
        "enforcementMode": "Default",
    }
    return Stored(
        id=f"{scope}/providers/Microsoft.Authorization/policyAssignments/{POLICY}",
        type="Microsoft.Authorization/policyAssignments",
        properties=properties,
    )


def _resources(ground: Ground, subscription: str, vaults: tuple[Vault, ...]) -> Iterator[Resource]:
    current = {key.name: key.current for vault in vaults for key in vault.keys}
    secrets = {secret.name: secret.versions[0].version for vault in vaults for secret in vault.secrets}
    keys = f"https://{ENCRYPTION}.vault.azure.net/keys"

    def resource(type_: str, name: str, properties: dict[str, object]) -> Resource:
        return Resource(
            type=type_, name=name, subscription=subscription, resource_group=GROUP, tags=_TAGS, properties=properties
        )

    yield resource(
        f"{_COMPUTE}/diskEncryptionSets",
        DISK_SET,
        {
            "activeKey": {"keyUrl": f"{keys}/{DISK_KEY}/{current[DISK_KEY]}"},
            "rotationToLatestKeyVersionEnabled": True,
            "encryptionType": "EncryptionAtRestWithCustomerKey",
        },
    )
    account = resource(
        "Microsoft.Storage/storageAccounts",
        "stfabrikamdata",
        {
            "allowSharedKeyAccess": False,
            "keyCreationTime": {"key1": None, "key2": None},
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "identity": {"userAssignedIdentity": _identity_id(subscription, WRAPPER)},
                "keyvaultproperties": {
                    "keyvaulturi": f"https://{ENCRYPTION}.vault.azure.net",
                    "keyname": STORAGE_KEY,
                    "keyversion": "",
                    "currentVersionedKeyIdentifier": f"{keys}/{STORAGE_KEY}/{current[STORAGE_KEY]}",
                },
            },
        },
    )
    attached: dict[str, object] = {_identity_id(subscription, WRAPPER): {}}
    yield replace(account, identity={"type": "UserAssigned", "userAssignedIdentities": attached})
    for server, key in (("sql-fabrikam", SQL_KEY), ("sql-fabrikam-reports", REPORTS_KEY)):
        protected = resource("Microsoft.Sql/servers", server, {"keyId": f"{keys}/{key}/{current[key]}"})
        yield replace(protected, follows_rotation=True)
    yield resource(
        "Microsoft.DocumentDB/databaseAccounts",
        "cosmos-fabrikam",
        {"disableLocalAuth": True, "keyVaultKeyUri": f"https://{COSMOS}.vault.azure.net/keys/{COSMOS_KEY}"},
    )
    for machine, secret in ((MACHINE, BEK), (DATABASE_MACHINE, BEK_OF_DATABASE)):
        key = f"{WRAPS_DISK_KEYS}/{current[WRAPS_DISK_KEYS]}" if machine == DATABASE_MACHINE else ""
        settings = _encrypted_machine(subscription, f"{secret}/{secrets[secret]}", key)
        yield resource(f"{_COMPUTE}/virtualMachines", machine, settings)
    yield resource(
        "Microsoft.CertificateRegistration/certificateOrders",
        "fabrikam-shop",
        {
            "status": "Issued",
            "certificates": {
                "fabrikam-shop": {
                    "keyVaultId": vault_scope(subscription, WEB),
                    "keyVaultSecretName": BOUGHT,
                    "provisioningState": "Succeeded",
                }
            },
        },
    )
    yield resource(
        "Microsoft.ContainerService/managedClusters",
        "aks-web",
        {"disableLocalAccounts": True, "oidcIssuerProfile": {"enabled": True, "issuerURL": cluster_issuer(ground)}},
    )
    yield resource(
        "Microsoft.Kubernetes/connectedClusters",
        "arc-plant",
        {"oidcIssuerProfile": {"enabled": True, "issuerUrl": arc_issuer(ground)}},
    )
    yield resource(
        "Microsoft.RedHatOpenShift/openShiftClusters",
        OPENSHIFT,
        {"servicePrincipalProfile": {"clientId": ground.guid("client", ARO_APP)}},
    )


def _encrypted_machine(subscription: str, secret: str, key: str) -> dict[str, object]:
    """`secret`, `key`: each with its version; a machine may be encrypted without a key."""
    vault, source = f"https://{DISKS}.vault.azure.net", {"id": vault_scope(subscription, DISKS)}
    settings: dict[str, object] = {
        "enabled": True,
        "diskEncryptionKey": {"secretUrl": f"{vault}/secrets/{secret}", "sourceVault": source},
    }
    if key:
        settings["keyEncryptionKey"] = {"keyUrl": f"{vault}/keys/{key}", "sourceVault": source}
    return {"storageProfile": {"osDisk": {"osType": "Windows", "encryptionSettings": settings}}}


def _identity_id(subscription: str, name: str) -> str:
    group = f"/subscriptions/{subscription}/resourceGroups/{GROUP}"
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def _assignments(ground: Ground, subscription: str) -> Iterator[RoleAssignment]:
    whole = f"/subscriptions/{subscription}"
    encryption, web = vault_scope(subscription, ENCRYPTION), vault_scope(subscription, WEB)
    for name, role, scope in (
        (DISK_SET, roles.ENCRYPTION_USER, f"{encryption}/keys/{DISK_KEY}"),
        (WRAPPER, roles.ENCRYPTION_USER, encryption),
        (POLICY, roles.CONTRIBUTOR, whole),
        (RUN_AS, roles.CONTRIBUTOR, whole),
        (DEVOPS_APP, roles.CONTRIBUTOR, whole),
        (CLI_APP, roles.READER, whole),
        (SECRETS_PROVIDER, roles.SECRETS_USER, web),
        ("Microsoft Azure App Service", roles.SECRETS_USER, web),
        ("Microsoft.AzureFrontDoor-Cdn", roles.SECRETS_USER, web),
        ("Microsoft.Azure.CertificateRegistration", roles.SECRETS_OFFICER, web),
    ):
        yield assigned(ground, ground.guid("principal", name), role, scope)
    yield assigned(ground, ground.guid("foreign group", PARTNER), roles.OWNER, whole, kind="ForeignGroup")
