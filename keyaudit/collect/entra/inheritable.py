"""Which permissions agents inherit from their blueprint: https://learn.microsoft.com/graph/api/resources/inheritablepermission"""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.wire import Wire, decoded
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable
from keyaudit.model.values.guid import GUID


class Inheritable(Struct, rename="camel"):
    """What is inherited of one API."""

    resource_app_id: str
    inheritable_scopes: Wire = UNSET
    inheritable_roles: Wire = UNSET


class Pattern(Struct):
    """All permissions of an API, those that are listed, or none."""

    kind: str
    scopes: Wire = UNSET
    roles: Wire = UNSET


def inheritable(entries: Sequence[Inheritable], *, scopes: bool) -> list[str]:
    """What `entries` say of scopes, or else of roles: API/PERMISSION and API/*, sorted. Raises `Unreadable`."""
    found: set[str] = set()
    for entry in entries:
        pattern = decoded(entry.inheritable_scopes if scopes else entry.inheritable_roles, Pattern)
        names = _names(pattern, pattern.scopes if scopes else pattern.roles)
        found.update(f"{entry.resource_app_id.lower()}/{name}" for name in names)
    return sorted(found)


def _names(pattern: Pattern, listed: Wire) -> Sequence[str]:
    if pattern.kind in ("allAllowed", "none"):
        return ["*"] if pattern.kind == "allAllowed" else []
    names = decoded(listed, list[str]) if pattern.kind == "enumerated" else None
    # Grants have names. One that is listed by its id matches none of them.
    if names is None or any(map(GUID.fullmatch, names)):
        raise Unreadable(Reason.UNRECOGNISED)
    return names
