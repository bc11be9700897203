"""Directory roles: active assignments and eligibilities."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.grants import grant_row
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.directory.tiers import adds_agent_credentials, tier_of_actions, tier_of_role
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

OPERATIONS = ("directory_role.definitions", "directory_role.assignments", "directory_role.eligibilities")

_DEFINED = ("name", "custom", "tier", "agent_credentials")
_OWNERS = "$SubjectIsOwner"
"""The condition of a permission that a role gives to the owner of an object alone."""


class PermissionItem(Struct, rename="camel"):
    """A permission of a role."""

    allowed_resource_actions: list[str]
    condition: str | None = None


class DefinitionItem(Struct, rename="camel"):
    """A directory role."""

    id: str
    display_name: Wire = UNSET
    is_built_in: Wire = UNSET
    template_id: Wire = UNSET
    role_permissions: Wire = UNSET


class AssignmentItem(Struct, rename="camel"):
    """An active assignment or an eligibility."""

    id: str
    principal_id: str
    role_definition_id: str
    directory_scope_id: Wire = UNSET
    start_date_time: Wire = UNSET
    end_date_time: Wire = UNSET


async def collect_directory_roles(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a grant per assignment and per eligibility. Returns the coverage of `OPERATIONS`."""
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
                principal_id=item.principal_id,
            )
            row.put_all(principal_type=None, allows=[], standing=standing)
            self._put_scope(row, item.directory_scope_id)
            self._put_role(row, item.role_definition_id.lower())
            if not standing:
                row.put_all(created_on=item.start_date_time, expires_on=item.end_date_time)
            self._unit.row("grant", row.finish())
        calls.ended(listing.end)
        return calls.coverage()

    def _put_scope(self, row: Row, raw: Wire) -> None:
        """Fill the scope: the whole tenant, an administrative unit, or a single object."""
        text = Refusal(Reason.UNRECOGNISED) if is_null(raw) else read(raw, str)
        if isinstance(text, Refusal):
            row.refuse(("scope", "scope_kind"), text.reason)
            return
        below = text.strip("/").lower()
        unit = below.startswith("administrativeunits/")
        if below and not GUID.fullmatch(below.removeprefix("administrativeunits/")):
            row.refuse(("scope", "scope_kind"), Reason.UNRECOGNISED)
            return
        tenant = f"/tenants/{self._tenant_id}".lower()
        row.put("scope", f"{tenant}/{below if unit else f'directoryobjects/{below}'}" if below else tenant)
        row.put("scope_kind", "administrative-unit" if unit else "directory-object" if below else "tenant")

    def _put_role(self, row: Row, role_id: str) -> None:
        row.put("role_id", role_id)
        role = self._roles.get(role_id)
        if role is None:
            row.refuse(_DEFINED, self._undefined)
            return
        row.put("name", role.display_name)
        built_in = read(role.is_built_in, bool)
        row.put_read("custom", built_in if isinstance(built_in, Refusal) else not built_in)
        row.put_read("tier", built_in if isinstance(built_in, Refusal) else _tier(role, built_in=built_in))
        row.put_read("agent_credentials", _agent_credentials(role))


def _tier(role: DefinitionItem, *, built_in: bool) -> int | Refusal | None:
    if built_in:
        # A built-in role has the id of its template in every tenant, which Microsoft documents.
        template = None if is_null(role.template_id) else read(role.template_id, str)
        return tier_of_role(template if isinstance(template, str) else role.id)
    permissions = read(role.role_permissions, list[PermissionItem])
    if isinstance(permissions, Refusal):
        return permissions
    return tier_of_actions([action for part in permissions for action in part.allowed_resource_actions])


def _agent_credentials(role: DefinitionItem) -> bool | Refusal:
    """Whether it adds credentials to blueprints that its holder does not own."""
    permissions = read(role.role_permissions, list[PermissionItem])
    known: list[PermissionItem] = [] if isinstance(permissions, Refusal) else permissions
    actions = [action for part in known if part.condition != _OWNERS for action in part.allowed_resource_actions]
    found = adds_agent_credentials(role.id, actions)
    return permissions if isinstance(permissions, Refusal) and not found else found


def _assignment(item: AssignmentItem) -> str:
    """The key of an assignment; ValueError if an id is malformed. Graph's own ids can differ in case only."""
    if not GUID.fullmatch(item.principal_id) or not GUID.fullmatch(item.role_definition_id):
        raise ValueError("not an object id")
    place = read(item.directory_scope_id, str)
    where = "-" if isinstance(place, Refusal) else place.strip("/") or "tenant"
    return f"{item.principal_id}/{item.role_definition_id}/{where}/{item.id}"


def _definition(item: DefinitionItem) -> str:
    return item.id.lower()
