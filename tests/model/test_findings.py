"""The arithmetic of scores: products, ranges, bands, and what overrides them."""

import pytest

from keyaudit.model.findings import FACTORS, Factor, Override, Score, Severity
from keyaudit.model.reasons import Reason

RETIRED = Override(name="retired", because="retired", certain=True, floor=Severity.HIGH)
BLIND = Override(name="blind", because="blind", certain=True, steps=1)
FIRST_PARTY = Override(name="first-party", because="first-party", certain=True, floor=Severity.CRITICAL)


def score(*factors: int | tuple[int, int], overrides: tuple[Override, ...] = ()) -> Score:
    made = []
    for name, factor in zip(FACTORS, factors, strict=True):
        low, high = factor if isinstance(factor, tuple) else (factor, factor)
        unknown = {} if low == high else {"custody": Reason.PERMISSION}
        made.append(Factor(name=name, low=low, high=high, because="so it is", unknown=unknown))
    return Score(factors=tuple(made), overrides=overrides)


@pytest.mark.parametrize(
    ("factors", "arithmetic", "band"),
    [
        # The worked examples of the catalogue, section 8.
        ((5, 4, 4), "5 x 4 x 4 = 80", "critical"),
        ((1, 5, 4), "1 x 5 x 4 = 20", "medium"),
        ((4, 5, 4), "4 x 5 x 4 = 80", "critical"),
        ((4, 5, 2), "4 x 5 x 2 = 40", "high"),
        ((2, 2, 1), "2 x 2 x 1 = 4", "info"),
        ((5, (1, 4), 4), "5 x 1..4 x 4 = 20..80 (custody unknown)", "critical"),
    ],
)
def test_the_arithmetic_is_shown_as_it_is_done(factors: tuple[int, int, int], arithmetic: str, band: str) -> None:
    found = score(*factors)
    assert (found.arithmetic, found.band) == (arithmetic, band)


@pytest.mark.parametrize(
    ("product", "band"),
    [
        ((5, 5, 4), "critical"),
        ((5, 3, 4), "critical"),
        ((5, 5, 2), "high"),
        ((3, 3, 4), "high"),
        ((5, 5, 1), "medium"),
        ((4, 4, 1), "medium"),
        ((5, 3, 1), "low"),
        ((3, 2, 1), "low"),
        ((5, 1, 1), "info"),
        ((1, 1, 1), "info"),
    ],
)
def test_each_band_begins_where_it_is_said_to(product: tuple[int, int, int], band: str) -> None:
    assert score(*product).band == band


@pytest.mark.parametrize(
    ("product", "overrides", "band"),
    [
        ((1, 1, 1), (RETIRED,), "high"),
        ((5, 5, 4), (RETIRED,), "critical"),
        ((1, 1, 1), (BLIND,), "low"),
        ((5, 5, 4), (BLIND,), "critical"),
        ((1, 1, 1), (RETIRED, BLIND), "critical"),
        ((1, 1, 1), (FIRST_PARTY,), "critical"),
    ],
)
def test_an_override_lifts_the_band_and_not_the_product(
    product: tuple[int, int, int], overrides: tuple[Override, ...], band: str
) -> None:
    found = score(*product, overrides=overrides)
    assert found.band == found.least_band == band
    assert found.high == score(*product).high


def test_what_is_unknown_counts_by_its_worst_and_shows_its_best() -> None:
    perhaps = Override(name="blind", because="perhaps", certain=False, steps=1)
    found = score(2, (2, 4), 4, overrides=(perhaps,))
    assert (found.low, found.high, found.range) == (16, 32, "16..32")
    assert (found.least_band, found.band) == ("medium", "high")
