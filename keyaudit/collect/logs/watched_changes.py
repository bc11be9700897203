"""Which changes of keys and credentials a query covers, by its text."""

# Text in a query that covers a subject. Audit events are matched by the part of their name without a dash: the real names have
# an en dash, which rules often replace. https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
_NAMED = {
    "key-vault": ("azkvauditlogs", "microsoft.keyvault"),
    "application-credentials": ("add service principal credentials", "certificates and secrets management"),
    "federation": ("set federation settings on domain", "set domain authentication"),
}


def watched_by_query(query: str) -> list[str]:
    """The changes that the text of a query names, sorted."""
    text = query.lower()
    return sorted(thing for thing, spelled in _NAMED.items() if any(name in text for name in spelled))
