"""Subscriptions and resource groups that are delegated to other tenants, which no role assignment shows (Azure Lighthouse).

https://learn.microsoft.com/azure/lighthouse/concepts/architecture
"""

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.access.actions import allowed
from keyaudit.collect.access.definitions import PER_QUERY, Role, Roles, guid_of
from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.delegation import DELEGATION

OPERATIONS = ("delegation.query",)

_ASSIGNMENT, _DEFINITION = (f"microsoft.managedservices/registration{kind}" for kind in ("assignments", "definitions"))
QUERY = (
    f"managedservicesresources | where type in~ ('{_ASSIGNMENT}', '{_DEFINITION}') "
    "| project id, type, properties | order by id asc"
)
_ID = re.compile(
    r"(/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?)/providers/(Microsoft\.ManagedServices/registration\w+)/[^/]+",
    re.ASCII | re.IGNORECASE,
)
_MFA = {"azure": True, "none": False}
_READ = ("name", "managing_tenant", "standing", "roles", "allows", "guarded")
_ACCESS = "microsoft.authorization/"


class Item(Struct):
    """A registration definition, or its assignment to a scope."""

    id: str
    type: str
    properties: Wire = UNSET


class Assigned(Struct, rename="camel"):
    """The properties of an assignment."""

    registration_definition_id: Wire = UNSET


class Defined(Struct, rename="camel"):
    """The properties of a definition."""

    registration_definition_name: Wire = UNSET
    managed_by_tenant_id: Wire = UNSET
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
    """Write a row per delegated scope for roles that the other tenant has, and one for those that it can activate."""
    calls = Calls(scope, OPERATIONS[0])
    asked = [subscription.id for subscription in reading.found.subscriptions]
    items: dict[str, Item] = {}
    for start in range(0, len(asked), PER_QUERY):
        group = asked[start : start + PER_QUERY]

        def by(item: Item, group: frozenset[str] = frozenset(group)) -> str:
            match = _ID.fullmatch(item.id)
            if match is None or match[4].lower() != item.type.lower() or match[2].lower() not in group:
                raise ValueError("no delegation of a subscription that was asked for")
            return item.id.lower()

        listing = reading.connection.gateway.pages(calls.id, Item, by=by, body={"subscriptions": group, "query": QUERY})
        items |= await distinct(listing, by)
        calls.ended(listing.end)
    writing = _Delegations(reading, unit, scope, roles, items)
    for id_ in sorted(items):
        if items[id_].type.lower() == _ASSIGNMENT:
            await writing.write(items[id_])
    return calls.coverage()


class _Delegations:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope, roles: Roles, items: Mapping[str, Item]) -> None:
        self._unit, self._scope, self._roles, self._items = unit, scope, roles, items
        self._source = source(reading.connection.environment, OPERATIONS[0])
        self._vaults = [f"{vault.scope.id.lower()}/" for vault in reading.found.vaults]
        self._unlisted = _unlisted(reading.spool.coverage())

    async def write(self, item: Item) -> None:
        """Write the rows of one assignment."""
        properties = read(item.properties, Assigned)
        named = properties if isinstance(properties, Refusal) else read(properties.registration_definition_id, str)
        if isinstance(named, Refusal):
            self._row(item, named, standing=True).unread(named)
            return
        definition = self._items.get(named.lower())
        # Resource Graph leaves out what the identity may not read.
        found = read(definition.properties, Defined) if definition else Refusal(Reason.NOT_VISIBLE)
        if isinstance(found, Refusal):
            self._row(item, named.lower(), standing=True).unread(found)
            return
        for standing, raw in ((True, found.authorizations), (False, found.eligible_authorizations)):
            # Eligible authorizations are optional in version 2022-10-01 of the API.
            if not standing and (raw is UNSET or is_null(raw)):
                continue
            listed = read(raw, list[Authorization])
            if isinstance(listed, Refusal) or listed:
                row = self._row(item, named.lower(), standing=standing)
                await row.fill(found, listed, self._roles)

    def _row(self, item: Item, definition: str | Refusal, *, standing: bool) -> "_Writing":
        match = _ID.fullmatch(item.id)
        assert match is not None  # noqa: S101 - it was checked when the list was read
        url, version = self._source
        id_ = f"{item.id}/{'standing' if standing else 'eligible'}"
        row = Row(DELEGATION, id=id_, resource_id=item.id, scope_id=self._scope.id, url=url, version=version)
        row.put_all(subscription_id=match[2].lower(), resource_group=match[3], definition_id=definition)
        row.put_read("vaults_inside", self._inside(match[1].lower(), match[2].lower()))
        return _Writing(row, self._unit, standing)

    def _inside(self, place: str, subscription: str) -> bool | Refusal:
        if any(vault.startswith(f"{place}/") for vault in self._vaults):
            return True
        unlisted = self._unlisted.get(f"/subscriptions/{subscription}")
        return Refusal(unlisted) if unlisted else False


class _Writing:
    """One row, with the standing or the eligible authorizations."""

    def __init__(self, row: Row, unit: Unit, standing: bool) -> None:
        self._row, self._unit, self._standing = row, unit, standing

    def unread(self, refusal: Refusal) -> None:
        """Write it with everything unknown."""
        self._row.refuse(_READ, refusal.reason)
        self._unit.row(DELEGATION.name, self._row.finish())

    async def fill(self, found: Defined, listed: Sequence[Authorization] | Refusal, roles: Roles) -> None:
        """Write it with the authorizations of its definition."""
        row = self._row
        row.put_all(name=found.registration_definition_name, standing=self._standing)
        row.put("managing_tenant", found.managed_by_tenant_id)
        if isinstance(listed, Refusal):
            row.refuse(("roles", "allows"), listed.reason)
            self._guard(listed)
        else:
            opened = [(each, *await _opens(each, roles)) for each in listed]
            self._roles([(name, actions) for _, name, actions in opened])
            self._guard(_guarded([each for each, _, actions in opened if isinstance(actions, Refusal) or actions]))
        self._unit.row(DELEGATION.name, row.finish())

    def _roles(self, opened: Sequence[tuple[str | Refusal, frozenset[str] | Refusal]]) -> None:
        actions = {action for _, some in opened if not isinstance(some, Refusal) for action in some}
        for _, some in opened:
            if isinstance(some, Refusal):
                self._row.refuse(("roles", "allows"), some.reason)
                return
        self._row.put("allows", allowed(actions))
        names = [name for name, some in opened if some]
        lacking = [name for name in names if isinstance(name, Refusal)]
        self._row.put_read("roles", lacking[0] if lacking else sorted({name for name in names if isinstance(name, str)}))

    def _guard(self, guarded: bool | Refusal) -> None:
        self._row.put_read("guarded", None if self._standing else guarded)


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
