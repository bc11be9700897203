"""CIS Microsoft Azure Foundations Benchmark."""

from keyaudit.model.frameworks.framework import Framework

CIS_AZURE = Framework(
    key="cis-azure-6.0",
    title="CIS Microsoft Azure Foundations Benchmark",
    edition="6.0",
    source="the listing of prowler-cloud/prowler, prowler/compliance/azure/cis_6.0_azure.json",
    profile="cis-azure-6.0",
    controls={
        "6.1.1.1": "The activity log is exported",
        "6.1.1.2": "The export contains the required categories",
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
    },
)
