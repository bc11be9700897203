"""Patterns: what every engine reads alike passes, and means in DuckDB what it means in Python."""

import re
from random import Random

import duckdb
import pytest

from keyaudit.model.documents.problems import FieldError
from keyaudit.policy.conditions.regex import portable


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("", ""),
        ("kv-[a-z0-9]{3,24}", "kv-[a-z0-9]{3,24}"),
        ("a.b", r"a[^\n]b"),
        (r"a\.b\-c\/", r"a\.b\-c\/"),
        ("(a|b)*", "(?:a|b)*"),
        ("(?:a|)?", "(?:a|)?"),
        (r"[^\w.-]+", r"[^\w.\-]+"),
        ("[[&~^]", r"[\[\&\~\^]"),
        (r"[\]]", r"[\]]"),
        (r"\d{2}", r"\d{2}"),
        ("[a-]", r"[a\-]"),
        (r"\ ", " "),
    ],
)
def test_a_pattern_is_written_for_any_engine(pattern: str, written: str) -> None:
    assert portable(pattern) == written


@pytest.mark.parametrize(
    "pattern",
    [
        "^a",
        "a$",
        r"\bword",
        r"(a)\1",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?i)a",
        "(?P<x>a)",
        "a*?",
        "a*+",
        "a**",
        "a{2}{3}",
        "*a",
        "a{",
        "a{,3}",
        "a{3,2}",
        "a{101}",
        "(a{50}){50}",
        "((((((((((((a))))))))))))",
        "a)",
        "(a",
        "[a",
        "[]",
        "[z-a]",
        r"[a-\w]",
        "a\\",
        r"\s",
        r"\pL",
        r"\Aa",
        r"\x41",
        r"\Q.",
        r"\é",
        "}",
        "]",
        "a" * 201,
    ],
)
def test_what_engines_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(FieldError):
        portable(pattern)


def test_a_pattern_may_stand_for_two_thousand_characters_and_no_more() -> None:
    largest = "a{100}" * 20
    assert portable(largest)
    with pytest.raises(FieldError, match="repetitions multiply"):
        portable(f"{largest}a")


def test_what_passes_means_the_same_in_duckdb_and_in_python() -> None:
    random = Random("patterns")
    alphabet = [
        "a",
        "b",
        "-",
        ".",
        r"\.",
        r"\d",
        r"\w",
        "[a-c]",
        "[^a]",
        "(a|b)",
        "(?:ab)",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{1,2}",
        "é",
    ]
    texts = ["", "a", "ab", "abab", "a.b", "1", "_", "-", "é", "a\nb", "\n", "ba1", "cc", "aab"]
    tried = 0
    with duckdb.connect() as connection:
        while tried < 200:
            pattern = "".join(random.choice(alphabet) for _ in range(random.randrange(1, 7)))
            try:
                written = portable(pattern)
            except FieldError:
                continue
            tried += 1
            found = connection.execute("SELECT regexp_full_match(unnest(?), ?)", [texts, written]).fetchall()
            wanted = [(re.fullmatch(pattern, text, re.ASCII) is not None,) for text in texts]
            assert found == wanted, pattern


def test_no_text_makes_a_pattern_slow() -> None:
    with duckdb.connect() as connection:
        written = portable("(a+)+b")
        assert connection.execute("SELECT regexp_full_match(repeat('a', 100000), ?)", [written]).fetchall() == [(False,)]
