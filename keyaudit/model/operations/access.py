"""Reads of access to keys: role assignments and definitions, deny assignments, eligibility, group members."""

from keyaudit.model.operations.about import ITSELF, RELATED, Form, Named, Unnamed
from keyaudit.model.operations.kinds import (
    VAULTS,
    Family,
    Operation,
    Paging,
    Right,
    Rights,
    Surface,
    Throttle,
    arm,
    graph,
    graph_right,
    resource_graph,
)

_AUTHORIZATION = "/subscriptions/{subscription}/providers/Microsoft.Authorization"
_PRINCIPAL_FIELDS = (
    "id,displayName,userPrincipalName,userType,accountEnabled,appId,servicePrincipalType,appOwnerOrganizationId,visibility"
)

_GRANTS = (
    *VAULTS,
    "role_assignment.query",
    "role_eligibility.list",
    "hsm.role_assignment.list",
    "hsm.role_assignment.of_keys",
    "hsm.role_assignment.of_key",
    "service_principal.app_roles",
    "service_principal.app_roles_of",
    "delegated_grant.list",
    "directory_role.assignments",
    "directory_role.eligibilities",
)
"""The operations whose answers name the principals to look up."""

_INHERITED_TOO = Named("id", "subscriptions/{subscription}", Form.INSIDE)
"""The id of one that is inherited from a management group names no subscription."""

FAMILY = Family("access to keys", order=70)

DECLARED = (
    # Resource Graph leaves out what the identity may not read, and has the assignments above a subscription as well.
    # https://learn.microsoft.com/azure/governance/resource-graph/overview#permissions-in-azure-resource-graph
    resource_graph(
        "role_assignment.query",
        "role assignments (Resource Graph)",
        never_empty="an identity that sees a subscription has a role assignment itself",
    ),
    resource_graph("role_definition.query", "role definitions (Resource Graph)"),
    resource_graph("delegation.query", "delegations to other tenants (Resource Graph)"),
    resource_graph("subscription.query", "management groups of subscriptions (Resource Graph)"),
    arm(
        "role_definition.get",
        "a role definition",
        "/providers/Microsoft.Authorization/roleDefinitions/{role}",
        version="2022-04-01",
        after=("role_assignment.query", "role_eligibility.list", "delegation.query"),
        # Its id begins with the scope at which the role was found.
        about=Named("name", "{role}"),
    ),
    arm(
        "role_eligibility.list",
        "eligible roles",
        _AUTHORIZATION + "/roleEligibilityScheduleInstances",
        version="2020-10-01",
        paging=Paging.NEXT_LINK,
        about=_INHERITED_TOO,
    ),
    arm(
        "deny_assignment.list",
        "deny assignments",
        _AUTHORIZATION + "/denyAssignments",
        version="2022-04-01",
        paging=Paging.NEXT_LINK,
        about=_INHERITED_TOO,
    ),
    # Version 1.0 leaves service principals out of a group's members; Microsoft says to use beta.
    # https://learn.microsoft.com/graph/api/group-list-members
    graph(
        "group.members",
        "members of groups, nested ones too",
        "/beta/groups/{id}/transitiveMembers",
        query=(("$select", _PRINCIPAL_FIELDS), ("$top", "999")),
        right=graph_right("GroupMember.Read.All"),
        after=("principal.lookup",),
        about=RELATED,
    ),
    graph(
        "group.direct_members",
        "direct members of groups that hold groups",
        "/beta/groups/{id}/members",
        query=(("$select", "id"), ("$top", "999")),
        right=graph_right("GroupMember.Read.All"),
        after=("group.members",),
        about=RELATED,
    ),
    Operation(
        id="principal.lookup",
        noun="users, groups and service principals by id",
        surface=Surface.GRAPH,
        method="POST",
        path="/v1.0/directoryObjects/getByIds",
        query=(("$select", _PRINCIPAL_FIELDS),),
        paging=Paging.ODATA,
        throttle=Throttle.GRAPH,
        right=graph_right("Directory.Read.All"),
        after=_GRANTS,
        about=Named("id", "ids", Form.ONE_OF),
    ),
    # Sent only for what a look-up left out, and without $select: its documentation names no query options.
    # https://learn.microsoft.com/graph/api/directoryobject-get
    graph(
        "principal.get",
        "principals that a look-up left out",
        "/v1.0/directoryObjects/{id}",
        paging=Paging.NONE,
        right=graph_right("Directory.Read.All"),
        after=("principal.lookup",),
        about=ITSELF,
    ),
    # A batch contains operations of this list, each with its own permission.
    Operation(
        id="graph.batch",
        noun="several lists at once",
        surface=Surface.GRAPH,
        method="POST",
        path="/beta/$batch",
        throttle=Throttle.GRAPH,
        right=Right(rights=Rights.NONE),
        about=Unnamed("each response in it belongs to another operation, and is checked as such"),
    ),
)
