"""The table of the tenant."""

from keyaudit.model.columns import Column, Table, Type, where_found

TENANT = Table(
    name="tenant",
    noun="tenant",
    plural="tenants",
    meaning="the Entra tenant",
    listed_by=("organization.get",),
    columns=(
        *where_found("organization.get"),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the tenant was made",
            operations=("organization.get",),
            absent="Graph has no date",
        ),
        Column(
            name="default_domain",
            type=Type.TEXT,
            meaning="the default domain's name",
            operations=("domain.list",),
            absent="no domain is the default",
        ),
        Column(name="verified_domains", type=Type.TEXTS, meaning="verified domains, sorted", operations=("domain.list",)),
        Column(
            name="federated_domains",
            type=Type.TEXTS,
            meaning="domains that sign in elsewhere, sorted",
            operations=("domain.list",),
        ),
    ),
)
