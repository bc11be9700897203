"""Fixes in a safe order: what has to be done or known first, in words, and then the command."""

import re
from collections.abc import Mapping

FIRST = "text"
"""The kind of fix in words, which says what has to be done before a command that takes something away."""

_TAKES_AWAY = re.compile(
    r"(?<![\w-])(?:delete|delete-policy|remove|revoke|purge)(?![\w-])"
    r"|\b(?-i:Remove-[A-Z])"
    # Disabled, or closed to networks.
    r"|--enabled false|accountEnabled=false|--(?:default-action|public-network-access) (?:deny|disabled)|--value false"
    # Cut off: users of other tenants, access policies, some operations of a key, an identity provider's second factor.
    r"|--sign-in-audience AzureADMyOrg|--enable-rbac-authorization true|set-attributes .*--ops|rejectMfaByFederatedIdp"
    # Replaced in one step, without a time in which both are accepted.
    r"|-SigningCertificate|nextSigningCertificate = \$null|credential reset(?!.*--append)",
    re.IGNORECASE,
)


def takes_away(command: str) -> bool:
    """Whether a command deletes, disables, closes or cuts off something that may be in use."""
    return _TAKES_AWAY.search(command) is not None


def ordered(fix: Mapping[str, str]) -> list[tuple[str, str]]:
    """The parts of a fix by kind, in the order in which they are to be read: the text first where a command takes away."""
    first = any(takes_away(command) for kind, command in fix.items() if kind != FIRST)
    return sorted(fix.items(), key=lambda each: first and each[0] != FIRST)


def heading(kind: str, command: str) -> str:
    """The words above a part of a fix: "Fix (text)", "Fix (cli)"."""
    last = kind != FIRST and takes_away(command)
    return f"Fix ({kind}), last, because it takes something away" if last else f"Fix ({kind})"
