"""The view of token-signing certificates."""

from dataclasses import replace

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import of_own_row
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra import federation, holder, identities

_OF_PROVIDERS = ("federated-domain", "external-idp")
_SCOPE = "stored.scope_id"


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows, each = Rows(sources, "signing_certificate"), Rows(sources, "signing_certificate", identities.EACH)
    domain = federation.domain(rows)
    # Each holder is listed with all of its certificates, except for one whose next certificate was not read.
    next_unread = (domain.found & ~rows.flag("is_next") & domain.flag("has_next_certificate")).why
    next_unread = replace(next_unread, reads=of_own_row(next_unread.reads))
    certificates = Rows(sources, "signing_certificate", "certificate")
    of_holder = groups(
        certificates, "groups", by=certificates["holder_id"], key=rows["holder_id"], missing=next_unread, own=True
    )
    latest = of_holder.greatest("latest", certificates["expires_on"], absent_last=True)
    begun = certificates["starts_on"].told(lambda on: f"{on} <= {as_of}", absent=True)
    unended = certificates["expires_on"].told(lambda on: f"{on} > {as_of}", absent=True)
    valid = ~certificates["kind"].among(_OF_PROVIDERS) & begun & unended
    of_entra = groups(certificates, "of_entra", by=certificates["holder_id"], key=rows["holder_id"], own=True)
    latest_valid = of_entra.greatest("latest_valid", certificates["expires_on"], valid, absent_last=True)
    primary = {
        f"current_{name}": of_holder.least(f"current_{name}", certificates[name], ~certificates.flag("is_next")).where(
            rows.flag("is_next")
        )
        for name in ("subject", "issuer")
    }
    whose = each["app_id"].map(sources.sql.lower).or_else(each["holder_id"])
    unlisted = unread("signers", ("service_principal.list",), scope=_SCOPE)
    policies = Rows(sources, "token_policy", "policy")
    mapped = groups(
        policies,
        "mapped",
        by=policies["applies_to"],
        key=rows["holder_id"],
        missing=unread("policies", ("claims_mapping.list",), scope=_SCOPE),
        each=policies["kind"].eq("claims-mapping"),
        in_list=True,
    ).any_of("mapped")
    # An external provider has no service principal to assign a policy to.
    external = rows["kind"].among(_OF_PROVIDERS)
    return {
        **primary,
        "has_successor": latest.exceeds(rows["expires_on"]),
        "has_valid_successor": latest_valid.exceeds(rows["expires_on"]),
        "same_elsewhere": identities.same_elsewhere(rows, whose, unlisted, but_of=_OF_PROVIDERS),
        "claims_mapped": ~external.certainly & mapped,
        "last_sign_in_on": holder.last_sign_in(rows, rows["app_id"].map(sources.sql.lower), "last_sign_in_on"),
        "mfa_trusted": federation.mfa_trusted(rows, domain),
        "signs_for_administrators": federation.signs_for_administrators(rows),
    }
