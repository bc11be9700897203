"""Reads of the permissions of applications and service principals, and of their last activity."""

from keyaudit.model.operations.kinds import (
    AZURE_CLI,
    OTHER_CLOUDS,
    Family,
    Paging,
    Recording,
    Throttle,
    arm,
    graph,
    graph_right,
    resource_graph,
)

_AUDIT_LOG = graph_right("AuditLog.Read.All")
_ROLES = graph_right("RoleManagement.Read.Directory")

_IDENTITY = (
    "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/{identity}"
)

FAMILY = Family("privileges and sign-ins", order=90)

DECLARED = (
    graph(
        "delegated_grant.list",
        "delegated permissions",
        "/v1.0/oauth2PermissionGrants",
        query=(("$top", "999"),),
        cost=2,
        right=graph_right("Directory.Read.All"),
    ),
    # Role definitions refuse $top with any value; the others are short lists.
    graph(
        "directory_role.definitions",
        "directory roles",
        "/v1.0/roleManagement/directory/roleDefinitions",
        right=_ROLES,
    ),
    graph(
        "directory_role.assignments",
        "assignments of directory roles",
        "/v1.0/roleManagement/directory/roleAssignments",
        right=_ROLES,
        # Entra refuses to remove the last one.
        # https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference#global-administrator
        never_empty="every tenant has a Global Administrator",
    ),
    graph(
        "directory_role.eligibilities",
        "eligible directory roles",
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        right=graph_right("RoleEligibilitySchedule.Read.Directory"),
    ),
    # The reports exist in the global service only, and need a licence.
    # https://learn.microsoft.com/graph/api/reportroot-list-serviceprincipalsigninactivities
    graph(
        "sign_in_activity.list",
        "last sign-ins of service principals",
        "/beta/reports/servicePrincipalSignInActivities",
        query=(("$top", "999"),),
        throttle=Throttle.GRAPH_REPORTS,
        right=_AUDIT_LOG,
        not_in=OTHER_CLOUDS,
    ),
    graph(
        "credential_activity.list",
        "last uses of applications' credentials",
        "/beta/reports/appCredentialSignInActivities",
        query=(("$top", "999"),),
        throttle=Throttle.GRAPH_REPORTS,
        right=_AUDIT_LOG,
        not_in=OTHER_CLOUDS,
    ),
    resource_graph("managed_identity.query", "user-assigned managed identities (Resource Graph)"),
    # Stable versions have no claims-matching expressions, so they are asked only where this one is refused.
    # https://learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials/list
    arm(
        "managed_identity.expressions_of",
        "a managed identity's federated credentials, with claims-matching expressions",
        _IDENTITY + "/federatedIdentityCredentials",
        version="2025-05-31-preview",
        paging=Paging.NEXT_LINK,
        after=("managed_identity.query",),
    ),
    arm(
        "managed_identity.federated_of",
        "a managed identity's federated credentials",
        _IDENTITY + "/federatedIdentityCredentials",
        version="2024-11-30",
        paging=Paging.NEXT_LINK,
        after=("managed_identity.query",),
    ),
    # The preview alone has assignmentRestrictions, and both have isolationScope.
    arm(
        "managed_identity.list",
        "user-assigned managed identities, with their assignment restrictions",
        "/subscriptions/{subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
        version="2025-05-31-preview",
        paging=Paging.NEXT_LINK,
        after=("managed_identity.query",),
    ),
    arm(
        "managed_identity.list_stable",
        "user-assigned managed identities, with their isolation scopes",
        "/subscriptions/{subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
        version="2024-11-30",
        paging=Paging.NEXT_LINK,
        after=("managed_identity.query",),
    ),
)

RECORDED = {
    "managed_identity.federated_of": Recording(AZURE_CLI, "test_federated_identity_credential", 2023),
}
