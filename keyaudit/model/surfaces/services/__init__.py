"""Surfaces of other services than Key Vault."""
