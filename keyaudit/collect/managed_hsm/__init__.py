"""Managed HSMs: their keys, local roles and settings."""
