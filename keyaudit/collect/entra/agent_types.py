"""Recognises agent identities and blueprints among applications and service principals, by `@odata.type`.

OData omits that member if the object has the type that its list declares:
https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationodatatype
"""

from msgspec import UnsetType

from keyaudit.collect.rows import Wire, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

_APPLICATIONS = {"#microsoft.graph.application": False, "#microsoft.graph.agentIdentityBlueprint": True}
_PRINCIPALS = {
    "#microsoft.graph.servicePrincipal": None,
    "#microsoft.graph.agentIdentity": "agent-identity",
    "#microsoft.graph.agentIdentityBlueprintPrincipal": "blueprint-principal",
}
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
