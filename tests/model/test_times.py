"""Times and durations, against the standard library where that reaches, and past it where Azure does."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.model.values import times

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_agrees_with_the_standard_library_for_every_year_that_it_knows(moment: datetime.datetime) -> None:
    moment = moment.replace(microsecond=0)
    seconds = int((moment - EPOCH).total_seconds())
    assert times.iso_time(seconds) == moment.isoformat().replace("+00:00", "Z")
    assert times.parse_time(times.iso_time(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "+10000-01-01T00:00:00Z"),
        (-62_167_219_201, "-0001-12-31T23:59:59Z"),
    ],
)
def test_years_beyond_9999_and_before_0_are_shown_and_not_refused(seconds: int, text: str) -> None:
    assert times.iso_time(seconds) == text
    assert times.iso_date(seconds) == text.partition("T")[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2022-05-07T06:52:40.8313021Z", 1_651_906_360),
        ("2022-05-07T06:52:40z", 1_651_906_360),
        ("2022-05-07 06:52:40Z", 1_651_906_360),
        ("2022-05-07T08:52:40+02:00", 1_651_906_360),
        ("2022-05-07T01:22:40-05:30", 1_651_906_360),
        ("2000-02-29T00:00:00Z", 951_782_400),
    ],
)
def test_reads_every_shape_that_azure_writes(text: str, seconds: int) -> None:
    assert times.parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2022-05-07",
        "2022-05-07T06:52:40",
        "2022-13-07T06:52:40Z",
        "2022-02-29T06:52:40Z",
        "1900-02-29T00:00:00Z",
        "2022-05-07T24:00:00Z",
        "2022-05-07T06:60:00Z",
        "1700000000",
        "\uff12022-05-07T06:52:40Z",
        "2022-05-07T06:52:40Z\n",
    ],
)
def test_refuses_a_time_that_is_none_or_names_no_offset(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an ISO 8601 time|no such"):
        times.parse_time(text)


def test_a_date_is_the_start_of_its_day_in_utc() -> None:
    assert times.parse_date("2026-11-24") == times.parse_time("2026-11-24T00:00:00Z")
    for text in ("2026-11-31", "24.11.2026", "2026-11-24T00:00:00Z"):
        with pytest.raises(ValueError, match=r"2026|no such day"):
            times.parse_date(text)


@pytest.mark.parametrize(
    ("text", "days"), [("P90D", 90), ("P2Y", 730), ("P24M", 730), ("P18M", 547), ("P1M", 30), ("P2W", 14), ("p7d", 7)]
)
def test_twelve_months_are_a_year_of_365_days(text: str, days: int) -> None:
    assert times.parse_duration(text) == days * times.DAY


def test_reads_hours_and_refuses_what_is_no_duration() -> None:
    assert times.parse_duration("PT1H30M5S") == 5_405
    for text in ("", "P", "PT", "90", "P-1D", "P1.5D", "P99999999999999999Y"):
        with pytest.raises(ValueError, match="duration"):
            times.parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (730 * 86_400, "730 days"),
        (86_400, "1 day"),
        (3_600, "1 hour"),
        (120, "2 minutes"),
        (0, "0 seconds"),
        (-90_000, "-1 day"),
    ],
)
def test_durations_are_shown_in_the_largest_unit_that_fills(seconds: int, text: str) -> None:
    assert times.duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (730 * 86_400, "730 days"),
        (730 * 86_400 + 1, "more than 730 days"),
        (731 * 86_400 - 1, "more than 730 days"),
        (731 * 86_400, "731 days"),
        (3_601, "1 hour"),
    ],
)
def test_a_duration_that_only_rounding_makes_equal_to_the_limit_is_more_than_that(seconds: int, text: str) -> None:
    assert times.duration_text(seconds, ("730 days",)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5_400, "90 minutes"),
        (7_200, "2 hours"),
        (129_600, "36 hours"),
        (172_800, "2 days"),
        (5_401, "5,401 seconds"),
        (0, "0 seconds"),
    ],
)
def test_a_duration_that_was_set_is_shown_exactly(seconds: int, text: str) -> None:
    assert times.set_duration_text(seconds) == text
