"""The view of uses: whether each is expected, with related data from the inventory and other uses."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.load import quoted
from keyaudit.inventory.logs.groups import changes, target_of, who_of
from keyaudit.inventory.views import agent_bursts, versions
from keyaudit.inventory.views.logged import whole
from keyaudit.inventory.views.service_principal import environments
from keyaudit.inventory.views.unshown import unshown
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.usage import SIGN_IN_LOGS
from keyaudit.model.times import DAY
from keyaudit.model.usage import Facet

_MICROSOFTS = ", ".join(map(quoted, FIRST_PARTY))
_KEY = "stored.target_kind = 'key'"
_HELD = "stored.operation IN ('add-credential', 'remove-credential', 'add-service-principal')"
_ADDED = "stored.operation = 'add-credential'"
_NOT_SHOWN = f"'{Reason.NOT_SUPPLIED}'"


def view(sources: Sources, scope_id: str, as_of: int, *, baseline: bool) -> str:
    """SQL over `sources`: the stored columns, the derived ones, the reasons of what is unknown, and rows for gaps in logs.

    Without a `baseline`, whether a use is expected is unknown. `scope_id`: the tenant's.
    """
    columns = (
        _COLUMNS
        | agent_bursts.COLUMNS
        | {"logs_until": f"least({as_of}, log.last_on + {DAY})"}
        | (_HELD_AGAINST if baseline else _UNHELD)
    )
    doubts = _DOUBTS | agent_bursts.DOUBTS | (_HELD_AGAINST_DOUBTS if baseline else _UNHELD_DOUBTS)
    names = (*(column.name for column in TABLES["usage"].stored), *columns, "unknown")
    return f"""
        SELECT {stored("usage", "stored")}, {", ".join(f"{sql} AS {name}" for name, sql in columns.items())},
            {extended(sources.sql, doubts)}
        FROM {sources["usage"]} AS stored
        LEFT JOIN ({_versions(sources)}) AS version ON version.id = stored.target_id
        LEFT JOIN {environments(sources).relation} AS by_object ON by_object.object_id = stored.principal_id
        LEFT JOIN {environments(sources).relation} AS by_app ON by_app.app_id = stored.actor_app_id
        LEFT JOIN (SELECT split_part(id, '/', -1) AS object_id, home, unknown['home'] AS doubt, agent_type,
            unknown['agent_type'] AS agent_doubt
            FROM {sources["service_principal"]}) AS holder ON holder.object_id = stored.target_id
        LEFT JOIN ({_sign_ins(sources)}) AS own ON own.credential_key_id = stored.credential_key_id
        -- The record of the sign-in does not tell the credential: it may be any.
        LEFT JOIN ({_sign_ins(sources)}) AS untold ON untold.credential_key_id IS NULL
        CROSS JOIN (SELECT min(since) AS since FROM ({whole(sources, SIGN_IN_LOGS[0])})) AS sign_ins
        LEFT JOIN (SELECT source, max(last_on) AS last_on FROM {sources["usage_log"]} GROUP BY source) AS log
            ON log.source = stored.source
        LEFT JOIN ({read_to_the_end(("service_principal.list",))}) AS principals ON true
        {agent_bursts.joins(sources)}
        {_known(sources) if baseline else ""}
        UNION ALL {unshown(sources, scope_id, as_of, names)}"""


_FOUND = "by_object.object_id IS NOT NULL"
_ACTOR_HOME_DOUBT = f"""CASE WHEN NOT {_KEY} THEN NULL
    WHEN {_FOUND} THEN CASE WHEN by_object.unnamed THEN '{Reason.NOT_CONFIGURED}' ELSE by_object.environment_why END
    WHEN stored.actor_app_id IN ({_MICROSOFTS}) THEN NULL
    WHEN by_app.app_id IS NOT NULL THEN CASE WHEN by_app.unnamed THEN '{Reason.NOT_CONFIGURED}' ELSE by_app.environment_why END
    ELSE coalesce(stored.unknown['principal_id'], stored.unknown['actor_app_id'], {gap("principals")},
        '{Reason.NOT_VISIBLE}') END"""
_SINCE = "(sign_ins.since IS NULL OR sign_ins.since > stored.used_on)"
_SIGNED_IN = f"{_ADDED} AND coalesce(own.used >= stored.used_on, false)"
_SIGNED_IN_DOUBT = f"""CASE WHEN NOT {_ADDED} OR {_SIGNED_IN} THEN NULL
    WHEN stored.unknown['credential_key_id'] IS NOT NULL THEN stored.unknown['credential_key_id']
    WHEN {_SINCE} OR greatest(own.perhaps, untold.used, untold.perhaps) >= stored.used_on THEN {_NOT_SHOWN} END"""
_COLUMNS = {
    "environment": f"CASE WHEN {_KEY} THEN version.environment END",
    "actor_environment": f"""CASE WHEN {_KEY} THEN CASE WHEN {_FOUND} THEN by_object.environment
        WHEN stored.actor_app_id IN ({_MICROSOFTS}) THEN NULL ELSE by_app.environment END END""",
    "superseded_on": f"CASE WHEN {_KEY} AND version.newer_doubt IS NULL THEN version.newer_on END",
    "signed_in_with": f"CASE WHEN {_SIGNED_IN_DOUBT} IS NULL THEN {_SIGNED_IN} END",
    "target_home": f"CASE WHEN {_HELD} THEN CASE stored.target_kind WHEN 'application' THEN 'own' ELSE holder.home END END",
}
_DOUBTS = {
    "environment": f"""CASE WHEN {_KEY} THEN CASE WHEN version.id IS NULL
        THEN coalesce(stored.unknown['target_id'], '{Reason.NOT_VISIBLE}') ELSE version.environment_doubt END END""",
    "actor_environment": _ACTOR_HOME_DOUBT,
    "superseded_on": f"""CASE WHEN {_KEY} THEN CASE WHEN version.id IS NULL
        THEN coalesce(stored.unknown['target_id'], '{Reason.NOT_VISIBLE}') ELSE version.newer_doubt END END""",
    "signed_in_with": _SIGNED_IN_DOUBT,
    "target_home": f"""CASE WHEN {_HELD} AND stored.target_kind = 'service-principal' AND holder.home IS NULL
        THEN coalesce(holder.doubt, stored.unknown['target_id'], {gap("principals")}, '{Reason.NOT_VISIBLE}') END""",
}


def _versions(sources: Sources) -> str:
    """Each version of a key: its environment, and when the first newer enabled version was created."""
    environment = versions.environment(Rows(sources, "key"))
    whole_key = "(PARTITION BY stored.key_id)"
    later = "(PARTITION BY stored.key_id ORDER BY stored.created_on RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    unknown = "stored.unknown"
    # A version without a date was created before the service recorded dates.
    enabled = "CASE WHEN stored.enabled THEN stored.created_on END"
    dated = f"min({enabled}) OVER {whole_key}"
    doubt = f"""coalesce(CASE WHEN stored.versions_listed IS NOT TRUE
        THEN coalesce({unknown}['versions_listed'], '{Reason.TRUNCATED}') END, {unknown}['enabled'], {unknown}['created_on'])"""
    return f"""
        SELECT stored.id, {environment.value} AS environment, {environment.why.sql} AS environment_doubt,
            CASE WHEN stored.created_on IS NULL THEN {dated}
                ELSE min({enabled}) OVER {later} END AS newer_on,
            min({doubt}) OVER {whole_key} AS newer_doubt
        FROM {sources["key"]} AS stored {joined(environment.everything)}"""


def _sign_ins(sources: Sources) -> str:
    """The last certain and the last possible sign-in with each credential."""
    return f"""
        SELECT credential_key_id, max(used_on) FILTER (WHERE succeeded) AS used,
            max(used_on) FILTER (WHERE succeeded IS NULL) AS perhaps
        FROM {sources["usage"]} WHERE operation = 'sign-in' AND succeeded IS NOT FALSE
            AND (credential_key_id IS NOT NULL OR unknown['credential_key_id'] IS NOT NULL)
        GROUP BY credential_key_id"""


def _known(sources: Sources) -> str:
    """Joins the actors that the baseline knows for this operation on the same class of targets."""
    return f"""LEFT JOIN (SELECT DISTINCT operation, target_kind, target_class, coalesce(app_id, '') AS app
            FROM {sources["usage_baseline"]} WHERE facet = '{Facet.APP}') AS held
        ON held.operation = stored.operation AND held.target_kind = stored.target_kind
            AND held.target_class = {target_of("stored", sources.sql)} AND held.app = {who_of("stored")}"""


_EXPECTED_DOUBT = f"""CASE WHEN held.app IS NOT NULL THEN NULL
    WHEN stored.actor_app_id IS NULL AND {changes("stored")}
    THEN coalesce(stored.unknown['actor_app_id'], stored.unknown['principal_id'])
    ELSE coalesce(stored.unknown['actor_app_id'], CASE WHEN NOT {changes("stored")} THEN stored.unknown['target_id'] END) END"""
_HELD_AGAINST = {"expected": f"CASE WHEN {_EXPECTED_DOUBT} IS NULL THEN held.app IS NOT NULL END"}
_HELD_AGAINST_DOUBTS = {"expected": _EXPECTED_DOUBT}
_UNHELD = {"expected": "CAST(NULL AS BOOLEAN)"}
_UNHELD_DOUBTS = {"expected": _NOT_SHOWN}
