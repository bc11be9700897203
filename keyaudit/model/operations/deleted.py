"""Reads of deleted, recoverable objects: vaults from Azure Resource Manager, keys, certificates and secrets from the vault."""

from keyaudit.model.operations.about import Named
from keyaudit.model.operations.kinds import (
    KEY_VAULT_ARM,
    MGMT_KEYVAULT,
    SDK_ASSETS,
    AccessPolicy,
    Family,
    Paging,
    Recording,
    arm,
    vault_object,
)

_DELETED_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
_DELETED_HSMS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedManagedHSMs"

FAMILY = Family("what was deleted", order=50)

DECLARED = (
    arm("deleted_vault.list", "deleted vaults", _DELETED_VAULTS, version=KEY_VAULT_ARM, paging=Paging.NEXT_LINK),
    arm("deleted_hsm.list", "deleted Managed HSMs", _DELETED_HSMS, version=KEY_VAULT_ARM, paging=Paging.NEXT_LINK),
    vault_object(
        "deleted_key.list",
        "deleted keys",
        "/deletedkeys",
        access_policy=AccessPolicy("keys", "list"),
        about=Named("kid", "/keys"),
        paged=True,
    ),
    vault_object(
        "deleted_certificate.list",
        "deleted certificates",
        "/deletedcertificates",
        access_policy=AccessPolicy("certificates", "list"),
        about=Named("id", "/certificates"),
        query=(("includePending", "true"),),
        paged=True,
    ),
    vault_object(
        "deleted_secret.list",
        "deleted secrets' metadata",
        "/deletedsecrets",
        access_policy=AccessPolicy("secrets", "list"),
        about=Named("id", "/secrets"),
        paged=True,
    ),
)

RECORDED = {
    "deleted_vault.list": Recording(MGMT_KEYVAULT, "test_cli_mgmt_keyvault_async", 2021, kept=True),
    "deleted_key.list": Recording(SDK_ASSETS, "test_example_key_list_operations", 2024, kept=True),
    "deleted_certificate.list": Recording(SDK_ASSETS, "test_example_certificate_list_operations", 2024, kept=True),
    "deleted_secret.list": Recording(SDK_ASSETS, "test_example_secret_list_operations", 2024, kept=True),
}
