"""Reads of the tenant's rules for applications and sign-in."""

from keyaudit.model.operations.about import RELATED
from keyaudit.model.operations.kinds import Family, Paging, graph, graph_right

_POLICIES = graph_right("Policy.Read.All")

FAMILY = Family("tenant rules", order=110)

DECLARED = (
    graph(
        "app_management.default",
        "the default app management policy",
        "/v1.0/policies/defaultAppManagementPolicy",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
    graph("app_management.list", "app management policies", "/v1.0/policies/appManagementPolicies", right=_POLICIES),
    # Restrictions of audiences and redirect URIs are in /beta alone: nothing else depends on these two.
    graph(
        "app_management.default_beta",
        "the default app management policy (beta)",
        "/beta/policies/defaultAppManagementPolicy",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
    graph(
        "app_management.list_beta",
        "app management policies (beta)",
        "/beta/policies/appManagementPolicies",
        right=_POLICIES,
        after=("app_management.list",),
    ),
    graph(
        "app_management.applied",
        "assignments of an app management policy",
        "/v1.0/policies/appManagementPolicies/{id}/appliesTo",
        query=(("$select", "id"), ("$top", "999")),
        about=RELATED,
        # Application.Read.All too: https://learn.microsoft.com/graph/api/appmanagementpolicy-list-appliesto
        right=_POLICIES,
        after=("app_management.list",),
    ),
    graph(
        "authorization_policy.get",
        "the authorization policy",
        "/v1.0/policies/authorizationPolicy",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
    graph(
        "security_defaults.get",
        "security defaults",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
)
