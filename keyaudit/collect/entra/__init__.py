"""Entra: the tenant, applications, service principals, and their credentials."""
