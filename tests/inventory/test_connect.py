"""The connection that policies are judged through: what it shows, and all that it cannot do."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.inventory.views.access.reach import ROLES_LISTED
from keyaudit.model.reasons import Reason
from keyaudit.model.rows import view_name
from keyaudit.model.schema.columns import Type
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import ACTIONS, WHO
from tests.inventory.sample import (
    AS_OF,
    TENANT,
    application,
    assessed,
    credential,
    fetch,
    in_memory,
    key,
    refused,
    snapshot,
    vault,
    vault_scope,
)
from tests.inventory.sample import row as sample_row

KV = vault_scope("kv")


ROWS = {
    "vault": [vault(tags={"env": "Prod"})],
    "key": [key("1", is_current=True, created_on=AS_OF), key("2", enabled=Reason.PERMISSION)],
    "application": [application("a")],
    "credential": [credential("1", expires_on=AS_OF + 1)],
}
COVERAGE = {
    KV: assessed(KV, "key.list", "key.versions"),
    TENANT: [*assessed(TENANT, "application.list"), refused(TENANT, "service_principal.list", Reason.PERMISSION)],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot(tmp_path_factory.mktemp("made") / "out", ROWS, COVERAGE)


@pytest.fixture(scope="module")
def connection(made: Snapshot) -> Iterator[duckdb.DuckDBPyConnection]:
    with made.connect(AS_OF) as connection:
        yield connection


SQL_TYPES = {
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.INTEGER: "BIGINT",
    Type.TIME: "BIGINT",
    Type.DURATION: "BIGINT",
    Type.TEXTS: "VARCHAR[]",
    Type.MAP: "MAP(VARCHAR, VARCHAR)",
}


def test_a_view_has_every_declared_column_and_nothing_else(connection: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES.values():
        expected = {"unknown": "MAP(VARCHAR, VARCHAR)"}
        for column in table.columns:
            if column.type is Type.COUNT:
                expected |= {f"{column.name}_min": "BIGINT", f"{column.name}_max": "BIGINT"}
            else:
                expected[column.name] = SQL_TYPES[column.type]
        described = connection.execute(f"DESCRIBE {table.name}").fetchall()
        assert {column[0]: column[1] for column in described} == expected, table.name


def test_the_ledger_is_a_table(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute("SELECT scope_id, scope_kind, operation, state, reason FROM coverage ORDER BY ALL").fetchall()
    assert found == [
        (KV.id, "vault", "key.list", "assessed", None),
        (KV.id, "vault", "key.versions", "assessed", None),
        (TENANT.id, "tenant", "application.list", "assessed", None),
        (TENANT.id, "tenant", "service_principal.list", "not_assessed", "permission"),
    ]


def test_no_coverage_is_an_empty_ledger_and_not_an_error(tmp_path: Path) -> None:
    with snapshot(tmp_path / "out", {}, {}).connect(0) as connection:
        assert connection.execute("SELECT count(*) FROM coverage").fetchall() == [(0,)]


def everything(made: Snapshot) -> str:
    with made.connect(AS_OF) as connection:
        return json.dumps({table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in TABLES})


def test_the_time_zone_leaves_no_trace(made: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = set()
    for zone in ("Pacific/Kiritimati", "America/St_Johns"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        answers.add(everything(open_snapshot(made.folder)))
    monkeypatch.undo()
    time.tzset()
    assert len(answers) == 1


def test_a_relative_folder_is_the_same_folder(made: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.folder.parent)
    relative = open_snapshot(Path(made.folder.name))
    monkeypatch.chdir("/")
    assert everything(relative) == everything(made)


FORBIDDEN = [
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_text('{folder}/../secret')",
    "SELECT * FROM read_parquet('https://example.invalid/x.parquet')",
    "COPY key TO '/tmp/keyaudit-stolen.csv'",
    "COPY key TO '{folder}/../stolen.csv'",
    "ATTACH '/tmp/keyaudit-stolen.db'",
    "EXPORT DATABASE '/tmp/keyaudit-stolen'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "SET lock_configuration = false",
    "SET temp_directory = '/tmp'",
    "RESET memory_limit",
    "SELECT * FROM python_variable",
    "SELECT getenv('HOME')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_sql_reaches_nothing_but_the_snapshot(connection: duckdb.DuckDBPyConnection, made: Snapshot, statement: str) -> None:
    python_variable = connection.execute("SELECT 1")
    (made.folder.parent / "secret").write_text("secret")
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(folder=made.folder))
    assert python_variable is not None
    assert not (made.folder.parent / "stolen.csv").exists()


@pytest.mark.exhaustive
def test_a_large_sort_spills_into_the_snapshots_folder_and_leaves_nothing(made: Snapshot) -> None:
    with made.connect(AS_OF) as connection:
        connection.execute(
            "CREATE TABLE large AS SELECT hash(i) || repeat('x', 400) AS text FROM range(1300000) AS numbers(i) ORDER BY text"
        )
        assert [path for path in made.folder.iterdir() if path.name.startswith("tmp-")]
    assert not [path for path in made.folder.iterdir() if path.name.startswith("tmp-")]
    assert open_snapshot(made.folder).run == made.run


def test_two_can_judge_at_once(made: Snapshot) -> None:
    with made.connect(AS_OF) as one, made.connect(AS_OF + 2) as other:
        query = "SELECT live_credentials_max FROM application"
        assert one.execute(query).fetchall() == [(1,)]
        assert other.execute(query).fetchall() == [(0,)]


def test_a_snapshot_is_judged_where_nothing_can_be_written(made: Snapshot) -> None:
    made.folder.chmod(0o500)
    try:
        assert everything(open_snapshot(made.folder))
    finally:
        made.folder.chmod(0o700)
    assert os.access(made.folder, os.W_OK)


ALIKE = {f"{who}_{action}" for nth, who in enumerate(WHO) for at, action in enumerate(ACTIONS) if nth != at % len(WHO)}
"""Columns that are made as others are, which are about the same principals or the same action."""
COUNTED = ("key", "vault", "certificate")
"""Tables with such columns."""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("table", "reach_known", "alike"),
    [
        *((table, True, False) for table in (*COUNTED, "application", "credential", "secret", "service_principal")),
        *((table, True, True) for table in COUNTED),
        *((table, False, False) for table in COUNTED),
    ],
)
def test_one_column_alone_is_what_it_is_among_all(table: str, reach_known: bool, alike: bool) -> None:
    """And no other derived column is made, but for those that it rests on in the same view."""
    declared = TABLES[table]
    # A table without rows needs no query, and has all its columns.
    rows = {table: [sample_row(table, "1", scope_id=TENANT.id)], **ROWS}
    with in_memory(rows, COVERAGE, table, reach=reach_known) as connection:
        every = {row["id"]: row for row in fetch(connection, f"SELECT * FROM {table}")}
    assert every
    for column in (each for each in declared.derived if (each.name in ALIKE) is alike):
        with in_memory(rows, COVERAGE, table, reach=reach_known, columns={table: {column.name}}) as connection:
            found = fetch(connection, f"SELECT * FROM {table}")
            names = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
        assert set(view_name(column)) <= names
        others = {name for other in declared.derived if other is not column for name in view_name(other)}
        assert len(others & names) < len(others) or len(others) < 2
        assert len(found) == len(every)
        for row in found:
            whole = every[row["id"]]
            assert {name: row[name] for name in names - {"unknown"}} == {name: whole[name] for name in names - {"unknown"}}
            assert row["unknown"].get(column.name) == whole["unknown"].get(column.name)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("gap", "most"), [(None, 0), (Reason.PERMISSION, None)])
def test_who_reaches_a_vault_that_nobody_was_granted_rests_on_the_lists_of_grants(
    tmp_path: Path, gap: Reason | None, most: int | None
) -> None:
    """For a reader of these counts alone, for whom nothing of grants is planned, as for a reader of everything."""
    lists = [refused(TENANT, name, gap) if gap else assessed(TENANT, name)[0] for name in ROLES_LISTED]
    coverage = {KV: assessed(KV, "key.list", "key.versions"), TENANT: [*lists, *assessed(TENANT, "subscription.list")]}
    rows = {"vault": [vault(access_model="rbac", subscription_id="s")], "key": [key("1")]}
    rows["subscription"] = [sample_row("subscription", "/subscriptions/s", management_groups=[])]
    taken = snapshot(tmp_path / "out", rows, coverage)
    wanted = {table: {"principals_signing"} for table in ("vault", "key")}
    for columns in (None, wanted):
        with taken.connect(AS_OF, names=[*wanted], columns=columns) as connection:
            for table in wanted:
                (found,) = fetch(connection, f"SELECT * FROM {table}")
                assert (found["principals_signing_min"], found["principals_signing_max"]) == (0, most)
                assert found["unknown"].get("principals_signing") == gap  # type: ignore[attr-defined]


def test_a_snapshot_is_opened_with_the_columns_that_are_read_alone(made: Snapshot) -> None:
    with made.connect(AS_OF, names=["key"], columns={"key": {"environment"}}) as connection:
        names = {row[0] for row in connection.execute("DESCRIBE key").fetchall()}
        found = connection.execute("SELECT id, environment FROM key ORDER BY id").fetchall()
    assert "environment" in names
    assert not {"signer_environments", "is_newest"} & names
    with made.connect(AS_OF) as connection:
        assert connection.execute("SELECT id, environment FROM key ORDER BY id").fetchall() == found
        assert {"signer_environments"} <= {row[0] for row in connection.execute("DESCRIBE key").fetchall()}
