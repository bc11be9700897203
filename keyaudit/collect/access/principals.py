"""The principals that grants name, the owners of applications and service principals, and the members of groups."""

from collections.abc import Sequence, Set

import msgspec
from msgspec import Struct, field, structs
from msgspec.structs import replace

from keyaudit.cloud.connection import Connection
from keyaudit.collect.access.members import Group, Groups, object_of
from keyaudit.collect.access.objects import (
    ObjectItem,
    principal_row,
    put_deleted,
    put_foreign_group,
    put_known,
    put_object,
    put_unread,
    without_default_properties,
)
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct, stored_once
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.principal import MEMBERSHIP
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.times import DAY

OPERATIONS = ("principal.lookup", "principal.get", "group.members", "group.direct_members")

_OWNED = ("application", "service_principal")
_PER_LOOKUP = 1_000
"""Ids in one request: https://learn.microsoft.com/graph/api/directoryobject-getbyids"""
_LACKS_ONE = Refusal(Reason.INCONSISTENT, "it lacks an object that another list has", 200)
_MOST_SINGLE, _AT_ONCE = 1_000, 16
"""Principals that are asked for one by one, in all and at once."""
_TOO_MANY = Refusal(
    Reason.INCONSISTENT,
    f"the look-up lacks more than {_MOST_SINGLE:,} principals that have access; the others were not asked for",
)
_TOO_YOUNG = Refusal(
    Reason.INCONSISTENT,
    "it lacks a principal that was given access less than a day ago, which may not have replicated yet",
    404,
)
_NOT_FOUND = "Request_ResourceNotFound"
"""Graph's code for an id without an object, as in https://github.com/microsoftgraph/microsoft-graph-docs/issues/6059"""

# Members of a group hold what it was given in these ways. An app role on a group only lets its members sign in.
_EXPANDED = frozenset({"azure-role", "access-policy", "hsm-role", "directory-role"})


class _Grant(msgspec.Struct):
    kind: str
    principal_id: str | None = None
    principal_type: str | None = None
    created_on: int | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)

    def may_be_after(self, moment: int) -> bool:
        """Whether it may have been given after that moment. Many grants have no date, which says nothing."""
        return "created_on" in self.unknown or (self.created_on is not None and self.created_on > moment)


class _Named(Struct, frozen=True):
    """Object ids that stored rows name: those of `owners` by what they own, all others by grants."""

    everybody: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    expanded: set[str] = field(default_factory=set)
    """Principals whose members, if any, have the grant too."""
    groups: set[str] = field(default_factory=set)
    foreign_groups: set[str] = field(default_factory=set)
    """Principals that a grant calls groups, of this tenant and of others."""
    typed: set[str] = field(default_factory=set)
    untyped: dict[str, Reason] = field(default_factory=dict)
    """Principals that a grant gives a type, and those whose type a grant does not say, with the reason."""
    young: set[str] = field(default_factory=set)
    """Principals with a grant that may be less than a day old."""


class _StoredOwners(msgspec.Struct):
    """The owners in a stored row of an application or service principal, if known."""

    owner_ids: list[str] | None = None


class _StoredPrincipal(msgspec.Struct):
    resource_id: str
    source_url: str
    source_version: str
    name: str | None = None
    app_id: str | None = None
    enabled: bool | None = None
    home: str | None = None
    principal_type: str | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """The service principal's object id, in lower case."""
        return self.resource_id.rpartition("/")[2].lower()


async def collect_principals(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per principal that a stored grant or owned object names, per member of these groups, and per membership.

    Gives the coverage of `OPERATIONS`.
    """
    return await _Principals(reading.connection, unit, scope).collect(reading.spool)


class _Principals:
    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._environment = connection.environment
        self._gateway, self._unit, self._scope = connection.gateway, unit, scope
        self._tenant_id = connection.identity.tenant_id
        self._lookup = Calls(scope, "principal.lookup")
        self._single = Calls(scope, "principal.get", per_object=True)
        self._groups = Groups(connection.gateway, scope)
        self._found: dict[str, ObjectItem] = {}
        self._alone: set[str] = set()
        """Principals that were asked for one by one, and found or not."""
        self._unread: dict[str, Reason] = {}
        self._known: dict[str, _StoredPrincipal] = {}
        self._foreign_groups: Set[str] = frozenset()

    async def collect(self, spool: Spool) -> Sequence[Coverage]:
        named = _named(spool)
        self._foreign_groups = named.foreign_groups
        known = (msgspec.json.decode(line, type=_StoredPrincipal) for line in spool.lines("service_principal"))
        self._known = stored_once(known, lambda held: held.object_id)
        await self._look_up(sorted(named.everybody - self._known.keys()))
        await self._ask_singly(sorted(named.everybody - self._answered()), named.young)
        self._contradict(named.owners, named)
        # Not found, it may be a group of another tenant, which this directory does not have.
        unclear = named.untyped.keys() - named.typed - self._answered()
        self._unread |= {id_: named.untyped[id_] for id_ in unclear}
        found = {id_: self._found[id_] for id_ in named.expanded & self._found.keys()}
        # If the directory did not return the kind, the grant may state it, but not whether members are hidden.
        unread = {id_: self._unread[id_] for id_ in named.expanded & named.groups & self._unread.keys()}
        groups = await self._groups.members({id_: item.why_hidden for id_, item in found.items() if item.is_group} | unread)
        members = {id_: item for group in groups.values() for id_, item in group.members.items()}
        # The members of a group have all properties.
        self._found |= {id_: members[id_] for id_ in self._alone & self._found.keys() & members.keys()}
        again = self._contradict(members.keys(), named)
        more = {id_: self._unread[id_] for id_ in again & named.expanded if members[id_].is_group}
        groups = {**groups, **await self._groups.members(more)} if more else groups
        for id_ in sorted(named.everybody):
            self._write_named(id_, groups.get(id_))
        written = set(named.everybody)
        for id_, group in groups.items():
            self._write_members(id_, group, written)
        return tuple(calls.coverage() for calls in (self._lookup, self._single, self._groups.all, self._groups.directly))

    async def _look_up(self, ids: Sequence[str]) -> None:
        """Look up the principals with these ids.

        Graph silently leaves out ids that it does not find. So each request includes a known service principal: an answer
        without that one proves nothing about the others.
        """
        there = sorted(self._known)[:1]
        for start in range(0, len(ids), _PER_LOOKUP - len(there)):
            some = [*ids[start : start + _PER_LOOKUP - len(there)], *there]
            asked = frozenset(some)
            listing = self._gateway.pages(self._lookup.id, ObjectItem, by=object_of, body={"ids": some})
            self._found |= await distinct(listing, object_of)
            self._lookup.ended(listing.end)
            reason = why_incomplete(listing.end)
            if reason is None and not self._found.keys() >= set(there):
                self._lookup.refused(_LACKS_ONE)
                reason = _LACKS_ONE.reason
            if reason:
                self._unread |= dict.fromkeys(asked - self._found.keys(), reason)

    async def _ask_singly(self, ids: Sequence[str], young: Set[str]) -> None:
        """Ask for each principal that the look-up left out: only an error that says so shows that it is deleted.

        Graph leaves out of a look-up what it does not find, and may leave out what the identity may not read.
        """
        if ids[_MOST_SINGLE:]:
            self._single.refused(_TOO_MANY)
            self._unread |= dict.fromkeys(ids[_MOST_SINGLE:], _TOO_MANY.reason)

        async def one(id_: str) -> None:
            found = await self._gateway.get(self._single.id, ObjectItem, id=id_)
            if isinstance(found, Refusal) and found.status == 404:
                if found.detail.startswith(_NOT_FOUND) and id_ not in young:
                    self._single.answered()
                    self._alone.add(id_)
                    return
                found = _TOO_YOUNG if id_ in young else replace(found, reason=Reason.UNRECOGNISED)
            if isinstance(found, Refusal):
                self._single.refused(found)
                self._unread[id_] = found.reason
                return
            self._single.answered()
            self._alone.add(id_)
            self._found[id_] = without_default_properties(found)

        await for_each(ids[:_MOST_SINGLE], one, limit=_AT_ONCE)

    def _answered(self) -> Set[str]:
        """Principals that exist, or about which nothing could be read."""
        return self._known.keys() | self._found.keys() | self._unread.keys() | self._foreign_groups

    def _contradict(self, there: Set[str], named: _Named) -> Set[str]:
        """Mark principals that were not found but that other lists show as unread, not as deleted. Returns them."""
        left_out = (named.everybody - self._answered()) & there
        if left_out:
            self._lookup.refused(_LACKS_ONE)
            self._unread |= dict.fromkeys(left_out, _LACKS_ONE.reason)
        return left_out

    def _write_named(self, id_: str, group: Group | None) -> None:
        if id_ in self._known:
            held = self._known[id_]
            row = self._begin(id_, held.source_url, held.source_version)
            put_known(row, structs.asdict(held), held.unknown)
        else:
            alone = source(self._environment, self._single.id, id=id_)
            row = self._begin(id_, *(alone if id_ in self._alone else source(self._environment, self._lookup.id)))
            if id_ in self._found:
                put_object(row, self._found[id_], self._tenant_id)
            elif id_ in self._unread:
                put_unread(row, self._unread[id_])
            elif id_ in self._foreign_groups:
                put_foreign_group(row)
            else:
                put_deleted(row)
        if group is not None:
            if group.missing:
                row.refuse(("members_listed",), group.missing)
            else:
                row.put("members_listed", True)
        self._unit.row("principal", row.finish())

    def _write_members(self, id_: str, group: Group, written: set[str]) -> None:
        """Write the group's memberships, and rows of members and nested groups that have none yet."""
        url, version = source(self._environment, self._groups.all.id, id=id_)
        ways = self._groups.ways(id_, group)
        for member, item in sorted(group.members.items()):
            if member not in written:
                written.add(member)
                row = self._begin(member, url, version)
                put_object(row, item, self._tenant_id)
                self._unit.row("principal", row.finish())
            if item.is_group:
                continue
            resource_id = f"/tenants/{self._tenant_id}/groups/{id_}/members/{member}"
            row = Row(MEMBERSHIP, id=resource_id, resource_id=resource_id, scope_id=self._scope.id, url=url, version=version)
            row.put("name", None)
            row.put("group_id", id_)
            row.put("member_id", member)
            if member in ways:
                row.put("through", list(ways[member]))
            else:
                row.refuse(("through",), self._groups.why_no_way(id_, group))
            self._unit.row("membership", row.finish())

    def _begin(self, id_: str, url: str, version: str) -> Row:
        return principal_row(self._tenant_id, id_, scope_id=self._scope.id, url=url, version=version)


def _owners(spool: Spool) -> set[str]:
    """The owners of applications and service principals; Graph's lists of owners leave out deleted ones."""
    return {
        owner.lower()
        for table in _OWNED
        for line in spool.lines(table)
        for owner in msgspec.json.decode(line, type=_StoredOwners).owner_ids or ()
    }


def _named(spool: Spool) -> _Named:
    yesterday = spool.run.as_of - DAY
    named = _Named(owners=_owners(spool), expanded=set(spool.groups))
    named.everybody.update(named.owners, named.expanded)
    for line in spool.lines("grant"):
        grant = msgspec.json.decode(line, type=_Grant)
        if grant.principal_id is None or not GUID.fullmatch(grant.principal_id):
            continue
        named.everybody.add(grant.principal_id)
        if grant.may_be_after(yesterday):
            named.young.add(grant.principal_id)
        if grant.kind in _EXPANDED:
            named.expanded.add(grant.principal_id)
        if "principal_type" in grant.unknown:
            named.untyped[grant.principal_id] = Reason(grant.unknown["principal_type"])
        elif grant.principal_type is not None:
            named.typed.add(grant.principal_id)
        if grant.principal_type == "group":
            named.groups.add(grant.principal_id)
        elif grant.principal_type == "foreign-group":
            named.foreign_groups.add(grant.principal_id)
    return named
