"""Role assignments and eligible roles that reach vaults, as grants."""

import re
from collections.abc import Collection

from msgspec import UNSET, Struct

from keyaudit.collect.access.actions import allowed
from keyaudit.collect.access.definitions import Role, guid_of
from keyaudit.collect.access.scopes import Place, place_of
from keyaudit.collect.grants import grant_row
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.model.coverage import Refusal

QUERY = (
    "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' "
    "| project id, name, properties | order by id asc"
)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_TYPES = {"serviceprincipal": "service-principal", "foreigngroup": "foreign-group"}


class Properties(Struct):
    """What is read of an assignment or an eligibility. Of one without these three, nothing could be said."""

    principalId: str  # noqa: N815 - Azure's spelling, as in all wire structs
    roleDefinitionId: str  # noqa: N815
    scope: str
    principalType: Wire = UNSET  # noqa: N815
    condition: Wire = UNSET
    createdOn: Wire = UNSET  # noqa: N815
    endDateTime: Wire = UNSET  # noqa: N815


class AssignmentItem(Struct):
    """A role assignment, or an instance of a role's eligibility."""

    id: str
    properties: Properties

    @property
    def place(self) -> Place:
        """Where it holds."""
        return place_of(self.properties.scope)

    @property
    def role(self) -> str:
        """The role's GUID."""
        return guid_of(self.properties.roleDefinitionId)


def name_of(item: AssignmentItem) -> str:
    """An item's id in lower case; ValueError for one that names no principal, role or scope."""
    if not _GUID.fullmatch(item.properties.principalId.lower()):
        raise ValueError("not an object id")
    guid_of(item.properties.roleDefinitionId)
    place_of(item.properties.scope)
    return item.id.lower()


def matters(role: Role, place: Place, groups: Collection[str]) -> bool:
    """Whether an assignment is a way in: of what its role allows, and of whether a vault can be in its scope.

    `groups`: the ids of the resource groups that hold one.
    """
    if place.kind == "other" or (place.kind == "resource-group" and place.id not in groups):
        return False
    return isinstance(role.actions, Refusal) or bool(role.actions)


def assignment_row(
    item: AssignmentItem, role: Role, denied: frozenset[str] | Refusal, *, scope_id: str, url: str, version: str, standing: bool
) -> Row:
    """The grant that an assignment, or where not `standing` an eligibility, is. `denied`: the actions surely taken from it."""
    found, place = item.properties, item.place
    row = grant_row(
        "azure-role",
        resource_id=item.id,
        scope_id=scope_id,
        url=url,
        version=version,
        principal_id=found.principalId,
    )
    role.put(row)
    row.put("role_id", item.role)
    row.put("scope", place.id)
    row.put("scope_kind", place.kind)
    row.put("vault_id", place.vault_id or None)
    row.put("standing", standing)
    _put_principal_type(row, found.principalType)
    _put_condition(row, found.condition, role.condition)
    row.put("created_on", found.createdOn)
    if not standing:
        row.put("expires_on", found.endDateTime)
    if isinstance(denied, Refusal):
        row.put_read("denied", denied)
    elif denied and not isinstance(role.actions, Refusal):
        left = allowed(role.actions - denied)
        row.put("allows", left)
        row.put("denied", [each for each in allowed(role.actions) if each not in left])
    return row


def _put_principal_type(row: Row, raw: Wire) -> None:
    kind = read(raw, str)
    row.put_read("principal_type", kind if isinstance(kind, Refusal) else _TYPES.get(kind.lower(), kind.lower()))


def _put_condition(row: Row, raw: Wire, of_role: str | None) -> None:
    """The assignment's own condition, else that of its role. Both at once would only say that there are two."""
    if is_null(raw) or raw is UNSET:
        row.put("condition", of_role)
    else:
        row.put("condition", raw)
