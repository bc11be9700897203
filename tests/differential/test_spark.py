"""Spark answers what DuckDB answers, row for row: a small tenant; the others by `python -m tests.differential spark`."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB, SPARK, DuckDB
from keyaudit.model.evidence import CUSTODY, LOGS, REPOSITORIES, USAGE_BASELINE
from keyaudit.model.tables import TABLES
from keyaudit.model.times import DAY
from keyaudit.model.usage import Window
from tests import needs
from tests.differential.estates import made
from tests.inventory.sample import AS_OF, RUN

_KNOWN_TO_ONE = (
    *(r"list_\w+\(", r"\blist\(", r"\bunnest\(", r"\blambda\b", r"\bHUGEINT\b", r"\bVARCHAR\b"),
    *(r" EXCLUDE \(", r" REPLACE \(", r"MAP \{", "MATERIALIZED", r"[^\w)]\[(?=['\w])"),
)
DUCKDBS = re.compile("|".join(_KNOWN_TO_ONE))
"""What Spark does not know. An index follows a name or a call, other than a list."""
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'")


@pytest.mark.exhaustive
def test_every_view_policy_and_score_agrees(tmp_path: Path) -> None:
    needs.program("java")
    needs.module("pyspark")
    from tests.differential.__main__ import spark  # noqa: PLC0415 - pyspark is not installed everywhere
    from tests.differential.compared import Compared  # noqa: PLC0415

    folder, work = tmp_path / "spark", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    with spark(folder) as session:
        # No list of a tenant is empty where numbers are asked for.
        assert [session.sql(f"SELECT {SPARK.numbers(last)}").collect()[0][0] for last in ("0", "2")] == [[], [1, 2]]
        found = list(Compared(made("blind-spots", work), session, work).all())
    assert len([each for each in found if each.kind == "view"]) > len(TABLES)
    assert [each for each in found if each.why] == []


def test_no_statement_for_spark_is_written_in_the_sql_of_duckdb() -> None:
    run = structs.replace(RUN, evidence=dict.fromkeys((LOGS, CUSTODY, REPOSITORIES, USAGE_BASELINE), "0" * 64))
    every = tuple(TABLES)

    def written(sql: DuckDB) -> list[str]:
        statements = views.statements(
            sql,
            {name: f"rows_of_{name}" for name in TABLES},
            run,
            AS_OF,
            names=every,
            small=(),
            kept=(),
            reach_known=True,
            columns=None,
            looked_at=Window(since=AS_OF - AS_OF % DAY - 7 * DAY, until=AS_OF - AS_OF % DAY),
        )
        return [statement.text for statement in statements]

    assert DUCKDBS.search("".join(written(DUCKDB)))
    for statement in written(SPARK):
        sql = LITERAL.sub("text", statement)
        found = DUCKDBS.search(sql)
        assert not found, sql[max(0, found.start() - 80) : found.end() + 20]
