"""The view of log destinations, and its summary by vault, subscription or tenant."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory import rows as typed
from keyaudit.inventory.facts.fact import CERTAIN, Doubt, Fact, case, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, one
from keyaudit.inventory.facts.sql import Sources, extended, no_rows, stored
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason

_SEARCHED = "Analytics"
"""The only plan of a log table that all queries and alert rules support."""

_NO_LOG = {
    "logged_id": "VARCHAR",
    "logged": "BOOLEAN",
    "searchable": "BOOLEAN",
    "destinations": "VARCHAR[]",
    "retention": "BIGINT",
    **dict.fromkeys(("logged_doubt", "searchable_doubt", "retention_doubt"), "VARCHAR"),
}
"""The columns of `audited`."""


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # Why a table or workspace without a row was not read.
    unread, hidden = (
        f"SELECT min(reason) AS reason FROM coverage WHERE operation = '{operation}' AND state <> 'assessed'"
        for operation in ("workspace.table", "workspace.get")
    )
    # The tables of a destination, with their known properties.
    filled = f"""
        SELECT sink.id AS sink_id, found.plan, found.retention, found.total_retention,
            CASE WHEN found.id IS NULL THEN coalesce(unread.reason, '{Reason.PARENT_NOT_ASSESSED}') END AS unasked,
            found.unknown AS unknown
        FROM (SELECT id, destination_id, {sources.sql.each("tables")} AS name FROM {sources["log_sink"]}) AS sink
        LEFT JOIN {sources["log_table"]} AS found
            ON found.workspace_id = sink.destination_id AND {sources.sql.lower("found.name")} = {sources.sql.lower("sink.name")}
        CROSS JOIN ({unread}) AS unread"""
    why = ", ".join(
        f"min(coalesce(unasked, unknown['{name}'])) FILTER (WHERE {name} IS NULL) AS {name}_doubt"
        for name in ("plan", "retention", "total_retention")
    )
    groups = f"""
        SELECT sink_id, min(retention) AS retention, min(total_retention) AS total_retention, {why},
            CASE WHEN bool_or(plan <> '{_SEARCHED}') THEN false WHEN count(plan) = count(*) THEN true END AS searchable
        FROM ({filled}) GROUP BY sink_id"""
    # Other kinds of destinations cannot be searched in place.
    size = sources.sql.size("stored.tables")
    fills = f"stored.destination_kind = 'workspace' AND coalesce({size} > 0, true) AND place.deleted IS NOT TRUE"
    unsaid = "stored.unknown['tables'], stored.unknown['destination_id']"
    searchable = f"CASE WHEN {fills} AND groups.searchable IS NULL THEN coalesce({unsaid}, groups.plan_doubt) END"
    times = {
        name: f"CASE WHEN {fills} THEN coalesce({unsaid}, groups.{name}_doubt) END" for name in ("retention", "total_retention")
    }
    # A workspace that gets nothing that is read is not looked up.
    doubt = f"coalesce({unsaid}, place.unknown['deleted'], hidden.reason, '{Reason.PARENT_NOT_ASSESSED}')"
    deleted = f"CASE WHEN {fills} AND place.deleted IS NULL THEN {doubt} END"
    derived = ", ".join(f"CASE WHEN {why} IS NULL THEN groups.{name} END AS {name}" for name, why in times.items())
    return f"""
        SELECT {stored("log_sink", "stored")}, CASE WHEN {fills} THEN groups.searchable ELSE false END AS searchable, {derived},
            place.deleted, {extended(sources.sql, {"searchable": searchable, **times, "deleted": deleted})}
        FROM {sources["log_sink"]} AS stored LEFT JOIN ({groups}) AS groups ON groups.sink_id = stored.id
        LEFT JOIN {sources["workspace"]} AS place ON place.id = stored.destination_id
        CROSS JOIN ({hidden}) AS hidden"""


def audited(sources: Sources, *kinds: str) -> str:
    """The destinations of some kinds of logs, summarised by `logged_id`.

    `logged` and `searchable` are three-valued over the destinations that were read, each with its `_doubt`; `destinations` are
    the kinds that certainly receive the log, possibly incomplete if `logged_doubt` is set; `retention` is the longest of the
    searchable ones, with a doubt if another could be longer. A destination that is known to be deleted receives nothing.
    """
    if no_rows(sources, "log_sink"):
        return typed.no_rows(_NO_LOG, sources.sql)
    carries = "audits AND searchable"
    return f"""
        SELECT logged_id, bool_or(audits) AS logged, bool_or({carries}) AS searchable,
            {sources.sql.distinct("destination_kind", "audits")} AS destinations,
            max(retention) FILTER (WHERE {carries}) AS retention,
            min(unknown['audits']) FILTER (WHERE audits IS NULL) AS logged_doubt,
            min(coalesce(unknown['audits'], unknown['searchable'])) FILTER (WHERE ({carries}) IS NULL) AS searchable_doubt,
            min(coalesce(unknown['audits'], unknown['searchable'], unknown['retention']))
                FILTER (WHERE (({carries}) IS NOT FALSE) AND (audits IS NULL OR searchable IS NULL OR retention IS NULL))
                AS retention_doubt
        FROM ({view(sources)}) WHERE kind IN ({", ".join(map(quoted, kinds))}) AND deleted IS NOT TRUE GROUP BY logged_id"""


def categories(rows: Rows, kind: str, unlisted: Doubt) -> Fact:
    """The exported categories of the logs of each row, sorted. `unlisted`: why destinations may be missing.

    Only Azure knows the categories of a group. A destination that is deleted receives nothing.
    """
    sinks = Rows(rows.sources, "log_sink", "sink")
    place = one(Rows(rows.sources, "workspace", "place"), key=sinks["destination_id"], missing=CERTAIN)
    of_row = groups(sinks, "named", by=sinks["logged_id"], key=rows["id"], missing=unlisted)
    ungrouped = sinks["category_groups"].told(lambda names: f"{rows.sources.sql.size(names)} = 0")
    shown = case((ungrouped, sinks["categories"]), otherwise=unknown(because(Reason.UNRECOGNISED)))
    return of_row.texts_of("names", shown, sinks["kind"].eq(kind) & ~place.flag("deleted"), in_list=True)
