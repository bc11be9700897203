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
        "6.1.1.2": "The export holds the categories that matter",
        "6.1.1.4": "Key vaults log who used what",
        "6.1.1.7": "Microsoft Graph activity is logged",
        "6.1.1.8": "Entra ID's logs are exported",
        "8.1.8.1": "Defender for Key Vault is on",
        "8.3.1": "Keys have an expiry, in vaults under Azure RBAC",
        "8.3.2": "Keys have an expiry, in vaults under access policies",
        "8.3.3": "Secrets have an expiry, in vaults under Azure RBAC",
        "8.3.4": "Secrets have an expiry, in vaults under access policies",
        "8.3.5": "Vaults and what they hold can be recovered",
        "8.3.6": "Vaults are under Azure RBAC",
        "8.3.7": "Vaults are not open to public networks",
        "8.3.8": "Vaults are reached through private endpoints",
        "8.3.9": "Keys rotate by themselves",
        "8.3.10": "Managed HSM is used where it is required",
        "8.3.11": "Certificates are valid for twelve months at most",
    },
)
