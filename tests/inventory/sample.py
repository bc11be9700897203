"""Small inventories to test with: a run, scopes, coverage, and rows with a plausible value in every column."""

import functools
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from keyaudit.inventory import views, with_sqlite
from keyaudit.inventory.engine_choice import fits_sqlite
from keyaudit.inventory.rows import encode, stored_types, view_types
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.model.scope.owners import NO_RULES, OwnerRules
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import COLUMNS as REACH_COLUMNS
from keyaudit.model.values.times import DAY

AS_OF = 20_000 * DAY
RUN = Run(
    run_id="00000000-0000-4000-8000-000000000001",
    tenant_id="11111111-1111-4111-8111-111111111111",
    tenant_name="Contoso",
    environment="public",
    identity="alice@contoso.example (Azure CLI)",
    as_of=AS_OF,
    tool_version="0.1.0",
)
TENANT = Scope(f"/tenants/{RUN.tenant_id}", "Contoso", ScopeKind.TENANT)
KEY_OPERATIONS = ("key.list", "key.versions", "key.get", "key.rotation_policy")
_PLACE = "/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/rg/providers/microsoft.keyvault/vaults"
_VALUES: dict[Type, object] = {
    Type.TEXT: "text",
    Type.BOOLEAN: False,
    Type.INTEGER: 1,
    Type.TIME: AS_OF - 10 * DAY,
    Type.DURATION: 90 * DAY,
    Type.TEXTS: [],
    Type.MAP: {},
}

Row = dict[str, object]
_PLAIN = {"VARCHAR", "BIGINT"}


def vault_scope(name: str) -> Scope:
    return Scope(f"{_PLACE}/{name}", name, ScopeKind.VAULT)


def row(table: str, id_: str, **values: Any) -> Row:
    """A row that the declaration allows: absent where a column may be absent, else a value; then `values` over it.

    A `Reason` as a value makes the column unknown, None absent.
    """
    made: Row = {
        column.name: _VALUES[column.type] for column in TABLES[table].stored if not column.absent and column.name != "id"
    }
    reasons = {name: value for name, value in values.items() if isinstance(value, Reason)}
    made |= {name: None if name in reasons else value for name, value in values.items()}
    return {"id": id_, **required(TABLES[table], made), **made, "unknown": reasons}


def required(table: Table, row: Mapping[str, object]) -> Row:
    """A value for each column that may be absent in other rows, but not in one like this."""
    return {
        column.name: _VALUES[column.type]
        for column, where in _conditional(table.name)
        if all(row.get(decides) in values for decides, values in where)
    }


@functools.cache
def _conditional(table: str) -> list[tuple[Column, tuple[tuple[str, tuple[str | bool, ...]], ...]]]:
    """The columns that may be absent in some rows only, each with what decides it."""
    declared = TABLES[table]
    return [(column, declared.never_absent(column)) for column in declared.stored if column.absent_where]


def key(version: str, *, name: str = "k", vault: str = "kv", **values: Any) -> Row:
    key_id = f"https://{vault}.vault.azure.net/keys/{name}"
    defaults: Row = {
        "key_id": key_id,
        "version": version,
        "vault_id": vault_scope(vault).id,
        "vault_name": vault,
        "scope_id": vault_scope(vault).id,
        "enabled": True,
        "is_current": False,
        "versions_listed": True,
        "key_ops": ["verify"],
    }
    return row("key", f"{key_id}/{version}", **(defaults | values))


def vault(name: str = "kv", **values: Any) -> Row:
    return row("vault", vault_scope(name).id, **({"scope_id": TENANT.id} | values))


def application(object_id: str, **values: Any) -> Row:
    return row(
        "application", f"{TENANT.id}/applications/{object_id}", **({"scope_id": TENANT.id, "app_id": object_id} | values)
    )


def credential(key_id: str, *, holder: str = "a", on: str = "application", **values: Any) -> Row:
    holder_id = f"{TENANT.id}/{on.replace('_', '')}s/{holder}"
    defaults: Row = {
        "kind": "password",
        "key_id": key_id,
        "holder_id": holder_id,
        "holder_kind": on,
        "app_id": holder,
        "scope_id": TENANT.id,
    }
    return row("credential", f"{holder_id}/credentials/{key_id}", **(defaults | values))


def unread_credential(holder: str = "a", *, on: str = "application", **values: Any) -> Row:
    """The row that stands for credentials of that holder which could not be read."""
    nothing = dict.fromkeys(("kind", "expires_on", "public_key_sha256", "thumbprint"), Reason.BAD_ITEM)
    made = credential("unread", holder=holder, on=on, **{**nothing, **values})
    reasons = {**nothing, "key_id": Reason.BAD_ITEM}
    return {**made, "key_id": None, "unknown": reasons}


def assessed(scope: Scope, *operations: str) -> list[Coverage]:
    return [Coverage(scope=scope, operation=operation, state=State.ASSESSED) for operation in operations]


def refused(scope: Scope, operation: str, reason: Reason, state: State = State.NOT_ASSESSED) -> Coverage:
    return Coverage(scope=scope, operation=operation, state=state, reason=reason)


def put(spool: Spool, surface: str, scope: Scope, rows: Mapping[str, Sequence[Row]], coverage: Sequence[Coverage]) -> None:
    """One unit from opening to closing, with the operations that `coverage` names."""
    unit = spool.unit(surface, scope, [record.operation for record in coverage])
    for table, of_table in rows.items():
        for each in of_table:
            unit.row(table, each)
    unit.close(coverage)


def snapshot(
    folder: Path,
    rows: Mapping[str, Sequence[Row]],
    coverage: Mapping[Scope, Sequence[Coverage]],
) -> Snapshot:
    """A snapshot with these rows and this coverage; the rows go with the first scope."""
    with Spool.create(folder, RUN) as spool:
        for number, (scope, records) in enumerate(coverage.items()):
            put(spool, "all", scope, rows if number == 0 else {}, records)
        return write(spool, RUN)


Found = Mapping[str, Any]
"""A row of a view by column; `unknown` is the reasons by column."""


def seen(
    table: str, rows: Mapping[str, Sequence[Row]], coverage: Mapping[Scope, Sequence[Coverage]], **options: Any
) -> list[Found]:
    """The rows of a view over these rows and this coverage. `options` as in `in_memory`."""
    if not fits_sqlite(options.get("run", RUN), ()):
        with in_memory(rows, coverage, table, **options) as connection:
            found = {str(each["id"]): each for each in fetch(connection, f'SELECT * FROM "{table}"')}
    else:
        few = _few(rows, _records(coverage), table, **options)
        names, types = few.columns(table), view_types(TABLES[table])
        answer = few.rows(
            f'SELECT * FROM "{table}"', types={name: type_ for name, type_ in types.items() if type_ not in _PLAIN}
        )
        found = {str(cells[names.index("id")]): dict(zip(names, cells, strict=True)) for cells in answer}
    assert sorted(found) == sorted(str(each["id"]) for each in rows[table]), "a view has each stored row once"
    return [found[str(each["id"])] for each in rows[table]]


def _few(
    rows: Mapping[str, Sequence[Row]],
    coverage: Sequence[Coverage],
    *tables: str,
    as_of: int = AS_OF,
    run: Run = RUN,
    reach: bool = False,
    columns: Mapping[str, Collection[str]] | None = None,
) -> with_sqlite.WithSQLite:
    stored: dict[str, list[tuple[object, ...]]] = {}
    for table, of_table in rows.items():
        if of_table:
            _check(table, of_table)
            stored[table] = [
                tuple(each.get(name, {} if name == "unknown" else None) for name in stored_types(TABLES[table]))
                for each in of_table
            ]
    return with_sqlite.over(
        stored, coverage, run, as_of, names=tables, reach_known=reach, columns=columns and views.needed(columns)
    )


def _records(coverage: Mapping[Scope, Sequence[Coverage]]) -> list[Coverage]:
    return [record for of_scope in coverage.values() for record in of_scope]


def _check(table: str, rows: Sequence[Row]) -> bytes:
    """They as JSON lines."""
    assert len({row["id"] for row in rows}) == len(rows), "an id twice: only a snapshot's loader decides about that"
    return b",".join(encode(table, row) for row in rows)


_NUMBERS = itertools.count()


@functools.cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all inventories of this process: to start one takes longer than to fill it."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET disabled_optimizers = 'partial_aggregate_pushdown'")
    return connection


@contextmanager
def in_memory(
    rows: Mapping[str, Sequence[Row]],
    coverage: Mapping[Scope, Sequence[Coverage]],
    *tables: str,
    as_of: int = AS_OF,
    run: Run = RUN,
    reach: bool = False,
    alone: bool = False,
    columns: Mapping[str, Collection[str]] | None = None,
    owner_rules: OwnerRules = NO_RULES,
    prepared: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the views of `tables` over these rows and this coverage, in memory: nothing is spooled or written.

    The rows are held to their declaration as a spool holds them. `reach`: with the columns of `model.tables.reach`, which are
    NULL otherwise. `alone`: in a DuckDB of its own, for what opens cursors: they do not see the database that is in use.
    `columns`: by table the derived columns that are read; None: all of them. `prepared`: for a reader of what the views rest
    on, too.
    """
    with _database(alone=alone) as connection:
        sources = {table: _stored(connection, table, of_table) for table, of_table in rows.items() if of_table}
        how: dict[str, Any] = {"reach_known": reach, "columns": columns, "owner_rules": owner_rules, "prepared": prepared}
        made(connection, sources, _records(coverage), run, as_of, names=tables, **how)
        yield connection


def made(
    connection: duckdb.DuckDBPyConnection,
    sources: Mapping[str, str],
    coverage: Sequence[Coverage],
    run: Run,
    as_of: int,
    *,
    names: Sequence[str],
    reach_known: bool,
    columns: Mapping[str, Collection[str]] | None = None,
    owner_rules: OwnerRules = NO_RULES,
    prepared: bool = False,
) -> None:
    """Makes views as a snapshot of so few rows does."""
    how: dict[str, Any] = {"names": names, "reach_known": reach_known, "owner_rules": owner_rules}
    how["columns"] = columns and views.needed(columns)
    in_sqlite = fits_sqlite(run, ()) and not prepared
    few = with_sqlite.create(connection, sources, coverage, run, as_of, **how) if in_sqlite else None
    if few is None:
        views.create(connection, sources, coverage, run, as_of, small=(), kept=names, **how)
    else:
        few.give(connection)


@contextmanager
def _database(*, alone: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    if alone:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("PRAGMA disable_optimizer")
            yield connection
        return
    name = f"tenant_{next(_NUMBERS)}"
    with _duckdb().cursor() as connection:
        connection.execute(f"ATTACH ':memory:' AS {name}")
        connection.execute(f"USE {name}")
        connection.execute("PRAGMA disable_optimizer")
        try:
            yield connection
        finally:
            connection.execute("USE memory")
            connection.execute(f"DETACH {name}")


def _stored(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> str:
    lines = _check(table, rows).decode()
    name, types = f"stored_{table}", stored_types(TABLES[table])
    read = f"SELECT unnest(json_transform(?::JSON, '{json.dumps([types])}'), max_depth := 2)"
    # As a loader has it: no row is without a map.
    columns = ", ".join(column for column in types if column != "unknown")
    whole = f"SELECT {columns}, coalesce(unknown, MAP {{}}) AS unknown FROM ({read})"
    connection.execute(f"CREATE TABLE {name} AS {whole}", [f"[{lines}]"])
    return name


def showing(made: Snapshot, *tables: str, as_of: int = AS_OF) -> duckdb.DuckDBPyConnection:
    """A connection with the views of those tables alone, as a listing of them opens it."""
    reach_known = any(not REACH_COLUMNS.isdisjoint(TABLES[table].by_name) for table in tables)
    return made.connect(as_of, reach_known=reach_known, names=tables)


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, object]]:
    """Rows by column name."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]
