"""The view of uses outside the baseline: the findings of `usage check` for the same logs, and the gaps."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping

import duckdb

from keyaudit.inventory.load import quoted
from keyaudit.inventory.logs.groups import LEARNED, TOLD, mailboxes, single
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.usage.facets import MOST_DAYS
from keyaudit.inventory.usage.odd import GROUPS, MOST, statements
from keyaudit.inventory.views.sql import Sources
from keyaudit.inventory.views.unshown import until_by_log
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import UNUSUAL_USE, USER_SIGN_IN_LOG
from keyaudit.model.times import DAY
from keyaudit.model.usage import Window

_RANKS = ", ".join(quoted(each) for each in Severity)


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
    belongs = f"""(SELECT target_kind, target_class AS target, operation, coalesce(app_id, '') AS app, facet, value, first_on,
        last_on, mailboxes FROM {sources["usage_baseline"]})"""
    timely = f"used_on >= {of.since} AND used_on < {of.until}"
    yield f"CREATE OR REPLACE TABLE classified AS {single(sources['usage'], timely)}"
    yield from statements(of, groups="classified", mailboxes=f"({mailboxes(sources['usage'], timely)})", belongs=belongs)


def view(sources: Sources, scope_id: str, as_of: int, of: Window | None) -> str:
    """SQL over `sources`; without a window everything is unknown. `scope_id`: the tenant's."""
    if of is None:
        return _unknown(f"(SELECT 'what is usual' AS what, '' AS source, {as_of} AS until)", scope_id, as_of)
    not_told = f"""(SELECT 'who did each ' || operation || ' in ' || source AS what, source, max(used_on) AS until
        FROM {sources["usage"]} AS usage WHERE used_on >= {of.since} AND used_on < {of.until} AND {LEARNED}
            AND (NOT {TOLD} OR unknown['client_app_id'] IS NOT NULL) GROUP BY operation, source)"""
    too_many = f"""(SELECT 'more than {MOST} reasons' AS what, '' AS source, {of.until - 1} AS until
        WHERE (SELECT count(*) FROM (SELECT DISTINCT {GROUPS} FROM odd)) > {MOST})"""
    not_shown = f"""(SELECT 'what ' || source || ' does not show' AS what, source, until
        FROM ({until_by_log(sources, scope_id, as_of)}) WHERE source <> {quoted(USER_SIGN_IN_LOG)})"""
    unknown = " UNION ALL ".join(_unknown(each, scope_id, as_of) for each in (not_shown, not_told, too_many))
    return f"{_found(sources, scope_id, as_of, of)} UNION ALL {unknown}"


def _found(sources: Sources, scope_id: str, as_of: int, of: Window) -> str:
    id_ = f"{quoted(f'{scope_id}/usage/unusual/')} || md5(concat_ws('\n', {GROUPS}))"
    known = {
        "id": id_,
        "name": "operation || ' by ' || coalesce(nullif(app, ''), 'no application')",
        "resource_id": id_,
        "scope_id": quoted(scope_id),
        "source_url": "'usage check'",
        "source_version": "''",
        "risk": f"[{_RANKS}][rank + 1]",
        "target_class": "target",
        "app_id": "nullif(app, '')",
        "new_values": "CASE WHEN kind NOT IN ('new-operation', 'new-app', 'new-target', 'many-mailboxes') THEN few ELSE [] END",
        "new_count": "values",
        "usual_mailboxes": "usual",
        "objects": "coalesce(objects, [])",
        "principals": "coalesce(principals, [])",
        "networks": "coalesce(networks, [])",
        "records": "coalesce(records, [])",
        "logs_until": f"{min(as_of, of.until)}",
        "unknown": "MAP {}::MAP(VARCHAR, VARCHAR)",
    }
    order = "ORDER BY used_on, usage.id"
    shown = ", ".join(
        f"list_distinct(list({column} {order}) FILTER ({column} IS NOT NULL)) AS {name}"
        for name, column in {
            "objects": "usage.target_id",
            "principals": "usage.principal_id",
            "networks": "usage.network",
            "records": "coalesce(usage.name, usage.id)",
        }.items()
    )
    return f"""SELECT {_columns(known)} FROM unusual LEFT JOIN (
            SELECT {", ".join(f"each.{name}" for name in GROUPS.split(", "))}, {shown}
            FROM (SELECT {GROUPS}, unnest(list_transform(evidence, lambda row: row.id)) AS id FROM unusual) AS each
            JOIN {sources["usage"]} AS usage USING (id)
            WHERE used_on >= {of.since} AND used_on < {of.until} GROUP BY ALL
        ) USING ({GROUPS})"""


def _unknown(of: str, scope_id: str, as_of: int) -> str:
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
        "unknown": f"MAP {{{', '.join(f'{quoted(name)}: {quoted(Reason.NOT_SUPPLIED)}' for name in names)}}}",
    }
    return f"SELECT {_columns(known, otherwise='NULL')} FROM {of} AS lacking"


def _columns(known: Mapping[str, str], otherwise: str = "") -> str:
    return ", ".join(
        f"({known.get(name, otherwise or name)})::{type_} AS {name}" for name, type_ in view_types(UNUSUAL_USE).items()
    )
