"""CIS Microsoft Azure Foundations Benchmark."""

from keyaudit.model.frameworks.framework import Framework

CIS_AZURE = Framework(
    key="cis-azure-6.0",
    title="CIS Microsoft Azure Foundations Benchmark",
    edition="6.0",
    source="the listing of prowler-cloud/prowler, prowler/compliance/azure/cis_6.0_azure.json",
    profile="cis-azure-6.0",
    controls={
        "2.1.6": "Personal access tokens of Databricks are limited and expire",
        "2.1.8": "Critical data of Databricks is encrypted with customer-managed keys",
        "6.1.1.1": "The activity log is exported",
        "6.1.1.2": "The export contains the required categories",
        "6.1.1.3": "The storage account of the exported activity log is encrypted with a customer-managed key",
        "6.1.1.4": "Key vaults log their use",
        "6.1.1.7": "Microsoft Graph activity is logged",
        "6.1.1.8": "Logs of Entra ID are exported",
        "8.1.8.1": "Defender for Key Vault is on",
        "8.3.1": "Keys expire, in vaults with Azure RBAC",
        "8.3.2": "Keys expire, in vaults with access policies",
        "8.3.3": "Secrets expire, in vaults with Azure RBAC",
        "8.3.4": "Secrets expire, in vaults with access policies",
        "8.3.5": "Vaults and their contents can be recovered",
        "8.3.6": "Vaults use Azure RBAC",
        "8.3.7": "Vaults are not accessible from public networks",
        "8.3.8": "Vaults have private endpoints",
        "8.3.9": "Keys are rotated automatically",
        "8.3.10": "Managed HSM is used where it is required",
        "8.3.11": "Certificates are valid for twelve months at most",
        "9.3.1.1": "Storage accounts remind of the rotation of their keys",
        "9.3.1.2": "Keys of storage accounts are regenerated in time",
        "9.3.1.3": "Keys of storage accounts are switched off",
    },
    outside={
        "networks and what can be reached from them": "2.1.1-2 2.1.9-11 7.1-16 8.4.1 8.5 9.3.2.1-3 9.3.5",
        "logs of other things than keys and credentials": "2.1.7 6.1.1.5-6 6.1.1.9 6.1.3.1 6.1.4",
        "alerts on changes of other things": "6.1.2.1-11",
        "how users sign in, and their devices": "3.1.1 5.1.1-4",
        "users, their roles and the reviews of these": "2.1.4 2.1.12 5.3.1-7 5.4-7",
        "plans and settings of Defender for other resources": (
            "8.1.1.1 8.1.2.1 8.1.3.1-5 8.1.4.1 8.1.5.1-2 8.1.6.1 8.1.7.1-4 8.1.9.1 8.1.10-16 8.2.1"
        ),
        "locks, service levels and redundancy": "6.1.5 6.2 9.3.9-11",
        "encryption on the way, without keys of the customer": "2.1.3 9.1.2-3 9.3.4 9.3.6",
        "the data of storage accounts and who can see it": "9.1.1 9.2.1-3 9.3.3.1 9.3.7-8",
        "the catalogue of data in Databricks": "2.1.5",
    },
)
