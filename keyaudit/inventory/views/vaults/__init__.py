"""The views of vaults and the objects inside."""
