"""Keeps to the services' limits."""
