"""The scale of certificates in vaults, by version, with their key and the identities that sign in with them."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.scores import age
from keyaudit.inventory.scores.credential import CREDENTIAL
from keyaudit.inventory.scores.key import NARROW
from keyaudit.inventory.scores.ladder import Facts, Ladder, Override, Rung, Scale, absent, either, every, more_than, present
from keyaudit.inventory.scores.vault import BLIND, OF_VAULT
from keyaudit.model.findings import Severity

_ALIVE = every("enabled", either(absent("expires_on"), present("expires_on", "expires_on > fact_as_of")))
_LIVES = ("enabled", "expires_on")
_RETIRED = every(_ALIVE, "NOT is_current")
_DATES = ("created_on", "expires_on")


IDENTITIES = "identity_reach"
"""The table that `prepare` creates: by public key, the bounds of the largest blast radius of its credentials."""


def prepare(sql: DuckDB, as_of: int) -> str:
    """Creates that table, unless it exists, from the view of credentials.

    Reading it once for all certificates takes less memory to plan.
    """
    ladder = CREDENTIAL.blast_radius
    low, high = ladder.bounds([sql.item("rungs", nth) for nth in range(1, len(ladder.rungs) + 1)])
    judged = f"SELECT *, CAST({as_of} AS BIGINT) AS fact_as_of FROM credential"
    return f"""
        CREATE TABLE IF NOT EXISTS {IDENTITIES} AS
        WITH {sql.inlined("judged", judged)}
        SELECT digest, max({low}) AS low, max({high}) AS high
        FROM (SELECT public_key_sha256 AS digest, {ladder.flags(sql)} AS rungs FROM ({CREDENTIAL.facts.query(sql)}))
        WHERE digest IS NOT NULL GROUP BY digest"""


_UNLISTED = "SELECT min(reason) AS reason FROM coverage WHERE operation IN ('application.list', 'service_principal.list')"


def _of_identities(sql: DuckDB) -> str:
    """The facts: those of the vault, and the largest blast radius of the credentials with its key."""
    unknown = sql.with_present("fact_unknown", {"fact_identities": "unshown.doubt"})
    return f"""
        SELECT {sql.excluding("fact_unknown", of="placed")}, coalesce(identity.low, 1) AS fact_identities_min,
            CASE WHEN unshown.doubt IS NULL THEN coalesce(identity.high, 1) END AS fact_identities_max,
            {unknown} AS fact_unknown
        FROM ({OF_VAULT.query(sql)}) AS placed
        LEFT JOIN {IDENTITIES} AS identity ON identity.digest = placed.public_key_sha256
        CROSS JOIN (
            SELECT coalesce(
                ({_UNLISTED} AND state <> 'assessed'),
                (SELECT min(unknown['public_key_sha256']) FROM credential WHERE holder_type <> 'ManagedIdentity')
            ) AS doubt
        ) AS unshown"""


_OF_IDENTITIES = Facts(
    _of_identities, {**OF_VAULT.reads, **CREDENTIAL.facts.reads, "credential": CREDENTIAL.blast_radius.reads}
)


def _identities(value: int) -> str:
    return every(_ALIVE, more_than("fact_identities", value - 1))


_BY_IDENTITY = "an identity that signs in by it can do as much: see its credential"

CERTIFICATE = Scale(
    blast_radius=Ladder(
        (
            Rung(5, _identities(5), _BY_IDENTITY, (*_LIVES, "fact_identities")),
            Rung(4, _identities(4), _BY_IDENTITY, (*_LIVES, "fact_identities")),
            Rung(
                4,
                every(_ALIVE, more_than("foreign_signing", 0)),
                "guests or applications of other tenants can sign with it",
                (*_LIVES, "foreign_signing"),
            ),
            Rung(3, _identities(3), _BY_IDENTITY, (*_LIVES, "fact_identities")),
            Rung(
                3,
                every(_ALIVE, more_than("workloads_signing", 1)),
                "several workloads can sign with it",
                (*_LIVES, "workloads_signing"),
            ),
            Rung(2, _ALIVE, "it speaks for the names in it", _LIVES),
        ),
        1,
        "it is disabled, or has expired",
    ),
    exposure=Ladder(
        (
            Rung(4, "exportable", "its private key can be read from the vault as a secret", ("exportable",)),
            Rung(4, "fact_network_open", "its vault can be reached from any network", ("fact_network_open",)),
            Rung(
                4,
                more_than("principals_signing", NARROW),
                f"more than {NARROW} principals can sign with it",
                ("principals_signing",),
            ),
            Rung(4, "CASE WHEN custody IS NULL THEN NULL ELSE FALSE END", "", ("custody",)),
            Rung(3, "custody = 'software'", "a software key: its vault holds it outside of an HSM", ("custody",)),
        ),
        2,
        "an HSM key that does not leave, on a private network",
    ),
    age=age.ladder(
        _DATES,
        ("created_on", "expires_on"),
        Rung(4, _RETIRED, "a newer one took its place, and it is still valid", (*_LIVES, "is_current")),
        Rung(4, absent("expires_on"), "it has no end", ("expires_on",)),
    ),
    overrides=(
        Override(
            name="retired",
            holds=_RETIRED,
            because="a newer one took its place, and it is still valid: high at least",
            reads=(*_LIVES, "is_current"),
            floor=Severity.HIGH,
        ),
        BLIND,
    ),
    facts=_OF_IDENTITIES,
    ages=age.ages(_DATES, str(age.CERTIFICATE_LIMIT)),
)
