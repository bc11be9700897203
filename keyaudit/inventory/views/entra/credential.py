"""The view of credentials."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import ABSENT, Derived, Fact, Truth, case, known, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import One, Rows, single_row, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra import holder, identities, issuers, repositories
from keyaudit.inventory.views.entra.app_management_policy import limit
from keyaudit.inventory.views.vaults import matching_certificates
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY

_SHORT = 120 * DAY
_SEVERAL = 3


def series(rows: Rows, as_of: int) -> Fact:
    """Of a credential, its place in the series of its holder's certificates: newest or older; absent if it is in none.

    It is in one if the holder has at least three unexpired credentials, and all are certificates of one issuer, which is none
    of themselves, and valid for 120 days at most. A holder's credentials are listed with it, so those of a listed one are
    complete.
    """
    each = Rows(rows.sources, "credential", "of_series")
    subject, issuer, start, end = (each[name] for name in _READ)
    live = end.satisfies(lambda sql: f"{sql} > {as_of}", absent=True)
    issued = strict(lambda subject, issuer: f"{subject} <> {issuer}", subject, issuer).truth()
    short = strict(lambda start, end: f"{end} - {start} <= {_SHORT}", start, end).truth()
    fits = each["kind"].eq("certificate") & issued & short
    of = groups(each, "series", by=each["holder_id"], key=rows["holder_id"], missing_of_row=each["key_id"].why)
    several = of.count_of("in_series", live).exceeds(known(_SEVERAL - 1))
    one_issuer = ~of.count_of("issuers", live, different=issuer).exceeds(known(1))
    in_series = several & one_issuer & ~of.any_of("misfits", live & ~fits) & _live(rows, as_of)
    newest = of.latest("newest", start, live)
    place = case(
        (strict(lambda own, newest: f"{own} >= {newest}", rows["starts_on"], newest).truth(), known("newest")),
        otherwise=known("older"),
    )
    return place.where(in_series)


_READ = ("certificate_subject", "certificate_issuer", "starts_on", "expires_on")


def _live(rows: Rows, as_of: int) -> Truth:
    expires: Fact = rows["expires_on"]
    return expires.satisfies(lambda end: f"{end} > {as_of}", absent=True)


_APPLICATIONS = TABLES["application"].listed_by
_HOLDERS = (*_APPLICATIONS, *TABLES["service_principal"].listed_by)
_ACTIVITY = TABLES["credential_activity"].listed_by


def facts(sources: Sources, as_of: int, *, repositories_listed: bool = False) -> dict[str, Derived]:
    """The derived columns.

    `repositories_listed`: whether a list of repositories was supplied.
    """
    lower = sources.sql.lower
    rows, each = Rows(sources, "credential"), Rows(sources, "credential", identities.EACH)
    app_id, scope = rows["app_id"].map(lower), f"{rows.alias}.scope_id"
    registered = Rows(sources, "application", "registered")
    unlisted = unread("listed", _APPLICATIONS, scope=scope)
    application = single_row(registered, key=app_id, by=registered["app_id"].map(lower), missing=unlisted)
    return {
        **matching_certificates.facts(rows),
        # An application and its service principal are one.
        "same_elsewhere": identities.same_elsewhere(rows, each["app_id"].map(lower), unread("holders", _HOLDERS, scope=scope)),
        "platform_series": series(rows, as_of),
        "on_application_too": _on_application(rows, application),
        "last_used_on": _last_used(rows, app_id),
        "policy_limit": limit(rows),
        "openshift_clusters": _openshift_clusters(rows, app_id),
        **holder.facts(rows, app_id, application),
        **issuers.facts(rows),
        **repositories.facts(rows, listed=repositories_listed),
    }


def _on_application(rows: Rows, application: One) -> Truth:
    """Whether the application of a service principal has the same certificate. Of a client secret, nothing can show it: its
    `keyId`, like the thumbprint of a certificate, is chosen by the caller that adds it.
    """
    digest = "thumbprint_sha256"
    # A row without an id may stand for several.
    owned = f"""
        (SELECT * FROM {rows.sources["credential"]} WHERE holder_kind = 'application'
            AND ({digest} IS NOT NULL OR unknown['{digest}'] IS NOT NULL OR unknown['key_id'] IS NOT NULL))"""
    own = Rows(rows.sources, "credential", "owned", relation=owned)
    of = groups(own, "own", by=own["holder_id"], key=application["id"], missing_of_row=own["key_id"].why)
    has = of.any_of("some") & of.items_of("digests", own[digest]).has(rows[digest])
    return rows["holder_kind"].eq("service_principal") & ~holder.elsewhere(rows).certainly & has


def _openshift_clusters(rows: Rows, app_id: Fact) -> Fact:
    """The names of the OpenShift clusters that sign in as the application."""
    relation = f"(SELECT * FROM {rows.sources['account_key']} WHERE kind = 'openshift')"
    clusters = Rows(rows.sources, "account_key", "openshift", relation=relation)
    unlisted = unread("openshift_listed", TABLES["account_key"].listed_by, scope=f"{rows.alias}.scope_id")
    by = clusters["client_id"].map(rows.sources.sql.lower)
    return groups(clusters, "signing_in", by=by, key=app_id, missing=unlisted).texts_of("cluster_names", clusters["name"])


def _last_used(rows: Rows, app_id: Fact) -> Fact:
    """The last use in the report, which has a record for each resource and leaves out federated credentials."""
    used = Rows(rows.sources, "credential_activity", "uses")
    unreported = unread("report", _ACTIVITY, scope=f"{rows.alias}.scope_id")

    # The caller that adds a credential chooses its keyId, so it identifies the credential only within its application.
    def within(app_id: Fact, key_id: Fact) -> Fact:
        return strict(lambda app_id, key_id: f"{app_id} || ' ' || {key_id}", app_id, key_id)

    key = within(app_id, rows["key_id"].map(rows.sources.sql.lower))
    of = groups(used, "uses_of", by=within(used["app_id"], used["key_id"]), key=key, missing=unreported)
    return case((rows["kind"].eq("federated"), ABSENT), otherwise=of.latest("last", used["last_used_on"]))
