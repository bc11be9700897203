"""Role definitions: from Resource Graph, and single reads of those that it lacks."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.access.actions import Permission, allowed, by_wildcard, granted
from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import distinct
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

QUERY = Query(
    operation="role_definition.query",
    table="authorizationresources",
    types=("microsoft.authorization/roledefinitions",),
    own=("id", "name", "properties"),
    above=True,
)

_CUSTOM = {"builtinrole": False, "customrole": True}


class DefinitionItem(Struct):
    """A role definition, in the same form from Resource Graph, Resource Manager and Managed HSMs (ids without the slash)."""

    id: str
    properties: Wire = UNSET


class DefinitionProperties(Struct, rename="camel"):
    """The properties that are read."""

    role_name: Wire = UNSET
    type: Wire = UNSET
    permissions: Wire = UNSET


class Role(Struct, frozen=True, kw_only=True):
    """A role. A refusal in place of a value says why it is unknown."""

    name: Wire | Refusal
    custom: bool | Refusal
    actions: frozenset[str] | Refusal
    """Its actions in the closed table."""
    wildcard: bool | Refusal
    condition: str | None = None
    """The condition in the role definition."""

    def put(self, row: Row) -> None:
        """Fill the columns that depend on the role only."""
        row.put_read("name", self.name)
        row.put_read("custom", self.custom)
        row.put_read("wildcard", self.wildcard)
        row.put_read("allows", self.actions if isinstance(self.actions, Refusal) else allowed(self.actions))


def guid_of(role_id: str) -> str:
    """The GUID at the end of a role's id; ValueError if there is none."""
    guid = role_id.lower().rpartition("/")[2]
    if not GUID.fullmatch(guid):
        raise ValueError("not a role's id")
    return guid


class Roles:
    """The roles of a tenant, by GUID. Call `collect` before `role`."""

    def __init__(self, reading: Reading, scope: Scope) -> None:
        self._gateway, self._graph = reading.connection.gateway, reading.graph
        self._subscriptions = reading.found.subscriptions
        self._list = Calls(scope, QUERY.operation)
        self._single = Calls(scope, "role_definition.get", per_object=True)
        self._found: dict[str, Role] = {}

    async def collect(self) -> None:
        """Read every definition from Resource Graph."""
        asked = self._graph.queries(self._gateway, self._list, QUERY, DefinitionItem, self._subscriptions, by=lambda _: _guid)
        for _, listing in asked:
            self._found |= {guid: _role(item) for guid, item in (await distinct(listing, _guid)).items()}

    async def role(self, guid: str | Refusal) -> Role:
        """One role, read separately if no list has it. If `guid` is a refusal, the role is unknown."""
        if isinstance(guid, Refusal):
            return _unread(guid)
        known = self._found.get(guid)
        if known is None:
            known = self._found[guid] = await self._get(guid)
        return known

    @property
    def coverage(self) -> Sequence[Coverage]:
        """The coverage of the list, and of single reads if any were sent."""
        return (self._list.coverage(), *((self._single.coverage(),) if self._single.used else ()))

    async def _get(self, guid: str) -> Role:
        found = await self._gateway.get(self._single.id, DefinitionItem, role=guid)
        if isinstance(found, Refusal):
            self._single.refused(found)
            return _unread(found)
        self._single.answered()
        return _role(found)


def _role(item: DefinitionItem) -> Role:
    properties = read(item.properties, DefinitionProperties)
    if isinstance(properties, Refusal):
        return _unread(properties)
    kind = read(properties.type, str)
    custom = kind if isinstance(kind, Refusal) else _CUSTOM.get(kind.lower(), Refusal(Reason.UNRECOGNISED))
    permissions = read(properties.permissions, list[Permission])
    if isinstance(permissions, Refusal):
        return Role(name=properties.role_name, custom=custom, actions=permissions, wildcard=permissions)
    return Role(
        name=properties.role_name,
        custom=custom,
        actions=granted(permissions),
        wildcard=by_wildcard(permissions),
        condition=next((each.condition for each in permissions if each.condition), None),
    )


def _unread(refusal: Refusal) -> Role:
    return Role(name=refusal, custom=refusal, actions=refusal, wildcard=refusal)


def _guid(item: DefinitionItem) -> str:
    return guid_of(item.id)
