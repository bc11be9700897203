"""The services that encrypt with a key of a vault. Those with account keys, too, are read by `collect.services.services`."""

from collections.abc import Sequence
from functools import partial

from keyaudit.model.consumers.kinds import KEY, Children, Consumer, Says, Status
from keyaudit.model.values.times import DAY

_by_parts = partial(
    Consumer,
    vault="keyVaultProperties.keyVaultUri",
    name="keyVaultProperties.keyName",
    version="keyVaultProperties.keyVersion",
)
_IN_VAULT = ("Microsoft.KeyVault",)
_BY_DATABASE = Says(member="type", vault=("AzureKeyVault",), other=("SystemManaged",))
_BY_DATABRICKS = Says(member="keySource", vault=_IN_VAULT, other=())

WRAPPED = ("encrypted-disk", "encrypted-machine")
"""What Azure Disk Encryption encrypted. The machine's identity does not reach the key, whose address always has a version:
https://learn.microsoft.com/azure/virtual-machines/linux/disk-encryption-key-vault"""

KEYS: Sequence[Consumer] = (
    Consumer(
        kind="encryption-scope",
        type="Microsoft.Storage/storageAccounts",
        names=KEY,
        children=Children(
            operation="storage.scopes",
            noun="encryption scopes of storage accounts",
            path="/encryptionScopes",
            version="2023-05-01",
        ),
        says=Says(member="source", vault=_IN_VAULT, other=("Microsoft.Storage",)),
        url="keyVaultProperties.keyUri",
        reports="keyVaultProperties.currentVersionedKeyIdentifier",
        reports_always=True,
        interval=DAY,
        source="https://learn.microsoft.com/rest/api/storagerp/encryption-scopes/list",
    ),
    # The key that wraps the key of Azure Disk Encryption, which is a secret.
    *(
        Consumer(kind=kind, type=type_, names=KEY, at=at, url="keyEncryptionKey.keyUrl", exact=True, source=source)
        for kind, type_, at, source in (
            (
                "encrypted-machine",
                "Microsoft.Compute/virtualMachines",
                "storageProfile.osDisk.encryptionSettings",
                "https://learn.microsoft.com/rest/api/compute/virtual-machines/get#diskencryptionsettings",
            ),
            (
                "encrypted-disk",
                "Microsoft.Compute/disks",
                "encryptionSettingsCollection.encryptionSettings[]",
                "https://learn.microsoft.com/rest/api/compute/disks/get#encryptionsettingselement",
            ),
        )
    ),
    Consumer(
        kind="sql-database",
        type="Microsoft.Sql/servers",
        names=KEY,
        children=Children(operation="sql.databases", noun="databases of SQL servers", path="/databases", version="2023-08-01"),
        url="encryptionProtector",
        follows="encryptionProtectorAutoRotation",
        reports="encryptionProtector",
        source="https://learn.microsoft.com/azure/azure-sql/database/transparent-data-encryption-byok-database-level-overview",
    ),
    *(
        Consumer(
            kind="postgresql",
            type="Microsoft.DBforPostgreSQL/flexibleServers",
            names=KEY,
            at="dataEncryption",
            # The copies in another region are an option.
            says=_BY_DATABASE if which == "primary" else None,
            url=f"{which}KeyURI",
            exact=True,
            status=Status(member=status, works=("Valid",), broken=("Invalid",)),
            source="https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-data-encryption",
        )
        for which, status in (("primary", "primaryEncryptionKeyStatus"), ("geoBackup", "geoBackupEncryptionKeyStatus"))
    ),
    *(
        Consumer(
            kind="mysql",
            type="Microsoft.DBforMySQL/flexibleServers",
            names=KEY,
            at="dataEncryption",
            # The copies in another region are an option.
            says=_BY_DATABASE if which == "primary" else None,
            url=f"{which}KeyURI",
            source="https://learn.microsoft.com/azure/mysql/flexible-server/concepts-customer-managed-key",
        )
        for which in ("primary", "geoBackup")
    ),
    _by_parts(
        kind="databricks",
        type="Microsoft.Databricks/workspaces",
        names=KEY,
        at="encryption.entities.managedServices",
        says=_BY_DATABRICKS,
        source="https://learn.microsoft.com/azure/databricks/security/keys/cmk-managed-services-azure",
    ),
    _by_parts(
        kind="databricks",
        type="Microsoft.Databricks/workspaces",
        names=KEY,
        at="encryption.entities.managedDisk",
        says=_BY_DATABRICKS,
        follows="rotationToLatestKeyVersionEnabled",
        source="https://learn.microsoft.com/azure/databricks/security/keys/cmk-managed-disks-azure",
    ),
    Consumer(
        kind="synapse",
        type="Microsoft.Synapse/workspaces",
        names=KEY,
        at="encryption.cmk.key",
        url="keyVaultUrl",
        source="https://learn.microsoft.com/azure/synapse-analytics/security/workspaces-encryption",
    ),
    Consumer(
        kind="machine-learning",
        type="Microsoft.MachineLearningServices/workspaces",
        names=KEY,
        at="encryption",
        says=Says(member="status", vault=("Enabled",), other=("Disabled",)),
        url="keyVaultProperties.keyIdentifier",
        source="https://learn.microsoft.com/azure/machine-learning/concept-customer-managed-keys",
    ),
    Consumer(
        kind="data-factory",
        type="Microsoft.DataFactory/factories",
        names=KEY,
        at="encryption",
        vault="vaultBaseUrl",
        name="keyName",
        version="keyVersion",
        source="https://learn.microsoft.com/azure/data-factory/enable-customer-managed-key",
    ),
    Consumer(
        kind="recovery-services",
        type="Microsoft.RecoveryServices/vaults",
        names=KEY,
        at="encryption",
        url="keyVaultProperties.keyUri",
        source="https://learn.microsoft.com/azure/backup/encryption-at-rest-with-cmk",
    ),
    Consumer(
        kind="data-explorer",
        type="Microsoft.Kusto/clusters",
        names=KEY,
        at="keyVaultProperties",
        vault="keyVaultUri",
        name="keyName",
        version="keyVersion",
        source="https://learn.microsoft.com/azure/data-explorer/customer-managed-keys",
    ),
    Consumer(
        kind="batch",
        type="Microsoft.Batch/batchAccounts",
        names=KEY,
        at="encryption",
        says=Says(member="keySource", vault=_IN_VAULT, other=("Microsoft.Batch",)),
        url="keyVaultProperties.keyIdentifier",
        source="https://learn.microsoft.com/azure/batch/batch-customer-managed-key",
    ),
    _by_parts(
        kind="automation",
        type="Microsoft.Automation/automationAccounts",
        names=KEY,
        at="encryption",
        says=Says(member="keySource", vault=_IN_VAULT, other=("Microsoft.Automation",)),
        source="https://learn.microsoft.com/azure/automation/automation-secure-asset-encryption",
    ),
    Consumer(
        kind="netapp",
        type="Microsoft.NetApp/netAppAccounts",
        names=KEY,
        at="encryption",
        says=Says(member="keySource", vault=_IN_VAULT, other=("Microsoft.NetApp",)),
        vault="keyVaultProperties.keyVaultUri",
        name="keyVaultProperties.keyName",
        status=Status(member="keyVaultProperties.status", works=("Created", "InUse", "Updating"), broken=("Deleted", "Error")),
        source="https://learn.microsoft.com/azure/azure-netapp-files/configure-customer-managed-keys",
    ),
)
