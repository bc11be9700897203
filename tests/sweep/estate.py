"""The tenant that is swept: as much of `contoso` as each policy needs to fail, to pass and not to apply, and some rarities."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Estate,
    FederatedCredential,
    KeySet,
    ManagedHsm,
    Resource,
    Secret,
    SecretVersion,
    ServicePrincipal,
    SetKey,
    TokenPolicy,
    Vault,
)
from keyaudit.simulator.estates.contoso import contoso

AS_OF = 1_795_000_000

_KEYS: Mapping[str, frozenset[str]] = {
    "kv-data-prod": frozenset(
        {"clean-room-wrap", "cvm-disk-cmk", "etl-client", "feed-client", "ml-registry-signing", "reporting-extract-wrap"}
    ),
    "kv-hr-prod": frozenset({"badge-access-signing", "payroll-file-signing"}),
    "kv-identity-prod": frozenset({"consumer-token-signing", "partner-token-signing", "saml-idp-signing"}),
    "kv-identity-test": frozenset({"loadtest-jwt", "smartcard-lab"}),
    "kv-loyalty-prod": frozenset({"points-ledger-signing"}),
    "kv-orders-prod": frozenset({"returns-label-signing", "order-event-signing", "warehouse-manifest-signing"}),
    "kv-payments-prod": frozenset({"merchant-archive", "settlement-signing", "card-token-wrap", "pay-api-tls"}),
    "kv-platform-edge": frozenset(
        {"api-gateway-tls", "legacy-portal-tls", "mail-relay-tls", "stores-radius-tls", "vpn-gateway-root"}
    ),
    "kv-platform-signing": frozenset(),
    "kv-sandbox-labs": frozenset({"workshop-signing", "prototype-wrap"}),
    "kv-orders-dev": frozenset({"dev-scratch", "spike-2024"}),
    "hsm-contoso-trust": frozenset({"branch-link-signing", "sovereign-kek", "token-vault-kek"}),
    "hsm-contoso-pilot": frozenset({"ledger-pilot-signing"}),
    "hsm-contoso-lab": frozenset(),
}
"""Keys by vault or Managed HSM, with their certificates and the secrets of these. Vaults that are not named are not there."""

_SECRETS = frozenset(
    {"lakehouse-sas", "partner-sftp-private-key", "push-notification-key", "tenant-branding", "acquirer-sftp-password"}
)
_CLOSED = "kv-orders-dev"
"""Its data plane lets nobody in, so that ARM says what there is to say of its keys."""

_APPLICATIONS = frozenset(
    {
        "aad-extensions-app. Do not modify. Used by AADB2C for storing user data.",
        "P2P Server", "Contoso Gift Cards", "Supplier Portal", "Warehouse Scanner Gateway", "Backup Orchestrator",
        "Legacy Reporting", "Integration Hub", "Adatum Helpdesk", "Woodgrove Treasury", "Payments API", "etl-runner",
        "etl-runner-test", "feed-publisher", "catalog-api-prod", "search-indexer-test", "VanArsdel Payroll",
        "Lucerne Publishing", "Trey Research Archive", "Trey Research Portal", "edge-lab-deploy", "Developer Portal",
        "ERP Bridge", "Store Wifi Portal", "Partner EDI", "Billing API",
        "azdo-payments-release", "github-catalog-sync", "batch-broker", "Store Assistant Blueprint", "Gift Card Blueprint",
    }
)  # fmt: skip
_PRINCIPALS = _APPLICATIONS | {
    "Microsoft Graph", "Office 365 Exchange Online", "Office 365 SharePoint Online", "Alpine Ski House Booking",
    "Blue Yonder Airlines Cargo", "id-orders-api-test", "id-payments-settlement-prod", "vm-batch-01", "Payments SQL server",
    "Fabrikam Agents", "Fabrikam Invoice Agent", "Fabrikam Travel Agent", "Returns Agent", "Shelf Planning Agent",
    "Key custodian runbook", "Mainframe Gateway", "Room Booking Add-in",
}  # fmt: skip
_KEEPING = "kv-data-prod"
"""The vault in which services keep secrets of their own."""
_MANY = 25
"""More related objects than Graph shows with an object."""


def small(estate: Estate) -> Estate:
    """The resources that it names, and resources that depend only on them."""
    principals = tuple(each for each in estate.service_principals if each.name in _PRINCIPALS)
    gone = {each.id for each in estate.service_principals} - {each.id for each in principals}
    apps = {each.app_id for each in estate.service_principals} - {each.app_id for each in principals}
    return replace(
        estate,
        vaults=tuple(_vault(each) for each in estate.vaults if each.name in _KEYS),
        hsms=tuple(_hsm(each) for each in estate.hsms if each.name in _KEYS),
        applications=tuple(each for each in estate.applications if each.name in _APPLICATIONS),
        service_principals=principals,
        app_role_grants=tuple(
            each for each in estate.app_role_grants if each.principal_id not in gone and each.resource_id not in gone
        ),
        consents=tuple(each for each in estate.consents if each.client_id not in gone and each.resource_id not in gone),
        directory_role_grants=tuple(each for each in estate.directory_role_grants if each.principal_id not in gone),
        sign_ins=tuple(each for each in estate.sign_ins if each.app_id not in apps),
        credential_uses=tuple(
            each for each in estate.credential_uses if each.app_id not in apps and each.resource_id not in gone
        ),
        identities=tuple(each for each in estate.identities if each.principal_id not in gone),
        groups=tuple(replace(each, members=tuple(one for one in each.members if one not in gone)) for each in estate.groups),
        role_assignments=tuple(each for each in estate.role_assignments if each.principal not in gone),
        eligibilities=tuple(each for each in estate.eligibilities if each.principal not in gone),
    )


def _vault(vault: Vault) -> Vault:
    kept = _KEYS[vault.name]
    return replace(
        vault,
        access="firewall" if vault.name == _CLOSED else vault.access,
        keys=tuple(each for each in vault.keys if each.name in kept),
        certificates=tuple(each for each in vault.certificates if each.name in kept),
        secrets=tuple(each for each in vault.secrets if each.name in kept or each.name in _SECRETS),
    )


def _hsm(hsm: ManagedHsm) -> ManagedHsm:
    return replace(hsm, keys=tuple(each for each in hsm.keys if each.name in _KEYS[hsm.name]))


def rare(estate: Estate) -> Estate:
    """With what sends keyaudit on ways that it seldom takes."""
    everybody = tuple(f"0a000000-0000-4000-8000-0000000000{number:02}" for number in range(_MANY))
    return replace(
        estate,
        vaults=tuple(
            replace(each, secrets=(*each.secrets, _secret("bek-1", "BEK"), _secret("shop-1", "application/x-pkcs12")))
            if each.name == _KEEPING
            else each
            for each in estate.vaults
        ),
        resources=(*estate.resources, *_keeping_secrets(estate), *_below(estate)),
        service_principals=tuple(
            _much_related(each, everybody) if each.name == "feed-publisher" else each for each in estate.service_principals
        ),
        applications=tuple(
            replace(each, federated=(*each.federated, _FLEXIBLE)) if each.name == "edge-lab-deploy" else each
            for each in estate.applications
        ),
        # Graph does not show these credentials yet. One region has no version with expressions, so the stable one is asked.
        identities=tuple(
            replace(each, federated=(*each.federated, _PLAIN, _FLEXIBLE))
            if each.name == "id-orders-api-test"
            else replace(each, federated=(*each.federated, _PLAIN), stable_only=True)
            for each in estate.identities
        ),
        token_signing=replace(
            estate.token_signing,
            policies=(
                *estate.token_signing.policies,
                *(
                    _wide(number, collection, everybody)
                    for number, collection in enumerate(("claimsMapping", "tokenLifetime", "tokenIssuance"))
                ),
            ),
            tenant_type="AAD B2C",
            key_sets=(
                KeySet(
                    id="B2C_1A_TokenSigningKeyContainer",
                    keys=(SetKey(kid="first", nbf=AS_OF - 86_400, exp=AS_OF + 86_400),),
                ),
            ),
        ),
    )


def _secret(name: str, content_type: str) -> Secret:
    made = SecretVersion(version=f"{name:0<32}".replace("-", "0"), created=AS_OF - 400 * 86_400, content_type=content_type)
    return Secret(name=name, versions=(made,))


def _keeping_secrets(estate: Estate) -> tuple[Resource, ...]:
    """A machine, a disk and an order of a certificate that keep secrets in a vault."""
    [vault] = [each for each in estate.vaults if each.name == _KEEPING]
    key = {"diskEncryptionKey": {"secretUrl": f"https://{_KEEPING}.vault.azure.net/secrets/bek-1/0"}}
    group = f"/subscriptions/{vault.subscription}/resourceGroups/{vault.resource_group}"
    bought = {
        "keyVaultId": f"{group}/providers/Microsoft.KeyVault/vaults/{_KEEPING}",
        "keyVaultSecretName": "shop-1",
        "provisioningState": "Succeeded",
    }
    made: dict[str, dict[str, object]] = {
        "Microsoft.CertificateRegistration/certificateOrders": {"certificates": {"shop": bought}},
        "Microsoft.Compute/disks": {"encryptionSettingsCollection": {"enabled": True, "encryptionSettings": [key]}},
        "Microsoft.Compute/virtualMachines": {"storageProfile": {"osDisk": {"encryptionSettings": {"enabled": True, **key}}}},
    }
    return tuple(
        Resource(
            type=type_, name="keeping", properties=properties, subscription=vault.subscription, resource_group="rg-keeping"
        )
        for type_, properties in made.items()
    )


def _below(estate: Estate) -> Iterator[Resource]:
    """Resources with a key or a secret in a list below them, of the kinds that Contoso does without."""
    [vault] = [each for each in estate.vaults if each.name == _KEEPING]
    home = f"/subscriptions/{vault.subscription}/resourceGroups/{vault.resource_group}"
    of_secret: dict[str, object] = {"id": f"{home}/providers/Microsoft.KeyVault/vaults/{_KEEPING}/secrets/shop-1"}
    served = {"type": "CustomerCertificate", "secretSource": of_secret, "useLatestVersion": True, "thumbprint": "A" * 40}
    reference: dict[str, object] = {
        "vaultName": _KEEPING,
        "secretName": "shop-1",
        "status": "Resolved",
        "activeVersion": "0" * 32,
    }
    protector = f"https://{_KEEPING}.vault.azure.net/keys/{vault.keys[0].name}/{vault.keys[0].current}"
    database = {"encryptionProtector": protector, "encryptionProtectorAutoRotation": True}
    fetched = {
        "secretIdentifier": f"https://{_KEEPING}.vault.azure.net/secrets/shop-1",
        "lastStatus": {"code": "Success", "timeStampUtc": "2026-09-11T00:54:31Z"},
    }
    named = {"vaultName": _KEEPING, "secretName": "shop-1"}
    classic = {"certificateSource": "AzureKeyVault", "certificateSourceParameters": named}
    lists: dict[str, dict[str, dict[str, dict[str, object]]]] = {
        "Microsoft.Cdn/profiles": {"secrets": {"tls": {"parameters": served}}},
        "Microsoft.Cdn/profiles/endpoints": {"customDomains": {"www": {"customHttpsParameters": classic}}},
        "Microsoft.ApiManagement/service": {
            "certificates": {"tls": {"keyVault": fetched, "thumbprint": "B" * 40}},
            "namedValues": {"partner": {"displayName": "partner", "secret": True, "keyVault": fetched}},
        },
        "Microsoft.Web/sites/slots": {"config/configreferences/connectionstrings": {"DB": reference}},
        "Microsoft.Sql/servers": {"databases": {"orders": database}},
    }
    for type_, children in lists.items():
        yield Resource(
            type=type_,
            name="below/stage" if type_.endswith(("slots", "endpoints")) else "below",
            properties={},
            children=children,
            subscription=vault.subscription,
            resource_group="rg-below",
        )


def _much_related(principal: ServicePrincipal, owners: tuple[str, ...]) -> ServicePrincipal:
    return replace(principal, owners=(*principal.owners, *owners))


_FLEXIBLE = FederatedCredential(
    id="f0000000-0000-4000-8000-000000000001",
    name="flexible",
    issuer="https://token.actions.githubusercontent.com",
    subject=None,
    claims_expression="claims['sub'] matches 'repo:contoso/*'",
)


_PLAIN = replace(_FLEXIBLE, name="plain", subject="repo:contoso-retail/orders:environment:production", claims_expression=None)


def _wide(number: int, collection: str, applied: tuple[str, ...]) -> TokenPolicy:
    kind = f"{collection[0].upper()}{collection[1:]}Policy"
    return TokenPolicy(
        collection=f"{collection}Policies",
        id=f"90000000-0000-4000-8000-00000000000{number}",
        name=f"wide {collection}",
        definition=(f'{{"{kind}":{{"Version":1}}}}',),
        applies_to=applied,
    )


ESTATE = rare(small(contoso(AS_OF)))
