"""Managed HSMs: their keys, and the local roles and settings that say who reaches them."""
