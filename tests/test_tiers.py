"""The half of the exhaustive tier that a commit chooses."""

from tests.conftest import LONG, chosen


def test_every_file_is_in_the_half_of_about_every_second_commit() -> None:
    for name in LONG:
        times = sum(chosen(name, f"{number:040x}") for number in range(100))
        assert 30 < times < 70, name


def test_the_long_files_are_shared_out_evenly() -> None:
    counts = [sum(chosen(name, f"{number:040x}") for name in LONG) for number in range(100)]
    assert 0.4 < sum(counts) / (100 * len(LONG)) < 0.6
