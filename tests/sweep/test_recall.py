"""A recalled answer equals the one that would be computed: a statement's key has every column that it reads, and no other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.sweep.reads import Reads
from tests.sweep.recall import Recall, Recalled

KEYS = {"id": "VARCHAR", "size": "INTEGER", "uses": "VARCHAR[]", "unknown": "MAP(VARCHAR, VARCHAR)"}


@pytest.fixture
def reads() -> Iterator[Reads]:
    """With a table of keys and one of vaults."""
    found = Reads()
    found.table("key", KEYS)
    found.table("vault", {"id": "VARCHAR", "sku": "VARCHAR", "unknown": "MAP(VARCHAR, VARCHAR)"})
    found.create("big", "CREATE OR REPLACE VIEW big AS SELECT id, unknown FROM key WHERE size > 3000")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT id FROM key", {"key": {"id"}}),
        ("SELECT count(*) FROM key WHERE size > 1", {"key": {"size"}}),
        ("SELECT a.id FROM key AS a WHERE a.unknown['size'] IS NULL", {"key": {"id", "unknown:size"}}),
        ("SELECT * FROM key", {"key": {"id", "size", "uses", "unknown"}}),
        ("SELECT id FROM (SELECT * FROM key)", {"key": {"id"}}),
        ("SELECT cardinality(a.unknown), a.unknown['id'] FROM key AS a", {"key": {"unknown", "unknown:id"}}),
        # The map of a subquery is read whole.
        ("SELECT b.unknown['size'] FROM (SELECT * FROM key) AS b", {"key": {"unknown"}}),
        ("SELECT a.unknown['size'] FROM (SELECT a.unknown FROM key AS a) AS a", {"key": {"unknown"}}),
        ("SELECT id FROM big", {"key": {"id", "size"}}),
        (
            "SELECT a.id FROM key AS a JOIN vault AS b ON b.id = a.id WHERE b.unknown['sku'] IS NULL",
            {"key": {"id"}, "vault": {"id", "unknown:sku"}},
        ),
        (
            "SELECT (SELECT min(b.sku) FROM vault AS b WHERE b.id = a.id) FROM key AS a",
            {"key": {"id"}, "vault": {"id", "sku"}},
        ),
        ("WITH one AS (FROM key) SELECT size FROM one UNION ALL SELECT len(uses) FROM one", {"key": {"size", "uses"}}),
    ],
)
def test_a_query_reads_the_columns_that_it_names(reads: Reads, query: str, columns: dict[str, set[str]]) -> None:
    found = {table: set(names) for table, names in reads.of(query, query).items()}
    assert found.keys() == columns.keys()
    for table, names in columns.items():
        assert names <= found[table]
        # Of a whole table that a query keeps for two uses, DuckDB may read more.
        assert "WITH" in query or {name for name in found[table] if not name.startswith("unknown:")} <= names | {"unknown"}


def test_a_table_may_become_a_view_and_again_a_table(reads: Reads) -> None:
    reads.table("big", {"sku": "VARCHAR"})
    assert reads.of("table", "SELECT * FROM big") == {"big": {"sku"}}
    reads.create("big", "CREATE OR REPLACE VIEW big AS SELECT id FROM vault")
    assert reads.of("view", "SELECT * FROM big") == {"vault": {"id"}}


@pytest.fixture
def recall(tmp_path: Path) -> Iterator[Recall]:
    """One that knows nothing yet."""
    with Recall(tmp_path) as found:
        yield found


def asked(recall: Recall, rows: str, *more: str) -> Sequence[Any]:
    """The answer to the last of the statements, over a table of these rows."""
    audit = Recalled(recall)
    typed = ", ".join(f"CAST({column} AS {type_}) AS {column}" for column, type_ in KEYS.items())
    audit.execute(f"CREATE TABLE stored AS SELECT {typed} FROM (VALUES {rows}) AS t({', '.join(KEYS)})")
    for statement in more:
        audit.execute(statement)
    return audit.fetchall()


DERIVED = """CREATE TABLE derived AS
    SELECT s.id, s.size > 2 AS big, s.uses IS NULL AS none, s.unknown['size'] AS why FROM stored AS s"""


@pytest.mark.parametrize(
    "row",
    [
        "('a', 1, ['sign'], MAP {})",
        "('a', 3, ['sign'], MAP {})",
        "('b', 1, ['sign'], MAP {})",
        "('a', 1, [], MAP {})",
        "('a', 1, NULL, MAP {})",
        "('a', 1, ['sign'], MAP {'size': 'odd'})",
        "('a', 1, ['sign'], MAP {'uses': 'odd'})",
        "('a', NULL, ['sign'], MAP {})",
    ],
)
def test_rows_that_differ_in_what_is_read_have_their_own_answer(recall: Recall, tmp_path: Path, row: str) -> None:
    usual = "('a', 1, ['sign'], MAP {})"
    for earlier in (usual, "('a', 1, [], MAP {})"):
        asked(recall, earlier, DERIVED, "FROM derived")
    (tmp_path / "anew").mkdir()
    with Recall(tmp_path / "anew") as another:
        for rows in (row, f"{usual}, {row}"):
            assert asked(recall, rows, DERIVED, "FROM derived") == asked(another, rows, DERIVED, "FROM derived")


def test_what_reads_none_of_what_differs_is_not_worked_out_again(recall: Recall) -> None:
    query = "SELECT s.id FROM stored AS s WHERE s.unknown['size'] IS NULL"
    asked(recall, "('a', 1, ['sign'], MAP {})", query)
    before = len(recall._answers)
    for row in ("('a', 2, ['sign'], MAP {})", "('a', 1, NULL, MAP {'uses': 'odd'})"):
        assert asked(recall, row, query) == [("a",)]
    assert len(recall._answers) == before
    assert asked(recall, "('a', NULL, ['sign'], MAP {'size': 'odd'})", query) == []
