"""Agent identities, their users and their blueprints, as Microsoft Graph shows them: paths with a cast to their type."""

from collections.abc import Callable, Sequence

from keyaudit.simulator.estate import Application, Inheritable, ServicePrincipal, User
from keyaudit.simulator.microsoft_graph import objects, odata
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

Body = dict[str, object]

CAST = "microsoft.graph."
_MOST = 100
"""The largest page of a list with a cast."""


def part(directory: Directory, version: str, path: list[str], request: Request) -> Resource | None:
    """The resource of a path with a cast. An id may be before or after the cast."""
    match [segment.lower() for segment in path]:
        case ["serviceprincipals", *rest]:
            return _of_principals(directory, version, rest, request)
        case ["applications", "microsoft.graph.agentidentityblueprint"]:
            return _blueprints(directory, version)
        case ["users", "microsoft.graph.agentuser"]:
            return _users(directory, version)
        case ["applications", first, second, *rest] if CAST + "agentidentityblueprint" in (first, second):
            id_ = second if first.startswith(CAST) else first
            found_one = next((one for one in directory.estate.applications if one.blueprint and one.id == id_), None)
            return _of_blueprint(directory, version, found_one, rest)
    return None


def _of_principals(directory: Directory, version: str, path: Sequence[str], request: Request) -> Resource | None:
    blueprints = [one for one in directory.estate.service_principals if one.agent == "agentIdentityBlueprintPrincipal"]
    match path:
        case ["microsoft.graph.agentidentity"]:
            return _agents(directory, version, request)
        case ["microsoft.graph.agentidentityblueprintprincipal"]:
            return _principals(directory, version, "blueprint_principal.list", blueprints, "agentIdentityBlueprintPrincipal")
        case [id_, "microsoft.graph.agentidentityblueprintprincipal", "sponsors"]:
            found = next((one for one in blueprints if one.id == id_), None)
            return _sponsors(directory, version, "blueprint.principal_sponsors_of", "agentIdentityBlueprintPrincipal", found)
        case [id_, "microsoft.graph.agentidentity"]:
            return _agent(directory, version, id_)
    return None


def _agents(directory: Directory, version: str, request: Request) -> Resource:
    found = [one for one in directory.estate.service_principals if one.agent == "agentIdentity"]
    expanded = "sponsors" in request.query.get("$expand", "")
    return _principals(directory, version, "agent.sponsors" if expanded else "agent.list", found, "agentIdentity")


def _agent(directory: Directory, version: str, id_: str) -> Resource:
    every = (one for one in directory.estate.service_principals if one.agent == "agentIdentity")
    found = next((one for one in every if one.id == id_), None)
    body = objects.service_principal(found, with_key=False) if found else {}

    def render(_asked: Request, options: odata.Options) -> Body:
        return odata.entity(options, (version, f"servicePrincipals/{CAST}agentIdentity"), body)

    return Resource(
        operation="agent.get",
        relations=("agentIdentity",),
        type=f"{CAST}agentIdentity",
        members=("id", "agentIdentityBlueprintId"),
        render=render if found else None,
    )


def _principals(directory: Directory, version: str, operation: str, found: Sequence[ServicePrincipal], kind: str) -> Resource:
    none = ServicePrincipal(id="", app_id="", name=None, created=None, agent=kind, blueprint="")
    known = (*objects.service_principal(none, with_key=False), *objects.only_selected(none))
    members = (*known, "agentIdentityBlueprintId", "sponsors")

    def render(asked: Request, options: odata.Options) -> Body:
        def body(one: ServicePrincipal) -> Body:
            whole = objects.service_principal(one, with_key=options.with_key)
            whole |= {name: value for name, value in objects.only_selected(one).items() if name in options.select}
            if options.expand == "sponsors":
                whole["sponsors"] = odata.related(options, [objects.owner(directory, each) for each in one.sponsors])
            return whole

        return _page(asked, options, (version, f"servicePrincipals/{CAST}{kind}"), found, body)

    return Resource(operation=operation, relations=(kind,), type=f"{CAST}{kind}", members=members, render=render)


def _blueprints(directory: Directory, version: str) -> Resource:
    found = [one for one in directory.estate.applications if one.blueprint]
    none = Application(id="", app_id="", name=None, created=None, blueprint=True)

    def render(asked: Request, options: odata.Options) -> Body:
        def body(one: Application) -> Body:
            return objects.application(directory, one, with_key=options.with_key)

        return _page(asked, options, (version, f"applications/{CAST}agentIdentityBlueprint"), found, body)

    return Resource(
        operation="blueprint.list",
        relations=("agentIdentityBlueprint",),
        type=f"{CAST}agentIdentityBlueprint",
        members=objects.application(directory, none, with_key=False),
        render=render,
    )


def _users(directory: Directory, version: str) -> Resource:
    found = [one for one in directory.estate.users if one.parent is not None]

    def body(one: User) -> Body:
        return {
            "@odata.type": "#microsoft.graph.agentUser",
            "id": one.id,
            "displayName": one.name,
            "userPrincipalName": one.upn,
            "identityParentId": one.parent,
        }

    def render(asked: Request, options: odata.Options) -> Body:
        return _page(asked, options, (version, f"users/{CAST}agentUser"), found, body)

    members = ("id", "displayName", "userPrincipalName", "identityParentId")
    return Resource(
        operation="agent_user.list", relations=("agentUser",), type=f"{CAST}agentUser", members=members, render=render
    )


def _of_blueprint(directory: Directory, version: str, found: Application | None, path: Sequence[str]) -> Resource | None:
    if list(path) == ["sponsors"]:
        return _sponsors(directory, version, "blueprint.sponsors_of", "agentIdentityBlueprint", found)
    if list(path) == ["inheritablepermissions"]:
        return Resource(
            operation="blueprint.inheritable_of",
            relations=("agentIdentityBlueprint", "inheritablePermissions"),
            type=f"{CAST}inheritablePermission",
            members=_inheritable(Inheritable(api="")),
            render=collection(version, f"applications('{found.id}')/inheritablePermissions", found.inheritable, _inheritable)
            if found
            else None,
        )
    return None


def _sponsors(
    directory: Directory, version: str, operation: str, kind: str, found: Application | ServicePrincipal | None
) -> Resource:
    return Resource(
        operation=operation,
        relations=(kind, "sponsors"),
        type=f"{CAST}directoryObject",
        members=objects.owner(directory, ""),
        render=collection(version, "directoryObjects", found.sponsors, lambda one: objects.owner(directory, one))
        if found
        else None,
    )


def _inheritable(found: Inheritable) -> Body:
    return {
        "resourceAppId": found.api,
        "inheritableScopes": _pattern("Scopes", found.scopes),
        "inheritableRoles": _pattern("Roles", found.roles),
    }


def _pattern(of: str, names: tuple[str, ...] | None) -> Body:
    if names:
        return {"@odata.type": f"#{CAST}enumerated{of}", "kind": "enumerated", of.lower(): list(names)}
    kind = "allAllowed" if names is None else "none"
    return {"@odata.type": f"#{CAST}{'allAllowed' if names is None else 'no'}{of}", "kind": kind}


def _page(
    asked: Request, options: odata.Options, place: tuple[str, str], found: Sequence[odata.T], body: Callable[[odata.T], Body]
) -> Body:
    if options.top > _MOST:
        message = f"Invalid page size specified: '{options.top}'. Must be between 1 and {_MOST} inclusive."
        raise odata.BadQueryError("Request_UnsupportedQuery", message)
    return odata.page(asked, options, place, found, body)
