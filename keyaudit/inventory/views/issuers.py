"""Whose tokens a federated credential accepts: the issuer's host, and whether the issuer belongs to the tenant."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.sql import Sources, gap, read_to_the_end
from keyaudit.model.entra import ISSUING_HOSTS
from keyaudit.model.tables import TABLES

# All before the path, so that neither a port nor a user's name passes for the host.
_HOST = "coalesce(nullif(regexp_extract(lower(stored.issuer), '^https?://([^/?#]+)', 1), ''), lower(stored.issuer))"
_THIS_TENANT = (
    f"({_HOST} IN ({', '.join(map(quoted, ISSUING_HOSTS))}) AND"
    " lower(split_part(stored.issuer, '/', 4)) = split_part(stored.scope_id, '/', 3))"
)
_OWN = f"(cluster.issuer IS NOT NULL OR {_THIS_TENANT})"
_UNREAD = "stored.unknown['issuer']"

COLUMNS = {
    "issuer_host": f"{_HOST} AS issuer_host",
    "issuer_own": f"""CASE WHEN stored.issuer IS NULL THEN NULL WHEN {_OWN} THEN true
        WHEN coalesce({gap("clusters")}, unnamed.doubt) IS NULL THEN false END AS issuer_own""",
}
DOUBTS = {
    "issuer_host": _UNREAD,
    "issuer_own": f"""coalesce({_UNREAD}, CASE WHEN stored.issuer IS NOT NULL AND NOT {_OWN}
        THEN coalesce({gap("clusters")}, unnamed.doubt) END)""",
}


def joins(sources: Sources) -> dict[str, str]:
    """The relations that these columns rest on, to be joined to `stored`, the credentials."""
    keys = sources["account_key"]
    return {
        "cluster": f"""
        LEFT JOIN (SELECT DISTINCT oidc_issuer AS issuer FROM {keys} WHERE oidc_issuer IS NOT NULL) AS cluster
            ON cluster.issuer = stored.issuer""",
        "unnamed": f"""
        CROSS JOIN (SELECT min(unknown['oidc_issuer']) AS doubt FROM {keys} WHERE kind = 'kubernetes') AS unnamed""",
        "clusters": f"""
        LEFT JOIN ({read_to_the_end(TABLES["account_key"].listed_by)}) AS clusters ON clusters.scope_id = stored.scope_id""",
    }
