"""Key Vault: vaults and their content."""
