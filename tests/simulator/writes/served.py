"""The writes of every service, as `serve` takes them."""

from collections.abc import Callable, Sequence

from keyaudit.simulator.key_vault.managed_hsms import ManagedHsms
from keyaudit.simulator.key_vault.vaults import Vaults
from keyaudit.simulator.microsoft_graph.service import Graph
from keyaudit.simulator.resource_manager.service import Arm
from keyaudit.simulator.service import Call, Directory, Route, Service, routed, varying
from keyaudit.simulator.throttle import Charge
from keyaudit.simulator.wire import Request
from tests.simulator.writes import (
    May,
    azure_policy,
    delegations,
    deployments,
    events,
    identities,
    monitoring,
    networks,
    resources,
    storage,
)
from tests.simulator.writes.graph import GraphWrites
from tests.simulator.writes.hsms import HsmWrites
from tests.simulator.writes.vaults import VaultWrites

EVERY_RIGHT = "*"
"""The right to change everything that the simulated tenant can change."""

Write = Callable[[Request], Call | None]

ARM: tuple[Callable[[Directory, May], Sequence[Route]], ...] = (
    identities.writes,
    delegations.writes,
    resources.writes,
    monitoring.writes,
    events.writes,
    azure_policy.writes,
    networks.writes,
    deployments.writes,
    storage.writes,
)
"""Routes of what changes the estate in Azure Resource Manager."""


def permit(*rights: str) -> Callable[[Service], Write]:
    """Let the application change what it has a right to, and refuse it the other writes.

    A right has the name of a role's action or a permission ("keys rotate", "Application.ReadWrite.All"), or is EVERY_RIGHT.
    """

    def may(right: str) -> bool:
        return EVERY_RIGHT in rights or right in rights

    def writes(service: Service) -> Write:
        match service:
            case Arm():
                return _arm(service.directory, may)
            case Vaults():
                return VaultWrites(service, may).call
            case ManagedHsms():
                return HsmWrites(service, may).call
            case Graph():
                return GraphWrites(service.directory, may).call
        return lambda _: None

    return writes


def _arm(directory: Directory, may: May) -> Write:
    routes = tuple(route for part in ARM for route in part(directory, may))

    def call(request: Request) -> Call | None:
        found = routed(routes, request)
        if found is None or "api-version" not in request.query:
            return None
        route, stars = found
        path = [part.lower() for part in request.segments]
        charge = Charge("arm", path[1] if path[0] == "subscriptions" else "")
        return varying(route.operation, lambda asked: route.respond(asked, stars), charge)

    return call
