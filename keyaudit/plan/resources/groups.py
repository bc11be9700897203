"""Groups of a plan and their members, as Microsoft Graph lists them.

docs/resources/group.md, group_member.md and privileged_access_group_assignment_schedule.md of
hashicorp/terraform-provider-azuread 3.9.0.
"""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Raw

from keyaudit.model.values.guid import GUID
from keyaudit.plan.answers import Origin
from keyaudit.plan.document.resources import NOT_IN_PLAN, Planned
from keyaudit.plan.resources.principals import GROUPS, NAMING, object_id_of, principal_at, principal_of
from keyaudit.plan.scopes import Ground

JOINING: Mapping[str, tuple[str, str]] = {
    "azuread_group_member": ("group_object_id", "member_object_id"),
    "azuread_privileged_access_group_assignment_schedule": ("group_id", "principal_id"),
}
"""Resources that put a member into a group, with the attributes that name the two."""
READ = (*GROUPS, *JOINING)
_GIVING: Mapping[str, tuple[str, str]] = {
    "azuread_directory_role_assignment": ("principal_object_id", "directory_role.assignments"),
    "azuread_directory_role_member": ("member_object_id", "directory_role.assignments"),
    "azuread_administrative_unit_role_member": ("member_object_id", "directory_role.assignments"),
    "azurerm_role_assignment": ("principal_id", "role_assignment.query"),
}
"""Resources that give a group something: the attribute that names it, and the list that has what is given."""
_LISTS = frozenset(operation for _, operation in _GIVING.values())
_SINGLE = ("user", "servicePrincipal")
_DATA = {"azuread_user": "user", "azuread_group": "group", "azuread_service_principal": "servicePrincipal"}
"""Data sources of directory objects, with their kind."""


class Groups:
    """Adds the groups that a plan makes, or puts members into, to the answers."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._answers, self._resources = ground, ground.answers, ground.resources
        self._planned = {object_id_of(planned): planned for planned in self._resources.of(*GROUPS)}
        self._members: dict[str, dict[str, Planned]] = {group: {} for group in self._planned}
        """By group, its direct members, each with the resource that puts it there."""
        self._partial: set[str] = set()
        """Groups that may have other members, which then are of the tenant."""
        self._open: dict[str, list[Planned]] = {}
        """By group, the resources that put into it a member which is not known; of a group that is not known, under ""."""
        self._kinds = {
            str(each.get("object_id")).lower(): kind for type_, kind in _DATA.items() for each in self._resources.data(type_)
        } | {object_id_of(each): "servicePrincipal" for each in self._resources.of(*NAMING) if each.type not in GROUPS}

    def answer(self) -> None:
        """Add all of them."""
        for group, planned in self._planned.items():
            self._fill(group, planned)
        for planned in self._resources.of(*JOINING):
            # Who owns a group is not read of a tenant either.
            if planned.value("assignment_type") != "owner":
                self._join(planned)
        self._answers.groups |= self._members.keys() - self._planned.keys()
        given = self._given()
        for group in self._members:
            for here in (group, *self._list(group)):
                # What a group of the tenant was given there, no plan has.
                self._note_open(here, given.get(group, ()) if group in self._planned else _LISTS)
        self._note_open("", _LISTS)

    def _fill(self, group: str, planned: Planned) -> None:
        """Note the members that the resource of a group names."""
        found = planned.value("members")
        if planned.parts("dynamic_membership")[0]:
            # Users or devices of the tenant: https://learn.microsoft.com/entra/identity/users/groups-dynamic-membership
            self._partial.add(group)
        elif not isinstance(found, Raw):
            self._members[group] = dict.fromkeys(map(_bare, found or ()), planned)
        elif planned.is_set("members"):
            # With one unknown member, the set is unknown, and the configuration does not show its constants: they are members
            # that the tenant has.
            self._partial.add(group)
            targets, whole = self._resources.targets(planned, "members")
            members = [principal_at(self._ground, *each) for each in targets]
            self._members[group] = {member: planned for member in members if member}
            if not whole or not all(members):
                self._open.setdefault(group, []).append(planned)

    def _join(self, planned: Planned) -> None:
        """Note the member that a resource puts into a group."""
        group, member = (principal_of(self._ground, planned, attribute) for attribute in JOINING[planned.type])
        group = _bare(group or "")
        if group and group not in self._planned:
            self._partial.add(group)
        if group and member:
            self._members.setdefault(group, {})[_bare(member)] = planned
        else:
            self._open.setdefault(group, []).append(planned)

    def _list(self, group: str) -> Collection[str]:
        """Add a group. Returns its members, those of groups in it, too."""
        self._answers.add("principal.lookup", self._object(group))
        every: dict[str, Planned] = {}
        open_, whole = [group], True
        while open_:
            here = open_.pop()
            # What is no group of the plan may be one of the tenant.
            whole &= here not in self._partial if here in self._members else self._kinds.get(here) in _SINGLE
            for member, planned in self._members.get(here, {}).items():
                if member not in every and member != group:
                    every[member] = planned
                    open_.append(member)
        for operation, members in (("group.members", every), ("group.direct_members", self._members[group])):
            self._answers.list(operation, whole=whole, id=group)
            for member in members:
                self._answers.add(operation, self._object(member), id=group)
        place = f"/tenants/{self._ground.tenant_id}"
        for member, planned in every.items():
            self._ground.origin(f"{place}/groups/{group}/members/{member}", planned)
        if group in self._planned:
            self._ground.origin(f"{place}/principals/{group}", self._planned[group], "members")
        return every

    def _given(self) -> Mapping[str, set[str]]:
        """By group, the lists that have what the plan gives it."""
        found: dict[str, set[str]] = {}
        for type_, (attribute, operation) in _GIVING.items():
            for planned in self._resources.of(type_):
                found.setdefault(_bare(principal_of(self._ground, planned, attribute) or ""), set()).add(operation)
        return found

    def _note_open(self, group: str, operations: Collection[str]) -> None:
        """Note that these lists may apply to more than is known, because a member of a group is not."""
        for planned in self._open.get(group, ()):
            origin = Origin(planned.address, planned.changes)
            for operation in operations:
                held = self._answers.unread.setdefault(operation, [])
                if origin not in held:
                    held.append(origin)

    def _object(self, id_: str) -> Mapping[str, Any]:
        """A group, or a member of one, as Graph shows it."""
        planned = self._planned.get(id_)
        kind = "group" if id_ in self._members else self._kinds.get(id_, "servicePrincipal")
        shown: dict[str, Any] = dict.fromkeys(_SHOWN, NOT_IN_PLAN)
        if kind == "group":
            shown |= {"displayName": planned.value("display_name") if planned else NOT_IN_PLAN, "visibility": None}
        return {"id": id_, "@odata.type": f"#microsoft.graph.{kind}", **shown}


_SHOWN = (
    *("displayName", "userPrincipalName", "userType", "accountEnabled", "appId", "servicePrincipalType"),
    *("appOwnerOrganizationId", "visibility"),
)


def _bare(id_: str) -> str:
    """An object id in lower case, without a path that some versions of the provider put before it."""
    bare = id_.rpartition("/")[2].lower()
    return bare if GUID.fullmatch(bare) else id_
