"""The operations that the page of one key needs."""

from keyaudit.inventory.blast.reading import EVERY
from keyaudit.model.tables import TABLES

_READ = (
    *("agent", "application", "blueprint", "certificate", "credential", "credential_activity", "grant", "issuer_key", "key"),
    *("key_use", "membership", "principal", "service_principal", "sign_in_activity", "signing_certificate", "subscription"),
    *("token_policy", "trusted_authority", "vault"),
)
"""The tables that the page is made of, besides those of logs."""

NEEDED = EVERY.union(*(TABLES[name].listed_by for name in _READ))
"""Those that list the rows of these tables, and those without which an answer is unknown."""
