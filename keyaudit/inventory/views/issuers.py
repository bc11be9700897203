"""The issuer of a federated credential: its host, whether it belongs to the tenant, and the identity that it names."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.model.entra import ISSUING_HOSTS
from keyaudit.model.tables import TABLES

# The only issuers of AKS are https://REGION.oic.prod-aks.azure.com/TENANT/ID/ and the same in other clouds.
# https://learn.microsoft.com/azure/aks/use-oidc-issuer; those of clusters that Azure Arc connects are made alike, with
# oic.prod-arc.azure.com: https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity
_CLUSTERS = r"\.azure\.(com|us|cn)\z"
_UNREAD = "stored.unknown['issuer']"
_ID = r"^[0-9a-f-]{36}\z"
_UNREAD_SUBJECT = "coalesce(stored.unknown['issuer'], stored.unknown['subject'])"


def _host(sql: DuckDB) -> str:
    """Everything before the path, so that neither a port nor a user name is taken for the host."""
    issuer = sql.lower("stored.issuer")
    return f"coalesce(nullif(regexp_extract({issuer}, '^https?://([^/?#]+)', 1), ''), {issuer})"


def _this_tenant(sql: DuckDB) -> str:
    tenant = sql.lower("split_part(stored.issuer, '/', 4)")
    return f"({_host(sql)} IN ({', '.join(map(quoted, ISSUING_HOSTS))}) AND {tenant} = split_part(stored.scope_id, '/', 3))"


def _own(sql: DuckDB) -> str:
    return f"(cluster.issuer IS NOT NULL OR {_this_tenant(sql)})"


def _maybe_cluster(sql: DuckDB) -> str:
    return sql.found(_host(sql), _CLUSTERS)


def _names_identity(sql: DuckDB) -> str:
    return f"coalesce({_this_tenant(sql)} AND {sql.found(sql.lower('stored.subject'), _ID)}, false)"


def columns(sql: DuckDB) -> dict[str, str]:
    """The columns over `stored`, the credentials, and the relations of `joins`."""
    return {
        "issuer_host": f"{_host(sql)} AS issuer_host",
        "issuer_own": f"""CASE WHEN stored.issuer IS NULL THEN NULL WHEN {_own(sql)} THEN true
            WHEN NOT {_maybe_cluster(sql)} OR coalesce({gap("clusters")}, unnamed.doubt) IS NULL
            THEN false END AS issuer_own""",
        "subject_dangling": f"""CASE WHEN stored.issuer IS NULL OR {_UNREAD_SUBJECT} IS NOT NULL THEN NULL
            WHEN NOT {_names_identity(sql)} OR trusted_identity.id IS NOT NULL THEN false
            WHEN {gap("principals")} IS NULL THEN true END AS subject_dangling""",
    }


def doubts(sql: DuckDB) -> dict[str, str]:
    """Why those columns are unknown."""
    return {
        "issuer_host": _UNREAD,
        "issuer_own": f"""coalesce({_UNREAD}, CASE WHEN stored.issuer IS NOT NULL AND NOT {_own(sql)} AND {_maybe_cluster(sql)}
            THEN coalesce({gap("clusters")}, unnamed.doubt) END)""",
        "subject_dangling": f"""coalesce({_UNREAD_SUBJECT}, CASE WHEN {_names_identity(sql)} AND trusted_identity.id IS NULL
            THEN {gap("principals")} END)""",
    }


def joins(sources: Sources) -> dict[str, str]:
    """The relations that these columns depend on, to be joined to `stored`, the credentials."""
    keys = sources["account_key"]
    return {
        "cluster": f"""
        LEFT JOIN (SELECT DISTINCT oidc_issuer AS issuer FROM {keys} WHERE oidc_issuer IS NOT NULL) AS cluster
            ON cluster.issuer = stored.issuer""",
        "unnamed": f"""
        CROSS JOIN (SELECT min(unknown['oidc_issuer']) AS doubt FROM {keys} WHERE kind LIKE '%kubernetes') AS unnamed""",
        "clusters": f"""
        LEFT JOIN ({read_to_the_end(TABLES["account_key"].listed_by)}) AS clusters ON clusters.scope_id = stored.scope_id""",
        "trusted_identity": f"""
        LEFT JOIN {sources["service_principal"]} AS trusted_identity
            ON trusted_identity.id = stored.scope_id || '/serviceprincipals/' || {sources.sql.lower("stored.subject")}""",
        "principals": f"""
        LEFT JOIN ({read_to_the_end(TABLES["service_principal"].listed_by)}) AS principals
            ON principals.scope_id = stored.scope_id""",
    }
