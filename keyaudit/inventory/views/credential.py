"""The view of credentials."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.fact import Doubt
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.views import holder, identities, in_vault, issuers, repositories
from keyaudit.inventory.views.app_management_policy import limit
from keyaudit.inventory.views.series import series
from keyaudit.model.tables import TABLES

_APPLICATIONS = TABLES["application"].listed_by
_HOLDERS = (*_APPLICATIONS, *TABLES["service_principal"].listed_by)
_ACTIVITY = TABLES["credential_activity"].listed_by


def view(sources: Sources, as_of: int, wanted: Wanted, *, repositories_listed: bool = False) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown.

    `repositories_listed`: whether a list of repositories was supplied.
    """
    dialect = sources.sql
    app_id = dialect.lower("stored.app_id")
    rows, each = Rows(sources, "credential"), Rows(sources, "credential", identities.EACH)
    # An application and its service principal are one.
    same_elsewhere = identities.same_elsewhere(rows, each["app_id"].map(dialect.lower), Doubt((gap("holders"),)))
    place = series(rows, as_of)
    # An application's ids and thumbprints as two short lists: a join on one column or another would compare every pair. Few
    # service principals have credentials, and only those of their applications are needed.
    held = f"""
        SELECT coalesce(stored.app_id, whose.app_id) AS app_id, stored.key_id, stored.thumbprint, stored.unknown
        FROM {sources["credential"]} AS stored LEFT JOIN {sources["application"]} AS whose ON whose.id = stored.holder_id
        WHERE holder_kind = 'application'"""
    asked = f"SELECT app_id FROM {sources['credential']} WHERE holder_kind <> 'application' AND app_id IS NOT NULL"
    groups = f"""
        SELECT app_id, {dialect.collected("key_id")} AS key_ids, {dialect.collected("thumbprint")} AS thumbprints,
            min(coalesce(unknown['key_id'], unknown['thumbprint'])) AS doubt
        FROM ({held}) WHERE app_id IN ({asked}) GROUP BY app_id"""
    # App ids are unique, and the application of an external service principal is not in this tenant.
    registered = f"SELECT DISTINCT {dialect.lower('app_id')} AS app_id FROM {sources['application']} WHERE app_id IS NOT NULL"
    nameless = f"(SELECT min(unknown['app_id']) AS doubt FROM {sources['application']})"
    same = "array_contains(groups.key_ids, stored.key_id) OR array_contains(groups.thumbprints, stored.thumbprint)"
    itself = "coalesce(stored.unknown['key_id'], stored.unknown['thumbprint'])"
    unseen = f"CASE WHEN registered.app_id IS NULL THEN coalesce({gap('listed')}, nameless.doubt) END"
    own = f"coalesce(stored.unknown['app_id'], {unseen}, CASE WHEN groups.app_id IS NOT NULL THEN {itself} END)"
    elsewhere = holder.ELSEWHERE.format("stored.holder_home")
    doubt = f"""CASE WHEN stored.holder_kind = 'application' OR {same} OR {elsewhere} THEN NULL
        ELSE coalesce({own}, groups.doubt) END"""
    # One credential has a record for each resource. The caller that adds a credential chooses its keyId, so it identifies the
    # credential only within its application.
    uses = f"""
        SELECT app_id, key_id, max(last_used_on) AS last_used_on, min(unknown['last_used_on']) AS doubt
        FROM {sources["credential_activity"]} GROUP BY app_id, key_id"""
    named = "stored.unknown['kind'], stored.unknown['app_id'], stored.unknown['key_id']"
    unused = f"CASE WHEN stored.kind = 'federated' THEN NULL ELSE coalesce({gap('report')}, {named}, uses.doubt) END"
    policy_limit = limit(rows)
    doubts = {
        "on_application_too": doubt,
        "last_used_on": unused,
        "policy_limit": policy_limit.why.sql,
        **holder.DOUBTS,
        **issuers.doubts(dialect),
        "same_elsewhere": f"""CASE WHEN {same_elsewhere.least} IS DISTINCT FROM {same_elsewhere.most}
                THEN {same_elsewhere.doubt.sql} END""",
        "platform_series": place.why.sql,
        **_DOUBTS,
    }
    columns = {
        "on_application_too": f"""CASE WHEN stored.holder_kind = 'application' THEN false WHEN {same} THEN true
                    WHEN {doubt} IS NULL THEN false END AS on_application_too""",
        "last_used_on": f"""
                CASE WHEN {unused} IS NULL AND stored.kind <> 'federated' THEN uses.last_used_on END AS last_used_on""",
        **_IN_VAULT,
        "policy_limit": f"{policy_limit.value} AS policy_limit",
        **holder.COLUMNS,
        **issuers.columns(dialect),
        **(repositories.listed(dialect) if repositories_listed else repositories.NOT_SUPPLIED),
        "same_elsewhere": f"""
                {same_elsewhere.least} AS same_elsewhere_min, {same_elsewhere.most} AS same_elsewhere_max""",
        "platform_series": f"{place.value} AS platform_series",
    }
    joins = {
        "itself": f"LEFT JOIN {in_vault.DIGESTS} AS itself ON itself.digest = {_ITSELF}",
        "on_key": f"""
            LEFT JOIN {in_vault.DIGESTS} AS on_key ON on_key.digest = '{in_vault.KEY}' || stored.public_key_sha256""",
        "unseen": f"CROSS JOIN {in_vault.UNSEEN} AS unseen",
        **dict(sorted((join.alias, join.clause([part])) for join, part in same_elsewhere.reads)),
        "series": joined(place.everything),
        **issuers.joins(sources),
        **repositories.joins(sources),
        "holders": f"LEFT JOIN ({read_to_the_end(_HOLDERS)}) AS holders ON holders.scope_id = stored.scope_id",
        "groups": f"LEFT JOIN ({groups}) AS groups ON groups.app_id = stored.app_id",
        "registered": f"LEFT JOIN ({registered}) AS registered ON registered.app_id = {app_id}",
        "nameless": f"CROSS JOIN {nameless} AS nameless",
        "uses": f"LEFT JOIN ({uses}) AS uses ON uses.app_id = {app_id} AND uses.key_id = {dialect.lower('stored.key_id')}",
        "report": f"LEFT JOIN ({read_to_the_end(_ACTIVITY)}) AS report ON report.scope_id = stored.scope_id",
        "listed": f"LEFT JOIN ({read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id",
        "holder": f"LEFT JOIN ({holder.holders(sources)}) AS holder ON holder.app_id = {app_id}",
        "limits": joined(policy_limit.everything),
    }
    return sql.view("credential", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


_ITSELF = f"""'{in_vault.CERTIFICATE}'
    || coalesce(stored.thumbprint_sha256, CASE WHEN stored.kind = 'certificate' THEN stored.thumbprint END)"""
_FOUND = "coalesce(on_key.id, itself.id)"
_SHOWN = "stored.unknown['public_key_sha256']"
_NO_MATCH = (
    f"CASE WHEN stored.public_key_sha256 IS NULL AND {_SHOWN} IS NULL THEN NULL ELSE coalesce({_SHOWN}, unseen.reason) END"
)
"""Why a vault may have it anyway: a certificate that Graph does not return can have any thumbprint."""

_OF_MATCH = "CASE WHEN on_key.id IS NOT NULL THEN on_key.{0} ELSE itself.{0} END"
_MATCH_DOUBT = f"CASE WHEN {_FOUND} IS NULL THEN {_NO_MATCH} END"
_NEWER_DOUBT = f"CASE WHEN itself.id IS NULL THEN {_NO_MATCH} ELSE itself.newer_doubt END"

_IN_VAULT = {
    "custody": f"""CASE WHEN stored.entra_custody IS DISTINCT FROM 'external' THEN stored.entra_custody
            WHEN {_FOUND} IS NOT NULL THEN {_OF_MATCH.format("custody")}
            WHEN {_NO_MATCH} IS NULL THEN 'external' END AS custody""",
    "vault_certificate_id": "coalesce(itself.id, on_key.id) AS vault_certificate_id",
    "private_exportable": f"{_OF_MATCH.format('exportable')} AS private_exportable",
    "superseded_in_vault": f"""CASE WHEN itself.newer_since IS NOT NULL THEN true
            WHEN {_NEWER_DOUBT} IS NULL THEN false END AS superseded_in_vault""",
    "newer_since": f"CASE WHEN {_NEWER_DOUBT} IS NULL THEN itself.newer_since END AS newer_since",
}

_DOUBTS = {
    "custody": f"""CASE WHEN stored.entra_custody IS DISTINCT FROM 'external' THEN stored.unknown['entra_custody']
        WHEN {_FOUND} IS NOT NULL THEN {_OF_MATCH.format("custody_doubt")} ELSE {_NO_MATCH} END""",
    "vault_certificate_id": _MATCH_DOUBT,
    "private_exportable": f"coalesce({_MATCH_DOUBT}, {_OF_MATCH.format('exportable_doubt')})",
    "superseded_in_vault": f"CASE WHEN itself.newer_since IS NULL THEN {_NEWER_DOUBT} END",
    "newer_since": _NEWER_DOUBT,
    **repositories.DOUBTS,
}
