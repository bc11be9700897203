"""What the tables of Key Vault have in common: how vaults are found, and where a row lies."""

from keyaudit.model.columns import Column, Type

KEY_VAULT_LEAVES_OUT = "Key Vault leaves unset members out (recorded answers, 2020 to 2026)"
ARM_LEAVES_OUT = "ARM leaves out what was never set on a vault (recorded answers, 2021 to 2025)"

VAULTS_FOUND = ("subscription.list", "vault.query", "vault.list")
"""The operations without which vaults may be missing, outermost first."""


def vault_place(operations: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that say where a row of a vault lies; `operations` are those that give its region."""
    return (
        Column(name="subscription_id", type=Type.TEXT, meaning="the subscription, a GUID in lower case"),
        Column(
            name="subscription_name",
            type=Type.TEXT,
            meaning="the subscription's display name",
            operations=("subscription.list",),
        ),
        Column(name="resource_group", type=Type.TEXT, meaning="the resource group, as Azure spells it"),
        Column(name="location", type=Type.TEXT, meaning="the Azure region", operations=operations),
    )
