"""SQLite and DuckDB give the same views, verdicts and findings of every simulated tenant."""

import io
import sqlite3
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest
from msgspec.structs import replace

from keyaudit import audit
from keyaudit.inventory import snapshot as snapshots
from keyaudit.inventory import views
from keyaudit.inventory.dialect.sqlite import SQLITE, Database
from keyaudit.inventory.engine_choice import FEW, OF_TABLE, OLDEST, fits_sqlite
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from keyaudit.report import gate, json
from keyaudit.report.tabular import csv
from tests import estates
from tests.inventory import sample
from tests.inventory.cells import Tenant
from tests.inventory.sample import AS_OF, RUN, TENANT, assessed, key, snapshot
from tests.inventory.test_unread_cells import CAN_BE_UNKNOWN, TURNS
from tests.matrices import first_of

pytestmark = pytest.mark.skipif(sqlite3.sqlite_version_info < OLDEST, reason="an older SQLite evaluates nothing")
ESTATES = ("contoso", "blind-spots", "ordinary", "ordinary-abused", "hardened")


def by_duckdb() -> AbstractContextManager[object]:
    """Meanwhile, DuckDB evaluates everything."""
    return mock.patch.object(snapshots, "fits_sqlite", return_value=False)


def by_sqlite() -> AbstractContextManager[object]:
    """Meanwhile, DuckDB must not evaluate anything."""
    return mock.patch.object(views, "create", side_effect=AssertionError)


def _told(report: Report) -> tuple[object, ...]:
    """All that files hold, that a gate decides and that the first page shows."""
    whole, lines, decided = io.StringIO(), io.StringIO(), io.StringIO()
    json.render(report, whole, passes=True)
    csv.render(report, lines)
    gate.render_gate(report, decided)
    first = [(each.owner, each.times, each.finding.policy.id, each.finding.subject) for each in report.first()]
    texts = (each.getvalue() for each in (whole, lines, decided))
    return *texts, str(report.verdict), report.causes(), report.tier0(), first


@pytest.mark.parametrize("estate", first_of(ESTATES))
def test_every_verdict_and_finding_is_the_same(estate: str) -> None:
    taken, policies = open_snapshot(estates.snapshot(estate)), load()
    judging = Judging(as_of=taken.run.as_of)
    with by_sqlite(), audit.judge(taken, policies, judging, fail_on=Severity.HIGH) as report:
        found = _told(report)
    with by_duckdb(), audit.judge(taken, policies, judging, fail_on=Severity.HIGH) as report:
        assert found == _told(report)
    assert len(str(found[0])) > 100_000


def _views(taken: Snapshot) -> dict[str, dict[str, tuple[Any, ...]]]:
    with taken.connect(taken.run.as_of) as connection:
        return {name: _rows(connection, name, view_types(table)) for name, table in TABLES.items()}


def _rows(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str]) -> dict[str, tuple[Any, ...]]:
    here = {name for name, *_ in connection.execute(f'SELECT * FROM "{table}" LIMIT 0').description or ()}
    columns = ", ".join(f'"{name}"' for name in types if name in here)
    return {row[0]: row for row in connection.execute(f'SELECT id, {columns} FROM "{table}"').fetchall()}


@pytest.mark.parametrize("estate", first_of(ESTATES))
def test_every_derived_cell_is_the_same(estate: str) -> None:
    taken = open_snapshot(estates.snapshot(estate))
    with by_sqlite():
        found = _views(taken)
    with by_duckdb():
        expected = _views(taken)
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert sum(len(rows) for rows in found.values()) > 100


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.exhaustive) for turn in range(1, TURNS))])
def test_every_cell_is_the_same_however_little_was_read(turn: int) -> None:
    """In each turn, other columns of every table are unknown in a third of its rows."""
    tenant = Tenant(evidence=False)
    unread = {name: columns[turn::TURNS] for name, columns in CAN_BE_UNKNOWN.items() if turn < len(columns)}
    found = tenant.cells(unread=unread)
    with mock.patch.object(sample, "fits_sqlite", return_value=False):
        assert found == tenant.cells(unread=unread)


def test_few_rows_and_settings_are_evaluated_by_sqlite_that_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits_sqlite(RUN, [0, OF_TABLE], 100, 1)
    assert not fits_sqlite(RUN, [0, OF_TABLE + 1])
    assert fits_sqlite(RUN, [FEW // 40] * 40)
    assert not fits_sqlite(RUN, [FEW // 40] * 41)
    assert not fits_sqlite(RUN, [1], 1, 101)
    assert not fits_sqlite(replace(RUN, evidence={"logs": ""}), [1])
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (*OLDEST[:2], OLDEST[2] - 1))
    assert not fits_sqlite(RUN, [1])


@pytest.mark.parametrize(
    "odd", [{"name": "a\0b"}, {"tags": {"a": "\0"}}, {"expires_on": 2**59}], ids=["NUL", "NUL in a map", "a wide integer"]
)
def test_rows_that_sqlite_may_see_otherwise_are_evaluated_by_duckdb(odd: dict[str, Any], tmp_path: Path) -> None:
    cases: tuple[tuple[dict[str, Any], bool], ...] = (({"name": "a"}, True), (odd, False))
    for number, (values, engine) in enumerate(cases):
        made = snapshot(tmp_path / str(number), {"key": [key("1", **values)]}, {TENANT: assessed(TENANT, "key.list")})
        with made.evaluating(AS_OF, often=(), columns=None, names=("key",), reach_known=False) as (connection, sqlite):
            assert (sqlite is not None) is engine
            if not engine:
                assert connection.execute("SELECT count(*) FROM key").fetchall() == [(1,)]


def _value(expression: str) -> Any:
    return Database().execute(f"SELECT {expression}").fetchone()[0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # Letters are lowered one by one, also those that Python lowers by their neighbours or to two characters.
        (SQLITE.lower("'\u00c4\u03a3\u0130I'"), "\u00e4\u03c3ii"),
        (SQLITE.trimmed("'\u00a0 x\t\u3000'"), "x\t"),
        # SQLite's own max and min of several values are NULL if one is.
        ("greatest(1, NULL, 3)", 3),
        ("least(NULL, NULL)", None),
        (SQLITE.quotient("-7", 2), -3),
        ("'a' < 'B'", 0),
        (SQLITE.like("'a_b'", "a_*"), 1),
        (SQLITE.like("'axb'", "a_*"), 0),
        # An empty list has nothing, even nothing unknown.
        (SQLITE.has("'[]'", "NULL"), 0),
        (SQLITE.has(SQLITE.texts(["a"]), "NULL"), None),
        (SQLITE.has("NULL", "'a'"), None),
        (SQLITE.overlaps("NULL", "'[]'"), 0),
        (SQLITE.covers("NULL", "'[]'"), 1),
        (SQLITE.covers("'[]'", SQLITE.texts(["a"])), 0),
        ("split_part('a/b', '/', -1)", "b"),
        ("split_part('a/b', '/', 3)", ""),
        (SQLITE.found("'a\n'", r"a\z"), 0),
        (SQLITE.matches("'\u0661'", r"'\d'"), 0),
        (SQLITE.entry(SQLITE.entries({"it's": "x"}), "'it''s'"), "x"),
        (SQLITE.present({"a": "NULL", "b": "'c'"}), '{"b":"c"}'),
        (SQLITE.only(SQLITE.entries({"a": "b", "c": "d"}), ["c"]), '{"c":"d"}'),
        (SQLITE.mapped(SQLITE.texts(["a", "b"]), "each", "each || '!'"), '["a!","b!"]'),
        (SQLITE.chosen(SQLITE.texts(["b", "c", "a"]), "each", "each < 'c'"), '["a","b"]'),
        (SQLITE.mapped("NULL", "each", "each"), None),
    ],
)
def test_an_expression_has_the_value_that_duckdb_gives_it(expression: str, value: object) -> None:
    assert _value(expression) == value


def test_a_list_in_a_select_gives_a_row_for_each_item_and_none_for_null() -> None:
    database = Database()
    database.fill("held", {"name": "VARCHAR", "items": "VARCHAR[]"}, [("a", ["x", "y"]), ("b", None), ("c", [])])
    found = database.execute(f"SELECT held.name, {SQLITE.each('held.items')} AS item FROM held WHERE held.name <> 'd'")
    assert found.fetchall() == [("a", "x"), ("a", "y")]


def test_a_sub_query_is_computed_once() -> None:
    database = Database()
    calls: list[int] = []

    def seen(value: int) -> int:
        calls.append(value)
        return value

    database.connection.create_function("seen", 1, seen)
    database.execute("CREATE TABLE one AS SELECT 7 AS n")
    found = database.execute("SELECT it.n + it.n + it.n FROM (SELECT seen(n) AS n FROM one) AS it").fetchall()
    assert (found, calls) == ([(21,)], [7])


def test_a_database_that_nobody_uses_is_gone_with_its_functions() -> None:
    database = Database()
    database.execute("CREATE FUNCTION twice(it) AS it + it")
    assert database.execute("SELECT twice(21)").fetchone() == (42,)
    used = weakref.ref(database)
    del database
    assert used() is None


def test_another_thread_can_go_on_with_a_database() -> None:
    database = Database()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(database.execute, "SELECT 1").result().fetchall() == [(1,)]


def test_a_map_keeps_the_order_of_its_entries() -> None:
    database = Database()
    database.fill("held", {"tags": "MAP(VARCHAR, VARCHAR)"}, [({"b": "1", "a": "2"},)])
    added = SQLITE.with_present("tags", {"0": "'3'"})
    assert database.execute(f"SELECT {added}, {SQLITE.in_order('tags')} FROM held").fetchone() == (
        '{"b":"1","a":"2","0":"3"}',
        '{"a":"2","b":"1"}',
    )


def test_a_literal_is_never_translated() -> None:
    text = "['x'] AS STRING) a::BIGINT // (SELECT"
    assert _value(SQLITE.text(text)) == text
    assert _value(f"split_part({SQLITE.text(text)}, ' ', 1)") == "['x']"
