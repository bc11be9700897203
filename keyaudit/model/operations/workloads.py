"""Reads of what protects workload identities: Conditional Access, and the risk that Entra ID Protection sees."""

from keyaudit.model.evidence import CONDITIONAL_ACCESS, IDENTITY_PROTECTION
from keyaudit.model.operations.kinds import Family, graph, graph_right

FAMILY = Family("protection of workloads", order=115)

# The metadata of the cloud in China has neither: github.com/microsoftgraph/msgraph-metadata, schemas/v1.0-Mooncake.csdl
_WITHOUT_RISK = ("china",)

DECLARED = (
    graph(
        "conditional_access.list",
        "Conditional Access policies",
        "/v1.0/identity/conditionalAccess/policies",
        right=graph_right("Policy.Read.All"),
        evidence=CONDITIONAL_ACCESS,
    ),
    graph(
        "named_location.list",
        "named locations",
        "/v1.0/identity/conditionalAccess/namedLocations",
        right=graph_right("Policy.Read.All"),
        evidence=CONDITIONAL_ACCESS,
    ),
    graph(
        "risky_principal.list",
        "risky workload identities",
        "/v1.0/identityProtection/riskyServicePrincipals",
        right=graph_right("IdentityRiskyServicePrincipal.Read.All"),
        not_in=_WITHOUT_RISK,
        evidence=IDENTITY_PROTECTION,
    ),
    graph(
        "risk_detection.list",
        "risk detections of workload identities",
        "/v1.0/identityProtection/servicePrincipalRiskDetections",
        right=graph_right("IdentityRiskEvent.Read.All"),
        not_in=_WITHOUT_RISK,
        evidence=IDENTITY_PROTECTION,
    ),
)
