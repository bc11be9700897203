"""A tiny estate with one of everything that the wire can show."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Application,
    AppManagementPolicy,
    AuthorityStore,
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    DeletedCertificate,
    DeletedKey,
    DeletedSecret,
    DeletedVault,
    Domain,
    EkmConnection,
    Estate,
    FederatedCredential,
    Federation,
    Group,
    Key,
    KeyCredential,
    KeyVersion,
    Logs,
    ManagedHsm,
    ManagedIdentity,
    PasswordCredential,
    Posture,
    Resource,
    RotationPolicy,
    Row,
    Secret,
    SecretVersion,
    ServicePrincipal,
    Subscription,
    TokenPolicy,
    TokenSigning,
    Vault,
    Workspace,
)
from keyaudit.simulator.x509 import certificate

AS_OF = 1_795_000_000
TENANT = "3f6c2f6e-0000-4000-8000-00000000aaaa"
SUBSCRIPTION = "5ab5c71b-0000-4000-8000-000000000001"
EMPTY_SUBSCRIPTION = "5ab5c71b-0000-4000-8000-000000000002"
RSA = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")
DAY = 86_400


def version(number: int, **fields: object) -> KeyVersion:
    """A software RSA version, made `number` days before the estate's day."""
    made = AS_OF - number * DAY
    defaults: dict[str, object] = {
        "version": f"{number * 2654435761 % 2**32:08x}{number:024x}",
        "kty": "RSA",
        "key_ops": RSA,
        "key_size": 2048,
        "created": made,
        "updated": made,
    }
    return KeyVersion(**{**defaults, **fields})  # type: ignore[arg-type]


def key(name: str, *versions: KeyVersion, **fields: object) -> Key:
    """A key whose last named version is the current one."""
    found = versions or (version(10),)
    return Key(name=name, versions=found, current=found[-1].version, **fields)  # type: ignore[arg-type]


SIGNING = key(
    "Signing",
    version(900, enabled=False),
    version(400, exp=AS_OF - 5 * DAY),
    version(20, nbf=AS_OF - 20 * DAY, exp=AS_OF + 300 * DAY, tags={"env": "prod"}),
    rotation=RotationPolicy(rotate_after="P90D", expiry_time="P1Y", created=AS_OF - 900 * DAY),
)
ELLIPTIC = key(
    "elliptic",
    version(30, kty="EC-HSM", key_ops=("sign", "verify"), key_size=None, crv="P-256", hsm_platform="2"),
)
EXPORTABLE = key("exportable", version(40, exportable=True, release_policy_immutable=False))
BACKING = key("backing", version(50), managed=True)
OLD = key("old", version(60, created=None, updated=None, hsm_platform=None))

CERTIFICATE = Certificate(
    name="backing",
    versions=(
        CertificateVersion(
            version=version(50).version, created=AS_OF - 50 * DAY, nbf=AS_OF - 50 * DAY - 600, exp=AS_OF + 315 * DAY
        ),
    ),
    current=version(50).version,
    subject="backing.example",
    names=("backing.example",),
    policy=CertificatePolicy(renew_percentage=80, updated=AS_OF - 50 * DAY),
)
REQUESTED = Certificate(
    name="requested",
    versions=(CertificateVersion(version="1" * 32, created=AS_OF - DAY, nbf=None, exp=None, enabled=False, issued=False),),
    current="1" * 32,
    subject="requested.example",
)
SECRET = Secret(name="Password", versions=(SecretVersion(version="2" * 32, created=AS_OF - DAY, content_type="text/plain"),))

OPEN = Vault(
    name="kv-open",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Main",
    keys=(SIGNING, ELLIPTIC, EXPORTABLE, BACKING, OLD),
    deleted_keys=(DeletedKey(key=key("gone"), deleted=AS_OF - DAY, purge=AS_OF + 6 * DAY),),
    certificates=(CERTIFICATE, REQUESTED),
    deleted_certificates=(
        DeletedCertificate(certificate=replace(CERTIFICATE, name="gone"), deleted=AS_OF - DAY, purge=AS_OF + 6 * DAY),
    ),
    secrets=(SECRET, Secret(name="backing", versions=SECRET.versions, managed=True)),
    deleted_secrets=(DeletedSecret(secret=replace(SECRET, name="gone"), deleted=AS_OF - DAY, purge=AS_OF + 6 * DAY),),
    retention_days=7,
    purge_protection=None,
    tags={"env": "prod"},
    diagnostic_settings=({"id": "d1", "name": "audit", "properties": {"logs": []}},),
)
_EKM_CA = certificate("CN=EKM CA", key_name="ekm", start=AS_OF - 100 * DAY, end=AS_OF + 900 * DAY, authority=True)
HSM = ManagedHsm(
    name="hsm-open",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Main",
    keys=(
        key(
            SIGNING.name,
            version(35, kty="EC-HSM", key_ops=("sign", "verify"), key_size=None, crv="P-256", hsm_platform=None),
            replace(SIGNING.versions[-1], kty="RSA-HSM", hsm_platform=None),
        ),
    ),
    ekm=EkmConnection(host="ekm.example", server_cas=(_EKM_CA,), client_cas=(_EKM_CA,)),
)
MANY = Vault(
    name="kv-many",
    subscription=SUBSCRIPTION,
    resource_group="rg-main",
    rbac=None,
    default_action="Deny",
    keys=(
        *(key(f"key-{number:02}") for number in range(60)),
        key("rotated", *(version(number) for number in range(1, 31))),
    ),
)

APPLICATIONS = (
    Application(
        id="a0000000-0000-4000-8000-000000000001",
        app_id="a1000000-0000-4000-8000-000000000001",
        name="payroll",
        created=AS_OF - 900 * DAY,
        identifier_uris=("api://payroll",),
        scopes=("Payroll.Read",),
        roles=("Payroll.Admin",),
        passwords=(
            PasswordCredential(
                key_id="e0000000-0000-4000-8000-0000000000a1", start=AS_OF - DAY, end=AS_OF + DAY, display_name="ci"
            ),
        ),
        keys=(
            KeyCredential(
                key_id="e0000000-0000-4000-8000-0000000000c1", start=AS_OF - DAY, end=AS_OF + DAY, thumbprint="AB" * 20
            ),
        ),
        federated=(
            FederatedCredential(
                id="f0000000-0000-4000-8000-000000000001",
                name="github",
                issuer="https://token.actions.githubusercontent.com",
                subject="repo:o/r:ref:refs/heads/main",
            ),
            FederatedCredential(
                id="f0000000-0000-4000-8000-000000000002",
                name="flexible",
                issuer="https://issuer.example",
                subject=None,
                claims_expression="claims['a'] eq 'b'",
            ),
        ),
        owners=tuple(f"0a000000-0000-4000-8000-0000000000{number:02}" for number in range(25)),
    ),
    *(
        Application(
            id=f"a0000000-0000-4000-8000-000000000{number:03}",
            app_id=f"a1000000-0000-4000-8000-000000000{number:03}",
            name=f"app {number}",
            created=AS_OF - number * DAY,
        )
        for number in range(2, 131)
    ),
)
PRINCIPALS = (
    ServicePrincipal(
        id="50000000-0000-4000-8000-000000000001",
        app_id="a1000000-0000-4000-8000-000000000001",
        name="payroll",
        created=AS_OF - 900 * DAY,
        home_tenant=TENANT,
        sso_mode="saml",
        preferred_thumbprint="CD" * 20,
        passwords=(
            PasswordCredential(
                key_id="e0000000-0000-4000-8000-0000000000a2", start=None, end=AS_OF + DAY, thumbprint="CD" * 20
            ),
        ),
        keys=(
            KeyCredential(
                key_id="e0000000-0000-4000-8000-0000000000c2",
                start=AS_OF - DAY,
                end=AS_OF + DAY,
                usage="Sign",
                type="X509CertAndPassword",
            ),
        ),
        owners=("0a000000-0000-4000-8000-000000000000", "50000000-0000-4000-8000-000000000002"),
    ),
    ServicePrincipal(
        id="50000000-0000-4000-8000-000000000002",
        app_id="a1000000-0000-4000-8000-000000000999",
        name=None,
        created=None,
        type="ManagedIdentity",
    ),
)

POLICIES = tuple(
    TokenPolicy(
        collection=collection,
        id=f"90000000-0000-4000-8000-00000000000{number}",
        name=collection,
        definition=(f'{{"{collection[0].upper()}{collection[1:-3]}y":{{"Version":1}}}}',),
        applies_to=(APPLICATIONS[0].id, PRINCIPALS[0].id),
    )
    for number, collection in enumerate(("claimsMappingPolicies", "tokenLifetimePolicies", "tokenIssuancePolicies"))
)
STORE = AuthorityStore(id="91000000-0000-4000-8000-000000000001", name="PKI")
ADFS = certificate("CN=ADFS Signing", key_name="adfs", start=AS_OF - 30 * DAY, end=AS_OF + 300 * DAY)

GROUP = Group(id="6a000000-0000-4000-8000-000000000001", name="Signers")


class Nothing:
    """Logs in which nothing happened."""

    def table(self, workspace: str, table: str, first: float, until: float) -> list[Row] | None:
        return [] if table == "AuditLogs" else None

    def graph(self, collection: str, first: float, until: float) -> list[Row]:
        return []


SMALL = Estate(
    name="small",
    as_of=AS_OF,
    tenant_id=TENANT,
    tenant_name="Small",
    tenant_created=AS_OF - 3000 * DAY,
    domains=(
        Domain(name="small.example", default=True),
        Domain(name="small.onmicrosoft.example", initial=True),
        Domain(
            name="adfs.example",
            federated=True,
            federation=Federation(
                id="92000000-0000-4000-8000-000000000001", name="AD FS", host="sts.adfs.example", certificate=ADFS
            ),
        ),
    ),
    subscriptions=(
        Subscription(id=SUBSCRIPTION, name="Production"),
        Subscription(id=EMPTY_SUBSCRIPTION, name="Sandbox"),
    ),
    deleted_vaults=(
        DeletedVault(
            name="kv-gone", subscription=SUBSCRIPTION, resource_group="Rg-Main", deleted=AS_OF - DAY, purge=AS_OF + 89 * DAY
        ),
    ),
    vaults=(OPEN, MANY),
    hsms=(HSM,),
    applications=(*APPLICATIONS[:-1], replace(APPLICATIONS[-1], blueprint=True)),
    service_principals=PRINCIPALS,
    groups=(GROUP,),
    resources=(
        Resource(
            type="Microsoft.Sql/servers",
            name="sql-main",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            properties={"keyId": f"https://kv-open.vault.azure.net/keys/{SIGNING.name}/{SIGNING.current}"},
        ),
        *(
            Resource(type=type_, name=name, subscription=SUBSCRIPTION, resource_group="rg-main", properties={})
            for type_, name in (
                ("Microsoft.Cdn/profiles", "afd-main"),
                ("Microsoft.Storage/storageAccounts", "stmain"),
                ("Microsoft.ApiManagement/service", "app"),
                ("Microsoft.Cdn/profiles/endpoints", "app/stage"),
                ("Microsoft.Web/sites", "app"),
                ("Microsoft.Web/sites/slots", "app/stage"),
            )
        ),
    ),
    identities=(
        ManagedIdentity(
            name="id-pod",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            principal_id="50000000-0000-4000-8000-000000000002",
            client_id="a1000000-0000-4000-8000-000000000999",
        ),
    ),
    token_signing=TokenSigning(policies=POLICIES, infrastructures=(STORE,)),
    posture=Posture(policies=(AppManagementPolicy(id="b0000000-0000-4000-8000-000000000001", name="exception"),)),
    logs=Logs(
        workspaces=(Workspace(name="log-main", subscription=SUBSCRIPTION, resource_group="rg-main", sentinel=()),),
        events=Nothing(),
    ),
)
