"""Whether Entra still publishes a key that a service trusts: yes if any key set has it, no only if all were read."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Derived, Doubt, Truth, any_of, possible
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import lists
from keyaudit.inventory.facts.relation import Rows, by_hand
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.model.directory.hosts import CONSUMERS, ISSUING_HOSTS
from keyaudit.model.operations import with_all_before
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.tables.relying_parties import PUBLISHED

_READ = ", ".join(map(quoted, (*SHARED_AUTHORITIES, CONSUMERS, "{tenantid}")))


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "trusted_key")
    published = possible(_unnamed(rows) | _elsewhere(rows)) | _found(rows) | possible(_unread())
    return {"published": published}


def _found(rows: Rows) -> Truth:
    """Whether a key set has it. A certificate identifies a key; only keys without one are compared by kid."""
    # Keys of Azure AD B2C are in other metadata.
    relation = f"""(SELECT key_id, thumbprint, unknown FROM {rows.sources["issuer_key"]} WHERE kind <> 'b2c'
        UNION ALL SELECT key_id, thumbprint, unknown FROM {rows.sources["shared_key"]})"""
    published = Rows(rows.sources, "shared_key", "published", relation)
    certified, its = published["thumbprint"].present, rows["thumbprint"].present
    of_certificate = groups(published, "certificates", by=published["thumbprint"], key=rows["thumbprint"])
    of_kid = groups(published, "kids", by=published["key_id"], key=rows["key_id"])
    return any_of(
        its & of_certificate.any_of("certified"),
        of_kid.any_of("uncertified", ~certified),
        ~its & of_kid.any_of("named"),
    )


def _unnamed(rows: Rows) -> Doubt:
    """Why it cannot be told from other keys."""
    thumbprint, key_id = rows["thumbprint"], rows["key_id"]
    nameless = f"CASE WHEN {thumbprint.value} IS NULL AND {key_id.value} IS NULL THEN '{Reason.BAD_ITEM}' END"
    return thumbprint.why | key_id.why | Doubt((nameless,))


def _elsewhere(rows: Rows) -> Doubt:
    """Why it may be published where nobody looks: keys of other issuers and of other tenants are not read."""
    lower, issuer = rows.sources.sql.lower, rows["token_issuer"]
    host = f"regexp_extract({lower(issuer.value)}, '^https://([^/?#]+)', 1)"
    tenant = lower(f"split_part({issuer.value}, '/', 4)")
    reason = f"""CASE
        WHEN {host} NOT IN ({", ".join(map(quoted, ISSUING_HOSTS))}) THEN '{Reason.NOT_SUPPLIED}'
        WHEN {tenant} NOT IN ({_READ}, split_part(stored.scope_id, '/', 3)) THEN '{Reason.OTHER_TENANT}' END"""
    return issuer.why | Doubt((reason,))


def _unread() -> Doubt:
    """Why a key set may have it that was not read."""
    # Written by hand, because a key set that the cloud does not have is empty.
    gaps = f"""
        LEFT JOIN (
            SELECT scope_id, count(*) = {len(PUBLISHED)} AS all_tried,
                min_by(reason, operation) FILTER (WHERE state <> 'assessed' AND reason <> '{Reason.NOT_IN_CLOUD}') AS reason
            FROM coverage WHERE operation IN ({", ".join(map(quoted, PUBLISHED))}) GROUP BY scope_id
        ) AS gaps ON gaps.scope_id = stored.scope_id"""
    unread = ("gaps.reason", f"CASE WHEN gaps.all_tried THEN NULL ELSE '{Reason.INTERRUPTED}' END")
    return Doubt(unread, by_hand("gaps", gaps) | lists(*with_all_before(*PUBLISHED)))
