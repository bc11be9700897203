"""The columns about a credential's holder: permissions, accepted accounts, last sign-in. Computed once per holder."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Fact
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.sql import Sources, gap, read_to_the_end
from keyaudit.inventory.views.privileges import privileges
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_APPLICATIONS = TABLES["application"].listed_by
_REPORT = TABLES["sign_in_activity"].listed_by
_COLUMNS = {
    "holder_tier0": "tier0",
    "holder_tenant_wide": "tenant_wide",
    "holder_opens_subscriptions": "opens_subscriptions",
    "holder_directory_sync": "directory_sync",
    "holder_unprivileged": "unprivileged",
    "holder_audience": "audience",
    "holder_last_sign_in_on": "last_sign_in_on",
}

COLUMNS = {column: f"holder.{name} AS {column}" for column, name in _COLUMNS.items()}
"""SQL over `holders`, joined as `holder` to `stored`, a credential, by its app id in lower case."""

_POWERS = ("tier0", "tenant_wide", "opens_subscriptions", "directory_sync", "unprivileged")

ELSEWHERE = "coalesce({0} IN ('microsoft', 'foreign', 'none'), false)"
"""SQL: whether a service principal, by its `home`, has no application in this tenant."""

MADE, MADE_DOUBT = (
    f"CASE stored.holder_kind WHEN 'application' THEN holder.application_{made} ELSE holder.principal_{made} END"
    for made in ("made", "made_doubt")
)
"""SQL: when the holder was created, and why that is unknown."""

# Applications and service principals are listed with their credentials: a holder without either is a managed identity that only
# ARM returns.
_UNMATCHED = f"coalesce(stored.unknown['app_id'], '{Reason.NOT_VISIBLE}')"
DOUBTS = {
    column: f"CASE WHEN holder.app_id IS NULL THEN {_UNMATCHED} ELSE holder.why_{name} END" for column, name in _COLUMNS.items()
}
"""Why those columns are unknown."""


def holders(sources: Sources) -> str:
    """A row per application id: the columns, each with a `why_` reason, and the creation dates of application and principal."""
    granted = privileges(Fact("stored.app_id"), sources)
    powers = {name: fact for name, fact in granted.items() if name in _POWERS and isinstance(fact, Fact)}
    # A row with an unknown application may belong to this one.
    unseen = f"CASE WHEN NOT {ELSEWHERE.format('stored.home')} THEN coalesce({gap('listed')}, anonymous.doubt) END"
    audience = f"CASE WHEN stored.registered THEN stored.audience_doubt ELSE {unseen} END"
    signed_in = f"CASE WHEN stored.reported THEN stored.signed_in_doubt ELSE {gap('report')} END"
    doubts = {
        **{name: fact.why.sql for name, fact in powers.items()},
        "audience": audience,
        "last_sign_in_on": signed_in,
    }
    return f"""
        SELECT stored.app_id, {", ".join(f"{reason} AS why_{name}" for name, reason in doubts.items())},
            {", ".join(f"{fact.value} AS {name}" for name, fact in powers.items())}, audience,
            CASE WHEN {signed_in} IS NULL THEN signed_in END AS last_sign_in_on,
            application_made, application_made_doubt, principal_made, principal_made_doubt
        FROM ({_known(sources)}) AS stored
        CROSS JOIN (SELECT min(unknown['app_id']) AS doubt FROM {sources["application"]}) AS anonymous
        LEFT JOIN ({read_to_the_end(_APPLICATIONS)}) AS listed ON listed.scope_id = stored.scope_id
        LEFT JOIN ({read_to_the_end(_REPORT)}) AS report ON report.scope_id = stored.scope_id
        {joined({read for fact in powers.values() for read in fact.everything})}"""


_MOMENTS = {"application": "application_made", "principal": "principal_made", "sign-in": "signed_in"}


def _known(sources: Sources) -> str:
    """A row per application id with the data of three tables: one grouping instead of three joins."""
    return f"""
        SELECT app_id, min(scope_id) AS scope_id, bool_or(what = 'application') AS registered,
            bool_or(what = 'sign-in') AS reported, min(home) AS home,
            min(audience) AS audience, min(audience_doubt) AS audience_doubt,
            {
        ", ".join(
            f"max(moment) FILTER (WHERE what = '{what}') AS {name}, min(doubt) FILTER (WHERE what = '{what}') AS {name}_doubt"
            for what, name in _MOMENTS.items()
        )
    }
        FROM (
            SELECT {
        sources.sql.lower("app_id")
    } AS app_id, scope_id, 'application' AS what, audience, unknown['audience'] AS audience_doubt,
                created_on AS moment, unknown['created_on'] AS doubt, NULL AS home
            FROM {sources["application"]}
            UNION ALL
            SELECT {sources.sql.lower("app_id")}, scope_id, 'principal', NULL, NULL, created_on, unknown['created_on'],
                home FROM {sources["service_principal"]}
            UNION ALL
            SELECT app_id, scope_id, 'sign-in', NULL, NULL, last_client_sign_in_on, unknown['last_client_sign_in_on'],
                NULL FROM {sources["sign_in_activity"]}
        ) WHERE app_id IS NOT NULL GROUP BY app_id"""
