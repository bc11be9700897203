"""The end of a delegation to another tenant, in Azure Resource Manager."""

from collections.abc import Sequence

from msgspec.structs import replace

from keyaudit.simulator.resource_manager.answers import HEADERS, answer, write_denied
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May

RIGHT = "Microsoft.ManagedServices/registrationAssignments/delete"
"""The action of a role."""
_TYPE = "providers/microsoft.managedservices/registrationassignments/*"


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """Remove a delegation of a subscription, or of a resource group."""

    def respond(request: Request, stars: list[str]) -> Answer:
        if not may(RIGHT):
            return write_denied(directory, request)
        scope = "/".join(("", *request.segments[: 2 * len(stars) - 2])).lower()
        delegations = directory.estate.delegations
        kept = tuple(one for one in delegations if (one.scope.lower(), one.id.lower()) != (scope, stars[-1].lower()))
        if len(kept) == len(delegations):
            return Answer(204, b"", HEADERS)
        directory.change(replace(directory.estate, delegations=kept))
        return answer({})

    scopes = ("subscriptions/*", "subscriptions/*/resourcegroups/*")
    return tuple(Route("delegation.delete", f"{scope}/{_TYPE}", respond, "DELETE") for scope in scopes)
