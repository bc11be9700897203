"""The operations that the page of one key needs."""

from keyaudit.inventory.naming import address
from keyaudit.model.tables import TABLES
from keyaudit.questions.blast_radius.evidence.reading import EVERY, GIVEN, SECRET

_READ = (
    *("agent", "application", "blueprint", "certificate", "credential", "credential_activity", "grant", "issuer_key", "key"),
    *("key_use", "membership", "principal", "service_principal", "sign_in_activity", "signing_certificate", "subscription"),
    *("token_policy", "trusted_authority", "vault"),
)
"""The tables that the page is made of, besides those of logs."""

NEEDED = EVERY.union(*(TABLES[name].listed_by for name in _READ))
"""Those that list the rows of these tables, and those without which an answer is unknown."""


def needed(asked: str) -> frozenset[str]:
    """The operations that the page of `asked` needs.

    Only an address, or VAULT/NAME, can be that of a secret. Only for one that is certainly a secret are the services read that
    use secrets: each has to be asked.
    """
    named = address(asked)
    if named is None or named.kind not in ("", "secrets"):
        return NEEDED
    return NEEDED | SECRET | (GIVEN if named.kind else frozenset())
