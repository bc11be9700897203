"""The tables of vaults and the objects inside."""
