"""What a dialect writes for Spark, as far as it can be seen without Spark."""

from collections.abc import Callable

import pytest

from keyaudit.inventory.dialect import DUCKDB, SPARK, DuckDB
from keyaudit.inventory.logs.groups import grouped, mailboxes
from keyaudit.inventory.logs.manifest import COLUMNS, USES


@pytest.mark.parametrize(
    ("value", "literal"),
    [("plain", "'plain'"), ("it's", r"'it\'s'"), (r"\d'", r"'\\d\''"), (r"\' OR 1=1 --", r"'\\\' OR 1=1 --'"), ("", "''")],
)
def test_no_text_ends_its_literal(value: str, literal: str) -> None:
    assert SPARK.text(value) == literal


@pytest.mark.parametrize(("name", "quoted"), [("unknown", "`unknown`"), ("a`b", "`a``b`"), ('a"b', '`a"b`')])
def test_every_name_is_quoted(name: str, quoted: str) -> None:
    assert SPARK.name(name) == quoted


def test_every_type_of_a_use_has_a_name_in_spark() -> None:
    types = {SPARK.type(type_) for type_ in COLUMNS[USES].values()}
    assert types == {"STRING", "BIGINT", "BOOLEAN", "MAP<STRING, STRING>"}
    assert SPARK.type("VARCHAR[]") == "ARRAY<STRING>"
    assert {DUCKDB.type(type_) for type_ in COLUMNS[USES].values()} == set(COLUMNS[USES].values())


@pytest.mark.parametrize("reduction", [grouped, mailboxes])
def test_the_reduction_for_spark_has_nothing_that_only_duckdb_reads(reduction: Callable[[str, str, DuckDB], str]) -> None:
    found = reduction("uses", "true", SPARK)
    for only in ("::", "//", "list_", "lambda", "REPLACE", "string_split", "[]", '"', "regexp_matches", "map_extract"):
        assert only not in found.replace("'::'", "").replace("'::/48'", "").replace("::ffff:", "")
    assert found != reduction("uses", "true", DUCKDB)
