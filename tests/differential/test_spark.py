"""Statements for Spark are in its own SQL; `python -m tests.differential spark` compares the answers, row for row."""

import re

from msgspec import structs

from keyaudit.inventory import views
from keyaudit.inventory.dialect import DUCKDB, SPARK, DuckDB
from keyaudit.model.evidence import CUSTODY, LOGS, REPOSITORIES, USAGE_BASELINE
from keyaudit.model.tables import TABLES
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, RUN

_KNOWN_TO_ONE = (
    *(r"list_\w+\(", r"\blist\(", r"\bunnest\(", r"\blambda\b", r"\bHUGEINT\b", r"\bVARCHAR\b"),
    *(r" EXCLUDE \(", r" REPLACE \(", r"MAP \{", "MATERIALIZED", r"[^\w)]\[(?=['\w])"),
)
DUCKDBS = re.compile("|".join(_KNOWN_TO_ONE))
"""What Spark does not know. An index follows a name or a call, other than a list."""
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'")


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
