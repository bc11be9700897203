"""Graph's users, groups and activated directory roles, and the settings of a tenant that other auditors read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from keyaudit.simulator.estate import DirectoryRole, DirectoryRoleGrant, Group, User
from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.groups import MEMBERS, Body, directory_object
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

T = TypeVar("T")

_USER = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
"""The members of a user that are shown without $select."""


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The resource of a path."""
    match [segment.lower() for segment in path]:
        case ["users", *rest]:
            return _of_kind(_users(directory), version, rest)
        case ["groups", *rest]:
            return _of_kind(_groups(directory), version, rest)
        case ["directoryroles", id_, "members"]:
            return _holders(directory, version, id_)
        case ["directoryroles", *rest]:
            return _of_kind(_roles(directory), version, rest)
        case segments:
            name = _SETTINGS.get("/".join(segments))
            return None if name is None else _settings(directory, version, name)


class _Kind(Struct, Generic[T], frozen=True, kw_only=True):
    """A collection of the directory: its name in paths and in operations, its objects by id, and how they are shown."""

    name: str
    operation: str
    objects: Mapping[str, T]
    body: Callable[[T], Body]
    members: Sequence[str]
    """The members that can be selected."""
    shown: Sequence[str] = ()
    """The members that are shown without $select; all of them if empty."""
    filtered: Sequence[str] = ("id", "displayName")
    """The members that a filter may name."""

    def show(self, one: T, options: odata.Options) -> Body:
        """One object, with the members that are asked for or shown anyway."""
        whole = self.body(one)
        return whole if options.select or not self.shown else {name: whole[name] for name in whole if name in self.shown}

    def value(self, one: T, name: str) -> object:
        """What a filter reads; raises BadQueryError for what is not simulated."""
        if name not in self.filtered:
            raise odata.BadQueryError("Request_UnsupportedQuery", f"Unsupported query filter on property '{name}'.")
        return self.body(one)[name]


def _of_kind(kind: _Kind[T], version: str, path: Sequence[str]) -> Resource | None:
    """The collection, or one object in it."""
    if len(path) > 1:
        return None
    named = kind.objects.get(path[0]) if path else None

    def render(asked: Request, options: odata.Options) -> Body:
        if named is not None:
            return odata.entity(options, (version, kind.name), kind.show(named, options))
        found = odata.matching(options, list(dict.fromkeys(kind.objects.values())), kind.value)
        return odata.page(asked, options, (version, kind.name), found, lambda one: kind.show(one, options))

    return Resource(
        operation=f"{kind.operation}.{'get' if path else 'list'}",
        relations=(kind.name,),
        type=f"microsoft.graph.{kind.name[:-1]}",
        members=kind.members,
        render=render if named is not None or not path else None,
        listed=not path,
    )


def _users(directory: Directory) -> _Kind[User]:
    return _Kind(
        name="users",
        operation="user",
        objects={name.lower(): one for one in directory.users.values() for name in (one.id, one.upn)},
        body=_user,
        members=(*_user(User(id="", name="", upn="")), "signInActivity"),
        shown=("@odata.type", *_USER),
        filtered=("id", "displayName", "userPrincipalName"),
    )


def _groups(directory: Directory) -> _Kind[Group]:
    groups = {one.id.lower(): one for one in directory.groups.values()}
    return _Kind(name="groups", operation="group", objects=groups, body=_group, members=tuple(_group(Group(id="", name=""))))


def _roles(directory: Directory) -> _Kind[DirectoryRole]:
    """The roles that were assigned at least once; their ids are not those of the definitions."""
    given = {grant.role_id for grant in _given(directory)}

    def body(one: DirectoryRole) -> Body:
        return {
            "id": directory.guid("activated role", one.id),
            "deletedDateTime": None,
            "description": None,
            "displayName": one.name,
            "roleTemplateId": one.id,
        }

    return _Kind(
        name="directoryRoles",
        operation="directory_role",
        objects={str(body(one)["id"]): one for one in directory.estate.directory_roles if one.id in given},
        body=body,
        members=tuple(body(DirectoryRole(id="", name=""))),
        filtered=("displayName", "roleTemplateId"),
    )


def _given(directory: Directory) -> list[DirectoryRoleGrant]:
    return [grant for grant in directory.estate.directory_role_grants if not grant.eligible and grant.scope == "/"]


def _holders(directory: Directory, version: str, id_: str) -> Resource:
    role = _roles(directory).objects.get(id_)
    ids = [grant.principal_id for grant in _given(directory) if role and grant.role_id == role.id]
    bodies = [found for one in ids if (found := directory_object(directory, one))]
    return Resource(
        operation="directory_role.members",
        relations=("directoryRoles",),
        type="microsoft.graph.directoryObject",
        members=MEMBERS,
        render=collection(version, "directoryObjects", bodies, lambda one: one) if role else None,
    )


_SETTINGS = {
    "identity/conditionalaccess/policies": "identity/conditionalAccess/policies",
    "identity/conditionalaccess/namedlocations": "identity/conditionalAccess/namedLocations",
    "identityprotection/riskyserviceprincipals": "identityProtection/riskyServicePrincipals",
    "identityprotection/serviceprincipalriskdetections": "identityProtection/servicePrincipalRiskDetections",
    "policies/crosstenantaccesspolicy/partners": "policies/crossTenantAccessPolicy/partners",
    "groupsettings": "groupSettings",
}
"""By path in lower case Graph's spelling. A new tenant has none of them."""


def _settings(directory: Directory, version: str, name: str) -> Resource:
    kind = name.rpartition("/")[2]
    posture = directory.estate.posture
    found = {
        "policies": posture.conditional_access,
        "namedLocations": posture.named_locations,
        "partners": posture.partners,
        "riskyServicePrincipals": posture.risky_principals,
        "servicePrincipalRiskDetections": posture.risk_detections,
    }.get(kind, ())
    return Resource(
        operation=_OPERATIONS[kind],
        relations=(name,),
        type=f"microsoft.graph.{kind}",
        members=("identitySynchronization",) if kind == "partners" else (),
        render=collection(version, name, found, lambda one: one),
    )


_OPERATIONS = {
    "policies": "conditional_access.list",
    "namedLocations": "named_location.list",
    "partners": "cross_tenant.partners",
    "riskyServicePrincipals": "risky_principal.list",
    "servicePrincipalRiskDetections": "risk_detection.list",
    "groupSettings": "group_setting.list",
}


def _user(found: User) -> Body:
    """A user. It never signed in to anything whose date Graph keeps, so it has no signInActivity."""
    return {
        **({"@odata.type": "#microsoft.graph.agentUser"} if found.parent else {}),
        "businessPhones": [],
        "displayName": found.name,
        **dict.fromkeys(_USER[2:9]),
        "userPrincipalName": found.upn,
        "id": found.id,
        "deletedDateTime": None,
        "accountEnabled": found.enabled,
        "onPremisesSyncEnabled": None,
        "userType": found.type,
        **({"identityParentId": found.parent} if found.parent else {}),
    }


def _group(found: Group) -> Body:
    """A security group."""
    nulls = ("classification", "expirationDateTime", "mail", "membershipRule", "membershipRuleProcessingState")
    return {
        "id": found.id,
        "deletedDateTime": None,
        "createdDateTime": None,
        "creationOptions": [],
        "description": None,
        "displayName": found.name,
        "groupTypes": [],
        "isAssignableToRole": None,
        "mailEnabled": False,
        "mailNickname": found.id[:8],
        **dict.fromkeys(nulls),
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [],
        "securityEnabled": True,
        "visibility": "HiddenMembership" if found.hidden else None,
    }
