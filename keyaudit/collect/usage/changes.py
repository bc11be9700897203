"""The meaning of directory changes, the same for all logs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from keyaudit.collect.usage.values import LONGEST, BadRecordError, guid, operation_name
from keyaudit.inventory.files import BROKEN
from keyaudit.inventory.logs.use import Use
from keyaudit.model.reasons import Reason

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
_CONSENT = "consent to application"
_GRANTS = {
    **dict.fromkeys(
        (
            "add delegated permission grant",
            _CONSENT,
            "add app role assignment to service principal",
            "add app role assignment grant to user",
            "add app role assignment grant to group",
        ),
        "grant-permission",
    ),
    **dict.fromkeys(("add owner to application", "add owner to service principal"), "add-owner"),
}
# Of a grant the target is the API, and these are who received it:
# https://github.com/OTRF/Security-Datasets, compound/GoldenSAMLADFSMailAccess/AADAuditEvents
_RECEIVERS = frozenset({"serviceprincipal.objectid", "user.objectid", "group.objectid"})
_SCOPE, _ROLE, _CONSENTED = "delegatedpermissiongrant.scope", "approle.value", "consentaction.permissions"
_SCOPES = re.compile(r"\bScope:\s*([^,\]]*)")
_HELD = frozenset({"keydescription", "keycredentials", "passwordcredentials", "credential"})
# Each new service principal has it, with the ids of a store and a group of keys, and none of a key: the event "Add service
# principal" of Microsoft Entra ID in https://github.com/SEKOIA-IO/documentation
_STORE = "credential"
# Its values are lists of issuers and subjects:
# https://elastic.github.io/detection-rules-explorer/rules/498e4094-60e7-11f0-8847-f661ea17fbcd
_FEDERATED = "federatedidentitycredentials"
_KEY = re.compile(r"\bKeyId(?:entifier)?[\"']?\s*[=:]\s*[\"']?([0-9a-f-]{36})", re.ASCII | re.IGNORECASE)
_NOTHING = frozenset({"", "[]", "null", '""', "[ ]"})

Property = tuple[str, str, str]
"""A changed property: its name, old value and new value."""
Change = tuple[str, str | None]
"""An operation of `usage`, and the credential's key id if the log names one."""


class Target(NamedTuple):
    """The changed object: its kind, its id, and the ids of others that the record names beside it."""

    kind: str
    id: str | None
    beside: Sequence[str] = ()


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
    changed_values = [(name.replace(" ", "").casefold(), old, new) for name, old, new in properties or ()]
    held = [
        (name, old, new)
        for name, old, new in changed_values
        if name in _HELD and (folded != _ADDED or name != _STORE or _keys(new))
    ]
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
    return found + [change for name, old, new in changed_values if name == _FEDERATED for change in _federated(old, new)]


def tell_grant(use: Use, operation: str, properties: Iterable[Property], target: Target) -> None:
    """Fills who got which permission in a use of a grant, or why that is unknown."""
    values = {name.replace(" ", "").casefold(): (_plain(old), _plain(new)) for name, old, new in properties}
    received = (guid(new) for name, (_, new) in values.items() if name in _RECEIVERS)
    consent = operation_name(operation) == _CONSENT
    use.granted_to = next(filter(None, received), target.id if consent else next(iter(target.beside), None))
    if use.granted_to is None:
        use.unknown = {**use.unknown, "granted_to": Reason.NOT_SUPPLIED}
    permission = _permission(values)
    if permission is None or len(permission) > LONGEST:
        use.unknown = {**use.unknown, "permission": Reason.NOT_SUPPLIED if permission is None else Reason.TOO_LARGE}
    else:
        use.permission = permission or None


def _permission(values: Mapping[str, tuple[str, str]]) -> str | None:
    """The permissions that a grant added, with a space between them; empty for a role without a name, None if not named."""
    if _ROLE in values:
        return values[_ROLE][1]
    if _SCOPE in values:
        before, after = (text.split() for text in values[_SCOPE])
    elif _CONSENTED in values:
        before, after = (" ".join(_SCOPES.findall(text)).split() for text in values[_CONSENTED][1].partition("=>")[::2])
    else:
        return None
    return " ".join([name for name in dict.fromkeys(after) if name not in before] or dict.fromkeys(after))


def _plain(text: str) -> str:
    """A value without the quotes of JSON."""
    return text.strip().strip('"').strip()


def _federated(old: str, new: str) -> list[Change]:
    """The changes of federated credentials, which have no key id. One with another issuer or subject is another one."""
    before, after = _items(old), _items(new)
    found: list[Change] = [("add-credential", None)] if after - before else []
    return found + ([("remove-credential", None)] if before - after else [])


def _items(text: str) -> set[bytes]:
    """The items of a list as JSON; a text that is no list is its own item."""
    if text.strip() in _NOTHING:
        return set()
    data = text.strip().encode("utf-8", "surrogatepass")
    try:
        return {msgspec.json.encode(item, order="deterministic") for item in msgspec.json.decode(data, type=list[Any])}
    except BROKEN:
        return {data}


def _keys(text: str) -> set[str]:
    return {key.lower() for key in _KEY.findall(text)}
