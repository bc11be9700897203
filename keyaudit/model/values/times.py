"""Times are whole seconds since 1970-01-01 UTC, durations whole seconds. No datetime: sums of year 9999 are beyond it."""

import re
from collections.abc import Collection
from functools import lru_cache

DAY, HOUR = 86_400, 3_600
MAX_TIME = 2**60
"""Integers and durations beyond this in either direction are `bad_value`; the sum of seven still fits into 64 bits."""
FIRST_TIME, LAST_TIME = -62_135_596_800, 253_402_300_799
"""The first second of year 1 and the last of year 9999: other times, such as milliseconds, are `bad_value`,
but a later end of something is stored as the last second.
No service that is written in .NET can hold one: https://learn.microsoft.com/dotnet/api/system.datetimeoffset.maxvalue
"""

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII | re.IGNORECASE
)
_UNITS = (("day", DAY), ("hour", HOUR), ("minute", 60), ("second", 1))
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def iso_time(seconds: int) -> str:
    """ISO 8601 in UTC with `Z`; years after 9999 get the `+` that ISO 8601 requires."""
    days, rest = divmod(seconds, DAY)
    hours, minutes = divmod(rest // 60, 60)
    return f"{_day(days)}T{hours:02d}:{minutes:02d}:{rest % 60:02d}Z"


def iso_date(seconds: int) -> str:
    """The UTC day of `seconds`, as in 2026-11-24."""
    return _day(seconds // DAY)


def parse_time(text: str) -> int:
    """Seconds of an ISO 8601 time with an offset; fractions are dropped. Raises ValueError for anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 time with an offset: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time of day: {text!r}")
    offset = match[7]
    shift = 0
    if offset not in "Zz":
        shift = int(offset[1:3]) * 3600 + int(offset[4:6]) * 60
        shift = -shift if offset[0] == "-" else shift
    return _days(year, month, day, text) * DAY + hour * 3600 + minute * 60 + second - shift


def parse_date(text: str) -> int:
    """Seconds of the start of a day, as in 2026-11-24, in UTC. Raises ValueError for anything else."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date like 2026-11-24: {text!r}")
    year, month, day = (int(part) for part in match.groups())
    return _days(year, month, day, text) * DAY


def parse_duration(text: str) -> int:
    """Seconds of an ISO 8601 duration. A year is 365 days, and twelve months are a year: `P24M` equals `P730D`.

    Raises ValueError for anything else, and for a duration of no parts.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"not an ISO 8601 duration: {text!r} (try P90D)")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    whole = years * 365 + months * 365 // 12 + weeks * 7 + days
    total = whole * DAY + hours * 3600 + minutes * 60 + seconds
    if total > MAX_TIME:
        raise ValueError(f"too long a duration: {text!r}")
    return total


def whole_days(seconds: int) -> int:
    """The whole days of a duration, rounded towards zero, as every printed duration is: 8 of 8.3 days, -8 of -8.3."""
    return seconds // DAY if seconds >= 0 else -(-seconds // DAY)


def duration_text(seconds: int, limits: Collection[str] = ()) -> str:
    """A measured duration for people, rounded down: "730 days", "1 day", "5 hours".

    `limits` are texts of durations in the same sentence: one that only rounding makes equal to a limit is "more than 730 days".
    """
    unit, size = _UNITS[0] if abs(seconds) >= DAY else next((each for each in _UNITS if abs(seconds) >= each[1]), _UNITS[-1])
    text = _counted(seconds, unit, size)
    return f"more than {text}" if text in limits and seconds % size else text


def set_duration_text(seconds: int) -> str:
    """A duration that somebody set, exactly: "730 days", "36 hours", "90 minutes"."""
    return _counted(seconds, *next(each for each in _UNITS if seconds % each[1] == 0 and (seconds or each is _UNITS[-1])))


def _counted(seconds: int, unit: str, size: int) -> str:
    count = abs(seconds) // size
    return f"{'-' if seconds < 0 else ''}{count:,} {unit}{'' if count == 1 else 's'}"


def _days(year: int, month: int, day: int, text: str) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1] + (leap and month == 2):
        raise ValueError(f"no such day: {text!r}")
    # Days from a proleptic Gregorian date. Years start in March, so that the leap day is the last day.
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@lru_cache(maxsize=10_000)
def _day(days: int) -> str:
    year, month, day = _civil(days)
    sign = "+" if year > 9999 else "-" if year < 0 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


def _civil(days: int) -> tuple[int, int, int]:
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day
