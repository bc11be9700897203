"""What Azure Resource Manager was given, and shows as it is: initiatives, their assignments, private endpoints, deployments."""

from collections.abc import Sequence

from keyaudit.simulator.estate import Stored
from keyaudit.simulator.resource_manager.answers import answer, error, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_AUTHORIZATION = "providers/microsoft.authorization"
SUBSCRIPTION, GROUP = "subscriptions/*", "subscriptions/*/resourcegroups/*"
SETS = f"{SUBSCRIPTION}/{_AUTHORIZATION}/policysetdefinitions/*"
ASSIGNMENTS = tuple(
    f"{scope}/{_AUTHORIZATION}/policyassignments/*"
    for scope in (SUBSCRIPTION, GROUP, "providers/microsoft.management/managementgroups/*")
)
ENDPOINTS = f"{GROUP}/providers/microsoft.network/privateendpoints/*"
DEPLOYMENTS = f"{GROUP}/providers/microsoft.resources/deployments/*"


def routes(directory: Directory) -> Sequence[Route]:
    """Each by its id."""

    def shown(request: Request, stars: list[str]) -> Answer:
        found = named(directory, "/".join(request.segments))
        return _missing(request, stars) if found is None else answer(resource(found))

    places = (
        ("policy_set.get", SETS),
        *(("policy_assignment.get", each) for each in ASSIGNMENTS),
        ("private_endpoint.get", ENDPOINTS),
        ("deployment.get", DEPLOYMENTS),
    )
    return tuple(Route(name, path, shown) for name, path in places)


def named(directory: Directory, id_: str) -> Stored | None:
    """The one with that id, in any case, with or without a slash before it."""
    wanted = id_.lower().strip("/")
    return next((one for one in directory.estate.stored if one.id.lower().strip("/") == wanted), None)


def resource(one: Stored) -> dict[str, object]:
    """How Azure Resource Manager shows it."""
    place = {} if one.location is None else {"location": one.location}
    return {"id": one.id, "name": one.id.rpartition("/")[2], "type": one.type, **place, "properties": one.properties}


def _missing(request: Request, stars: list[str]) -> Answer:
    kind, name = request.segments[-2].lower(), stars[-1]
    if kind in _NOT_FOUND:
        code, noun = _NOT_FOUND[kind]
        return error(404, code, f"The {noun} '{name}' could not be found.")
    return no_resource("/".join(request.segments[-3:-1]), stars[-2], name)


_NOT_FOUND = {
    "policysetdefinitions": ("PolicySetDefinitionNotFound", "policy set definition"),
    "policyassignments": ("PolicyAssignmentNotFound", "policy assignment"),
    "deployments": ("DeploymentNotFound", "deployment"),
}
"""Code and noun of the 404 for a kind, in the words of https://github.com/Azure/Azure-Landing-Zones/issues/3664."""
