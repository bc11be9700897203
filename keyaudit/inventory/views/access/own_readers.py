"""The workloads that can read a certificate's private key but do not sign in with it."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.joins import cells
from keyaudit.inventory.facts.relation import rows_read
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.access.reach_counts import BITS
from keyaudit.inventory.views.vaults.entra_credentials import ENTRA
from keyaudit.model.tables.reach import READING
from keyaudit.model.tables.vaults.certificate import OTHERS_READING

_WORKLOADS = f"workloads_{READING}"
READ = frozenset({_WORKLOADS})
"""The derived columns of certificates that `counted` reads."""

READS = {
    OTHERS_READING.name: cells(f"certificate.{_WORKLOADS}", "certificate.public_key_sha256", "service_principal.app_id")
    | cells("service_principal.principal_type", "application.app_id")
    | rows_read("credential", "public_key_sha256", "expires_on", "usage", "app_id", of=ENTRA)
}


def prepare(sources: Sources, as_of: int) -> str:
    """The statement that creates `reach_own_reader`, after those of `reach`: by certificate, the number of workloads that read
    its private key and sign in with it: `surely`, and `perhaps`, where Graph does not show what they sign in with; `doubt` says
    why.
    """
    # What a service principal holds itself names it. The key of a managed identity is the platform's.
    held = f"""
        SELECT DISTINCT {sources.sql.lower("app_id")} AS app_id, unknown['app_id'] AS app_id_why,
            CASE WHEN holder_kind = 'service_principal' THEN split_part(holder_id, '/', -1) END AS object_id,
            public_key_sha256 AS digest,
            unknown['public_key_sha256'] AS unshown,
            coalesce(unknown['kind'], unknown['expires_on'], unknown['usage']) AS doubt
        FROM {sources["credential"]}
        WHERE (public_key_sha256 IS NOT NULL OR unknown['public_key_sha256'] IS NOT NULL)
            AND usage IS DISTINCT FROM 'Sign' AND (expires_on IS NULL OR expires_on > {as_of})"""
    # Where the application of either was not read, they may be of the same one, unless that of the other has another of them:
    # client ids are unique, and an application has one service principal in a tenant.
    homes = f"""
        SELECT home.object_id, home.app_id, home.app_id_why, listed.app_id IS NOT NULL AS registered
        FROM reach_service_principal AS home
        JOIN {sources["service_principal"]} AS own ON split_part(own.id, '/', -1) = home.object_id
            AND own.principal_type IS DISTINCT FROM 'ManagedIdentity'
        LEFT JOIN (SELECT DISTINCT {sources.sql.lower("app_id")} AS app_id FROM {sources["application"]}) AS listed
            ON listed.app_id = home.app_id"""
    owned = f"""
        SELECT home.object_id, held.digest, held.unshown, held.doubt FROM ({held}) AS held
        JOIN reach_service_principal AS home ON home.object_id = held.object_id OR home.app_id = held.app_id
        UNION ALL
        SELECT home.object_id, held.digest, held.unshown, held.app_id_why FROM ({held}) AS held
        CROSS JOIN ({homes}) AS home WHERE held.app_id_why IS NOT NULL AND held.object_id IS NULL AND NOT home.registered
        UNION ALL
        SELECT home.object_id, held.digest, held.unshown, home.app_id_why FROM ({held}) AS held
        CROSS JOIN ({homes}) AS home WHERE home.app_id_why IS NOT NULL AND held.app_id_why IS NULL AND held.object_id IS NULL
            AND held.app_id NOT IN (SELECT app_id FROM reach_service_principal WHERE app_id IS NOT NULL)"""
    name = sources.sql.lower("split_part(made.certificate_id, '/', 5)")
    below = f"made.vault_id || '/secrets/' || {name}"
    readers = f"""
        SELECT made.id, person.person, bool_or(held.unshown IS NULL AND held.doubt IS NULL) AS surely,
            min(coalesce(held.unshown, held.doubt)) AS doubt
        FROM ({owned}) AS held
        JOIN reach_person AS person ON person.person_id = held.object_id AND NOT person.human AND person.proven
        JOIN reach_met AS met ON met.holder = person.holder AND met.standing AND met.certain & {BITS[READING]} <> 0
        JOIN reach_vault AS vault ON vault.vault = met.vault
        JOIN {sources["certificate"]} AS made ON made.vault_id = vault.id
            AND (made.public_key_sha256 = held.digest OR held.digest IS NULL OR made.public_key_sha256 IS NULL)
        WHERE met.object IS NULL OR met.object = {below}
        GROUP BY made.id, person.person"""
    return f"""
        CREATE TABLE reach_own_reader AS
        SELECT readers.id, count(*) FILTER (WHERE surely AND made.public_key_sha256 IS NOT NULL) AS surely, count(*) AS perhaps,
            min(coalesce(readers.doubt, made.unknown['public_key_sha256'])) AS doubt
        FROM ({readers}) AS readers JOIN {sources["certificate"]} AS made ON made.id = readers.id GROUP BY readers.id"""


def counted(sql: DuckDB, query: str, *, known: bool) -> str:
    """The view of certificates in `query` with `OTHERS_READING`; NULL if `prepare` did not run."""
    name = OTHERS_READING.name
    if not known:
        return f"SELECT *, CAST(NULL AS BIGINT) AS {name}_min, CAST(NULL AS BIGINT) AS {name}_max FROM ({query})"
    least = f"greatest(made.{_WORKLOADS}_min - coalesce(own.perhaps, 0), 0)"
    # `greatest` leaves out NULL, which here is no upper bound.
    most = f"CASE WHEN made.{_WORKLOADS}_max IS NOT NULL THEN greatest(made.{_WORKLOADS}_max - coalesce(own.surely, 0), 0) END"
    why = f"CASE WHEN {most} = {least} THEN NULL ELSE coalesce(made.unknown['{_WORKLOADS}'], own.doubt) END"
    unknown = f"CASE WHEN {why} IS NULL THEN made.unknown ELSE map_concat(made.unknown, {sql.map({name: why})}) END"
    return f"""
        SELECT {sql.replacing({"unknown": unknown}, of="made")},
            {least} AS {name}_min, {most} AS {name}_max
        FROM ({query}) AS made LEFT JOIN reach_own_reader AS own ON own.id = made.id"""
