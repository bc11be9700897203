"""Writes the store of uses."""
