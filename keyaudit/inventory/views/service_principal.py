"""The view of service principals."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.views import agents, azure_roles
from keyaudit.inventory.views.environment import BY_PRINCIPAL
from keyaudit.inventory.views.privileges import OF_PRINCIPALS, privileges
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_ACTIVITY = TABLES["sign_in_activity"].listed_by
_MOMENTS = ("last_sign_in_on", "last_client_sign_in_on")

_TAG = "^env(?:ironment)?[:=]"
_TAGGED = rf"{_TAG}([^\n]*)\z"

_PUBLISHER_DOUBT = "coalesce(parent.doubt, parent.publisher_doubt)"
_SUBSCRIPTION = "nullif(regexp_extract(stored.arm_id, '^/subscriptions/([^/]+)', 1), '')"
_NAMED = BY_PRINCIPAL.format("stored")
_BY_RULE = f"environment_of(NULL, NULL, {_SUBSCRIPTION}, place.name)"


def _tagged(sql: DuckDB) -> str:
    """The environments in its application's tags. Entra's tags have no values, so teams write one after a colon."""
    tag = sql.lower("tag")
    found = sql.chosen("stored.app_tags", "tag", sql.found(tag, _TAG))
    return f"array_distinct({sql.mapped(found, 'tag', sql.trimmed(sql.extracted(tag, _TAGGED)))})"


def _environment(sql: DuckDB) -> str:
    tagged = _tagged(sql)
    return f"""CASE WHEN {sql.size(tagged)} = 1 THEN {sql.item(tagged, 1)} WHEN {_NAMED} IS NOT NULL THEN {_NAMED}
        WHEN {_SUBSCRIPTION} IS NOT NULL THEN {_BY_RULE} END"""


def _environment_doubt(sql: DuckDB) -> str:
    """Two tags with different environments count as none. A rule can match a subscription by name, which is unknown if the
    identity cannot see it.
    """
    return f"""CASE {sql.size(_tagged(sql))} WHEN 1 THEN NULL
    WHEN 0 THEN CASE WHEN {_NAMED} IS NULL THEN coalesce(stored.unknown['arm_id'], CASE
        WHEN {_SUBSCRIPTION} IS NULL OR {_BY_RULE} IS NOT NULL THEN NULL
        WHEN environment_by_subscription() THEN
            CASE WHEN place.subscription_id IS NULL THEN '{Reason.NOT_VISIBLE}' ELSE place.unknown['name'] END END) END
    ELSE coalesce(stored.unknown['app_tags'], '{Reason.BAD_VALUE}') END"""


def _unlisted(sources: Sources) -> str:
    """Why app roles may be missing: its own, or of an agent those that it may inherit."""
    own = "stored.unknown['app_roles_listed']"
    return own if agents.none(sources) else f"{own}, parent.unlisted"


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # The report has one record of an application: https://learn.microsoft.com/graph/api/resources/serviceprincipalsigninactivity
    found = ", ".join(f"max({name}) AS {name}, min(unknown['{name}']) AS {name}_doubt" for name in _MOMENTS)
    records = f"SELECT app_id, {found} FROM {sources['sign_in_activity']} GROUP BY app_id"
    unread = f"CASE WHEN records.app_id IS NULL THEN {gap('report')} END"
    doubts = {name: f"coalesce(stored.unknown['app_id'], {unread}, records.{name}_doubt)" for name in _MOMENTS}
    publisher = publisher_doubt = "CAST(NULL AS STRING)"
    if not agents.none(sources):
        publisher, publisher_doubt = f"CASE WHEN {_PUBLISHER_DOUBT} IS NULL THEN parent.publisher END", _PUBLISHER_DOUBT
    granted = privileges(sources.sql, OF_PRINCIPALS, "split_part(stored.id, '/', -1)", unlisted=_unlisted(sources))
    doubt = _environment_doubt(sources.sql)
    columns = {
        **{name: f"CASE WHEN {doubt} IS NULL THEN records.{name} END AS {name}" for name, doubt in doubts.items()},
        **granted.columns,
        "environment": f"CASE WHEN {doubt} IS NULL THEN {_environment(sources.sql)} END AS environment",
        "blueprint_publisher": f"{publisher} AS blueprint_publisher",
        **azure_roles.columns(sources.sql),
    }
    joins = {
        "records": f"LEFT JOIN ({records}) AS records ON records.app_id = {sources.sql.lower('stored.app_id')}",
        "place": f"LEFT JOIN {sources['subscription']} AS place ON place.subscription_id = {_SUBSCRIPTION}",
        "report": f"LEFT JOIN ({read_to_the_end(_ACTIVITY)}) AS report ON report.scope_id = stored.scope_id",
        "parent": f"LEFT JOIN {agents.PARENT} AS parent ON parent.object_id = split_part(stored.id, '/', -1)",
        **granted.joins,
        **azure_roles.joins(sources),
    }
    doubts |= {
        **granted.doubts,
        **azure_roles.DOUBTS,
        "environment": doubt,
        "blueprint_publisher": publisher_doubt,
    }
    return sql.view("service_principal", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def environments(sources: Sources) -> str:
    """The environment of every service principal, and its names.

    Its environment, with a `doubt` if unknown; `unnamed`: it has no configured environment and is not a Microsoft service,
    which has none. The subscription of a managed identity, with `subscription_doubt`.
    """
    environment, doubt = _environment(sources.sql), _environment_doubt(sources.sql)
    return f"""
        SELECT split_part(stored.id, '/', -1) AS object_id, {sources.sql.lower("stored.app_id")} AS app_id,
            stored.unknown['app_roles_listed'] AS unlisted, {doubt} AS doubt,
            CASE WHEN {doubt} IS NULL THEN {environment} END AS environment,
            ({doubt}) IS NULL AND ({environment}) IS NULL
                AND stored.home IS DISTINCT FROM 'microsoft' AS unnamed,
            stored.unknown['arm_id'] AS subscription_doubt, {_SUBSCRIPTION} AS subscription
        FROM {sources["service_principal"]} AS stored
        LEFT JOIN {sources["subscription"]} AS place ON place.subscription_id = {_SUBSCRIPTION}"""
