"""The meaning of directory changes, the same for all logs."""

import re
from collections.abc import Iterable

from keyaudit.collect.usage.values import BadRecordError, operation_name

# https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities, as `operation_name` folds them.
_ADDED = "add service principal"
_CREDENTIALS = {
    "add service principal credentials": "add-credential",
    "remove service principal credentials": "remove-credential",
    # The changed properties decide which of the two it is; if they are missing, the more severe one is assumed.
    "update application - certificates and secrets management": "add-credential",
    "create application - certificates and secrets management": "add-credential",
}
# These do not name credentials, but may contain some.
_CARRIERS = frozenset({_ADDED, "add application", "update application", "update service principal"})
_SETTINGS, _AUTHENTICATION = "set federation settings on domain", "set domain authentication"
_FEDERATION = frozenset({_SETTINGS, _AUTHENTICATION})
_LIVE_TYPE = "livetype"
"""The property for managed or federated; other properties of that operation do not matter here."""
_GRANTS = {
    **dict.fromkeys(
        (
            "add delegated permission grant",
            "consent to application",
            "add app role assignment to service principal",
            "add app role assignment grant to user",
            "add app role assignment grant to group",
        ),
        "grant-permission",
    ),
    **dict.fromkeys(("add owner to application", "add owner to service principal"), "add-owner"),
}
_HELD = frozenset({"keydescription", "keycredentials", "passwordcredentials", "credential"})
_KEY = re.compile(r"\bKeyId(?:entifier)?[\"']?\s*[=:]\s*[\"']?([0-9a-f-]{36})", re.ASCII | re.IGNORECASE)
_NOTHING = frozenset({"", "[]", "null", '""', "[ ]"})

Property = tuple[str, str, str]
"""A changed property: its name, old value and new value."""
Change = tuple[str, str | None]
"""An operation of `usage`, and the credential's key id if the log names one."""


def relevant(operation: str) -> bool:
    """Whether records of this name may be about credentials or federation."""
    folded = operation_name(operation)
    return folded in _CREDENTIALS or folded in _CARRIERS or folded in _FEDERATION or folded in _GRANTS


def federates(operation: str) -> bool:
    """Whether it changes the authentication of a domain."""
    return operation_name(operation) in _FEDERATION


def changes(operation: str, properties: Iterable[Property] | None) -> list[Change]:
    """All changes in a record of this name, in a fixed order; none for other records.

    `properties`: None if the record has none; raises BadRecordError if they are needed to classify it.
    """
    folded = operation_name(operation)
    if folded == _AUTHENTICATION and properties is not None:
        changed = [each for each in properties if each[0].replace(" ", "").casefold() == _LIVE_TYPE]
        return [("change-federation", None)] if any(old.strip() != new.strip() for _, old, new in changed) else []
    if folded in _FEDERATION:
        return [("change-federation", None)]
    if folded in _GRANTS:
        return [(_GRANTS[folded], None)]
    if properties is None and folded in _CARRIERS:
        raise BadRecordError("does not say what it changed")
    found: list[Change] = [("add-service-principal", None)] if folded == _ADDED else []
    held = [each for each in properties or () if each[0].replace(" ", "").casefold() in _HELD]
    added, removed = set[str](), set[str]()
    for _, old, new in held:
        before, after = _keys(old), _keys(new)
        added |= after - before
        removed |= before - after
    found += [("add-credential", key) for key in sorted(added)]
    found += [("remove-credential", key) for key in sorted(removed)]
    named = bool(added or removed)
    if not named and folded in _CREDENTIALS:
        found.append((_CREDENTIALS[folded], None))
    elif not named and any(new.strip() not in (old.strip(), *_NOTHING) and not _keys(new) for _, old, new in held):
        # They changed, but without ids: the more severe change is assumed.
        found.append(("add-credential", None))
    return found


def _keys(text: str) -> set[str]:
    return {key.lower() for key in _KEY.findall(text)}
