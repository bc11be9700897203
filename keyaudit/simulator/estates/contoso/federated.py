"""Contoso's applications that pipelines, clusters and identities sign in to without a secret."""

from keyaudit.simulator.estates.defects import (
    ANY_REF,
    BROAD_SUBJECT,
    DANGLING,
    ISSUER_RETIRING,
    MUTABLE_SUBJECT,
    NO_OWNER,
    UNKNOWN_ISSUER,
)
from keyaudit.simulator.estates.holder_plans import GITHUB, ApplicationPlan, Federated

_AZURE_DEVOPS = "https://vstoken.dev.azure.com/5b0c6f1e-8a54-4c0e-9a43-6d2f7b1c9e10"
# The issuer of a deleted cluster, in an abandoned tenant.
_GONE_CLUSTER = (
    "https://westeurope.oic.prod-aks.azure.com/7d0b5d6c-2f0e-4a58-9f0b-3f6f2f5a8c11/1f9c8a0e-6b7d-4f3c-8a21-9e4d5c6b7a80/"
)

_THIS_TENANT = "https://login.microsoftonline.com/{tenant}/v2.0"
_FORMER_TENANT = "https://login.microsoftonline.com/7d0b5d6c-2f0e-4a58-9f0b-3f6f2f5a8c11/v2.0"

OF_AN_IDENTITY = (
    Federated("main", GITHUB, "repo:contoso-retail@5521904/orders@70814240:ref:refs/heads/main"),
    Federated("test", GITHUB, "repo:contoso-retail/orders:environment:test", finds=(MUTABLE_SUBJECT,)),
    Federated("preview", GITHUB, "repo:contoso-retail/orders:pull_request", finds=(BROAD_SUBJECT, MUTABLE_SUBJECT)),
    Federated(
        "branches",
        GITHUB,
        expression="claims['sub'] matches 'repo:contoso-retail/orders:ref:refs/heads/*'"
        " and claims['repository_id'] eq '70814240'",
        finds=(ANY_REF,),
    ),
    Federated("vm-orders-00", _THIS_TENANT, "5b1de5f4-0b65-4f3a-8d0e-1c9c8a7e2f46", finds=(DANGLING,)),
    Federated("former-tenant", _FORMER_TENANT, "9a4f0c57-3f5e-4b0e-a7f5-6f0b8d2c1e33", finds=(DANGLING, UNKNOWN_ISSUER)),
    Federated("azure-test", _AZURE_DEVOPS, "sc://contoso-retail/Orders/azure-test", finds=(MUTABLE_SUBJECT, ISSUER_RETIRING)),
)
"""One credential of each grade on one managed identity."""

FEDERATED = (
    ApplicationPlan(
        name="github-deploy-storefront",
        age=600,
        credentials=(
            Federated("prod", GITHUB, "repo:contoso-retail@5521904/storefront@70814233:environment:production"),
            Federated("main", GITHUB, "repo:contoso-retail/storefront:ref:refs/heads/main", finds=(MUTABLE_SUBJECT,)),
        ),
        owners=("jonas.lind",),
    ),
    ApplicationPlan(
        name="github-deploy-orders",
        age=480,
        credentials=(
            Federated("tags", GITHUB, "repo:contoso-retail/orders:ref:refs/tags/v1", finds=(MUTABLE_SUBJECT,)),
            Federated("reviews", GITHUB, "repo:contoso-retail/orders:pull_request", finds=(BROAD_SUBJECT, MUTABLE_SUBJECT)),
        ),
        owners=("jonas.lind",),
    ),
    ApplicationPlan(
        name="github-infra",
        age=420,
        credentials=(Federated("all-repositories", GITHUB, "repo:contoso-retail/*", finds=(BROAD_SUBJECT, DANGLING)),),
    ),
    ApplicationPlan(
        name="github-data-jobs",
        age=260,
        credentials=(Federated("owner", GITHUB, "repository_owner:contoso-retail", finds=(BROAD_SUBJECT, MUTABLE_SUBJECT)),),
        finds=(NO_OWNER,),
    ),
    ApplicationPlan(
        name="azdo-payments-release",
        age=520,
        credentials=(
            Federated(
                "azure-prod", _AZURE_DEVOPS, "sc://contoso-retail/Payments/azure-prod", finds=(MUTABLE_SUBJECT, ISSUER_RETIRING)
            ),
        ),
        owners=("mei.tanaka", "lukas.brandt"),
    ),
    ApplicationPlan(
        name="azdo-loyalty-release",
        age=510,
        credentials=(
            Federated(
                "azure-prod",
                _AZURE_DEVOPS,
                "sc://contoso-retail/Loyalty/azure-prod",
                audiences=("api://contoso-deployments",),
                finds=(BROAD_SUBJECT, MUTABLE_SUBJECT, ISSUER_RETIRING),
            ),
        ),
        owners=("amira.haddad",),
    ),
    ApplicationPlan(
        name="aks-recommendations",
        age=340,
        credentials=(
            Federated("workload", _GONE_CLUSTER, "system:serviceaccount:recommendations:api", finds=(UNKNOWN_ISSUER,)),
        ),
        owners=("sofia.rossi",),
    ),
    ApplicationPlan(
        name="github-catalog-sync",
        age=140,
        credentials=(
            Federated(
                "branches",
                GITHUB,
                expression="claims['sub'] matches 'repo:contoso-retail@5521904/catalog@81120077:ref:refs/heads/*'"
                " and claims['repository_id'] eq '81120077'",
                finds=(ANY_REF,),
            ),
        ),
        owners=("jonas.lind",),
    ),
    ApplicationPlan(
        name="batch-broker",
        age=390,
        credentials=(
            Federated(
                "vm-batch-00",
                _THIS_TENANT,
                "0c3e8a4d-58a5-4b36-9a4e-6f3f1c2b7d90",
                finds=(DANGLING,),
            ),
        ),
        owners=("mei.tanaka",),
    ),
)
