"""Key Vault: vaults, and what they hold."""
