"""SQLite and DuckDB give the same views, verdicts and findings of every simulated tenant."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import duckdb
import msgspec
import pytest

from keyaudit.inventory.dialect.sqlite import OLDEST, SQLITE, Database
from keyaudit.inventory.rows import view_types
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.inventory.with_sqlite import judging_with_sqlite
from keyaudit.model.tables import TABLES
from keyaudit.policy.judge import columns_judged, judge
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from keyaudit.policy.with_sqlite import InSQLite
from tests import estates

pytestmark = pytest.mark.skipif(sqlite3.sqlite_version_info < OLDEST, reason="an older SQLite evaluates nothing")
ESTATES = ("contoso", "blind-spots", "ordinary", "ordinary-abused", "hardened")


def _rows(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str]) -> dict[str, tuple[Any, ...]]:
    columns = ", ".join(f'"{name}"' for name in types)
    return {row[0]: row for row in connection.execute(f'SELECT id, {columns} FROM "{table}"').fetchall()}


@pytest.mark.parametrize("estate", ESTATES)
def test_every_derived_cell_and_every_verdict_is_the_same(estate: str) -> None:
    snapshot, policies = open_snapshot(estates.snapshot(estate)), load()
    as_of = snapshot.run.as_of
    columns = columns_judged(policies, ())
    how: dict[str, Any] = {"reach_known": True, "names": columns, "columns": columns}
    over: dict[str, Any] = {"supplied": snapshot.run.evidence, "sizes": snapshot.sizes, "columns": columns}
    with (
        snapshot.judging(as_of, often=columns, **how) as theirs,
        judging_with_sqlite(snapshot, as_of, **how) as (ours, sqlite),
    ):
        expected = judge(theirs, policies, snapshot.coverage, Judging(as_of=as_of), **over)
        found = judge(ours, policies, snapshot.coverage, Judging(as_of=as_of), **over, engine=InSQLite(sqlite, as_of))
        compared = 0
        for table in columns:
            described = theirs.execute(f'SELECT * FROM "{table}" LIMIT 0').description or ()
            types = {each[0]: view_types(TABLES[table])[each[0]] for each in described}
            rows = _rows(theirs, table, types)
            assert _rows(ours, table, types) == rows, table
            compared += len(rows) * len(types)
        assert compared > 1_000
        assert (found.tallies, found.groups) == (expected.tallies, expected.groups)
        for one, other in zip(found.findings(True), expected.findings(True), strict=True):
            assert (one.policy.id, one.row, one.outcome, one.severity) == (
                other.policy.id,
                other.row,
                other.outcome,
                other.severity,
            )


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


def test_a_map_is_written_with_its_keys_in_order() -> None:
    database = Database()
    database.fill("held", {"tags": "MAP(VARCHAR, VARCHAR)"}, [({"b": "1", "a": "2"},)])
    assert msgspec.json.decode(database.execute("SELECT tags FROM held").fetchone()[0]) == {"a": "2", "b": "1"}
    assert database.execute("SELECT tags FROM held").fetchone()[0] == '{"a":"2","b":"1"}'
