"""The view of log destinations, and what the destinations of a vault, a subscription or the tenant come to."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Derived, Doubt, Fact, Truth, case, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import cells, lists
from keyaudit.inventory.facts.relation import One, Rows, because, by_hand, rows_read, single_row
from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_SEARCHED = "Analytics"
"""The only plan of a log table that all queries and alert rules support."""


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "log_sink")
    # Other kinds of destinations cannot be searched in place.
    written = rows["destination_kind"].eq("workspace") & rows["tables"].satisfies(
        lambda names: f"{sources.sql.size(names)} > 0"
    )
    deleted = _workspace(rows)["deleted"]
    kept = written & _arrives(deleted)
    tables = Rows(sources, "log_table", "filled", f"({_tables(sources)})")
    read = cells("log_sink.destination_id", "log_sink.tables")
    read |= rows_read("log_table", "name", "plan", "retention", "total_retention")
    filled = groups(tables, "tables", by=Fact("filled.sink_id", reads=read), key=rows["id"])

    def cell(name: str) -> Fact:
        return Fact(f"filled.{name}", Doubt(("filled.unasked", f"filled.unknown['{name}']")), exact=False)

    return {
        "searchable": kept & ~filled.any_of("other_plan", cell("plan").satisfies(lambda plan: f"{plan} <> '{_SEARCHED}'")),
        **{name: filled.least(name, cell(name)).where(kept) for name in ("retention", "total_retention")},
        # A workspace that gets nothing that is read is not looked up.
        "deleted": deleted.where(written),
    }


def _tables(sources: Sources) -> str:
    """The tables that each destination fills, with their properties, or why they were not read."""
    # Why a table without a row was not read.
    refused = "SELECT min(reason) AS reason FROM coverage WHERE operation = 'workspace.table' AND state <> 'assessed'"
    return f"""
        SELECT sink.id AS sink_id, found.plan, found.retention, found.total_retention, found.unknown,
            CASE WHEN found.id IS NULL THEN coalesce(sink.why, refused.reason, '{Reason.PARENT_NOT_ASSESSED}') END AS unasked
        FROM (
            SELECT sink.id, sink.destination_id, sink.unknown['destination_id'] AS why,
                {sources.sql.unnested("sink.tables")} AS name
            FROM {sources["log_sink"]} AS sink
        ) AS sink
        LEFT JOIN {sources["log_table"]} AS found
            ON found.workspace_id = sink.destination_id AND {sources.sql.lower("found.name")} = {sources.sql.lower("sink.name")}
        CROSS JOIN ({refused}) AS refused"""


def _workspace(rows: Rows) -> One:
    """The workspace that a destination is, if it is one."""
    refused = "SELECT min(reason) AS reason FROM coverage WHERE operation = 'workspace.get' AND state <> 'assessed'"
    reads = by_hand("hidden", f"CROSS JOIN ({refused}) AS hidden") | lists("workspace.get")
    missing = Doubt(("hidden.reason",), reads) | because(Reason.PARENT_NOT_ASSESSED)
    return single_row(Rows(rows.sources, "workspace", "place"), key=rows["destination_id"], missing=missing)


def _arrives(deleted: Fact) -> Truth:
    """Whether what is sent to a workspace arrives. One that cannot be read, such as another team's, is taken to exist: that its
    logs are sent there is known, and a setting for a workspace that was deleted is rare.
    """
    return ~deleted.truth().certainly


def audited(rows: Rows, unlisted: Doubt, *kinds: str) -> dict[str, Fact]:
    """What the destinations of the logs of each row come to. `unlisted`: why destinations may be missing.

    logged        a destination gets the audit log
    searchable    one gets it in which it can be queried
    destinations  the kinds of those that get it
    retention     how long the longest of the searchable ones keeps it
    """
    sinks = Rows(rows.sources, "log_sink", "sink", f"({view('log_sink', rows.sources, facts(rows.sources), EVERY)})")
    each = sinks["kind"].among(kinds) & _arrives(sinks["deleted"])
    its = groups(sinks, "sinks", by=sinks["logged_id"], key=rows["id"], missing=unlisted, each=each)
    its = its.counting("log_sink", *TABLES["log_sink"].listing("kind", *kinds))
    audits = sinks.flag("audits")
    carries = audits & sinks.flag("searchable")
    return {
        "logged": its.any_of("logged", audits),
        "searchable": its.any_of("searchable", carries),
        "destinations": its.texts_of("destinations", sinks["destination_kind"], audits),
        "retention": its.latest("retention", sinks["retention"], carries),
    }


def categories(rows: Rows, kind: str, unlisted: Doubt) -> Fact:
    """The exported categories of the logs of each row, sorted. `unlisted`: why destinations may be missing.

    Only Azure knows the categories of a group. A destination that is deleted receives nothing.
    """
    sinks = Rows(rows.sources, "log_sink", "sink")
    of_row = groups(sinks, "named", by=sinks["logged_id"], key=rows["id"], missing=unlisted)
    of_row = of_row.counting("log_sink", *TABLES["log_sink"].listing("kind", kind))
    ungrouped = sinks["category_groups"].satisfies(lambda names: f"{rows.sources.sql.size(names)} = 0")
    shown = case((ungrouped, sinks["categories"]), otherwise=unknown(because(Reason.UNRECOGNISED)))
    return of_row.texts_of("names", shown, sinks["kind"].eq(kind) & _arrives(_workspace(sinks)["deleted"]), in_list=True)
