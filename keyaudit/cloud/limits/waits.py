"""The wait that Azure asks for: Retry-After in all its forms, and the quota headers of Resource Graph."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LEAST, MOST = 1.0, 300.0
"""The minimum and maximum wait in seconds."""

_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?")
_CLOCK_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)(\.\d+)?")


def asked(headers: Mapping[str, str], now: int) -> float | None:
    """Seconds that the answer asks to wait, not yet clamped; None if there is no readable wait."""
    for name in _MILLISECONDS:
        if (value := _number(headers.get(name))) is not None:
            return value / 1000
    text = headers.get("retry-after")
    if (value := _number(text)) is not None or text is None:
        return value
    date = date_of(text)
    return None if date is None or date <= now else float(date - now)


def clamped(seconds: float) -> float:
    """The wait within its minimum and maximum."""
    return min(max(seconds, LEAST), MOST)


def quota_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds until Resource Graph's quota resets, if the answer says that it is used up."""
    if _number(headers.get("x-ms-user-quota-remaining")) != 0:
        return None
    match = _CLOCK_TIME.fullmatch(headers.get("x-ms-user-quota-resets-after", "").strip())
    if match is None:
        return LEAST
    return clamped(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]))


def date_of(text: str) -> int | None:
    """Seconds since 1970 of an HTTP date, or None if it is invalid."""
    try:
        date = parsedate_to_datetime(text.strip())
        # "-0000" means UTC without a zone; read as the local zone it would be off by hours.
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, TypeError):
        return None


def _number(text: str | None) -> float | None:
    # Two headers folded into one are ignored.
    return float(text.strip()) if text is not None and _NUMBER.fullmatch(text.strip()) else None
