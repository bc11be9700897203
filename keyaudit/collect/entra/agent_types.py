"""Recognises agent identities and blueprints among applications and service principals, by `@odata.type`.

OData omits that member if the object has the type that its list declares:
https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationodatatype
"""

from msgspec import Raw, UnsetType

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.entra.relations import Related
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

_APPLICATIONS = {"#microsoft.graph.application": False, "#microsoft.graph.agentIdentityBlueprint": True}
_PRINCIPALS = {
    "#microsoft.graph.servicePrincipal": None,
    "#microsoft.graph.agentIdentity": "agent-identity",
    "#microsoft.graph.agentIdentityBlueprintPrincipal": "blueprint-principal",
}
ODATA_TYPES = frozenset((*_APPLICATIONS, *_PRINCIPALS))
"""Every `@odata.type` of an application or service principal that is known."""
_OF_AGENTS = "ServiceIdentity"
"""servicePrincipalType of agents, and of nothing else: https://learn.microsoft.com/graph/api/resources/agentidentity"""


def is_blueprint(type_: Wire) -> bool | Refusal:
    """Whether an application is a blueprint of agent identities."""
    if isinstance(type_, UnsetType):
        return False
    found = read(type_, str)
    return found if isinstance(found, Refusal) else _APPLICATIONS.get(found, Refusal(Reason.UNRECOGNISED))


def agent_type(type_: Wire, principal_type: Wire) -> str | Refusal | None:
    """A service principal's value of `agent_type`; None if it is neither an agent nor a blueprint's principal."""
    if isinstance(type_, UnsetType):
        kind = read(principal_type, str)
        return kind if isinstance(kind, Refusal) else "agent-identity" if kind == _OF_AGENTS else None
    found = read(type_, str)
    return found if isinstance(found, Refusal) else _PRINCIPALS.get(found, Refusal(Reason.UNRECOGNISED))


OPERATION = "agent.get"
IS_AGENT = Raw(b'"#microsoft.graph.agentIdentity"')
"""The `@odata.type` of an agent identity."""
_MOST = 200
"""The number of service principals that are asked for: types that are unknown in all of a large tenant have another cause."""


class _AsAgent(Related, rename="camel"):
    """A service principal that was asked for as an agent identity."""

    agent_identity_blueprint_id: str


class UnknownTypes:
    """Asks for service principals of unknown type as agent identities.

    Only an agent answers. Of another one the error proves nothing, because no page of Graph says which it is.
    """

    def __init__(self, gateway: Gateway, scope: Scope) -> None:
        self._gateway, self._calls, self._asked = gateway, Calls(scope, OPERATION, per_object=True), 0

    async def is_agent(self, object_id: str) -> bool:
        """Whether the service principal is certainly an agent identity."""
        if self._asked == _MOST:
            return False
        self._asked += 1
        found = await self._gateway.get(OPERATION, _AsAgent, id=object_id)
        if isinstance(found, Refusal):
            if found.status != 404:
                self._calls.refused(found)
            return False
        self._calls.answered()
        return GUID.fullmatch(found.agent_identity_blueprint_id) is not None

    def coverage(self, listed: Coverage) -> Coverage:
        """The coverage of the single reads, given the coverage `listed` of the list."""
        return self._calls.coverage(listed)
