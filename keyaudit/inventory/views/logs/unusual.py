"""The view of uses outside the baseline: the findings of `usage check` for the same logs, and the gaps."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping

import duckdb

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.fact import Fact, Truth, case, unknown
from keyaudit.inventory.facts.joins import cells
from keyaudit.inventory.facts.relation import because
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.inventory.logs.groups import KEYS, mailboxes, single, told
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.usage.deviations import GROUPS, MOST, statements
from keyaudit.inventory.usage.facets import MOST_DAYS
from keyaudit.inventory.views.logs.log_gaps import until_by_log
from keyaudit.model.reasons import Reason
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.usage import UNUSUAL_USE, USAGE, USER_SIGN_IN_LOG
from keyaudit.model.usage import OF_THE_APP, Window
from keyaudit.model.values.times import DAY

READS = dict.fromkeys(
    (column.name for column in UNUSUAL_USE.derived),
    cells(*(f"{name}.{column.name}" for name in (USAGE.name, "usage_log", "usage_baseline") for column in TABLES[name].stored)),
)
"""What each column reads: all of what logs tell and of what is usual."""


def window(connection: duckdb.DuckDBPyConnection, rows: Mapping[str, str], as_of: int) -> Window | None:
    """The days after those of the baseline, until the end of the logs or `as_of`; None if there are none.

    `rows`: the stored rows of tables as SQL relations.
    """
    if not {"usage_baseline", "usage_log"} <= rows.keys():
        return None
    query = f"SELECT (SELECT max(learned_until) FROM {rows['usage_baseline']}), (SELECT max(last_on) FROM {rows['usage_log']})"
    [(learned, last)] = connection.execute(query).fetchall()
    until = min(last, as_of - as_of % DAY) + DAY
    found = Window(since=max(learned, until - MOST_DAYS * DAY), until=until)
    return found if found.days else None


def prepare(sources: Sources, of: Window) -> Iterator[str]:
    """The statements that create the tables for `view`."""
    belongs = f"""(SELECT target_kind, target_class AS target, operation, coalesce(app_id, '') AS app, facet, value, uses, days,
        first_on, last_on, mailboxes, reads FROM {sources["usage_baseline"]})"""
    timely = f"used_on >= {of.since} AND used_on < {of.until}"
    sql = sources.sql
    yield sql.table("classified", single(sources["usage"], timely, sql))
    yield sql.table("read_boxes", mailboxes(sources["usage"], timely, sql))
    yield from statements(of, groups="classified", mailboxes="read_boxes", belongs=belongs, sql=sql)


def view(sources: Sources, scope_id: str, as_of: int, of: Window | None) -> str:
    """SQL over `sources`; without a window everything is unknown. `scope_id`: the tenant's."""
    if of is None:
        return _unknown(sources.sql, f"(SELECT 'what is usual' AS what, '' AS source, {as_of} AS until)", scope_id, as_of)
    not_told = f"""(SELECT 'who did each ' || operation || ' in ' || source AS what, source, max(used_on) AS until
        FROM {sources["usage"]} AS usage WHERE used_on >= {of.since} AND used_on < {of.until}
            AND (NOT {told(sources.sql)} OR unknown['client_app_id'] IS NOT NULL) GROUP BY operation, source)"""
    too_many = f"""(SELECT 'more than {MOST} reasons' AS what, '' AS source, {of.until - 1} AS until
        WHERE (SELECT count(*) FROM (SELECT DISTINCT {GROUPS} FROM odd)) > {MOST})"""
    not_shown = f"""(SELECT 'what ' || source || ' does not show' AS what, source, until
        FROM ({until_by_log(sources, scope_id, as_of)}) WHERE source <> {quoted(USER_SIGN_IN_LOG)}
            OR (SELECT count(*) FROM {sources["usage_baseline"]} WHERE operation = 'saml-sign-in') > 0)"""
    gaps = " UNION ALL ".join(_unknown(sources.sql, each, scope_id, as_of) for each in (not_shown, not_told, too_many))
    return f"{_found(sources, scope_id, as_of, of)} UNION ALL {gaps}"


def _found(sources: Sources, scope_id: str, as_of: int, of: Window) -> str:
    sql, none = sources.sql, sources.sql.texts(())
    id_ = f"{quoted(f'{scope_id}/usage/unusual/')} || md5(concat_ws('\n', {KEYS}, kind, CAST(elsewhere AS STRING)))"
    facts = _facts(sql)
    known = {
        "id": id_,
        "name": "operation || ' by ' || coalesce(nullif(app, ''), 'no application')",
        "resource_id": id_,
        "scope_id": quoted(scope_id),
        "source_url": "'usage check'",
        "source_version": "''",
        **{name: fact.value for name, fact in facts.items()},
        "target_class": "target",
        "app_id": "nullif(app, '')",
        "new_values": f"CASE WHEN kind NOT IN ({', '.join(map(quoted, OF_THE_APP))}) THEN few ELSE {none} END",
        "new_count": "values",
        "usual_mailboxes": "usual",
        "objects": f"coalesce(objects, {none})",
        "principals": f"coalesce(principals, {none})",
        "networks": f"coalesce(networks, {none})",
        "records": f"coalesce(records, {none})",
        "logs_until": f"{min(as_of, of.until)}",
        "unknown": sql.present({name: fact.why.sql for name, fact in facts.items()}),
    }
    shown = ", ".join(
        f"{sql.distinct(column)} AS {name}"
        for name, column in {
            "objects": "usage.target_id",
            "principals": "usage.principal_id",
            "networks": "usage.network",
            "records": "coalesce(usage.name, usage.id)",
        }.items()
    )
    return f"""SELECT {_columns(sql, known)} FROM unusual LEFT JOIN (
            SELECT {", ".join(f"each.{name}" for name in GROUPS.split(", "))}, {shown}
            FROM (SELECT {GROUPS}, {sql.each(sql.mapped("evidence", "row", "row.id"))} AS id FROM unusual) AS each
            JOIN {sources["usage"]} AS usage USING (id)
            WHERE used_on >= {of.since} AND used_on < {of.until} GROUP BY ALL
        ) USING ({GROUPS})"""


def _facts(sql: DuckDB) -> dict[str, Fact]:
    """The columns over `unusual` that rest on what a log may leave out of a use."""
    not_told = because(Reason.NOT_SUPPLIED)
    left_out = unknown(not_told)
    risk = Fact(sql.item(sql.texts([str(each) for each in Severity]), "rank + 1"))
    return {
        "risk": case((Truth("(rank <> least_rank)"), left_out), otherwise=risk),
        "notable": Truth("CASE WHEN least_rank > 0 THEN true WHEN rank = 0 THEN false END", not_told, exact=False),
        "uses": case((Truth("uncounted"), left_out), otherwise=Fact("uses")),
        "refused": case((Truth("unsettled"), left_out), otherwise=Fact("refused")),
    }


def _unknown(sql: DuckDB, of: str, scope_id: str, as_of: int) -> str:
    """A row for each row of `of` (what, source, until), with everything else unknown."""
    names = [column.name for column in UNUSUAL_USE.columns if column.needs]
    id_ = f"{quoted(f'{scope_id}/usage/unusual/')} || md5(what)"
    known = {
        "id": id_,
        "name": "what",
        "resource_id": id_,
        "scope_id": quoted(scope_id),
        "source_url": "'usage import'",
        "source_version": "''",
        "source": "source",
        "last_on": "until",
        "logs_until": f"{as_of}",
        "unknown": sql.map(dict.fromkeys(names, quoted(Reason.NOT_SUPPLIED))),
    }
    return f"SELECT {_columns(sql, known, otherwise='NULL')} FROM {of} AS lacking"


def _columns(sql: DuckDB, known: Mapping[str, str], otherwise: str = "") -> str:
    return ", ".join(
        f"{sql.typed(known.get(name, otherwise or name), type_)} AS {name}" for name, type_ in view_types(UNUSUAL_USE).items()
    )
