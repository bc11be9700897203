"""Role assignments and eligible roles on vaults, as grants."""

import re
from collections.abc import Collection

from msgspec import UNSET, Struct

from keyaudit.collect.access.actions import allowed
from keyaudit.collect.access.definitions import Role, guid_of
from keyaudit.collect.access.scopes import Place, place_of
from keyaudit.collect.grants import grant_row
from keyaudit.collect.queries import Query
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

QUERY = Query(
    operation="role_assignment.query",
    table="authorizationresources",
    types=("microsoft.authorization/roleassignments",),
    own=("id", "name", "properties"),
    above=True,
)

_BELOW = "/providers/microsoft.authorization/"
_NAMED = re.compile(rf".*{_BELOW}(roleassignments|roleeligibilityscheduleinstances)/[^/]+")
_TYPES = {"serviceprincipal": "service-principal", "foreigngroup": "foreign-group"}


class AzureAssignmentProperties(Struct, rename="camel"):
    """The properties of an assignment or eligibility."""

    principal_id: Wire = UNSET
    role_definition_id: Wire = UNSET
    scope: Wire = UNSET
    principal_type: Wire = UNSET
    condition: Wire = UNSET
    created_on: Wire = UNSET
    end_date_time: Wire = UNSET


class AssignmentItem(Struct):
    """A role assignment, or an instance of a role's eligibility."""

    id: str
    properties: AzureAssignmentProperties

    @property
    def principal(self) -> str | Refusal:
        """The object id of whom it is given to, in lower case."""
        told = read(self.properties.principal_id, str)
        if isinstance(told, Refusal):
            return told
        return told.lower() if GUID.fullmatch(told.lower()) else Refusal(Reason.BAD_VALUE)

    @property
    def place(self) -> Place:
        """Its scope, or the beginning of its id. Raises ValueError if neither is valid.

        https://learn.microsoft.com/rest/api/authorization/role-assignments/get
        """
        try:
            return place_of(told) if isinstance(told := read(self.properties.scope, str), str) else self._place_of_id
        except ValueError:
            return self._place_of_id

    @property
    def _place_of_id(self) -> Place:
        scope, found, _ = self.id.lower().rpartition(_BELOW)
        if not found:
            raise ValueError("neither a scope nor an id that starts with one")
        return place_of(scope or "/")

    @property
    def role(self) -> str | Refusal:
        """The role's GUID."""
        told = read(self.properties.role_definition_id, str)
        try:
            return told if isinstance(told, Refusal) else guid_of(told)
        except ValueError:
            return Refusal(Reason.BAD_VALUE)


def name_of(item: AssignmentItem) -> str:
    """An item's id in lower case; ValueError for one that is no assignment's, or names no scope."""
    _ = item.place
    if not _NAMED.fullmatch(item.id.lower()):
        raise ValueError("not the id of an assignment")
    return item.id.lower()


def matters(role: Role, place: Place, groups: Collection[str]) -> bool:
    """Whether an assignment gives access to keys, by its role and by whether its scope can contain a vault.

    `groups`: the ids of resource groups with a vault.
    """
    if place.kind == "other" or (place.kind == "resource-group" and place.id not in groups):
        return False
    return isinstance(role.actions, Refusal) or bool(role.actions)


def assignment_row(
    item: AssignmentItem, role: Role, denied: frozenset[str] | Refusal, *, scope_id: str, url: str, version: str, standing: bool
) -> Row:
    """The grant row of an assignment, or of an eligibility if not `standing`. `denied`: actions that are certainly denied."""
    found, place, principal = item.properties, item.place, item.principal
    row = grant_row(
        "azure-role",
        resource_id=item.id,
        scope_id=scope_id,
        url=url,
        version=version,
        principal_id="" if isinstance(principal, Refusal) else principal,
    )
    role.put(row)
    row.put_read("role_id", item.role)
    row.put("scope", place.id)
    row.put("scope_kind", place.kind)
    row.put("vault_id", place.vault_id or None)
    row.put("standing", standing)
    _put_principal_type(row, found.principal_type)
    if isinstance(principal, Refusal):
        # Somebody has it: it may be any principal of that kind.
        row.refuse(("principal_id", "principal_type"), principal.reason)
    _put_condition(row, found.condition, role.condition)
    row.put("created_on", found.created_on)
    if not standing:
        row.put("expires_on", found.end_date_time)
    if isinstance(denied, Refusal):
        row.put_read("denied", denied)
    elif denied and not isinstance(role.actions, Refusal):
        left = allowed(role.actions - denied)
        row.put_all(allows=left, denied=[each for each in allowed(role.actions) if each not in left])
    return row


def _put_principal_type(row: Row, raw: Wire) -> None:
    kind = read(raw, str)
    row.put_read("principal_type", kind if isinstance(kind, Refusal) else _TYPES.get(kind.lower(), kind.lower()))


def _put_condition(row: Row, raw: Wire, of_role: str | None) -> None:
    """Fill the condition: the assignment's own, otherwise that of its role."""
    if is_null(raw) or raw is UNSET:
        row.put("condition", of_role)
    else:
        row.put("condition", raw)
