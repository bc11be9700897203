"""Credentials and key material of applications and service principals."""
