"""Reads of what applications and service principals may do, and when they last did it."""

from keyaudit.model.operations.kinds import (
    OTHER_CLOUDS,
    Paging,
    Throttle,
    arm,
    graph,
    graph_right,
    resource_graph,
)

_AUDIT_LOG = graph_right("AuditLog.Read.All")

_IDENTITY = (
    "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/{identity}"
)

DECLARED = (
    # The reports are of the global service alone, and need a licence.
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
    arm(
        "managed_identity.federated_of",
        "a managed identity's federated credentials",
        _IDENTITY + "/federatedIdentityCredentials",
        version="2024-11-30",
        paging=Paging.NEXT_LINK,
    ),
)
