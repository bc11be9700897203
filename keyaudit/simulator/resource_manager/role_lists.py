"""Role assignments and role definitions at any scope, as Azure Resource Manager lists them.

The filters are those of https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest
"""

import re
from collections.abc import Callable, Sequence

from keyaudit.simulator.estate import Role, RoleAssignment
from keyaudit.simulator.microsoft_graph.groups import groups_of
from keyaudit.simulator.resource_manager.answers import answer, error
from keyaudit.simulator.resource_manager.authorization import GROUP, above, assignment_properties, definition, roles
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_RESOURCE = "subscriptions/*/resourcegroups/*/providers/*/*/*"
_SCOPES = (
    "",
    "providers/microsoft.management/managementgroups/*/",
    "subscriptions/*/",
    "subscriptions/*/resourcegroups/*/",
    f"{_RESOURCE}/",
    f"{_RESOURCE}/*/*/",
)
_PROVIDER = "providers/microsoft.authorization"
ASSIGNMENTS = tuple(f"{scope}{_PROVIDER}/roleassignments/*" for scope in _SCOPES)
"""The path of one role assignment, at every kind of scope."""

_ASSIGNED = re.compile(r"principalId eq '(?P<itself>[^']*)'|assignedTo\('(?P<through>[^']*)'\)")
_DEFINED = re.compile(r"(?P<name>roleName|type) eq '(?P<value>[^']*)'")
# From these versions on an assignment has the members, null where they were never set.
_SINCE = {
    "principalType": "2018",
    "condition": "2020-04",
    "conditionVersion": "2020-04",
    "delegatedManagedIdentityResourceId": "2020-08",
    "description": "2020-04",
}


def routes(directory: Directory) -> Sequence[Route]:
    """The lists, and single objects, at every kind of scope."""
    served = _RoleLists(directory)
    return tuple(
        route
        for scope in _SCOPES
        for route in (
            Route("role_assignment.list", f"{scope}{_PROVIDER}/roleassignments", served.assignments),
            Route("role_assignment.get", f"{scope}{_PROVIDER}/roleassignments/*", served.assignment),
            Route("role_definition.list", f"{scope}{_PROVIDER}/roledefinitions", served.definitions),
            Route("role_definition.get", f"{scope}{_PROVIDER}/roledefinitions/*", served.definition),
        )
    )


class _RoleLists:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def assignments(self, request: Request, _stars: list[str]) -> Answer:
        scope, terms = _scope(request), _terms(request)
        wanted = _wanted(self._directory, terms)
        if wanted is None:
            message = (
                f"The filter '{request.query['$filter']}' is not supported. Supported filters are either 'atScope()' or "
                "'principalId eq '{value}' or assignedTo('{value}')'."
            )
            return error(400, "UnsupportedQuery", message)
        found = [
            one
            for one in self._directory.estate.role_assignments
            if wanted(one) and (self._applies(one.scope, scope) or ("atScope()" not in terms and _below(one.scope, scope)))
        ]
        return answer({"value": [self._shown(request, one) for one in found]})

    def assignment(self, request: Request, stars: list[str]) -> Answer:
        scope, name = _scope(request), stars[-1].lower()
        for one in self._directory.estate.role_assignments:
            if one.id.lower() == name and one.scope.lower().rstrip("/") == scope:
                return answer(self._shown(request, one))
        return error(404, "RoleAssignmentNotFound", f"The role assignment '{stars[-1]}' is not found.")

    def definitions(self, request: Request, _stars: list[str]) -> Answer:
        conditions = []
        for term in _terms(request):
            parsed = _DEFINED.fullmatch(term)
            if parsed is not None:
                conditions.append((parsed["name"], parsed["value"].lower()))
            elif term not in ("atScope()", "atScopeAndBelow()"):
                return error(400, "UnsupportedQuery", f"The filter '{request.query['$filter']}' is not supported.")
        found = []
        for role in roles(self._directory):
            values = {"roleName": role.name.lower(), "type": "customrole" if role.custom else "builtinrole"}
            if all(values[name] == value for name, value in conditions):
                found.append(self._defined(request, role))
        return answer({"value": found})

    def definition(self, request: Request, stars: list[str]) -> Answer:
        for role in roles(self._directory):
            if role.id == stars[-1].lower():
                return answer(self._defined(request, role))
        message = f"The specified role definition with ID '{stars[-1]}' does not exist."
        return error(404, "RoleDefinitionDoesNotExist", message)

    def _shown(self, request: Request, one: RoleAssignment) -> dict[str, object]:
        version = request.query["api-version"]
        role_id = f"{_home(request)}/{_AUTHORIZATION}/roleDefinitions/{one.role}"
        properties = assignment_properties(self._directory, one, role_id)
        return {
            "properties": {name: value for name, value in properties.items() if version >= _SINCE.get(name, "")},
            "id": f"{one.scope.rstrip('/')}/{_AUTHORIZATION}/roleAssignments/{one.id}",
            "type": "Microsoft.Authorization/roleAssignments",
            "name": one.id,
        }

    def _defined(self, request: Request, role: Role) -> dict[str, object]:
        data_actions = request.query["api-version"] >= "2018"
        return definition(self._directory, role, home=_home(request), data_actions=data_actions)

    def _applies(self, scope: str, asked: str) -> bool:
        """Whether an assignment at a scope applies at the scope that is asked about: it is the same, or above it."""
        lowered = scope.lower().rstrip("/")
        if lowered.startswith(GROUP) and not asked.startswith(GROUP):
            subscription = asked.split("/")[2] if asked else ""
            return lowered.removeprefix(GROUP) in above(self._directory, subscription)
        if lowered.startswith(GROUP):
            group = asked.removeprefix(GROUP)
            chains = [above(self._directory, one) for one in self._directory.subscriptions]
            over = {name for chain in chains if group in chain for name in chain[chain.index(group) :]}
            return lowered.removeprefix(GROUP) in over
        return lowered in ("", asked) or asked.startswith(f"{lowered}/")


_AUTHORIZATION = "providers/Microsoft.Authorization"


def _scope(request: Request) -> str:
    """The scope that is asked about, in lower case; empty for the tenant."""
    whole = f"/{'/'.join(request.segments)}".lower()
    return whole[: whole.rindex(f"/{_PROVIDER}/")]


def _home(request: Request) -> str:
    """The subscription of the request, which the ids of role definitions begin with; empty above subscriptions."""
    segments = request.segments
    return f"/subscriptions/{segments[1]}" if segments[0].lower() == "subscriptions" else ""


def _below(scope: str, asked: str) -> bool:
    return bool(asked) and scope.lower().startswith(f"{asked}/")


def _terms(request: Request) -> list[str]:
    return [term.strip() for term in re.split(r"\s+and\s+", request.query.get("$filter", "").strip()) if term.strip()]


def _wanted(directory: Directory, terms: Sequence[str]) -> Callable[[RoleAssignment], bool] | None:
    """What the filter asks of a principal; None for a filter that the service does not support."""
    others = [term for term in terms if term != "atScope()"]
    if not others:
        return lambda _: True
    parsed = _ASSIGNED.fullmatch(others[0])
    if parsed is None or len(others) > 1:
        return None
    if parsed["through"] is not None:
        principals = {parsed["through"].lower(), *groups_of(directory, parsed["through"].lower())}
        return lambda one: one.principal in principals
    # atScope() and a principal cannot be asked for together.
    return (lambda one: one.principal == parsed["itself"].lower()) if len(terms) == 1 else None
