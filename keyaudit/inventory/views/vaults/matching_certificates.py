"""Matches Key Vault certificates with other certificates by certificate or key: a hash join on their digests."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.facts.fact import Derived, Doubt, Fact, Truth, case, known, possible, reasons_of
from keyaudit.inventory.facts.joins import Reads, cells, inside, joined, lists
from keyaudit.inventory.facts.prepared import Prepared
from keyaudit.inventory.facts.relation import Rows, by_hand, one
from keyaudit.inventory.facts.sql import Sources, no_rows
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.vaults import certificate
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, VAULTS_FOUND

_READ = ("certificate.list", "certificate.versions", "certificate.get")

CERTIFICATE, KEY = "certificate ", "key "
"""The prefixes of digests in the table `digests`, so that a digest of a key is never taken for one of a certificate."""

_KINDS = ((KEY, "public_key_sha256"), (CERTIFICATE, "thumbprint_sha256"), (CERTIFICATE, "thumbprint"))
"""Which column each digest in the table is from."""

_UNSEEN = "in_vault_unseen"
"""The table of one row: why not every certificate of every vault was seen, by its key (`of_key`) and by itself
(`of_certificate`); NULL where all were.
"""


def facts(rows: Rows) -> dict[str, Derived]:
    """The columns of credentials about the certificate in a vault that each is, or that is on the same key."""
    key, digest = rows["public_key_sha256"], rows["thumbprint_sha256"]
    # A certificate that Graph does not return is found by its thumbprint alone, which can be any.
    shown = f"coalesce({digest.value}, CASE WHEN {rows.alias}.kind = 'certificate' THEN {rows.alias}.thumbprint END)"
    table = digests(rows.sources)
    on_key, itself = (
        one(each, key=Fact(f"{quoted(prefix)} || {value}", absent=True), by=each["digest"])
        for each, prefix, value in ((table.under("on_key"), KEY, key.value), (table.under("itself"), CERTIFICATE, shown))
    )
    unseen = by_hand("unseen", f"CROSS JOIN {_UNSEEN} AS unseen") | lists(*VAULTS_FOUND, *_READ)
    unmatched, not_itself = (
        (shown.doubt | Doubt((f"unseen.{column}",), unseen | cells(f"certificate.{of}"))).where(shown.present)
        for shown, column, of in ((key, "of_key", "public_key_sha256"), (digest, "of_certificate", "thumbprint_sha256"))
    )

    def of_match(name: str) -> Fact:
        return case((on_key.found, on_key[name]), (itself.found, itself[name]), otherwise=reasons_of(unmatched))

    entra, newer_since = rows["entra_custody"], reasons_of(not_itself)
    superseded = case((itself.found, itself["superseded"]), otherwise=possible(not_itself))
    return {
        "custody": case((entra.eq("external"), of_match("custody").or_else(known("external"))), otherwise=entra),
        "vault_certificate_id": case(
            (itself.found, itself["id"]), (on_key.found, on_key["id"]), otherwise=reasons_of(unmatched)
        ),
        "private_exportable": of_match("exportable"),
        "superseded_in_vault": superseded.truth(),
        "newer_since": case((itself.found, itself["newer_since"]), otherwise=newer_since),
    }


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that create the tables that these columns rest on."""
    yield digests(sources).empty if no_rows(sources, "certificate") else digests(sources).created
    yield f"CREATE TABLE {_UNSEEN} AS {_unseen(sources)}"


def digests(sources: Sources) -> Prepared:
    """The table with a row per `digest` of a certificate (both thumbprints) or of its key: what is true of all that have it.

    id             the newest version
    custody        the weakest
    exportable     of any
    superseded     an enabled version came after it
    newer_since    when the first of these was made
    """

    def truth(certain: str, doubt: str, reads: Reads) -> Truth:
        value = f"CASE WHEN {certain} THEN true WHEN {doubt} IS NULL THEN false END"
        return Truth(value, Doubt((doubt,), reads), exact=False, reads=reads)

    custody = "CASE WHEN found.software THEN 'software' WHEN found.custody_doubt IS NULL THEN found.custody END"
    in_vault = inside(certificate.custody(Rows(sources, "certificate")).everything)
    newer = cells("certificate.versions_listed", "certificate.enabled", "certificate.created_on")
    facts: dict[str, Derived] = {
        "digest": Fact("found.digest"),
        "id": Fact("found.id"),
        "custody": Fact(custody, Doubt(("found.custody_doubt",), in_vault), exact=False, reads=in_vault),
        "exportable": truth("found.exportable", "found.exportable_doubt", cells("certificate.exportable")),
        "superseded": truth("found.newer_since IS NOT NULL", "found.newer_doubt", newer),
        "newer_since": Fact(
            "CASE WHEN found.newer_doubt IS NULL THEN found.newer_since END",
            Doubt(("found.newer_doubt",), newer),
            absent=True,
            reads=newer,
        ),
    }
    origin, types = f"({_by_digest(sources)}) AS found", {"newer_since": "BIGINT"}
    kinds = cells(*(f"certificate.{column}" for _, column in _KINDS), "certificate.created_on")
    return Prepared(sources, "in_vault", facts, origin, "in_vault", types=types, rests=kinds)


def _by_digest(sources: Sources) -> str:
    # Written by hand, because it is grouped twice, and a certificate that was imported twice counts as its last version.
    sql = sources.sql
    items = sql.items(*(f"'{prefix}' || {column}" for prefix, column in _KINDS))
    every = f"SELECT * FROM (SELECT {sql.each(items)} AS digest, * FROM versions) WHERE digest IS NOT NULL"
    # A materialized CTE would also be computed for queries that do not need it.
    made = "coalesce(created_on, 0)"
    since = sql.member(sql.greatest(sql.struct({"made": made, "id": "id", "since": "newer_since"})), "since")
    objects = f"""
            SELECT digest, certificate_id,
                {sql.greatest(sql.struct({"made": made, "id": "id"}))} AS newest,
                bool_or(custody = 'software') AS software, min(custody) AS custody, min(custody_doubt) AS custody_doubt,
                bool_or(exportable) AS exportable, min(exportable_doubt) AS exportable_doubt,
                {since} AS newer_since,
                min(newer_doubt) AS newer_doubt
            FROM every GROUP BY digest, certificate_id"""
    return f"""
        WITH {sql.inlined("versions", _versions(sources))},
        {sql.inlined("every", every)},
        {sql.inlined("objects", objects)}
        SELECT digest, {sql.member(sql.greatest("newest"), "id")} AS id,
            bool_or(software) AS software, min(custody) AS custody, min(custody_doubt) AS custody_doubt,
            bool_or(exportable) AS exportable, min(exportable_doubt) AS exportable_doubt,
            min(newer_since) AS newer_since, min(newer_doubt) AS newer_doubt
        FROM objects GROUP BY digest"""


def _unseen(sources: Sources) -> str:
    def undigested(column: str) -> str:
        return f"(SELECT min(unknown['{column}']) FROM {sources['certificate']} WHERE {column} IS NULL)"

    unread = f"""coalesce(
            (SELECT min(reason) FROM coverage WHERE operation IN ({_list(VAULTS_FOUND + _READ)}) AND state <> 'assessed'),
            (SELECT CASE WHEN count(DISTINCT operation) < 2 THEN '{Reason.INTERRUPTED}' END FROM coverage
                WHERE operation IN ({_list(VAULTS_FOUND[:2])})),
            (SELECT '{Reason.INTERRUPTED}' FROM {sources["vault"]} AS vault
                LEFT JOIN (SELECT scope_id, count(DISTINCT operation) AS done FROM coverage
                    WHERE operation IN ({_list(_READ)}) GROUP BY scope_id) AS read ON read.scope_id = vault.id
                WHERE vault.kind = '{KEY_VAULT}' AND coalesce(read.done, 0) < {len(_READ)} LIMIT 1))"""
    return f"""
        SELECT coalesce(reason, {undigested("public_key_sha256")}) AS of_key,
            coalesce(reason, {undigested("thumbprint_sha256")}) AS of_certificate
        FROM (SELECT {unread} AS reason)"""


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
