"""The issuer of a federated credential: its host, whether it belongs to the tenant, and the identity that it names."""

from keyaudit.inventory.facts.fact import TRUE, Derived, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, one, unread
from keyaudit.inventory.load import quoted
from keyaudit.model.directory.hosts import ISSUING_HOSTS
from keyaudit.model.tables import TABLES

# The only issuers of AKS are https://REGION.oic.prod-aks.azure.com/TENANT/ID/ and the same in other clouds.
# https://learn.microsoft.com/azure/aks/use-oidc-issuer; those of clusters that Azure Arc connects are made alike, with
# oic.prod-arc.azure.com: https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity
_CLUSTERS = r"\.azure\.(com|us|cn)\z"
_ID = r"^[0-9a-f-]{36}\z"


def facts(rows: Rows) -> dict[str, Derived]:
    """Those columns of credentials."""
    sources, sql, scope = rows.sources, rows.sources.sql, f"{rows.alias}.scope_id"
    issuer = rows["issuer"]

    def host(issuer: str) -> str:
        """Everything before the path, so that neither a port nor a user name is taken for the host."""
        issuer = sql.lower(issuer)
        return f"coalesce(nullif(regexp_extract({issuer}, '^https?://([^/?#]+)', 1), ''), {issuer})"

    def of_tenant(issuer: str) -> str:
        tenant = sql.lower(f"split_part({issuer}, '/', 4)")
        return f"{host(issuer)} IN ({', '.join(map(quoted, ISSUING_HOSTS))}) AND {tenant} = split_part({scope}, '/', 3)"

    this_tenant = issuer.told(of_tenant)
    kubernetes = f"(SELECT * FROM {sources['account_key']} WHERE kind LIKE '%kubernetes' OR oidc_issuer IS NOT NULL)"  # noqa: S608
    clusters = Rows(sources, "account_key", "cluster", relation=kubernetes)
    unlisted = unread("clusters", TABLES["account_key"].listed_by, scope=scope)
    cluster = groups(clusters, "issuing", by=clusters["oidc_issuer"], key=issuer, missing=unlisted).any_of("found")
    may_be_cluster = issuer.told(lambda value: sql.found(host(value), _CLUSTERS))
    return {
        "issuer_host": issuer.map(host),
        "issuer_own": (this_tenant | cluster.certainly | (may_be_cluster & cluster)).where(issuer.present),
        "subject_dangling": _dangling(rows, this_tenant).where(issuer.present),
    }


def _dangling(rows: Rows, this_tenant: Truth) -> Truth:
    """Whether the identity of this tenant that it trusts does not exist."""
    sql, scope, subject = rows.sources.sql, f"{rows.alias}.scope_id", rows["subject"]
    id_ = subject.map(lambda value: f"{scope} || '/serviceprincipals/' || {sql.lower(value)}")
    unlisted = unread("principals", TABLES["service_principal"].listed_by, scope=scope)
    principals = Rows(rows.sources, "service_principal", "trusted_identity")
    identity = one(principals, key=id_, missing=unlisted, facts={"registered": TRUE})
    return this_tenant & subject.told(lambda value: sql.found(sql.lower(value), _ID)) & ~identity.flag("registered")
