"""Subscriptions and resource groups that are delegated to other tenants, which no role assignment shows (Azure Lighthouse).

https://learn.microsoft.com/azure/lighthouse/concepts/architecture
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.access.actions import allowed
from keyaudit.collect.access.definitions import Role, Roles, guid_of
from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import source
from keyaudit.collect.queries import Group, Query, ids_of
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.delegation import DELEGATION

OPERATIONS = ("delegation.query",)

_ASSIGNMENT, _DEFINITION = (f"microsoft.managedservices/registration{kind}" for kind in ("assignments", "definitions"))
QUERY = Query(
    operation=OPERATIONS[0],
    table="managedservicesresources",
    types=(_ASSIGNMENT, _DEFINITION),
    own=("id", "type", "properties"),
)
_ID = re.compile(
    r"(/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?)/providers/(Microsoft\.ManagedServices/registration\w+)/[^/]+",
    re.ASCII | re.IGNORECASE,
)
_MFA = {"azure": True, "none": False}
_READ = ("name", "managing_tenant", "roles", "allows", "eligible_roles", "eligible_allows", "guarded")
_ACCESS = "microsoft.authorization/"


class Item(Struct):
    """A registration definition, or its assignment to a scope."""

    id: str
    type: str
    properties: Wire = UNSET


class Assigned(Struct, rename="camel"):
    """The properties of an assignment."""

    registration_definition_id: Wire = UNSET


@wired(DELEGATION, "properties")
class Defined(Struct, rename="camel"):
    """The properties of a definition."""

    authorizations: Wire = UNSET
    eligible_authorizations: Wire = UNSET


class Approval(Struct, rename="camel"):
    """What activating a role needs."""

    multi_factor_auth_provider: str | None = None
    managed_by_tenant_approvers: list[object] | None = None


class Authorization(Struct, rename="camel"):
    """A role for a principal of the other tenant."""

    role_definition_id: str
    delegated_role_definition_ids: list[str] | None = None
    just_in_time_access_policy: Approval | None = None


async def collect_delegations(reading: Reading, unit: Unit, scope: Scope, roles: Roles) -> Coverage:
    """Write a row per delegated scope. Returns the coverage of the query."""
    calls = Calls(scope, OPERATIONS[0])
    items: dict[str, Item] = {}
    gateway, subscriptions = reading.connection.gateway, reading.found.subscriptions
    for group, listing in reading.graph.queries(gateway, calls, QUERY, Item, subscriptions, by=_named):
        items |= await distinct(listing, _named(group))
    writing = _Delegations(reading, unit, scope, roles, items)
    for id_ in sorted(items):
        if items[id_].type.lower() == _ASSIGNMENT:
            await writing.write(items[id_])
    return calls.coverage()


def _named(group: Group) -> Callable[[Item], str]:
    asked = ids_of(group)

    def id_of(item: Item) -> str:
        match = _ID.fullmatch(item.id)
        if match is None or match[4].lower() != item.type.lower() or match[2].lower() not in asked:
            raise ValueError("not a delegation of a requested subscription")
        return item.id.lower()

    return id_of


class _Delegations:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope, roles: Roles, items: Mapping[str, Item]) -> None:
        self._unit, self._scope, self._roles, self._items = unit, scope, roles, items
        self._source = source(reading.connection.environment, OPERATIONS[0])
        self._vaults = [f"{vault.scope.id.lower()}/" for vault in reading.found.vaults]
        self._unlisted = _unlisted(reading.spool.coverage())

    async def write(self, item: Item) -> None:
        """Write the row of one assignment."""
        match = _ID.fullmatch(item.id)
        assert match is not None  # noqa: S101 - it was checked when the list was read
        url, version = self._source
        row = Row(DELEGATION, id=item.id, resource_id=item.id, scope_id=self._scope.id, url=url, version=version)
        row.put_all(subscription_id=match[2].lower(), resource_group=match[3])
        row.put_read("vaults_inside", self._inside(match[1].lower(), match[2].lower()))
        properties = read(item.properties, Assigned)
        named = properties if isinstance(properties, Refusal) else read(properties.registration_definition_id, str)
        row.put_read("definition_id", named if isinstance(named, Refusal) else named.lower())
        found = named if isinstance(named, Refusal) else self._defined(named.lower())
        if isinstance(found, Refusal):
            row.refuse(_READ, found.reason)
        else:
            row.fill(found, "properties")
            await self._put(row, "roles", "allows", read(found.authorizations, list[Authorization]))
            raw = found.eligible_authorizations
            # They are optional in version 2022-10-01 of the API.
            none = raw is UNSET or is_null(raw)
            eligible = await self._put(row, "eligible_roles", "eligible_allows", [] if none else read(raw, list[Authorization]))
            row.put_read("guarded", eligible if isinstance(eligible, Refusal) else _guarded(eligible))
        self._unit.row(DELEGATION.name, row.finish())

    def _defined(self, id_: str) -> Defined | Refusal:
        # Resource Graph leaves out what the identity may not read.
        return read(self._items[id_].properties, Defined) if id_ in self._items else Refusal(Reason.NOT_VISIBLE)

    def _inside(self, place: str, subscription: str) -> bool | Refusal:
        if any(vault.startswith(f"{place}/") for vault in self._vaults):
            return True
        unlisted = self._unlisted.get(f"/subscriptions/{subscription}")
        return Refusal(unlisted) if unlisted else False

    async def _put(
        self, row: Row, roles: str, allows: str, listed: list[Authorization] | Refusal
    ) -> Sequence[Authorization] | Refusal:
        """Fill the columns of the roles that open keys. Returns their authorizations, with those that may be of one."""
        if isinstance(listed, Refusal):
            row.refuse((roles, allows), listed.reason)
            return listed
        opened = [(each, *await _opens(each, self._roles)) for each in listed]
        unread = next((actions for _, _, actions in opened if isinstance(actions, Refusal)), None)
        if unread:
            row.refuse((roles, allows), unread.reason)
        else:
            row.put(allows, allowed({action for _, _, some in opened if not isinstance(some, Refusal) for action in some}))
            names = [name for _, name, actions in opened if actions]
            lacking = next((name for name in names if isinstance(name, Refusal)), None)
            row.put_read(roles, lacking or sorted({name for name in names if isinstance(name, str)}))
        return [each for each, _, actions in opened if isinstance(actions, Refusal) or actions]


async def _opens(each: Authorization, roles: Roles) -> tuple[str | Refusal, frozenset[str] | Refusal]:
    """The name of the role of an authorization, and the actions on keys that it gives."""
    role = await _role(each.role_definition_id, roles)
    name = role.name if isinstance(role.name, Refusal) else read(role.name, str)
    if not each.delegated_role_definition_ids or isinstance(role.actions, Refusal):
        return name, role.actions
    # It assigns these roles alone, to managed identities. https://learn.microsoft.com/azure/lighthouse/how-to/deploy-policy-remediation
    actions = {action for action in role.actions if not action.startswith(_ACCESS)}
    for one in each.delegated_role_definition_ids:
        given = (await _role(one, roles)).actions
        if isinstance(given, Refusal):
            return name, given
        actions |= given
    return name, frozenset(actions)


async def _role(id_: str, roles: Roles) -> Role:
    try:
        return await roles.role(guid_of(id_))
    except ValueError:
        return await roles.role(Refusal(Reason.BAD_VALUE))


def _guarded(opening: Collection[Authorization]) -> bool | Refusal:
    """Whether activating any of these needs multifactor authentication and an approval."""
    guarded = True
    for each in opening:
        approval = each.just_in_time_access_policy
        # Without a policy nothing is asked for, as with an empty one.
        provider = (approval.multi_factor_auth_provider if approval else None) or "None"
        if provider.lower() not in _MFA:
            return Refusal(Reason.UNRECOGNISED)
        guarded = guarded and _MFA[provider.lower()] and bool(approval and approval.managed_by_tenant_approvers)
    return guarded


def _unlisted(coverage: Sequence[Coverage]) -> Mapping[str, Reason]:
    """By subscription, in lower case, why vaults of it may be missing."""
    if any(record.operation == "vault.query" and record.state is State.ASSESSED for record in coverage):
        return {}
    return {record.scope.id: record.reason for record in coverage if record.operation == "vault.list" and record.reason}
