"""Rows for gaps in logs: for each operation the last time at which it may have happened without a record.

Without a log a detection over uses finds nothing. It is unknown instead of a pass because of such a row, whose
operation and the latest time are known.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.views.sql import Sources
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.tables.places import VAULTS_FOUND
from keyaudit.model.tables.usage import ACTIVITY_LOG, KEY_VAULT_LOG, LATE, SHOWN_BY, USAGE

_PLACED = (KEY_VAULT_LOG, ACTIVITY_LOG)
"""Logs that each vault and each subscription writes separately. All others belong to the tenant."""


def unshown(sources: Sources, scope_id: str, as_of: int) -> str:
    """SQL of those rows, with all columns of the view of uses. `scope_id`: the tenant's scope."""
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
        "unknown": _unknown(),
    }
    columns = ", ".join(f"({known.get(name, 'NULL')})::{type_} AS {name}" for name, type_ in view_types(USAGE).items())
    return f"""
        SELECT {columns} FROM (VALUES {shown}) AS shown(operation, source)
        JOIN ({until_by_log(sources, scope_id, as_of)}) USING (source)"""


def _unknown() -> str:
    """A map that makes all columns from logs unknown."""
    names = [column.name for column in USAGE.columns if column.needs]
    return f"MAP {{{', '.join(f'{quoted(name)}: {quoted(Reason.NOT_SUPPLIED)}' for name in names)}}}"


def until_by_log(sources: Sources, scope_id: str, as_of: int) -> str:
    """By log, the last time before which it is incomplete for some resource, or now."""
    logs = dict.fromkeys(SHOWN_BY.values())
    tenants = ", ".join(f"({quoted(log)}, {quoted(scope_id)})" for log in logs if log not in _PLACED)
    placed = ", ".join(f"({quoted(log)})" for log in _PLACED)
    lists, optional = (", ".join(map(quoted, sorted(names))) for names in (VAULTS_FOUND, OPTIONAL))
    return f"""
        WITH whole AS (
            SELECT source, logged_id, min(whole_since) AS since
            FROM (SELECT *, max(last_on) OVER (PARTITION BY source) AS reaches FROM {sources["usage_log"]})
            WHERE whole_since IS NOT NULL AND reaches >= {as_of - LATE} GROUP BY ALL
        ),
        place AS (
            SELECT {quoted(KEY_VAULT_LOG)} AS source, [id, 'https://' || split_part(vault_uri, '/', 3)] AS ids
            FROM {sources["vault"]}
            UNION ALL SELECT DISTINCT {quoted(ACTIVITY_LOG)}, [array_to_string(string_split(id, '/')[1:3], '/')]
            FROM {sources["vault"]}
            -- One that was not seen writes a log that nobody looked for.
            UNION ALL SELECT log, [] FROM (VALUES {placed}) AS unseen(log)
            WHERE EXISTS (FROM coverage WHERE operation IN ({lists}) AND state <> 'assessed' AND reason NOT IN ({optional}))
            UNION ALL SELECT log, [id] FROM (VALUES {tenants}) AS tenant(log, id)
        )
        SELECT source, max(coalesce(since - 1, {as_of})) AS until
        FROM (
            SELECT place.source, (SELECT min(since) FROM whole
                WHERE whole.source = place.source AND list_contains(place.ids, whole.logged_id)) AS since
            FROM place
        ) GROUP BY source"""
