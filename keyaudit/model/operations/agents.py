"""Reads of agent identities (Entra Agent ID): asked only where the plain lists show a blueprint or an agent, or may."""

from keyaudit.model.operations.about import HOLDER, ITSELF, RELATED
from keyaudit.model.operations.directory import GLOBAL_FIELDS, PRINCIPAL_FIELDS
from keyaudit.model.operations.kinds import Family, Paging, graph, graph_right

_AGENTS = graph_right("AgentIdentity.Read.All")
_AGENT_PATH = "/v1.0/servicePrincipals/microsoft.graph.agentIdentity"
_BLUEPRINT_PATH = "/v1.0/applications/{id}/microsoft.graph.agentIdentityBlueprint"
_PAGE = ("$top", "100")
"""The largest page of these lists: https://learn.microsoft.com/graph/api/agentidentity-list"""

FAMILY = Family("agent identities", order=85)

DECLARED = (
    # Plain lists of service principals show agents without the blueprint that each belongs to, and no page of Graph says that
    # they show every agent: of one that they leave out, this list fills the row.
    graph(
        "agent.list",
        "agent identities",
        _AGENT_PATH,
        query=(("$select", f"{PRINCIPAL_FIELDS}{GLOBAL_FIELDS},agentIdentityBlueprintId"), _PAGE),
        query_elsewhere=(("$select", f"{PRINCIPAL_FIELDS},agentIdentityBlueprintId"), _PAGE),
        right=_AGENTS,
        after=("service_principal.list",),
    ),
    # Answers with the permission that the plain list needs, which the list of agents does not:
    # https://learn.microsoft.com/graph/api/agentidentity-get
    graph(
        "agent.get",
        "whether a service principal of unknown type is an agent identity",
        "/v1.0/servicePrincipals/{id}/microsoft.graph.agentIdentity",
        query=(("$select", "id,agentIdentityBlueprintId"),),
        paging=Paging.NONE,
        after=("service_principal.list",),
        about=ITSELF,
    ),
    # The list of one agent's sponsors asks for a permission to change agents, which an audit must not have.
    # https://learn.microsoft.com/graph/api/agentidentity-list-sponsors
    graph(
        "agent.sponsors",
        "sponsors of agent identities",
        _AGENT_PATH,
        query=(("$select", "id"), ("$expand", "sponsors($select=id)"), _PAGE),
        cost=2,
        right=_AGENTS,
        after=("service_principal.list",),
    ),
    # User.Read.All would do; Directory.Read.All allows it too, and is asked for already.
    graph(
        "agent_user.list",
        "users of agent identities",
        "/v1.0/users/microsoft.graph.agentUser",
        query=(("$select", "id,displayName,identityParentId"), _PAGE),
        right=graph_right("Directory.Read.All"),
        after=("service_principal.list",),
    ),
    graph(
        "blueprint.sponsors_of",
        "sponsors of an agent identity blueprint",
        _BLUEPRINT_PATH + "/sponsors",
        query=(("$select", "id"),),
        about=RELATED,
        after=("application.list",),
    ),
    # https://learn.microsoft.com/graph/api/agentidentityblueprintprincipal-list-sponsors
    graph(
        "blueprint.principal_sponsors_of",
        "sponsors of the local principal of another tenant's blueprint",
        "/v1.0/servicePrincipals/{id}/microsoft.graph.agentIdentityBlueprintPrincipal/sponsors",
        query=(("$select", "id"),),
        about=RELATED,
        after=("service_principal.list",),
    ),
    graph(
        "blueprint.inheritable_of",
        "permissions that agents inherit from their blueprint",
        _BLUEPRINT_PATH + "/inheritablePermissions",
        # https://learn.microsoft.com/graph/api/agentidentityblueprint-list-inheritablepermissions
        about=HOLDER,
        after=("application.list",),
    ),
)
