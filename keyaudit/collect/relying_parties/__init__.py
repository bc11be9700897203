"""Reads what your own services trust from supplied files: keys, and settings for token validation."""
