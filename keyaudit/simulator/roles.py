"""Azure's built-in roles for vaults, as documented by Microsoft.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from keyaudit.simulator.estate import Role

_VAULT = "Microsoft.KeyVault/vaults"
_KEYS = f"{_VAULT}/keys"
_LOOK = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    f"{_VAULT}/*/read",
    "Microsoft.KeyVault/operations/read",
)

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
RELEASE_USER = "08bbd89e-9f13-488c-ac41-acfcb10c90ab"
VAULT_READER = "21090545-7ca7-4776-b22c-e363652d74d2"
CERTIFICATES_OFFICER = "a4417e6f-fecd-4de8-b567-7b0420556985"
CERTIFICATE_USER = "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
DATA_ACCESS_ADMINISTRATOR = "8b54135c-b56d-4d72-a534-26097cfdc8d8"
VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
PURGE_OPERATOR = "a68e7c17-0ab2-4c09-9a58-125dae29748c"

BUILT_IN = (
    Role(id=OWNER, name="Owner", actions=("*",)),
    Role(
        id=CONTRIBUTOR,
        name="Contributor",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ),
    ),
    Role(id=READER, name="Reader", actions=("*/read",)),
    Role(
        id=USER_ACCESS_ADMINISTRATOR,
        name="User Access Administrator",
        actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Role(
        id=RBAC_ADMINISTRATOR,
        name="Role Based Access Control Administrator",
        actions=(
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    Role(id=VAULT_ADMINISTRATOR, name="Key Vault Administrator", actions=_LOOK, data_actions=(f"{_VAULT}/*",)),
    Role(
        id=CRYPTO_OFFICER,
        name="Key Vault Crypto Officer",
        actions=_LOOK,
        data_actions=(f"{_KEYS}/*", f"{_VAULT}/keyrotationpolicies/*"),
    ),
    Role(
        id=CRYPTO_USER,
        name="Key Vault Crypto User",
        data_actions=(
            f"{_KEYS}/read",
            f"{_KEYS}/update/action",
            f"{_KEYS}/backup/action",
            f"{_KEYS}/encrypt/action",
            f"{_KEYS}/decrypt/action",
            f"{_KEYS}/wrap/action",
            f"{_KEYS}/unwrap/action",
            f"{_KEYS}/sign/action",
            f"{_KEYS}/verify/action",
        ),
    ),
    Role(
        id=ENCRYPTION_USER,
        name="Key Vault Crypto Service Encryption User",
        actions=(
            "Microsoft.EventGrid/eventSubscriptions/write",
            "Microsoft.EventGrid/eventSubscriptions/read",
            "Microsoft.EventGrid/eventSubscriptions/delete",
        ),
        data_actions=(f"{_KEYS}/read", f"{_KEYS}/wrap/action", f"{_KEYS}/unwrap/action"),
    ),
    Role(id=RELEASE_USER, name="Key Vault Crypto Service Release User", data_actions=(f"{_KEYS}/release/action",)),
    Role(
        id=VAULT_READER,
        name="Key Vault Reader",
        actions=_LOOK,
        data_actions=(f"{_VAULT}/*/read", f"{_VAULT}/secrets/readMetadata/action"),
    ),
    Role(
        id=CERTIFICATES_OFFICER,
        name="Key Vault Certificates Officer",
        actions=_LOOK,
        data_actions=(f"{_VAULT}/certificatecas/*", f"{_VAULT}/certificates/*", f"{_VAULT}/certificatecontacts/write"),
    ),
    Role(
        id=CERTIFICATE_USER,
        name="Key Vault Certificate User",
        data_actions=(
            f"{_VAULT}/certificates/read",
            f"{_VAULT}/secrets/getSecret/action",
            f"{_VAULT}/secrets/readMetadata/action",
            f"{_KEYS}/read",
        ),
    ),
    Role(id=SECRETS_OFFICER, name="Key Vault Secrets Officer", actions=_LOOK, data_actions=(f"{_VAULT}/secrets/*",)),
    Role(
        id=SECRETS_USER,
        name="Key Vault Secrets User",
        data_actions=(f"{_VAULT}/secrets/getSecret/action", f"{_VAULT}/secrets/readMetadata/action"),
    ),
    Role(
        id=DATA_ACCESS_ADMINISTRATOR,
        name="Key Vault Data Access Administrator",
        actions=(
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Management/managementGroups/read",
            "Microsoft.Support/*",
            f"{_VAULT}/*/read",
        ),
    ),
    Role(
        id=VAULT_CONTRIBUTOR,
        name="Key Vault Contributor",
        actions=(
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.KeyVault/*",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ),
        not_actions=(
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    Role(
        id=PURGE_OPERATOR,
        name="Key Vault Purge Operator",
        actions=(
            "Microsoft.KeyVault/locations/deletedVaults/read",
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/locations/operationResults/read",
        ),
    ),
)
