"""What keyaudit must say of each footprint in the estates `ordinary` and `ordinary-abused`, with the source of the footprint.

Written from the sources before anything was measured. A footprint that is `normal` has no finding at medium or above. One to
`confirm` has one, with the comparison that decides it, or several of one cause, which reports show as one. The same footprint
with one change has a finding at medium or above, or says why it is low.
"""

from msgspec import Struct

LEARN = "https://learn.microsoft.com"
_ENTRA = f"{LEARN}/entra"
_EXCHANGE = "https://github.com/microsoft/CSS-Exchange/blob/main/docs/Hybrid/ConfigureExchangeHybridApplication.md"
_ASSESSED = "https://github.com/microsoft/zerotrustassessment"
_MANAGED = f"{_ENTRA}/identity/managed-identities-azure-resources/managed-identities-faq"
_CONNECT = f"{_ENTRA}/identity/hybrid/connect/authenticate-application-id"
_APP_IDS = "https://github.com/merill/microsoft-info"
_RBAC = f"{LEARN}/azure/role-based-access-control/built-in-roles/security"
_SECRETS = f"{LEARN}/graph/api/application-addpassword"
_CLI = "https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/role/custom.py"

NORMAL, CONFIRM = "normal", "confirm"


class Abuse(Struct, frozen=True, kw_only=True):
    """The one change. `hint`: words of the footprint that the text must keep. `low`: why no finding of it is above low.

    `at`: the objects that the change is found at, if not those of the footprint.
    """

    change: str
    hint: tuple[str, ...] = ()
    low: str = ""
    at: tuple[str, ...] = ()


class Footprint(Struct, frozen=True, kw_only=True):
    """One footprint. `holds`: its objects, as KIND:NAME; of a credential, HOLDER#SUBJECT-OR-NAME.

    `severity`, `tells`: of the one finding of a footprint to confirm; `{thumbprint}` is that of its certificate.
    `beside`: policies that find the object whether or not it is a footprint, at medium at most. `never`: what no finding of it
    may print.
    """

    row: str
    what: str
    holds: tuple[str, ...]
    source: str
    says: str
    severity: str = ""
    tells: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    abuse: Abuse | None = None


_HYBRID = "ExchangeServerApp-5f0a4c9e-7b1d-4e0c-9d7a-2c41f0b3a6d8"
_AS_A_WRAPPING_KEY = ("kv-key-no-expiry", "kv-key-no-auto-rotation", "kv-key-software-protected")
_NO_DELETION = ("credential delete", "delete the credential", "delete the certificate")
_TWO_YEARS = Abuse(change="a client secret that is valid for two years")
_LITTLE = "it opens no more than one workload: weak there is low, and a missing owner less"

ENTRA: tuple[Footprint, ...] = (
    Footprint(
        row="1",
        what="certificate of an NPS server with the extension for multifactor authentication",
        holds=("principal:Azure Multi-Factor Auth Client#Microsoft NPS Extension",),
        source=f"{_ENTRA}/identity/authentication/howto-mfa-nps-extension",
        says=CONFIRM,
        severity="medium",
        tells=("{thumbprint}", "NPS", "Local Computer", "AzureMfaNpsExtnConfigSetup.ps1"),
        never=_NO_DELETION,
        abuse=Abuse(change="a client secret on the principal", at=("principal:Azure Multi-Factor Auth Client#added",)),
    ),
    Footprint(
        row="2",
        what="certificate of an AD FS server for multifactor authentication",
        holds=("principal:Azure Multi-Factor Auth Client#Microsoft AD FS Azure MFA",),
        source=f"{LEARN}/powershell/module/adfs/set-adfsazuremfatenant",
        says=CONFIRM,
        severity="medium",
        tells=("{thumbprint}", "AD FS", "Get-ChildItem Cert:\\LocalMachine\\My"),
        never=(*_NO_DELETION, "New-AdfsAzureMfaTenantCertificate"),
        abuse=Abuse(change="its subject names another tenant"),
    ),
    Footprint(
        row="3",
        what="Azure Multi-Factor Auth Connector",
        holds=("principal:Azure Multi-Factor Auth Connector",),
        source=_APP_IDS,
        says=NORMAL,
        abuse=Abuse(change="a certificate on the principal"),
    ),
    Footprint(
        row="4, 6",
        what="Exchange and Skype hybrid: one Auth certificate on both principals, and on the dedicated application",
        holds=(
            "principal:Office 365 Exchange Online",
            "principal:Skype for Business Online",
            f"application:{_HYBRID}",
        ),
        source=_EXCHANGE,
        says=CONFIRM,
        severity="high",
        tells=(
            "{thumbprint}",
            "ConfigureExchangeHybridApplication.ps1",
            "-FullyConfigureExchangeHybridApplication",
            "-ResetFirstPartyServicePrincipalKeyCredentials",
        ),
        never=_NO_DELETION,
        abuse=Abuse(change="a second certificate with another subject on Exchange Online", hint=("Exchange",)),
    ),
    Footprint(
        row="5",
        what="the dedicated application of Exchange hybrid, which has every mailbox",
        holds=(f"principal:{_HYBRID}",),
        source=_EXCHANGE,
        says=CONFIRM,
        severity="medium",
        tells=("Exchange hybrid",),
        abuse=Abuse(
            change="a client secret on the application",
            at=("application:ExchangeServerApp-5f0a4c9e-7b1d-4e0c-9d7a-2c41f0b3a6d8#added",),
        ),
    ),
    Footprint(
        row="7",
        what="token-signing certificate of a SharePoint Server farm",
        holds=("principal:Office 365 SharePoint Online",),
        source=f"{LEARN}/sharepoint/hybrid/configure-server-to-server-authentication",
        says=CONFIRM,
        severity="medium",
        tells=("{thumbprint}", "(Get-SPSecurityTokenServiceConfig).LocalLoginProvider.SigningCertificate"),
        never=_NO_DELETION,
        abuse=Abuse(change="the principal has no name for a domain of the farm"),
    ),
    Footprint(
        row="8",
        what="P2P Server, which issues the certificates of joined devices",
        holds=("application:P2P Server", "principal:P2P Server"),
        source=f"{_ENTRA}/identity/devices/faq",
        says=NORMAL,
        abuse=Abuse(change="the application permission Mail.Read", hint=("P2P Server",)),
    ),
    Footprint(
        row="9",
        what="the application of Entra Connect Sync, with its own certificates",
        holds=(
            "application:ConnectSyncProvisioning_SRV-SYNC01_8f3b1c7d9e20",
            "principal:ConnectSyncProvisioning_SRV-SYNC01_8f3b1c7d9e20",
        ),
        source=_CONNECT,
        says=NORMAL,
        abuse=Abuse(change="a client secret on the application", hint=("Connect",)),
    ),
    Footprint(
        row="10",
        what="an application of the administrator's own for Entra Connect Sync, with the administrator's certificate",
        holds=("application:directory-sync-staging", "principal:directory-sync-staging"),
        source=_CONNECT,
        says=NORMAL,
        abuse=Abuse(change="a federated credential on the application", hint=("Connect",)),
    ),
    Footprint(
        row="11",
        what="a user that Entra Connect Sync signs in as",
        holds=("directory-role:Sync_Srv-Sync02_4D1C9A7E",),
        source=_CONNECT,
        says=NORMAL,
    ),
    Footprint(
        row="12",
        what="Cloud Sync of one Active Directory domain",
        holds=("application:corp.fabrikam.example", "principal:corp.fabrikam.example"),
        source=f"{LEARN}/graph/api/applicationtemplate-instantiate",
        says=NORMAL,
        # The application has no permission, so that a certificate opens nothing.
        abuse=Abuse(change="a certificate on the application"),
    ),
    Footprint(
        row="13",
        what="Tenant Schema Extension App",
        holds=("application:Tenant Schema Extension App", "principal:Tenant Schema Extension App"),
        source=f"{_ENTRA}/identity/hybrid/connect/how-to-connect-sync-feature-directory-extensions",
        says=NORMAL,
        never=("az ad app delete",),
        abuse=_TWO_YEARS,
    ),
    Footprint(
        row="14",
        what="CloudSyncCustomExtensionsApp",
        holds=("application:CloudSyncCustomExtensionsApp", "principal:CloudSyncCustomExtensionsApp"),
        source=f"{_ENTRA}/identity/hybrid/cloud-sync/custom-attribute-mapping",
        says=NORMAL,
        never=("az ad app delete",),
        abuse=_TWO_YEARS,
    ),
    Footprint(
        row="15",
        what="b2c-extensions-app",
        holds=("application:b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.",),
        source=f"{LEARN}/azure/active-directory-b2c/extensions-app",
        says=NORMAL,
        never=("az ad app delete",),
        abuse=_TWO_YEARS,
    ),
    Footprint(
        row="20, 32",
        what="principals of Microsoft's services without credentials",
        holds=("principal:Universal Print", "principal:WindowsDefenderATP"),
        source=_APP_IDS,
        says=NORMAL,
        abuse=Abuse(change="a certificate on WindowsDefenderATP"),
    ),
    Footprint(
        row="21",
        what="Domain Services: its principal, and the application that it makes",
        holds=("principal:Domain Controller Services", "application:Azure AD Domain Services Sync"),
        source=f"{_ENTRA}/identity/domain-services/alert-service-principal",
        says=NORMAL,
        abuse=_TWO_YEARS,
    ),
    Footprint(
        row="22",
        what="SAML application from the gallery: one signing certificate of three years, with its key and password",
        holds=("application:ServiceNow", "principal:ServiceNow"),
        source=f"{LEARN}/graph/api/serviceprincipal-addtokensigningcertificate",
        says=NORMAL,
        abuse=Abuse(change="a password on the principal that belongs to no signing certificate"),
    ),
    Footprint(
        row="23",
        what="certificate that encrypts SAML assertions, until 2039",
        holds=("application:Workday", "principal:Workday"),
        source=f"{_ENTRA}/identity/enterprise-apps/howto-saml-token-encryption",
        says=NORMAL,
        abuse=Abuse(change="the same certificate with usage Verify"),
    ),
    Footprint(
        row="26",
        what="domain that is federated with Okta",
        holds=("domain:people.fabrikam.example",),
        source="https://support.okta.com (forms of the issuer URI)",
        # Its certificate is valid for 365 days, like that of any other domain.
        says=NORMAL,
        abuse=Abuse(change="a secondary signing certificate unlike the first"),
    ),
    Footprint(
        row="27",
        what="Dataverse: certificates of one issuer that the platform renews every few weeks",
        holds=("principal:Dataverse",),
        source=_APP_IDS,
        says=CONFIRM,
        severity="medium",
        abuse=Abuse(change="a client secret on the principal"),
    ),
    Footprint(
        row="29",
        what="bot of Copilot Studio, without credentials",
        holds=("application:Helpdesk Bot (Microsoft Copilot Studio)", "principal:Helpdesk Bot (Microsoft Copilot Studio)"),
        source=f"{LEARN}/microsoft-copilot-studio",
        says=NORMAL,
        abuse=Abuse(change=_TWO_YEARS.change, low=_LITTLE),
    ),
    Footprint(
        row="30, 31",
        what="agent with a sponsor and no owner, and its blueprint",
        holds=("principal:Travel Agent", "application:Travel Agents", "principal:Travel Agents"),
        source=f"{_ENTRA}/agent-id/agent-owners-sponsors-managers",
        says=NORMAL,
        abuse=Abuse(change="the agent has no sponsor", low=_LITTLE),
    ),
    Footprint(
        row="33",
        what="Microsoft Graph Command Line Tools with permissions for every user that administrators consented to",
        holds=("principal:Microsoft Graph Command Line Tools",),
        source=_APP_IDS,
        says=CONFIRM,
        severity="low",
        tells=("appRoleAssignmentRequired",),
        abuse=Abuse(change="a certificate on the principal"),
    ),
    Footprint(
        row="34",
        what="application of Microsoft the company with an application permission to every site",
        holds=("principal:Migration Assistant",),
        source=_APP_IDS,
        says=CONFIRM,
        severity="medium",
        abuse=Abuse(change="the application permission RoleManagement.ReadWrite.Directory"),
    ),
    Footprint(
        row="35",
        what="group of a partner that owns the subscription",
        holds=("grants:ForeignGroup",),
        source=f"{LEARN}/partner-center/customers/revoke-reinstate-csp",
        says=CONFIRM,
        severity="high",
        tells=("partner",),
    ),
    Footprint(
        row="5.3",
        what="external application with permissions to sign in for every user",
        holds=("principal:Adventure Works Surveys",),
        source=f"{LEARN}/graph/api/resources/oauth2permissiongrant",
        says=NORMAL,
        abuse=Abuse(change="the delegated permission Directory.AccessAsUser.All for every user"),
    ),
    Footprint(
        row="64",
        what="federated credential of one branch in one GitHub repository",
        holds=("application:github-release",),
        source=f"{_ENTRA}/workload-id/workload-identity-federation-create-trust",
        says=NORMAL,
        abuse=Abuse(change="the subject matches every repository of the organization"),
    ),
    Footprint(
        row="65",
        what="application of an Azure DevOps service connection, owned by its creator, Contributor of the subscription",
        holds=("application:fabrikam-web-azure",),
        source=f"{LEARN}/azure/devops/pipelines/release/configure-workload-identity",
        says=CONFIRM,
        severity="medium",
        abuse=_TWO_YEARS,
    ),
    Footprint(
        row="67",
        what="federated credential of one repository and step in Bitbucket",
        holds=("application:bitbucket-release",),
        source="https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/",
        says=CONFIRM,
        severity="low",
        tells=("workspace",),
        abuse=Abuse(change="the subject names no repository"),
    ),
    Footprint(
        row="79",
        what="application of `az ad sp create-for-rbac`, with a secret of one year",
        holds=("application:azure-cli-2026-03-04-10-11-12",),
        source=_CLI,
        says=CONFIRM,
        severity="low",
        abuse=Abuse(change="the role Owner on the subscription"),
    ),
    Footprint(
        row="55",
        what="application that a cluster of OpenShift signs in as, with a secret of two years, the default of Graph",
        holds=("application:aro-x7k2m9qd",),
        source="https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/aro/_aad.py",
        says=CONFIRM,
        severity="low",
        tells=("aro-shop",),
    ),
    Footprint(
        row="80",
        what="secret of two calendar years with a leap day between them: 731 days",
        holds=("application:inventory-importer",),
        source=_CLI,
        says=CONFIRM,
        severity="low",
        # The application has no permission: a lifetime alone is not critical.
        abuse=Abuse(change="the secret is valid for three years", low=_LITTLE),
    ),
    Footprint(
        row="82",
        what="secret of 180 days, and an hour more where summer time began",
        holds=("application:survey-mailer",),
        source=_SECRETS,
        says=NORMAL,
        abuse=Abuse(change="the secret is valid for 545 days", low=_LITTLE),
    ),
    Footprint(
        row="87",
        what="registration without owner, credentials and permissions",
        holds=("application:old-intranet",),
        source=_ASSESSED,
        says=NORMAL,
        abuse=Abuse(change="a client secret of 180 days", low=_LITTLE),
    ),
    Footprint(
        row="88",
        what="application without permissions, owned by a guest",
        holds=("application:agency-landing-page", "application:site-publisher", "principal:site-publisher"),
        source=_ASSESSED,
        says=NORMAL,
        abuse=Abuse(change="that application may manage what it owns: site-publisher, which can grant itself any role"),
    ),
)

AZURE: tuple[Footprint, ...] = (
    Footprint(
        row="39",
        what="managed identity with the platform's certificate of 90 days",
        holds=("principal:vm-app-01",),
        source=_MANAGED,
        says=NORMAL,
        abuse=Abuse(change="a client secret on the identity"),
    ),
    Footprint(
        row="40",
        what="identity of a policy assignment, Contributor of the subscription",
        holds=("principal:deploy-diagnostics",),
        source=f"{LEARN}/azure/governance/policy/how-to/remediate-resources",
        says=CONFIRM,
        severity="medium",
        tells=("roleDefinitionIds",),
        abuse=Abuse(change="the application permission RoleManagement.ReadWrite.Directory"),
    ),
    Footprint(
        row="41",
        what="disk encryption set and its key, which may only wrap",
        holds=("principal:des-web", "key:kv-encryption/disks-cmk", "resource:des-web"),
        source=_RBAC,
        says=NORMAL,
        beside=_AS_A_WRAPPING_KEY,
        abuse=Abuse(change="the identity of the set may sign with the key"),
    ),
    Footprint(
        row="42, 84",
        what="customer-managed key of a storage account, with every operation as the portal makes it, and without expiry",
        holds=("key:kv-encryption/storage-cmk", "resource:stfabrikamdata"),
        source=f"{LEARN}/azure/storage/common/customer-managed-keys-overview",
        says=NORMAL,
        beside=_AS_A_WRAPPING_KEY,
        abuse=Abuse(
            change="an application may sign with the key",
            hint=("wrapKey unwrapKey",),
            at=(
                "key:kv-encryption/storage-cmk",
                "grant:web-worker",
            ),
        ),
    ),
    Footprint(
        row="42, TDE",
        what="protector of a SQL server, with every operation as the portal makes it, in a vault that a group administers",
        holds=("key:kv-encryption/reports-protector", "resource:sql-fabrikam-reports"),
        source=f"{LEARN}/azure/azure-sql/database/transparent-data-encryption-byok-overview",
        says=NORMAL,
        beside=_AS_A_WRAPPING_KEY,
        abuse=Abuse(
            change="an application may sign with the key",
            hint=("wrapKey unwrapKey",),
            at=("key:kv-encryption/reports-protector",),
        ),
    ),
    Footprint(
        row="41, 42",
        what="user-assigned identity by which a storage account reaches its key",
        holds=("principal:id-encryption",),
        source=f"{LEARN}/azure/storage/common/customer-managed-keys-overview",
        says=NORMAL,
        abuse=Abuse(change="the identity may sign with the key"),
    ),
    Footprint(
        row="43",
        what="customer-managed key that rotated: both versions stay enabled until everything is wrapped again",
        holds=("key:kv-encryption/sql-protector", "resource:sql-fabrikam"),
        source=f"{LEARN}/azure/key-vault/keys/how-to-configure-key-rotation",
        says=NORMAL,
        beside=_AS_A_WRAPPING_KEY,
        never=("disable the old version now",),
        abuse=Abuse(change="a service names one version of the key"),
    ),
    Footprint(
        row="44",
        what="access policy of Cosmos DB: get, wrap and unwrap",
        holds=("policy:kv-cosmos/Azure Cosmos DB",),
        source=f"{LEARN}/azure/cosmos-db/how-to-setup-customer-managed-keys",
        says=NORMAL,
        abuse=Abuse(change="it may also sign"),
    ),
    Footprint(
        row="45",
        what="access policy of Azure Storage: get, wrap and unwrap",
        holds=("policy:kv-cosmos/Azure Storage",),
        source=_APP_IDS,
        says=NORMAL,
        abuse=Abuse(change="every key permission"),
    ),
    Footprint(
        row="46",
        what="secret of Azure Disk Encryption that a virtual machine names",
        holds=("secret:kv-disks/8C1F4E2B-6D3A-4F7B-9E52-0A1B2C3D4E5F",),
        source=f"{LEARN}/azure/backup/backup-azure-restore-key-secret",
        says=NORMAL,
        abuse=Abuse(change="no virtual machine names the secret", low=_LITTLE),
    ),
    Footprint(
        row="46, readers",
        what="the same, in a vault whose secrets Azure Backup alone may read",
        holds=("secret:kv-disks/5A2D9C74-1E8B-4B36-A0F7-C3D2E1F0A9B8",),
        source=f"{LEARN}/azure/backup/backup-azure-vms-encryption",
        says=NORMAL,
        abuse=Abuse(change="a user may read the secrets of the vault"),
    ),
    Footprint(
        row="46, key",
        what="key that wraps the key of an encrypted disk, with every operation as the portal makes it",
        holds=("key:kv-disks/disk-kek", "resource:vm-db-01"),
        source=f"{LEARN}/azure/virtual-machines/linux/disk-encryption-key-vault",
        says=NORMAL,
        beside=_AS_A_WRAPPING_KEY,
        abuse=Abuse(change="a user may sign with the key", hint=("wrapKey unwrapKey",)),
    ),
    Footprint(
        row="47",
        what="access policy of Azure Backup: back up, get and list keys; get and list secrets",
        holds=("policy:kv-disks/Backup Management Service",),
        source=f"{LEARN}/azure/backup/backup-azure-vms-encryption",
        says=NORMAL,
        abuse=Abuse(change="it may also sign"),
    ),
    Footprint(
        row="49",
        what="certificate that App Service bought and stores as a secret",
        holds=("secret:kv-web/fabrikam-shop7c9d2f6e-1b3a-4c5d-8e7f-90a1b2c3d4e5",),
        source=f"{LEARN}/azure/app-service/configure-ssl-app-service-certificate",
        says=NORMAL,
        abuse=Abuse(
            change="an external principal may read the secret",
            at=(
                "secret:kv-web/fabrikam-shop7c9d2f6e-1b3a-4c5d-8e7f-90a1b2c3d4e5",
                "grant:Adventure Works Surveys",
            ),
        ),
    ),
    Footprint(
        row="50",
        what="certificate that Front Door reads through its secret",
        holds=("certificate:kv-web/www-fabrikam",),
        source=f"{LEARN}/azure/frontdoor/standard-premium/how-to-configure-https-custom-domain",
        says=NORMAL,
        abuse=Abuse(change="the certificate is also the credential of an application"),
    ),
    Footprint(
        row="51",
        what="identity of the secrets provider of a cluster, which reads secrets of one vault",
        holds=("principal:azurekeyvaultsecretsprovider-aks-web",),
        source=f"{LEARN}/azure/aks/csi-secrets-store-driver",
        says=NORMAL,
        abuse=Abuse(change="Key Vault Administrator on the subscription"),
    ),
    Footprint(
        row="52",
        what="federated credential of a service account in a cluster of the tenant",
        holds=("application:web-worker",),
        source=f"{LEARN}/azure/aks/workload-identity-overview",
        says=NORMAL,
        abuse=Abuse(change="the issuer is a cluster of another tenant"),
    ),
    Footprint(
        row="53",
        what="federated credential of a service account in an Arc-enabled cluster of the tenant",
        holds=("application:plant-worker",),
        source=f"{LEARN}/azure/azure-arc/kubernetes/workload-identity",
        says=NORMAL,
        abuse=Abuse(change="the issuer is a cluster of another tenant"),
    ),
    Footprint(
        row="56",
        what="application of a Run As account whose certificate expired, still Contributor of the subscription",
        holds=("application:aa-jobs_Qm9vaw==",),
        source=f"{LEARN}/azure/automation/migrate-run-as-accounts-managed-identity",
        says=NORMAL,
        abuse=Abuse(change="its certificate is valid"),
    ),
    Footprint(
        row="58",
        what="access policy of Azure Databricks for a secret scope: get and list secrets",
        holds=("policy:kv-cosmos/AzureDatabricks",),
        source=f"{LEARN}/azure/databricks/security/secrets/workspace-secret-scopes",
        says=CONFIRM,
        severity="medium",
        tells=("secret scope",),
        abuse=Abuse(change="it may also sign"),
    ),
    Footprint(
        row="59",
        what="access policy with permissions for storage accounts that the vault manages, alone",
        holds=("policy:kv-disks/vm-app-01",),
        source=f"{LEARN}/azure/key-vault/general/whats-new",
        # The vault has a finding at info, that this is deprecated.
        says=NORMAL,
    ),
    Footprint(
        row="62",
        what="certificate with the default policy of Azure CLI, which authenticates nobody",
        holds=("certificate:kv-web/test-listener",),
        source="https://github.com/Azure/azure-cli/blob/dev/src/azure-cli/azure/cli/command_modules/keyvault/custom.py",
        says=NORMAL,
        abuse=Abuse(change="it is also the credential of an application"),
    ),
    Footprint(
        row="63",
        what="ACME certificate of 45 days, 20 days before it expires",
        holds=("certificate:kv-web/api-fabrikam",),
        source="https://letsencrypt.org/2025/12/02/from-90-to-45",
        says=NORMAL,
        abuse=Abuse(change="it expires in 8 days, and no version followed"),
    ),
    Footprint(
        row="85",
        what="secret with a password whose name contains pfx",
        holds=("secret:kv-web/vpn-pfx-password",),
        source=f"{LEARN}/azure/key-vault/secrets/about-secrets",
        says=NORMAL,
        abuse=Abuse(change="its content type is a PFX"),
    ),
)

FOOTPRINTS: tuple[Footprint, ...] = (*ENTRA, *AZURE)
