"""Users, groups and their members, as Microsoft Graph shows them."""

from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import Group, ServicePrincipal, User
from keyaudit.simulator.microsoft_graph import objects, odata
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

Body = dict[str, object]

MEMBERS = (
    "id",
    "displayName",
    "userPrincipalName",
    "userType",
    "accountEnabled",
    "appId",
    "servicePrincipalType",
    "appOwnerOrganizationId",
    "visibility",
)
"""The selectable members of directory objects of all kinds; each shows those that it has."""


_NOT_BY_DEFAULT = ("userType", "accountEnabled")
_SERVICE_PRINCIPALS = {
    f"#microsoft.graph.{kind}" for kind in ("servicePrincipal", "agentIdentity", "agentIdentityBlueprintPrincipal")
}


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The resource of a path below groups."""
    match [segment.lower() for segment in path]:
        case ["groups", group, "members" | "transitivemembers" as which]:
            return _members(directory, version, group, nested=which == "transitivemembers")
        case ["directoryobjects", id_]:
            return _one(directory, version, id_)
    return None


def _one(directory: Directory, version: str, id_: str) -> Resource:
    """One object with its default properties, which in v1.0 do not include a user's type and state."""
    body = directory_object(directory, id_)
    if body and kind_of(body) == "user" and version == "v1.0":
        body = {name: value for name, value in body.items() if name not in _NOT_BY_DEFAULT}
    return Resource(
        operation="principal.get",
        relations=("directoryObjects",),
        type="microsoft.graph.directoryObject",
        members=MEMBERS,
        render=(lambda _, options: odata.entity(options, (version, "directoryObjects"), body)) if body else None,
    )


def directory_object(directory: Directory, id_: str) -> Body | None:
    """An object of any kind by its id; None if it does not exist, or only its existence is visible."""
    for table in (directory.users, directory.groups, directory.principals):
        if id_ in table:
            return _body(directory, table[id_])
    if id_ == directory.object_id:
        own = ServicePrincipal(
            id=id_, app_id=directory.client_id, name="keyaudit", created=None, home_tenant=directory.tenant_id
        )
        return _body(directory, own)
    return None


def kind_of(body: Body) -> str:
    """The type of a directory object in lower case: user, group or serviceprincipal, also for those of agents."""
    name = str(body["@odata.type"])
    if name in _SERVICE_PRINCIPALS:
        return "serviceprincipal"
    return "group" if name.endswith(".group") else "user"


def groups_of(directory: Directory, principal: str) -> set[str]:
    """The groups that a principal is a member of, directly or through other groups."""
    found: set[str] = set()
    inner = {principal}
    while inner:
        inner = {group.id for group in directory.groups.values() if inner & set(group.members)} - found
        found |= inner
    return found


def _members(directory: Directory, version: str, group_id: str, *, nested: bool) -> Resource:
    group = directory.groups.get(group_id)
    bodies = (
        [body for id_ in _ids(directory, group, nested=nested) if (body := directory_object(directory, id_))] if group else []
    )
    if version == "v1.0":
        # As in the real service, which lists service principals only in beta.
        bodies = [body for body in bodies if body["@odata.type"] not in _SERVICE_PRINCIPALS]
    return Resource(
        operation="group.members" if nested else "group.direct_members",
        relations=("groups", f"groups/{group_id}"),
        type="microsoft.graph.directoryObject",
        members=MEMBERS,
        render=collection(version, "directoryObjects", bodies, lambda body: body) if group else None,
    )


def _ids(directory: Directory, group: Group | None, *, nested: bool) -> Sequence[str]:
    if group is None or group.hidden:
        return ()
    return list(dict.fromkeys(_all(directory, group, {group.id}))) if nested else group.members


def _all(directory: Directory, group: Group, seen: set[str]) -> Iterator[str]:
    for id_ in group.members:
        yield id_
        inner = directory.groups.get(id_)
        if inner is not None and not inner.hidden and id_ not in seen:
            seen.add(id_)
            yield from _all(directory, inner, seen)


def _body(directory: Directory, found: User | Group | ServicePrincipal) -> Body:
    kind, names = _described(found)
    if f"{kind}s" in directory.estate.graph_refuses:
        # Unreadable objects are listed with their id only.
        names = dict.fromkeys(names)
    return {"@odata.type": f"#microsoft.graph.{_type(found, kind)}", "id": found.id, **names}


def _type(found: User | Group | ServicePrincipal, kind: str) -> str:
    """The full name of the type, which differs from `kind` for agents."""
    if isinstance(found, ServicePrincipal) and found.agent:
        return found.agent
    return "agentUser" if isinstance(found, User) and found.parent else kind


def _described(found: User | Group | ServicePrincipal) -> tuple[str, Body]:
    match found:
        case User():
            return "user", {
                "displayName": found.name,
                "userPrincipalName": found.upn,
                "userType": found.type,
                "accountEnabled": found.enabled,
            }
        case Group():
            return "group", {"displayName": found.name, "visibility": "HiddenMembership" if found.hidden else None}
        case _:
            whole = objects.service_principal(found, with_key=False)
            return "servicePrincipal", {name: whole[name] for name in MEMBERS if name in whole and name != "id"}
