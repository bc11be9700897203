"""Ordinary tenants: what Microsoft's installers and common products leave in them, and what keyaudit must say of it."""
