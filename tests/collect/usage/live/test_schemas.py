"""Every query names only columns that Microsoft's published schemas have, or asks whether the table has them."""

import re
from collections.abc import Iterator

import pytest

from keyaudit.logs.live import log_analytics, sources
from keyaudit.logs.live.summaries import SUMMARIES, between
from keyaudit.questions.guardrails.rules import RULES
from tests.collect.usage.live.schemas import PUBLISHED, REFERENCE

_STRING = re.compile(r'@?"(?:[^"\\]|\\.)*"')
_TIME = re.compile(r"datetime\([^)]*\)|\b\d+d\b")
# A name that is neither a member of another, nor a function, nor given here.
_NAME = re.compile(r"(?<![.\w])([A-Za-z_]\w*)(?!\w|\s*\(|\s*=(?![=~]))")
_GIVEN = re.compile(r"(?<![.\w])([A-Za-z_]\w*)\s*=(?![=~])")
# https://learn.microsoft.com/kusto/query/
_WORDS = frozenset(
    [
        "and",
        "by",
        "endswith",
        "extend",
        "has",
        "has_any",
        "in",
        "null",
        "or",
        "project",
        "startswith",
        "summarize",
        "union",
        "where",
    ]
)


def unbound(query: str, columns: frozenset[str]) -> set[str]:
    """The names in a query that are no columns, no words of the language, and are not given in it."""
    plain = _TIME.sub("", _STRING.sub('""', query))
    # The names that a summary gives together: (FirstWhen, FirstId) = arg_min(When, Id).
    together = {name for names in re.findall(r"\(([\w, ]+)\)\s*=\s*arg_", plain) for name in names.split(", ")}
    known = columns | _WORDS | together | set(_GIVEN.findall(plain)) | set(PUBLISHED)
    return {name for name in _NAME.findall(plain) if name not in known}


def queries() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each query by its name, with the tables that it reads."""
    for table in sources.TABLES:
        yield f"rows of {table}", log_analytics._query(table, 0, 86_400, ""), (table,)
    for table, summary in SUMMARIES.items():
        yield f"summary of {table}", between(table, 0, 86_400) + summary.query(), (table,)
        if rest := summary.others():
            yield f"rest of {table}", log_analytics._query(table, 0, 86_400, rest), (table,)
    for name, rule in RULES.items():
        yield f"alert {name}", rule.query.replace("{limit}", "1"), tuple(each for each in PUBLISHED if each in rule.query)


QUERIES = {name: (query, tables) for name, query, tables in queries()}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_names_only_published_columns(name: str) -> None:
    query, tables = QUERIES[name]
    assert tables, "a table without a published schema"
    for lists in ([(table, each) for each in PUBLISHED[table]] for table in tables):
        for table, each in lists:
            others = {column for other in tables if other != table for column in PUBLISHED[other][0].columns}
            assert unbound(query, each.columns | others) == set(), f"{REFERENCE}{table.lower()} of {each.date}"


def test_a_column_that_a_schema_lacks_is_seen() -> None:
    summary = SUMMARIES["AADManagedIdentitySignInLogs"].query().replace('column_ifexists("UserAgent", "")', "UserAgents")
    assert unbound(f"T{summary}", PUBLISHED["AADManagedIdentitySignInLogs"][0].columns) == {"T", "UserAgents"}
