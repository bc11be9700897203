"""A tenant of a few objects, one of each kind that collectors tell apart."""

from keyaudit.simulator.estate import (
    Application,
    Domain,
    Estate,
    FederatedCredential,
    Federation,
    Key,
    KeyCredential,
    KeyVersion,
    PasswordCredential,
    RotationPolicy,
    ServicePrincipal,
    Subscription,
    Vault,
)
from keyaudit.simulator.x509 import certificate, thumbprint

AS_OF = 1_795_000_000
DAY = 86_400
TENANT = "3f6c2f6e-0000-4000-8000-00000000bbbb"
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
SUBSCRIPTION = "5ab5c71b-0000-4000-8000-00000000000a"
EMPTY_SUBSCRIPTION = "5ab5c71b-0000-4000-8000-00000000000b"
SIGN = ("sign", "verify")
OWNER = "0a000000-0000-4000-8000-0000000000{:02}"
SAML_CERTIFICATE = certificate("CN=payroll", key_name="payroll", start=AS_OF - DAY, end=AS_OF + DAY)
SAML = thumbprint(SAML_CERTIFICATE)
CREDENTIAL_CERTIFICATE = certificate("CN=client", key_name="client", start=AS_OF - DAY, end=AS_OF + DAY)
STS_CERTIFICATE = certificate("CN=ADFS Signing - sts.a.example", key_name="sts", start=AS_OF - 100 * DAY, end=AS_OF + 265 * DAY)
STS = thumbprint(STS_CERTIFICATE)
FEDERATION = Federation(
    id="d0000000-0000-4000-8000-000000000001",
    name="Contoso",
    host="sts.a.example",
    certificate=STS_CERTIFICATE,
)


def version(number: int, **fields: object) -> KeyVersion:
    """A software RSA version, made `number` days before the estate's day; its id starts with `number`."""
    made = AS_OF - number * DAY
    defaults: dict[str, object] = {
        "version": f"{number:032d}",
        "kty": "RSA",
        "key_ops": SIGN,
        "key_size": 3072,
        "created": made,
        "updated": made,
    }
    return KeyVersion(**{**defaults, **fields})  # type: ignore[arg-type]


ROTATED = Key(
    name="Rotated",
    versions=(version(300, enabled=False), version(200), version(10, exp=AS_OF + 80 * DAY, tags={"Env": "Prod"})),
    current=version(10).version,
    rotation=RotationPolicy(rotate_before_expiry="P30D", expiry_time="P90D", created=AS_OF - 300 * DAY),
)
CURVED = Key(
    name="curved",
    versions=(version(30, kty="EC-HSM", key_size=None, crv="P-384", hsm_platform="2", release_policy_immutable=False),),
    current=version(30).version,
)
BACKING = Key(name="backing", versions=(version(50),), current=version(50).version, managed=True)

FIRST = Vault(
    name="kv-First",
    subscription=SUBSCRIPTION,
    resource_group="Rg-Main",
    keys=(ROTATED, CURVED, BACKING),
    tags={"Env": "prod"},
    retention_days=7,
)
SECOND = Vault(
    name="kv-second",
    subscription=SUBSCRIPTION,
    resource_group="rg-other",
    keys=(Key(name="only", versions=(version(70),), current=version(70).version),),
    rbac=None,
    purge_protection=None,
    retention_days=None,
    public_network_access=None,
    sku="premium",
)

APPLICATIONS = (
    Application(
        id="a0000000-0000-4000-8000-000000000001",
        app_id="a1000000-0000-4000-8000-000000000001",
        name="payroll",
        created=AS_OF - 900 * DAY,
        identifier_uris=("api://payroll",),
        scopes=("Payroll.Read",),
        passwords=(
            PasswordCredential(key_id="c0000000-0000-4000-8000-000000000001", start=None, end=AS_OF, display_name="ci"),
        ),
        keys=(
            KeyCredential(
                key_id="c0000000-0000-4000-8000-000000000002",
                start=AS_OF - DAY,
                end=AS_OF,
                thumbprint="AB" * 20,
                certificate=CREDENTIAL_CERTIFICATE,
            ),
        ),
        federated=(
            FederatedCredential(
                id="f0000000-0000-4000-8000-000000000001", name="github", issuer="https://ci.example", subject="repo:o/r"
            ),
        ),
        owners=tuple(OWNER.format(number) for number in range(25)),
    ),
    Application(
        id="a0000000-0000-4000-8000-000000000002",
        app_id="a1000000-0000-4000-8000-000000000002",
        name="P2P Server",
        created=None,
        keys=(KeyCredential(key_id="c0000000-0000-4000-8000-000000000003", start=None, end=None, type="Symmetric"),),
        owners=(OWNER.format(2), OWNER.format(1)),
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
        preferred_thumbprint=SAML,
        keys=(
            KeyCredential(
                key_id="c0000000-0000-4000-8000-000000000004",
                start=AS_OF - DAY,
                end=AS_OF + DAY,
                usage="Sign",
                type="X509CertAndPassword",
                thumbprint=SAML,
                certificate=SAML_CERTIFICATE,
            ),
            KeyCredential(
                key_id="c0000000-0000-4000-8000-000000000005",
                start=AS_OF - DAY,
                end=AS_OF + DAY,
                thumbprint=SAML,
                certificate=SAML_CERTIFICATE,
            ),
        ),
        passwords=(
            PasswordCredential(
                key_id="c0000000-0000-4000-8000-000000000004", start=AS_OF - DAY, end=AS_OF + DAY, thumbprint=SAML
            ),
        ),
        owners=tuple(OWNER.format(number) for number in range(20)),
    ),
    ServicePrincipal(
        id="50000000-0000-4000-8000-000000000002",
        app_id="a1000000-0000-4000-8000-000000000003",
        name=None,
        created=None,
        type="ManagedIdentity",
        enabled=None,
        keys=(
            KeyCredential(
                key_id="c0000000-0000-4000-8000-000000000006",
                start=AS_OF - DAY,
                end=AS_OF + DAY,
                certificate=CREDENTIAL_CERTIFICATE,
            ),
        ),
        federated=(
            FederatedCredential(
                id="f0000000-0000-4000-8000-000000000002", name="pod", issuer="https://aks.example", subject="system:sa"
            ),
        ),
    ),
    ServicePrincipal(
        id="50000000-0000-4000-8000-000000000003",
        app_id="00000003-0000-0000-c000-000000000000",
        name="Microsoft Graph",
        created=AS_OF - 900 * DAY,
        home_tenant=MICROSOFT,
    ),
)

ESTATE = Estate(
    name="collected",
    as_of=AS_OF,
    tenant_id=TENANT,
    tenant_name="Collected",
    tenant_created=AS_OF - 3000 * DAY,
    domains=(Domain(name="b.example", default=True), Domain(name="a.example", federated=True, federation=FEDERATION)),
    subscriptions=(Subscription(id=SUBSCRIPTION, name="Production"), Subscription(id=EMPTY_SUBSCRIPTION, name="Sandbox")),
    vaults=(FIRST, SECOND),
    applications=APPLICATIONS,
    service_principals=PRINCIPALS,
)

FIRST_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-main/providers/microsoft.keyvault/vaults/kv-first"
SECOND_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-other/providers/microsoft.keyvault/vaults/kv-second"
TENANT_ID = f"/tenants/{TENANT}"

VERSIONS = {f"https://kv-first.vault.azure.net/keys/rotated/{version(number).version}" for number in (300, 200, 10)}
FIRST_KEYS = VERSIONS | {
    f"https://kv-first.vault.azure.net/keys/curved/{version(30).version}",
    f"https://kv-first.vault.azure.net/keys/backing/{version(50).version}",
}
SECOND_KEYS = {f"https://kv-second.vault.azure.net/keys/only/{version(70).version}"}
