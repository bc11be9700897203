"""Reads of what the tenant accepts from other tenants."""

from keyaudit.model.operations.kinds import Family, Paging, graph, graph_right

FAMILY = Family("other tenants", order=116)

_POLICIES = graph_right("Policy.Read.All")

DECLARED = (
    graph(
        "cross_tenant.default",
        "default cross-tenant access settings",
        "/v1.0/policies/crossTenantAccessPolicy/default",
        paging=Paging.NONE,
        right=_POLICIES,
    ),
    graph(
        "cross_tenant.partners",
        "cross-tenant access settings of partners",
        "/v1.0/policies/crossTenantAccessPolicy/partners",
        query=(("$expand", "identitySynchronization"),),
        right=_POLICIES,
    ),
)
