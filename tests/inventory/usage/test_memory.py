"""Counting many distinct groups within a small memory limit: what does not fit is moved to disk."""

from pathlib import Path

import duckdb
import pytest

from keyaudit.inventory.logs.groups import GROUP, MAILBOXES
from keyaudit.inventory.rows import no_rows
from keyaudit.inventory.usage.facets import counting
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

PEOPLE = 60_000
EMPTY = "''"
WINDOW = Window(since=0, until=300 * DAY)
_VALUES = {
    "source": "'AZKVAuditLogs'",
    "target_kind": "'key'",
    "target": "'https://v.vault.azure.net/keys/k'",
    "operation": "'sign'",
    "app": "'app'",
    "network": "'10.0.0.0/24'",
    "principal": f"printf('%036d', i % {PEOPLE})",
    "day": f"i // {PEOPLE} * 150",
    "succeeded": "true",
    "told": "true",
    "lacking": "[]",
    "uses": "2",
    "first_on": "i",
    "last_on": "i",
    "evidence": "[]",
}


@pytest.fixture
def small(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "24MB",
        "threads": 1,
        "temp_directory": str(tmp_path / "tmp"),
    }
    return duckdb.connect(":memory:", config=settings)


def test_more_groups_than_memory_holds_are_counted(small: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"({_VALUES.get(name, EMPTY)})::{type_} AS {name}" for name, type_ in GROUP.items())
    groups = f"(SELECT {columns} FROM range({2 * PEOPLE}) AS made(i))"
    for statement in counting(WINDOW, groups, f"({no_rows(MAILBOXES)})"):
        small.execute(statement)
    query = "SELECT facet, count(*), min(uses), max(uses), min(days), max(days) FROM seen GROUP BY facet ORDER BY facet"
    assert small.execute(query).fetchall() == [
        ("app", 1, 4 * PEOPLE, 4 * PEOPLE, 2, 2),
        ("client-app", 1, 4 * PEOPLE, 4 * PEOPLE, 2, 2),
        ("network", 1, 4 * PEOPLE, 4 * PEOPLE, 2, 2),
        ("principal", PEOPLE, 4, 4, 2, 2),
    ]
