"""Which permissions agents inherit from their blueprint: https://learn.microsoft.com/graph/api/resources/inheritablepermission"""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.rows import Wire, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason


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


def inheritable(entries: Sequence[Inheritable], *, scopes: bool) -> list[str] | Refusal:
    """What `entries` say of scopes, or else of roles: API/PERMISSION and API/*, sorted; a refusal if one cannot be read."""
    found: set[str] = set()
    for entry in entries:
        pattern = read(entry.inheritable_scopes if scopes else entry.inheritable_roles, Pattern)
        if isinstance(pattern, Refusal):
            return pattern
        names = _names(pattern, pattern.scopes if scopes else pattern.roles)
        if isinstance(names, Refusal):
            return names
        found.update(f"{entry.resource_app_id.lower()}/{name}" for name in names)
    return sorted(found)


def _names(pattern: Pattern, listed: Wire) -> Sequence[str] | Refusal:
    if pattern.kind in ("allAllowed", "none"):
        return ["*"] if pattern.kind == "allAllowed" else []
    if pattern.kind != "enumerated":
        return Refusal(Reason.UNRECOGNISED)
    names = read(listed, list[str])
    # Grants have names. One that is listed by its id matches none of them.
    return Refusal(Reason.UNRECOGNISED) if any(map(GUID.fullmatch, [] if isinstance(names, Refusal) else names)) else names
