"""The services that use a secret or certificate of a vault."""

from collections.abc import Sequence

from keyaudit.model.consumers.kinds import Children, Consumer, Says, Status
from keyaudit.model.values.times import DAY, HOUR

_STORED = Status(
    member="keyVaultSecretStatus",
    works=("Initialized", "WaitingOnCertificateOrder", "Succeeded", "ExternalPrivateKey"),
    broken=(
        "CertificateOrderFailed",
        "OperationNotPermittedOnKeyVault",
        "AzureServiceUnauthorizedToAccessKeyVault",
        "KeyVaultDoesNotExist",
        "KeyVaultSecretDoesNotExist",
        "UnknownError",
        "Unknown",
    ),
)

_RESOLVED = Status(
    member="status",
    works=("Initialized", "Resolved"),
    broken=(
        "InvalidSyntax",
        "MSINotEnabled",
        "VaultNotFound",
        "SecretNotFound",
        "SecretVersionNotFound",
        "AccessToKeyVaultDenied",
        "FetchTimedOut",
        "UnauthorizedClient",
        "OtherReasons",
    ),
    always=True,
)

_FETCHED = Status(member="keyVault.lastStatus.code", works=("Success",), broken=(), always=True)
"""How API Management last fetched a secret. Of its words only this one is documented."""

SECRETS: Sequence[Consumer] = (
    Consumer(
        kind="application-gateway",
        type="Microsoft.Network/applicationGateways",
        at="sslCertificates[].properties",
        url="keyVaultSecretId",
        certificate="publicCertData",
        interval=4 * HOUR,
        source="https://learn.microsoft.com/azure/application-gateway/key-vault-certs",
    ),
    Consumer(
        kind="application-gateway",
        type="Microsoft.Network/applicationGateways",
        at="trustedRootCertificates[].properties",
        url="keyVaultSecretId",
        source="https://learn.microsoft.com/rest/api/application-gateway/application-gateways/get",
    ),
    Consumer(
        kind="api-management",
        type="Microsoft.ApiManagement/service",
        at="hostnameConfigurations[]",
        says=Says(member="certificateSource", vault=("KeyVault",), other=("Managed", "Custom", "BuiltIn")),
        url="keyVaultId",
        thumbprint="certificate.thumbprint",
        status=Status(member="certificateStatus", works=("Completed", "InProgress"), broken=("Failed",)),
        source="https://learn.microsoft.com/rest/api/apimanagement/api-management-service/get",
    ),
    Consumer(
        kind="api-management-certificate",
        type="Microsoft.ApiManagement/service",
        children=Children(
            operation="api_management.certificates",
            noun="certificates of API Management services",
            path="/certificates",
            version="2024-05-01",
        ),
        within="keyVault",
        url="keyVault.secretIdentifier",
        thumbprint="thumbprint",
        status=_FETCHED,
        interval=4 * HOUR,
        source="https://learn.microsoft.com/rest/api/apimanagement/certificate/list-by-service",
    ),
    # Only a named value that is no secret comes with its value: https://learn.microsoft.com/rest/api/apimanagement/named-value/list-by-service
    Consumer(
        kind="api-management-value",
        type="Microsoft.ApiManagement/service",
        children=Children(
            operation="api_management.named_values",
            noun="named values of API Management services",
            path="/namedValues",
            version="2024-05-01",
            discloses=True,
        ),
        within="keyVault",
        url="keyVault.secretIdentifier",
        status=_FETCHED,
        interval=4 * HOUR,
        source="https://learn.microsoft.com/azure/api-management/api-management-howto-properties",
    ),
    Consumer(
        kind="app-service-certificate",
        type="Microsoft.Web/certificates",
        resource="keyVaultId",
        name="keyVaultSecretName",
        thumbprint="thumbprint",
        status=_STORED,
        interval=DAY,
        source="https://learn.microsoft.com/azure/app-service/configure-ssl-certificate",
    ),
    Consumer(
        kind="container-apps-certificate",
        type="Microsoft.App/managedEnvironments/certificates",
        url="certificateKeyVaultProperties.keyVaultUrl",
        thumbprint="thumbprint",
        source="https://learn.microsoft.com/rest/api/resource-manager/containerapps/certificates/get",
    ),
    Consumer(
        kind="front-door",
        type="Microsoft.Cdn/profiles",
        children=Children(
            operation="front_door.secrets", noun="certificates of Front Door profiles", path="/secrets", version="2025-04-15"
        ),
        at="parameters",
        always=True,
        says=Says(
            member="type",
            vault=("CustomerCertificate", "UrlSigningKey", "MtlsCertificateChain"),
            other=("ManagedCertificate", "AzureFirstPartyManagedCertificate"),
        ),
        resource="secretSource.id",
        version="secretVersion",
        follows="useLatestVersion",
        thumbprint="thumbprint",
        source="https://learn.microsoft.com/rest/api/frontdoor/azurefrontdoorstandardpremium/secrets/list-by-profile",
    ),
    # Classic profiles, of Azure CDN.
    Consumer(
        kind="cdn-domain",
        type="Microsoft.Cdn/profiles/endpoints",
        children=Children(
            operation="cdn.custom_domains",
            noun="custom domains of CDN endpoints",
            path="/customDomains",
            version="2024-02-01",
        ),
        at="customHttpsParameters",
        says=Says(member="certificateSource", vault=("AzureKeyVault",), other=("Cdn",)),
        vault="certificateSourceParameters.vaultName",
        name="certificateSourceParameters.secretName",
        version="certificateSourceParameters.secretVersion",
        source="https://learn.microsoft.com/rest/api/cdn/custom-domains/list-by-endpoint",
    ),
    *(
        Consumer(
            kind="app-service",
            type=type_,
            children=Children(
                operation=f"{operation}.{list_}_references",
                noun=f"Key Vault references in {noun} of {of}",
                path=f"/config/configreferences/{path}",
                version="2025-05-01",
            ),
            # Of sources there is KeyVault alone: https://learn.microsoft.com/rest/api/appservice/web-apps/get-app-settings-key-vault-references
            always=True,
            vault="vaultName",
            name="secretName",
            version="secretVersion",
            reports="activeVersion",
            status=_RESOLVED,
            interval=DAY,
            source="https://learn.microsoft.com/azure/app-service/app-service-key-vault-references",
        )
        for type_, operation, of in (
            ("Microsoft.Web/sites", "site", "App Service apps"),
            ("Microsoft.Web/sites/slots", "slot", "App Service slots"),
        )
        for list_, path, noun in (
            ("setting", "appsettings", "settings"),
            ("connection", "connectionstrings", "connection strings"),
        )
    ),
    Consumer(
        kind="container-app",
        type="Microsoft.App/containerApps",
        at="configuration.secrets[]",
        url="keyVaultUrl",
        source="https://learn.microsoft.com/azure/container-apps/manage-secrets",
    ),
    Consumer(
        kind="container-apps-job",
        type="Microsoft.App/jobs",
        at="configuration.secrets[]",
        url="keyVaultUrl",
        source="https://learn.microsoft.com/rest/api/resource-manager/containerapps/jobs/get",
    ),
    Consumer(
        kind="firewall-policy",
        type="Microsoft.Network/firewallPolicies",
        at="transportSecurity.certificateAuthority",
        url="keyVaultSecretId",
        source="https://learn.microsoft.com/azure/firewall/premium-certificates",
    ),
    Consumer(
        kind="machine-certificate",
        type="Microsoft.Compute/virtualMachines",
        at="osProfile.secrets[].vaultCertificates[]",
        url="certificateUrl",
        source="https://learn.microsoft.com/rest/api/compute/virtual-machines/get#vaultcertificate",
    ),
    Consumer(
        kind="machine-extension",
        type="Microsoft.Compute/virtualMachines/extensions",
        # An object since version 3.0 of the extension; before, the address alone.
        at="settings.secretsManagementSettings.observedCertificates[]",
        url="url",
        source="https://learn.microsoft.com/azure/virtual-machines/extensions/key-vault-linux",
    ),
)
