"""Matches Key Vault certificates with other certificates by certificate or key: a hash join on their digests."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, no_rows
from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import columns_of
from keyaudit.inventory.views import certificate
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, VAULTS_FOUND

_READ = ("certificate.list", "certificate.versions", "certificate.get")

CERTIFICATE, KEY = "certificate ", "key "
"""The prefixes of digests in `DIGESTS`, so that a digest of a key is never taken for one of a certificate."""


DIGESTS, UNSEEN = "in_vault", "in_vault_unseen"
"""The tables that `prepare` creates."""
_COLUMNS = {
    **dict.fromkeys(("digest", "id", "custody", "custody_doubt"), "VARCHAR"),
    "exportable": "BOOLEAN",
    "exportable_doubt": "VARCHAR",
    "newer_since": "BIGINT",
    "newer_doubt": "VARCHAR",
}
"""The columns of the first."""


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the lookup tables of the view of credentials.

    in_vault         by digest, what is true of all certificates that have it, or whose key has it
    in_vault_unseen  one row: why not every certificate of every vault was seen, `reason`; NULL where all were
    """
    if no_rows(sources, "certificate"):
        yield f"CREATE TABLE {DIGESTS} ({columns_of(_COLUMNS, sources.sql)})"
    else:
        yield f"CREATE TABLE {DIGESTS} AS {_by_digest(sources)}"
    yield f"CREATE TABLE {UNSEEN} AS {_unseen(sources)}"


def _by_digest(sources: Sources) -> str:
    """A row per digest of a certificate (both thumbprints) or of its key, with what is true of all that have it.

    id             the newest version
    custody        the weakest; custody_doubt where that is unknown
    exportable     of any; exportable_doubt
    newer_since    when the first enabled version was made that came after it; newer_doubt: there may be others
    """
    kinds = ((KEY, "public_key_sha256"), (CERTIFICATE, "thumbprint_sha256"), (CERTIFICATE, "thumbprint"))
    sql = sources.sql
    digests = sql.items(*(f"'{prefix}' || {column}" for prefix, column in kinds))
    every = f"SELECT * FROM (SELECT {sql.each(digests)} AS digest, * FROM versions) WHERE digest IS NOT NULL"
    # A certificate that was imported twice counts as its last version. A materialized CTE would also be computed for queries
    # that do not need it.
    made = "coalesce(created_on, 0)"
    objects = f"""
            SELECT digest, certificate_id,
                max({sql.struct({"made": made, "id": "id"})}) AS newest,
                bool_or(custody = 'software') AS software, min(custody) AS custody, min(custody_doubt) AS custody_doubt,
                bool_or(exportable) AS exportable, min(exportable_doubt) AS exportable_doubt,
                max({sql.struct({"made": made, "id": "id", "since": "newer_since"})}).since AS newer_since,
                min(newer_doubt) AS newer_doubt
            FROM every GROUP BY digest, certificate_id"""
    return f"""
        WITH {sql.inlined("versions", _versions(sources))},
        {sql.inlined("every", every)},
        {sql.inlined("objects", objects)}
        SELECT digest, max(newest).id AS id,
            CASE WHEN bool_or(software) THEN 'software' WHEN min(custody_doubt) IS NULL THEN min(custody) END AS custody,
            CASE WHEN bool_or(software) THEN NULL ELSE min(custody_doubt) END AS custody_doubt,
            CASE WHEN bool_or(exportable) THEN true WHEN min(exportable_doubt) IS NULL THEN false END AS exportable,
            CASE WHEN bool_or(exportable) THEN NULL ELSE min(exportable_doubt) END AS exportable_doubt,
            min(newer_since) AS newer_since, min(newer_doubt) AS newer_doubt
        FROM objects GROUP BY digest"""


def _unseen(sources: Sources) -> str:
    return f"""
        SELECT coalesce(
            (SELECT min(reason) FROM coverage WHERE operation IN ({_list(VAULTS_FOUND + _READ)}) AND state <> 'assessed'),
            (SELECT CASE WHEN count(DISTINCT operation) < 2 THEN '{Reason.INTERRUPTED}' END FROM coverage
                WHERE operation IN ({_list(VAULTS_FOUND[:2])})),
            (SELECT '{Reason.INTERRUPTED}' FROM {sources["vault"]} AS vault
                LEFT JOIN (SELECT scope_id, count(DISTINCT operation) AS done FROM coverage
                    WHERE operation IN ({_list(_READ)}) GROUP BY scope_id) AS read ON read.scope_id = vault.id
                WHERE vault.kind = '{KEY_VAULT}' AND coalesce(read.done, 0) < {len(_READ)} LIMIT 1),
            (SELECT min(unknown['public_key_sha256']) FROM {sources["certificate"]} WHERE public_key_sha256 IS NULL)
        ) AS reason"""


def _versions(sources: Sources) -> str:
    custody = certificate.custody(Rows(sources, "certificate"))
    later = "(PARTITION BY certificate_id ORDER BY created_on RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    unknown = "stored.unknown"
    unlisted = f"coalesce({unknown}['versions_listed'], '{Reason.TRUNCATED}')"
    doubt = (
        f"coalesce(CASE WHEN versions_listed IS NOT TRUE THEN {unlisted} END, {unknown}['enabled'], {unknown}['created_on'])"
    )
    return f"""
        SELECT stored.id, stored.certificate_id, stored.created_on,
            thumbprint, thumbprint_sha256, public_key_sha256,
            exportable, {unknown}['exportable'] AS exportable_doubt,
            {custody.value} AS custody, {custody.why.sql} AS custody_doubt,
            min(CASE WHEN enabled THEN created_on END) OVER {later} AS newer_since,
            min({doubt}) OVER (PARTITION BY certificate_id) AS newer_doubt
        FROM {sources["certificate"]} AS stored {joined(custody.everything)}"""


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))
