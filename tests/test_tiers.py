"""The fifth of the exhaustive tier that a commit chooses."""

from collections import Counter

from tests.conftest import LONG, TESTS, chosen, fifth

COMMITS = [f"{number:040x}" for number in range(100)]


def test_every_file_is_in_the_fifth_of_about_every_fifth_commit() -> None:
    for name in (*LONG, "cli/test_explain.py", "test_words.py"):
        times = sum(chosen(name, commit) for commit in COMMITS)
        assert 10 < times < 35, name


def test_the_long_files_are_shared_out_evenly() -> None:
    shares = Counter(map(fifth, LONG))
    assert len(shares) == 5
    assert set(shares.values()) <= {len(LONG) // 5, len(LONG) // 5 + 1}
    assert [name for name in LONG if not (TESTS / name).exists()] == []
