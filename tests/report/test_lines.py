"""Words are laid out on lines without losing one of them, at any width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.report.lines import columns, listed, plural, wrap
from keyaudit.report.tabular.grid import grid
from tests.report import sinks

WORDS = st.lists(st.text(st.sampled_from("abc-/:部é\u0301"), min_size=1, max_size=30), max_size=12)


@given(WORDS, st.integers(1, 100), st.integers(0, 50), st.integers(0, 50))
def test_wrapping_loses_nothing_and_ends(words: list[str], width: int, first: int, rest: int) -> None:
    lines = wrap(" ".join(words), width, " " * first, " " * rest)
    assert "".join(lines).replace(" ", "") == "".join(words)


@given(WORDS, st.integers(4, 100))
def test_wrapped_lines_fit(words: list[str], width: int) -> None:
    assert all(sinks.columns(line) <= width for line in wrap(" ".join(words), width, "  ", "  "))


def test_ids_are_not_broken_at_their_hyphens() -> None:
    assert wrap("see kv-key-rotation-overdue", 24) == ["see", "kv-key-rotation-overdue"]


def test_a_word_longer_than_a_line_is_broken_between_its_parts() -> None:
    path = "/subscriptions/717f02af-585a-4747-a615-2ec1671b965c/resourcegroups/rg-platform-trust"
    assert wrap(f"on {path}", 60, "", "  ") == [
        "on",
        "  /subscriptions/717f02af-585a-4747-a615-2ec1671b965c/",
        "  resourcegroups/rg-platform-trust",
    ]
    assert wrap("x" * 30, 20) == ["x" * 20, "x" * 10]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_columns_are_those_of_a_terminal(text: str) -> None:
    assert columns(text) == sinks.columns(text)


@pytest.mark.parametrize(("text", "width"), [("a\u1baab", 2), ("e\u0301", 1), ("\u90e8", 2), ("\u302e", 0)])
def test_marks_that_combine_take_no_column(text: str, width: int) -> None:
    assert columns(text) == width


def test_counts_and_lists_read_as_english() -> None:
    assert (plural(1, "policy", "policies"), plural(1204, "finding")) == ("1 policy", "1,204 findings")
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_a_column_with_ids_leaves_the_room_to_others_last() -> None:
    id_ = "7f3a91c2-1111-4222-8333-0123456789ab"
    words = "words that can be wrapped over as many lines as they need"
    rows = [[id_, words, words]]
    assert any(line.startswith(id_) for line in grid(["Id", "A", "B"], rows, 80))
    # Where there is no room for it, it gives way too, and nothing is lost.
    narrow = list(grid(["Id", "A", "B"], rows, 40))
    assert max(map(columns, narrow)) <= 40
