"""Normalises values of log records: times, operation names, addresses, ids."""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

import msgspec

from keyaudit.model.values.guid import GUID
from keyaudit.model.values.times import parse_date

LONGEST = 4096
Text = Annotated[str, msgspec.Meta(max_length=LONGEST)] | None
"""A text for a row. A longer one is implausible and invalidates its record."""

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?", re.ASCII | re.IGNORECASE
)
# The format of the portal's column `TimeGenerated [UTC]`, and of US spreadsheets. AM and PM only in capitals: formats with the
# day first use small letters; without either, only a day above 12 shows the order.
_PORTAL = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d))?(?:\.(\d{1,9}))?(?: ([AP])M)?", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\.\d{1,9})?|\d{13}(?:\.0+)?", re.ASCII)
_FIRST, _LAST = parse_date("2000-01-01"), parse_date("2101-01-01")

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")
_PORT = re.compile(r"\[([0-9A-Fa-f:.%]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}", re.ASCII)
_NOBODY = "00000000-0000-0000-0000-000000000000"


class BadRecordError(ValueError):
    """An invalid record; its text says why."""


class OtherKindError(BadRecordError):
    """A record of another kind than its reader's."""


class UnknownKindError(BadRecordError):
    """A record whose log cannot be recognised."""


def moment(value: str | int | float | None) -> tuple[int, int]:
    """Seconds since 1970 UTC, and milliseconds. Raises BadRecordError for an invalid time.

    A time without an offset is UTC, according to the services' schemas.
    """
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if match:
        date, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
        seconds = _clock(date, hour, minute, second)
        if sign:
            shift = int(hours) * 3600 + int(minutes) * 60
            seconds += -shift if sign == "+" else shift
        above = _milliseconds(fraction)
    elif value is None:
        raise BadRecordError("no time")
    else:
        seconds, above = _other(value.strip() if isinstance(value, str) else f"{value:.3f}")
    if not _FIRST <= seconds < _LAST:
        raise BadRecordError("a time outside of the years 2000 to 2100")
    return seconds, above


def _other(text: str) -> tuple[int, int]:
    portal = _PORTAL.fullmatch(text)
    if portal:
        month, day, year, hour, minute, second, fraction, half = portal.groups()
        if half is None and int(day) <= 12 and day.lstrip("0") != month.lstrip("0"):
            raise BadRecordError("an ambiguous date, day or month first: export it as in 2026-11-30T20:15:30Z")
        if half is not None and not 1 <= int(hour) <= 12:
            raise BadRecordError("no such time of day")
        clock = int(hour) if half is None else int(hour) % 12 + (12 if half == "P" else 0)
        return _clock(f"{year}-{month:0>2}-{day:0>2}", str(clock), minute, second or "00"), _milliseconds(fraction)
    if _EPOCH.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return int(whole[:10]), _milliseconds(whole[10:] or fraction)
    raise BadRecordError("a time in an unknown format")


def _clock(date: str, hour: str, minute: str, second: str) -> int:
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 60:
        raise BadRecordError("no such time of day")
    return _day(date) + hours * 3600 + minutes * 60 + seconds


@lru_cache(maxsize=4096)
def _day(date: str) -> int:
    """Midnight of a day; cached, because a day has many records."""
    try:
        return parse_date(date)
    except ValueError as error:
        raise BadRecordError("no such day") from error


def _milliseconds(fraction: str | None) -> int:
    return int(f"{fraction[:3]:0<3}") if fraction else 0


@lru_cache(maxsize=4096)
def operation_name(text: str) -> str:
    """A normalised operation name: logs write the same name with different dashes, spaces or a final full stop."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split()).rstrip(" .").casefold()


def address(text: str | None) -> str | None:
    """An address without brackets and port, which some logs add."""
    if not text:
        return None
    if ":" not in text:
        return text
    return _address(text)


@lru_cache(maxsize=8_192)
def _address(text: str) -> str:
    match = _PORT.fullmatch(text)
    return ((match[1] or match[2]) if match else text).lower()


def lower(text: str | None) -> str | None:
    """An id in lower case; None for placeholders."""
    if not text:
        return None
    lowered = text.lower()
    return lowered if lowered != _NOBODY else None


@lru_cache(maxsize=1_024)
def guid(text: str | None) -> str | None:
    """The id in lower case if it is a GUID, otherwise None."""
    lowered = lower(text)
    return lowered if lowered and GUID.fullmatch(lowered) else None
