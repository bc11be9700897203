"""The table of vaults."""

from keyaudit.model.columns import Column, Left, Table, Type, where_found
from keyaudit.model.tables.places import ARM_LEAVES_OUT, VAULTS_FOUND, vault_place

VAULT = Table(
    name="vault",
    noun="vault",
    plural="vaults",
    meaning="a Key Vault",
    listed_by=VAULTS_FOUND,
    columns=(
        *where_found("vault.query", "vault.list"),
        *vault_place(("vault.query", "vault.list")),
        Column(
            name="vault_uri",
            type=Type.TEXT,
            meaning="where its keys are read",
            operations=("vault.query", "vault.list"),
        ),
        Column(
            name="sku",
            type=Type.TEXT,
            meaning="standard or premium, in lower case; premium proves nothing about a key",
            operations=("vault.query", "vault.list"),
            values=("standard", "premium"),
        ),
        Column(
            name="tags",
            type=Type.MAP,
            meaning="resource tags",
            operations=("vault.query", "vault.list"),
            absent="it has no tags",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="environment",
            type=Type.TEXT,
            meaning="the tag env or environment, in lower case",
            absent="no such tag",
            derived_from=("tags",),
        ),
        Column(
            name="access_model",
            type=Type.TEXT,
            meaning="rbac, or access-policy: never set means access policies, whatever api-version reads it",
            operations=("vault.query", "vault.list"),
            values=("rbac", "access-policy"),
            left_out=Left("access-policy", "learn.microsoft.com/azure/key-vault/general/access-control-default"),
        ),
        Column(
            name="access_policies",
            type=Type.INTEGER,
            meaning="how many access policies it has; under rbac they are left-overs that open nothing",
            operations=("vault.query", "vault.list"),
            absent="not a Key Vault",
        ),
        Column(
            name="purge_protection",
            type=Type.BOOLEAN,
            meaning="a deleted vault or key cannot be purged before its retention ends",
            operations=("vault.query", "vault.list"),
            left_out=Left(False, ARM_LEAVES_OUT),
        ),
        Column(
            name="soft_delete",
            type=Type.BOOLEAN,
            meaning="a deleted key can be recovered",
            operations=("vault.query", "vault.list"),
        ),
        Column(
            name="soft_delete_retention",
            type=Type.DURATION,
            unit="seconds",
            meaning="how long a deleted key can be recovered",
            operations=("vault.query", "vault.list"),
            absent="never set: the service's default holds",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="public_network_access",
            type=Type.TEXT,
            meaning="Enabled, Disabled or SecuredByPerimeter",
            operations=("vault.query", "vault.list"),
            values=("Enabled", "Disabled", "SecuredByPerimeter"),
            absent="never set",
            left_out=Left(None, ARM_LEAVES_OUT),
        ),
        Column(
            name="holds_signing_key",
            type=Type.BOOLEAN,
            meaning="an enabled key version in it can sign",
            derived_from=("key.enabled", "key.key_ops"),
        ),
    ),
)
