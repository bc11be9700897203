"""The view of secrets, by version."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views import versions
from keyaudit.inventory.views.sql import Sources, extended, stored


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    reasons = {**versions.REASONS, "certificate_id": "stored.unknown['managed']"}
    return f"""
        SELECT {stored("secret", "stored")}, {versions.COLUMNS},
            {versions.certificate_of("secret_id")} AS certificate_id,
            {extended(reasons)}
        FROM {versions.relations(sources, "secret", "secret_id")}"""
