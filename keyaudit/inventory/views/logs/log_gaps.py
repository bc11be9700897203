"""Rows for gaps in logs: for each operation the last time at which it may have happened without a record.

Without a log a detection over uses finds nothing. It is unknown instead of a pass because of such a row, whose
operation and the latest time are known.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterable

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import view_types
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.tables.places import VAULTS_FOUND
from keyaudit.model.tables.usage import ACTIVITY_LOG, KEY_VAULT_LOG, LATE, SHOWN_BY, USAGE

_PLACED = (KEY_VAULT_LOG, ACTIVITY_LOG)
"""Logs that each vault and each subscription writes separately. All others belong to the tenant."""


def unshown(sources: Sources, scope_id: str, as_of: int, names: Iterable[str]) -> str:
    """SQL of those rows, with the columns `names` of the view of uses. `scope_id`: the tenant's scope."""
    shown = ", ".join(f"({quoted(operation)}, {quoted(log)})" for operation, log in SHOWN_BY.items())
    id_ = f"{quoted(f'{scope_id}/usage/unshown/')} || operation"
    known = {
        "id": id_,
        "name": "'what ' || source || ' does not show'",
        "resource_id": id_,
        "scope_id": quoted(scope_id),
        "source_url": "'usage import'",
        "source_version": "''",
        "used_on": "until",
        "operation": "operation",
        "source": "source",
        "logs_until": f"{as_of}",
        "unknown": _unknown(sources.sql),
    }
    types = view_types(USAGE)
    columns = ", ".join(f"{sources.sql.typed(known.get(name, 'NULL'), types[name])} AS {name}" for name in names)
    return f"""
        SELECT {columns} FROM (VALUES {shown}) AS shown(operation, source)
        JOIN ({until_by_log(sources, scope_id, as_of)}) USING (source)"""


def _unknown(sql: DuckDB) -> str:
    """A map that makes all columns from logs unknown."""
    return sql.map({column.name: quoted(Reason.NOT_SUPPLIED) for column in USAGE.columns if column.needs})


def until_by_log(sources: Sources, scope_id: str, as_of: int) -> str:
    """By log, the last time before which it is incomplete for some resource, or now."""
    logs = dict.fromkeys(SHOWN_BY.values())
    tenants = ", ".join(f"({quoted(log)}, {quoted(scope_id)})" for log in logs if log not in _PLACED)
    placed = ", ".join(f"({quoted(log)})" for log in _PLACED)
    sql = sources.sql
    subscription = sql.joined(sql.first_items(sql.divided("id", "/"), 3), "/")
    lists, optional = (", ".join(map(quoted, sorted(names))) for names in (VAULTS_FOUND, OPTIONAL))
    return f"""
        WITH whole AS (
            SELECT source, logged_id, min(whole_since) AS since
            FROM (SELECT *, max(last_on) OVER (PARTITION BY source) AS reaches FROM {sources["usage_log"]})
            WHERE whole_since IS NOT NULL AND reaches >= {as_of - LATE} GROUP BY ALL
        ),
        place AS (
            SELECT {quoted(KEY_VAULT_LOG)} AS source, {sql.items("id", "'https://' || split_part(vault_uri, '/', 3)")} AS ids
            FROM {sources["vault"]}
            UNION ALL SELECT DISTINCT {quoted(ACTIVITY_LOG)}, {sql.items(subscription)}
            FROM {sources["vault"]}
            -- One that was not seen writes a log that nobody looked for.
            UNION ALL SELECT log, {sql.texts(())} FROM (VALUES {placed}) AS unseen(log)
            WHERE EXISTS (SELECT 1 FROM coverage
                WHERE operation IN ({lists}) AND state <> 'assessed' AND reason NOT IN ({optional}))
            UNION ALL SELECT log, {sql.items("id")} FROM (VALUES {tenants}) AS tenant(log, id)
        )
        SELECT source, max(coalesce(since - 1, {as_of})) AS until
        FROM (
            SELECT place.source, place.ids, min(since) AS since FROM place
            LEFT JOIN whole ON whole.source = place.source AND array_contains(place.ids, whole.logged_id)
            GROUP BY place.source, place.ids
        ) AS since GROUP BY source"""
