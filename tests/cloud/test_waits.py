"""How long Azure asks to wait, in every form in which it has been seen, and in forms that are nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.cloud.limits.skew import Skew
from keyaudit.cloud.limits.waits import LEAST, MOST, asked, clamped, date_of, quota_wait
from tests.cloud.clock import FakeClock

NOW = 1_795_521_600  # Tue, 24 Nov 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "5"}, 5),
        ({"retry-after": " 5 "}, 5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86400"}, 86_400),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "abc"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "5, 7"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "9" * 5_000}, None),
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"x-ms-retry-after-ms": "100"}, 0.1),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
    ],
)
def test_the_wait_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_every_wait_is_clamped_whatever_was_sent(text: str) -> None:
    seconds = asked({"retry-after": text}, NOW)
    assert seconds is None or LEAST <= clamped(seconds) <= MOST


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:00:05"}, None),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}, 5),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:02:00.5"}, 120),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "24:00:00"}, MOST),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "later"}, LEAST),
        ({"x-ms-user-quota-remaining": "0"}, LEAST),
    ],
)
def test_a_spent_quota_is_waited_for(headers: dict[str, str], seconds: float | None) -> None:
    assert quota_wait(headers) == seconds


def test_dates_are_utc_and_nonsense_is_none() -> None:
    assert date_of("Tue, 24 Nov 2026 12:00:00 GMT") == NOW
    assert date_of("Tue, 24 Nov 2026 12:00:00 -0000") == NOW
    assert date_of("yesterday") is None
    assert date_of("Tue, 99 Nov 2026 12:00:00 GMT") is None


def test_the_median_of_clock_differences_is_not_moved_by_one_absurd_service() -> None:
    clock = FakeClock()
    clock.start = NOW + 10
    skew = Skew(clock)
    assert skew.median() is None
    for host in ("a", "b", "c"):
        skew.add(host, "Tue, 24 Nov 2026 12:00:00 GMT")
    skew.add("a", "Tue, 24 Nov 2026 12:00:00 GMT")
    skew.add("d", "Thu, 01 Jan 1970 00:00:00 GMT")
    skew.add("e", "nonsense")
    skew.add("f", None)
    assert skew.median() == 10


def test_one_busy_service_with_a_wrong_clock_does_not_outvote_the_others() -> None:
    clock = FakeClock()
    clock.start = NOW
    skew = Skew(clock)
    for second in range(50):
        skew.add("busy", f"Tue, 24 Nov 2026 11:00:{second:02d} GMT")
    for host in ("a", "b"):
        skew.add(host, "Tue, 24 Nov 2026 12:00:00 GMT")
    assert skew.median() == 0
