"""Directory roles: who has them, and who may activate them."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.relations import GUID
from keyaudit.collect.grants import grant_row
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tiers import tier_of_actions, tier_of_role

OPERATIONS = ("directory_role.definitions", "directory_role.assignments", "directory_role.eligibilities")

_DEFINED = ("name", "custom", "tier")


class PermissionItem(Struct):
    """A part of what a role allows."""

    allowedResourceActions: list[str]  # noqa: N815 - Graph's spelling, as in all wire structs


class DefinitionItem(Struct):
    """A directory role."""

    id: str
    displayName: Wire = UNSET  # noqa: N815
    isBuiltIn: Wire = UNSET  # noqa: N815
    templateId: Wire = UNSET  # noqa: N815
    rolePermissions: Wire = UNSET  # noqa: N815


class AssignmentItem(Struct):
    """A role, assigned or to be activated."""

    id: str
    principalId: str  # noqa: N815
    roleDefinitionId: str  # noqa: N815
    directoryScopeId: Wire = UNSET  # noqa: N815
    startDateTime: Wire = UNSET  # noqa: N815
    endDateTime: Wire = UNSET  # noqa: N815


async def collect_directory_roles(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a grant per assignment and per eligibility; the coverage of `OPERATIONS`."""
    return await _DirectoryRoles(reading.connection, unit, scope).collect()


class _DirectoryRoles:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._connection, self._unit, self._scope = connection, unit, scope
        self._tenant_id = connection.identity.tenant_id
        self._roles: Mapping[str, DefinitionItem] = {}
        self._undefined = Reason.INCONSISTENT_PAGES

    async def collect(self) -> Sequence[Coverage]:
        definitions, assignments, eligibilities = OPERATIONS
        calls = Calls(self._scope, definitions)
        listing = self._connection.gateway.pages(definitions, DefinitionItem, by=_definition)
        self._roles = await distinct(listing, _definition)
        calls.ended(listing.end)
        self._undefined = why_incomplete(listing.end) or Reason.INCONSISTENT_PAGES
        return [
            calls.coverage(),
            await self._grants(assignments, "roleAssignments", standing=True),
            await self._grants(eligibilities, "roleEligibilities", standing=False),
        ]

    async def _grants(self, operation: str, collection: str, *, standing: bool) -> Coverage:
        calls, place = Calls(self._scope, operation), source(self._connection.environment, operation)
        listing = self._connection.gateway.pages(operation, AssignmentItem, by=_assignment)
        async for item in both(listing):
            row = grant_row(
                "directory-role",
                resource_id=f"/tenants/{self._tenant_id}/{collection}/{_assignment(item)}",
                scope_id=self._scope.id,
                url=place[0],
                version=place[1],
                principal_id=item.principalId,
            )
            row.put("principal_type", None)
            row.put("allows", [])
            row.put("standing", standing)
            self._put_scope(row, item.directoryScopeId)
            self._put_role(row, item.roleDefinitionId.lower())
            if not standing:
                row.put("created_on", item.startDateTime)
                row.put("expires_on", item.endDateTime)
            self._unit.row("grant", row.finish())
        calls.ended(listing.end)
        return calls.coverage()

    def _put_scope(self, row: Row, raw: Wire) -> None:
        """The whole tenant, an administrative unit, or a single object."""
        text = Refusal(Reason.UNRECOGNISED) if is_null(raw) else read(raw, str)
        if isinstance(text, Refusal):
            row.refuse(("scope", "scope_kind"), text.reason)
            return
        below = text.strip("/").lower()
        tenant = f"/tenants/{self._tenant_id}".lower()
        unit = below.startswith("administrativeunits/")
        row.put("scope", f"{tenant}/{below if unit else f'directoryobjects/{below}'}" if below else tenant)
        row.put("scope_kind", "administrative-unit" if unit else "directory-object" if below else "tenant")

    def _put_role(self, row: Row, role_id: str) -> None:
        row.put("role_id", role_id)
        role = self._roles.get(role_id)
        if role is None:
            row.refuse(_DEFINED, self._undefined)
            return
        row.put("name", role.displayName)
        built_in = read(role.isBuiltIn, bool)
        row.put_read("custom", built_in if isinstance(built_in, Refusal) else not built_in)
        row.put_read("tier", built_in if isinstance(built_in, Refusal) else _tier(role, built_in=built_in))


def _tier(role: DefinitionItem, *, built_in: bool) -> int | Refusal | None:
    if built_in:
        # A built-in role has the id of its template in every tenant; the template is what Microsoft names.
        template = None if is_null(role.templateId) else read(role.templateId, str)
        return tier_of_role(template if isinstance(template, str) else role.id)
    permissions = read(role.rolePermissions, list[PermissionItem])
    if isinstance(permissions, Refusal):
        return permissions
    return tier_of_actions([action for part in permissions for action in part.allowedResourceActions])


def _assignment(item: AssignmentItem) -> str:
    """What tells one from another; ValueError if an id has not the form of one. Graph's own ids can differ in case alone."""
    if not GUID.fullmatch(item.principalId) or not GUID.fullmatch(item.roleDefinitionId):
        raise ValueError("not an object id")
    place = read(item.directoryScopeId, str)
    where = "-" if isinstance(place, Refusal) else place.strip("/") or "tenant"
    return f"{item.principalId}/{item.roleDefinitionId}/{where}/{item.id}"


def _definition(item: DefinitionItem) -> str:
    return item.id.lower()
