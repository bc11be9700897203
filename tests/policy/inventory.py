"""An inventory in memory, made of rows as Python holds them, with the columns that `model.tables` declares."""

import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from keyaudit.inventory.owners import functions
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.scope.owners import NO_RULES
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import parse_time
from keyaudit.policy.load import Policy, load
from keyaudit.policy.settings import Judging

NOW = parse_time("2026-11-24T00:00:00Z")
DAY = 86_400
JUDGING = Judging(as_of=NOW)
SUBSCRIPTION = Scope("/subscriptions/1", "prod", ScopeKind.SUBSCRIPTION)
VAULT = Scope("/subscriptions/1/vaults/kv-a", "kv-a", ScopeKind.VAULT)
OTHER_VAULT = Scope("/subscriptions/1/vaults/kv-b", "kv-b", ScopeKind.VAULT)

_SQL = {
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.INTEGER: "BIGINT",
    Type.TIME: "BIGINT",
    Type.DURATION: "BIGINT",
    Type.TEXTS: "VARCHAR[]",
    Type.MAP: "MAP(VARCHAR, VARCHAR)",
}


@functools.cache
def _empty() -> duckdb.DuckDBPyConnection:
    """One DuckDB with every table for all inventories of this process: to make them takes longer than to judge a few rows."""
    connection = duckdb.connect(config={"threads": 1})
    for table in TABLES.values():
        columns = [*_columns(table), ("unknown", "MAP(VARCHAR, VARCHAR)")]
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        connection.execute(f"CREATE TABLE {table.name} ({declared})")
    for statement in functions(NO_RULES):
        connection.execute(statement)
    return connection


_IN_USE = threading.Lock()


@contextmanager
def inventory(**rows: Sequence[Mapping[str, Any]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with every table; a column left out of a row is absent, `unknown` maps columns to reasons.

    One at a time; afterwards it is as empty as before.
    """
    assert _IN_USE.acquire(blocking=False), "one inventory at a time"
    try:
        with _empty().cursor() as connection:
            for table, of_table in rows.items():
                names = [*(name for name, _ in _columns(TABLES[table])), "unknown"]
                for cells in map(_cells, of_table):
                    marks = ", ".join("?" for _ in names)
                    connection.execute(f"INSERT INTO {table} VALUES ({marks})", [cells.get(name) for name in names])
            yield connection
    finally:
        for (name,) in _empty().execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall():
            if name not in TABLES:
                _empty().execute(f"DROP TABLE {name}")
            elif name in rows:
                _empty().execute(f"TRUNCATE {name}")
        _IN_USE.release()


def _columns(table: Table) -> Iterator[tuple[str, str]]:
    for column in table.columns:
        if column.type is Type.COUNT:
            yield f"{column.name}_min", "BIGINT"
            yield f"{column.name}_max", "BIGINT"
        else:
            yield column.name, _SQL[column.type]


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {"unknown": {}}
    for name, value in row.items():
        if isinstance(value, tuple):
            cells[f"{name}_min"], cells[f"{name}_max"] = value
        else:
            cells[name] = value
    return cells


def key(name: str, version: str = "1", vault: Scope = VAULT, **columns: Any) -> dict[str, Any]:
    """A row of the key table: an enabled, current, software RSA key that signs, made a year ago."""
    key_id = f"https://{vault.name}.vault.azure.net/keys/{name}"
    return {
        "id": f"{key_id}/{version}",
        "name": name,
        "resource_id": f"{key_id}/{version}",
        "scope_id": vault.id,
        "source_url": key_id,
        "source_version": "7.6",
        "key_id": key_id,
        "version": version,
        "vault_id": vault.id,
        "vault_name": vault.name,
        "enabled": True,
        "managed": False,
        "is_current": True,
        "created_on": NOW - 365 * DAY,
        "kty": "RSA",
        "key_size": 2_048,
        "key_ops": ["sign", "verify"],
        "purpose": "sign",
        "exportable": False,
        "superseded_enabled": (0, 0),
        **columns,
    }


def gap(scope: Scope, operation: str, reason: Reason = Reason.PERMISSION) -> Coverage:
    """An operation that gave nothing."""
    return Coverage(scope=scope, operation=operation, state=State.NOT_ASSESSED, reason=reason)


BASE = {
    "id": "test",
    "title": "A key is good",
    "severity": "high",
    "table": "key",
    "applies_to": "enabled",
    "violated_when": "exportable",
    "message": '"{name} is exportable"',
    "why": "Because.",
    "fix": "{text: Mend it.}",
    "references": "[NIST]",
    "given": "{enabled: true, exportable: false}",
    "examples": """
  - {why: good, expect: pass}
  - {why: bad, expect: fail, exportable: true}
  - {why: other, expect: not-applicable, enabled: false}
  - {why: hidden, expect: unknown, exportable: unknown}""",
    "problem": "A key is bad",
}


def quoted(condition: str) -> str:
    """A condition as YAML."""
    return "'" + condition.replace("'", "''") + "'"


AGE = {
    "id": "age",
    "applies_to": quoted("enabled and is_current"),
    "violated_when": quoted("created_on is None or now - created_on > max_age"),
    "parameters": "{max_age: {default: P730D, strict: P365D}}",
    "message": quoted("{name} was created {created_on:on an unrecorded day}; the limit is {max_age}"),
    "subject": "key_id",
}
"""Fields of a policy with a limit on age."""


def text(**fields: str | None) -> str:
    """A policy file: a good one with some fields changed, added, or (None) left out. Values are YAML."""
    return "".join(f"{name}: {value}\n" for name, value in {**BASE, **fields}.items() if value is not None)


def policy(folder: Path, **fields: str | None) -> Policy:
    """A policy loaded from a file in `folder`."""
    path = folder / f"{fields.get('id') or 'test'}.yaml"
    path.write_text(text(**fields), encoding="utf-8")
    (found,) = load(path)
    return found
