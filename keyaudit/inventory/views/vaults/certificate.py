"""The view of certificates, by version."""

from keyaudit.inventory.facts.extremes import least_of
from keyaudit.inventory.facts.fact import Derived, Fact, Truth, case, known, strict, unknown
from keyaudit.inventory.facts.groups import Groups
from keyaudit.inventory.facts.relation import Rows, because, single_row
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.vaults import entra_credentials, versions
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import MAX_TIME


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "certificate")
    of_object = versions.of_object(rows, "certificate_id")
    ca = rows["is_ca"]
    purpose = case((ca.truth(), known("ca")), otherwise=rows["ekus"].total(_purpose))
    integrated = rows["issuer_name"].satisfies(lambda name: f"{name} NOT IN ('Self', 'Unknown')")
    marked = rows["public_ca_marks"].satisfies(lambda marks: f"{sources.sql.size(marks)} > 0")
    return {
        **versions.facts(rows, of_object, "sku"),
        **entra_credentials.facts(rows, as_of),
        "custody": custody(rows),
        "purpose": purpose.where(ca.present),
        "public_tls": (purpose.eq("server") & (integrated | marked)).where(ca.present),
        "renews_on": _renewal(rows),
        "third_left_on": versions.third_left(rows, rows["activates_on"], rows["expires_on"]),
        "renewal_overdue_on": _overdue(rows, of_object),
        **_exportable_still(of_object, as_of),
    }


def _exportable_still(of_object: Groups, as_of: int) -> dict[str, Derived]:
    """What is true of enabled versions before the current one whose private key can be downloaded.

    An expired version can, too: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#date-time-controlled-operations
    A policy that was changed later does not say whether an earlier version is exportable; the key in an HSM never is:
    https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#exportable-or-nonexportable-key
    """
    version = Rows(of_object.rows.sources, "certificate", of_object.rows.alias)
    downloadable = version.flag("enabled") & ~version.flag("is_current")
    downloadable &= version.flag("exportable") & ~custody(version).eq("vault-hsm")
    unexpired = version["expires_on"].satisfies(lambda end: f"{end} > {as_of}", absent=True)
    signs_in = entra_credentials.facts(version, as_of)["live_credentials"].exceeds(known(0))
    return {
        "superseded_exportable": of_object.any_of("superseded_exportable", downloadable),
        "superseded_exportable_versions": of_object.texts_of("exportable_versions", version["version"], downloadable),
        "superseded_exportable_unexpired": of_object.any_of("exportable_unexpired", downloadable & unexpired),
        "superseded_signs_in": of_object.any_of("superseded_signs_in", downloadable & signs_in),
    }


def _overdue(rows: Rows, of_object: Groups) -> Fact:
    """When the current version is a tenth older than the one before it became."""
    dialect, version = rows.sources.sql, of_object.rows
    before = of_object.latest("previous", version["created_on"], ~version.flag("is_current"))
    interval = strict(lambda made, before: f"({made} - {before})", rows["created_on"], before)
    due = strict(
        lambda made, interval: f"{dialect.wide(made)} + {interval} + {dialect.quotient(interval, 10)}",
        rows["created_on"],
        interval,
    ).map(lambda moment: f"CAST({versions.bounded(moment)} AS BIGINT)")
    return due.where(rows.flag("is_current") & interval.satisfies(lambda seconds: f"{seconds} > 0"))


def custody(rows: Rows) -> Fact:
    """Where the private half of a certificate is kept: the custody of its key, if that was read, else by its key type."""
    held = single_row(Rows(rows.sources, "key", "held"), key=rows["key_version_id"])["custody"]
    strange = Truth(f"coalesce({held.doubt.sql} = '{Reason.UNRECOGNISED}', false)", reads=held.doubt.reads)
    by_type = rows["kty"].recognised(
        lambda kty: f"CASE WHEN {kty} LIKE '%-HSM' THEN 'vault-hsm' WHEN {kty} IN ('RSA', 'EC') THEN 'software' END"
    )
    return case((strange, unknown(because(Reason.UNRECOGNISED))), otherwise=held.unless_known(by_type))


def _purpose(ekus: str) -> str:
    """RFC 5280, 4.2.1.12: without the extension, or with anyExtendedKeyUsage, the key may be used for every purpose."""
    return f"""CASE WHEN array_contains({ekus}, '1.3.6.1.5.5.7.3.3') THEN 'code-signing'
        WHEN {ekus} IS NULL OR array_contains({ekus}, '2.5.29.37.0') THEN 'any'
        WHEN array_contains({ekus}, '1.3.6.1.5.5.7.3.1') THEN 'server'
        WHEN array_contains({ekus}, '1.3.6.1.5.5.7.3.2') THEN 'client'
        ELSE 'other' END"""


def _renewal(rows: Rows) -> Fact:
    """The first of the actions of its policy. Each date matters only for the action that counts from it."""
    dialect = rows.sources.sql

    def after_share(percentage: str, start: str, end: str) -> str:
        # A percentage of its validity from its start; the product could exceed 64 bits, which would fail the query.
        share = versions.bounded(f"({dialect.wide(end)} - {start}) * {percentage}", 100 * (2 * MAX_TIME - 1))
        return f"({dialect.wide(start)} + {dialect.quotient(share, 100)})"

    before = strict(lambda before, end: f"({dialect.wide(end)} - {before})", rows["renews_before_expiry"], rows["expires_on"])
    share = strict(after_share, rows["renews_at_percentage"], rows["activates_on"], rows["expires_on"])
    first = least_of(before, share).map(lambda first: f"CAST({versions.bounded(first)} AS BIGINT)")
    return first.where(rows.flag("auto_renews"))
