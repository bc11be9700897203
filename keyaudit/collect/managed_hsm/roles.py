"""A Managed HSM's local role assignments as grants, each with the permissions of its role."""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from msgspec import Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access.actions import Permission, covers
from keyaudit.collect.access.definitions import DefinitionItem, DefinitionProperties, guid_of
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.grants import grant_row
from keyaudit.collect.places import Vault, source
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows
from keyaudit.model.values.guid import GUID

OPERATIONS = (
    "hsm.role_definition.list",
    "hsm.role_assignment.list",
    "hsm.role_assignment.of_keys",
    "hsm.role_assignment.of_key",
)

_HSM = "microsoft.keyvault/managedhsm"

# https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles
DATA: Mapping[str, Allows] = {
    f"{_HSM}/keys/sign/action": Allows.SIGN,
    f"{_HSM}/keys/decrypt/action": Allows.DECRYPT,
    f"{_HSM}/keys/unwrap/action": Allows.WRAP,
    f"{_HSM}/keys/export/action": Allows.READ_PRIVATE,
    f"{_HSM}/keys/backup/action": Allows.BACKUP,
    f"{_HSM}/backup/start/action": Allows.BACKUP,
    f"{_HSM}/keys/release/action": Allows.RELEASE,
    f"{_HSM}/keys/import/action": Allows.IMPORT,
    f"{_HSM}/keys/restore/action": Allows.IMPORT,
    f"{_HSM}/restore/start/action": Allows.IMPORT,
    f"{_HSM}/keys/create": Allows.MANAGE,
    f"{_HSM}/keys/write/action": Allows.MANAGE,
    f"{_HSM}/keys/delete": Allows.MANAGE,
    f"{_HSM}/keys/rotate/action": Allows.MANAGE,
    f"{_HSM}/keys/deletedkeys/delete": Allows.PURGE,
    f"{_HSM}/roleassignments/write/action": Allows.GRANT,
    f"{_HSM}/roledefinitions/write/action": Allows.GRANT,
    # The permission ekm/write is documented, and the whole name of its data action is not: both forms that others have.
    f"{_HSM}/ekm/write/action": Allows.CONNECT,
    f"{_HSM}/ekm/write": Allows.CONNECT,
}
"""Data actions of Managed HSMs, in lower case."""

_EKM_ADMINISTRATOR = "Managed HSM EKM Administrator"
"""A built-in role that is documented by its name only. https://learn.microsoft.com/azure/key-vault/managed-hsm/access-control"""
_ANY_KEY_ACTION = f"{_HSM}/keys/\0/action"
_CUSTOM = {"akvbuiltinrole": False, "customrole": True}
_AT_ONCE = 16

_SCOPE = re.compile(r"/(?:keys(?:/[0-9a-z-]{1,127})?)?", re.ASCII)
_ASSIGNMENT = re.compile(
    r"(?:/keys(?:/[0-9a-z-]{1,127})?)?/providers/microsoft\.authorization/roleassignments/[0-9a-z-]+", re.ASCII
)


class AssignmentProperties(Struct, rename="camel"):
    """The principal, role and scope."""

    principal_id: str
    role_definition_id: str
    scope: str


class AssignmentItem(Struct):
    """A local role assignment."""

    id: str
    properties: AssignmentProperties


class _Role(Struct, frozen=True, kw_only=True):
    """A local role. A refusal in place of a value says why it is unknown."""

    name: object
    custom: bool | Refusal
    allows: Sequence[str] | Refusal
    wildcard: bool | Refusal


class _Segments(TypedDict, total=False):
    key: str


class HsmRoles:
    """The local roles of one HSM. `uri` is its address, checked."""

    def __init__(self, connection: Connection, unit: Unit, hsm: Vault, uri: str) -> None:
        self._gateway, self._environment = connection.gateway, connection.environment
        self._unit, self._hsm, self._uri = unit, hsm, uri
        self._definitions = Calls(hsm.scope, OPERATIONS[0])
        self._roles: dict[str, _Role] = {}
        self._unlisted: Reason | None = None
        self._written: set[str] = set()

    async def collect(self, keys: Sequence[str], listed: Coverage) -> Sequence[Coverage]:
        """Write a grant per assignment with permissions. Returns the coverage of `OPERATIONS`.

        Only a key's own list returns assignments on that key: `keys` are the names of all keys, with the coverage `listed`.
        """
        await self._define()
        of_all = [await self._assigned(Calls(self._hsm.scope, operation)) for operation in OPERATIONS[1:3]]
        of_key = Calls(self._hsm.scope, OPERATIONS[3], per_object=True)
        await for_each(keys, lambda key: self._list(of_key, key=key), limit=_AT_ONCE)
        return [self._definitions.coverage(), *of_all, of_key.coverage(listed)]

    async def _define(self) -> None:
        listing = self._gateway.pages(self._definitions.id, DefinitionItem, by=lambda item: guid_of(item.id), host=self._uri)
        self._roles |= {guid: _role(item) for guid, item in (await distinct(listing, lambda item: guid_of(item.id))).items()}
        self._definitions.ended(listing.end)
        self._unlisted = why_incomplete(listing.end)

    async def _assigned(self, calls: Calls) -> Coverage:
        await self._list(calls)
        return calls.coverage()

    async def _list(self, calls: Calls, **segments: Unpack[_Segments]) -> None:
        url, version = source(self._environment, calls.id, host=self._uri, **segments)
        listing = self._gateway.pages(calls.id, AssignmentItem, by=_name, host=self._uri, **segments)
        async for item in listing:
            self._write(item, url, version)
        for copy in listing.copies():
            self._write(copy, url, version, copy=True)
        calls.ended(listing.end)

    def _write(self, item: AssignmentItem, url: str, version: str, *, copy: bool = False) -> None:
        """Write the grant once: a key's list also returns assignments above it. `copy`: a copy that differs from the first."""
        name, given = _name(item), item.properties
        role = self._role_of(guid_of(given.role_definition_id))
        if (name in self._written and not copy) or role.allows == []:
            return
        self._written.add(name)
        hsm, below = self._hsm.scope.id, given.scope.lower().rstrip("/")
        row = grant_row(
            "hsm-role",
            resource_id=f"{self._hsm.resource_id}{item.id}",
            scope_id=hsm,
            url=url,
            version=version,
            principal_id=given.principal_id,
        )
        row.put("principal_type", None)
        row.put("scope", f"{hsm}{below}")
        row.put("scope_kind", "object" if below else "hsm")
        row.put("vault_id", hsm)
        row.put("role_id", guid_of(given.role_definition_id))
        _put_role(row, role)
        self._unit.row("grant", row.finish())

    def _role_of(self, guid: str) -> _Role:
        # Built-in roles too: a principal that may list assignments may also list definitions.
        return self._roles.get(guid) or _unread(Refusal(self._unlisted or Reason.NOT_VISIBLE))


def _put_role(row: Row, role: _Role) -> None:
    row.put_read("name", role.name)
    row.put_read("custom", role.custom)
    row.put_read("allows", role.allows)
    row.put_read("wildcard", role.wildcard)


def _role(item: DefinitionItem) -> _Role:
    properties = read(item.properties, DefinitionProperties)
    if isinstance(properties, Refusal):
        return _unread(properties)
    kind = read(properties.type, str)
    custom = kind if isinstance(kind, Refusal) else _CUSTOM.get(kind.lower(), Refusal(Reason.UNRECOGNISED))
    permissions = read(properties.permissions, list[Permission])
    if isinstance(permissions, Refusal):
        return _Role(name=properties.role_name, custom=custom, allows=permissions, wildcard=permissions)
    wildcard = any(covers(pattern, _ANY_KEY_ACTION) for permission in permissions for pattern in permission.data_actions)
    name = read(properties.role_name, str)
    return _Role(name=properties.role_name, custom=custom, allows=_allowed(permissions, name), wildcard=wildcard)


def _unread(refusal: Refusal) -> _Role:
    return _Role(name=refusal, custom=refusal, allows=refusal, wildcard=refusal)


def _allowed(permissions: Sequence[Permission], name: str | Refusal) -> Sequence[str]:
    found = {means for action, means in DATA.items() if any(_gives(permission, action) for permission in permissions)}
    if name == _EKM_ADMINISTRATOR:
        found.add(Allows.CONNECT)
    return [str(each) for each in Allows if each in found]


def _gives(permission: Permission, action: str) -> bool:
    given = any(covers(pattern, action) for pattern in permission.data_actions)
    return given and not any(covers(pattern, action) for pattern in permission.not_data_actions or ())


def _name(item: AssignmentItem) -> str:
    """An assignment's id in lower case; ValueError if it is not one of an HSM."""
    given = item.properties
    guid_of(given.role_definition_id)
    if not GUID.fullmatch(given.principal_id.lower()) or not _SCOPE.fullmatch(given.scope.lower()):
        raise ValueError("no principal, or no scope of an HSM")
    if not _ASSIGNMENT.fullmatch(item.id.lower()):
        raise ValueError("not a local role assignment's id")
    return item.id.lower()
