"""Common to the tables of Key Vault: how vaults are found, and the location of a row."""

from keyaudit.model.schema.columns import Column, flag, text

KEY_VAULT_LEAVES_OUT = "Key Vault leaves unset members out (recorded answers, 2020 to 2026)"
ARM_LEAVES_OUT = "ARM leaves out what was never set on a vault (recorded answers, 2021 to 2025)"

KEY_VAULT, MANAGED_HSM = KINDS = ("key-vault", "managed-hsm")
"""The values of `kind` of a vault, and of `vault_kind` of its content."""

ACCESS_MODELS = ("rbac", "access-policy", "hsm-local")
"""The values of `access_model`: what decides on access to a vault."""

VAULTS_FOUND = ("subscription.list", "vault.query", "vault.list")
"""The operations without which vaults may be missing, outermost first."""

HSMS_FOUND = ("hsm.query", "hsm.list")
"""The same for Managed HSMs, after the list of subscriptions."""

VAULT_PARTS = {
    "vault.query": ({"kind": KEY_VAULT},),
    "vault.list": ({"kind": KEY_VAULT},),
    "hsm.query": ({"kind": MANAGED_HSM},),
    "hsm.list": ({"kind": MANAGED_HSM},),
}
"""Which listing gives which kind of vault."""


VAULT_ACCESS_MODEL = text("vault_access_model", "the permission model of its vault",
    values=ACCESS_MODELS, derived=True)


SKUS = ("standard", "premium", "standard_b1", "custom_b6", "custom_b32", "custom_c10", "custom_c42")
"""The tiers of vaults and Managed HSMs, in lower case."""

VAULT_SKU = text("vault_sku", "the tier of its vault, in lower case",
    values=SKUS, derived=True)


def vault_place(operations: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns with the location of a row in a vault; `operations` return its region."""
    return (
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("subscription_name", "the subscription's display name", ("subscription.list",)),
        text("resource_group", "the resource group, as Azure spells it"),
        text("location", "the Azure region", operations),
    )


def in_test(noun: str, more: str = "") -> Column:
    """The column of what is recorded as in an environment for tests."""
    return flag("in_test", f"[environments] puts {noun} into a test environment, such as dev or test{more}; its tags do not "
        "count", derived=True)
