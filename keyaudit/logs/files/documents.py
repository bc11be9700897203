"""Streams JSON records from arrays of any length, as text, with only one record in memory.

A record is an object at the top level, in a top-level list, or in the list of Graph (`value`), Azure Monitor (`records`) or Log
Analytics (`tables`, by rows and columns).
"""

import itertools
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import msgspec

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.logs.files.window import Window
from keyaudit.logs.formats.values import BadRecordError

_SPACE = re.compile(rb"[ \t\r\n\x1e]*+")
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]"]', re.DOTALL)
_SCALAR = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,:{}\[\]"]++', re.DOTALL)
# The boundary between two objects in a list.
_BETWEEN = {b"{": re.compile(rb"\}\s*+,\s*+\{"), b"[": re.compile(rb"\]\s*+,\s*+\[")}
_CLOSING = {b"{": b"}", b"[": b"]"}
_TRIES = 64
# The beginning of an object that is not a record itself.
_OUTER = re.compile(
    rb'\{\s*+"(?:value|records|events|Records|Events|tables|Count|statistics|nextLink|@?odata\.(?:context|nextLink|count|metadata|deltaLink))"'
)
_LISTS = ("value", "records", "events", "Records", "Events")
# A page names the next one so. https://learn.microsoft.com/graph/paging, https://learn.microsoft.com/rest/api/monitor/activity-logs/list
_NEXT = ("@odata.nextLink", "odata.nextLink", "nextLink")

RawRecord = bytes | dict[str, Any] | BadRecordError
"""A record's text, its values by column, or why it cannot be read."""


class CutError(ValueError):
    """The text is truncated or not JSON after `records` records."""


def is_outer(text: bytes) -> bool:
    """Whether an object begins like a container of records."""
    return _OUTER.match(text) is not None


def records(window: Window) -> Iterator[tuple[int, RawRecord]]:
    """Every record with its number from 1. Raises CutError or TooLargeError where the text cannot be read further."""
    return enumerate(_records(window), 1)


def _records(window: Window) -> Iterator[RawRecord]:
    continues = False
    while first := _next(window):
        if first == b"[":
            continues = False
            yield from _listed(window)
        elif first == b"{":
            continues = yield from _object(window)
        else:
            raise CutError("not JSON")
    if continues:
        raise CutError("its last page refers to a next page that is not in this file (put all pages of a list into one file)")


def _object(window: Window) -> Generator[RawRecord, None, bool]:
    """The records in an object, or the object. Returns whether it is a page that names a next one."""
    if is_outer(window.peek(512)):
        return (yield from _contained(window))
    yield _value(window)
    return False


def _contained(window: Window) -> Generator[RawRecord, None, bool]:
    """The records in the lists of an object that begins here. Returns whether it names a next page."""
    seen = partial = continues = False
    for name in _members(window):
        opens = _next(window)
        partial = partial or name == "error"
        if name in _LISTS and opens == b"[":
            seen = True
            yield from _listed(window)
        elif name == "tables" and opens == b"[":
            for _ in _items(window):
                seen = True
                yield from _rows(window)
        else:
            text = _value(window)
            continues = continues or (name in _NEXT and text not in (b"null", b'""'))
    if partial:
        raise CutError("the service says that its response is incomplete")
    if not seen:
        yield BadRecordError("an object without its list of records")
    return continues


def _rows(window: Window) -> Iterator[RawRecord]:
    """The rows of a table of Log Analytics."""
    columns: list[str] = []
    seen = False
    for name in _members(window):
        if name == "columns":
            columns = _columns(_value(window))
        elif name == "rows" and _next(window) == b"[":
            seen = True
            for row in _listed(window):
                yield by_column(columns, row)
        else:
            _value(window)
    if not seen:
        yield BadRecordError("a table without a list of rows")


def _columns(text: bytes) -> list[str]:
    try:
        return [each["name"] for each in msgspec.json.decode(text, type=list[dict[str, str]])]
    except (*BROKEN, KeyError) as error:
        raise CutError("a table with unreadable columns") from error


def by_column(columns: Sequence[str], row: RawRecord) -> RawRecord:
    """A row's values under the names of their columns."""
    if not isinstance(row, bytes):
        return row
    try:
        values = msgspec.json.decode(row)
    except BROKEN as error:
        return BadRecordError(f"not JSON: {error}")
    if not isinstance(values, list) or len(values) != len(columns):
        return BadRecordError(f"a row that has not the {len(columns)} columns of its table")
    return dict(zip(columns, values, strict=True))


def _members(window: Window) -> Iterator[str]:
    """The names in an object; the caller must read each value before the next name."""
    window.at += 1
    while (first := _next(window)) != b"}":
        if first == b",":
            window.at += 1
            continue
        name = _value(window)
        if first != b'"' or _next(window) != b":":
            raise CutError("cut off or damaged")
        window.at += 1
        try:
            yield msgspec.json.decode(name, type=str)
        except BROKEN as error:
            raise CutError("cut off or damaged") from error
    window.at += 1


def _items(window: Window) -> Iterator[bytes]:
    """The first characters of the items of a list; the caller must read each item before the next."""
    window.at += 1
    while (first := _next(window)) != b"]":
        if first == b",":
            window.at += 1
            continue
        if first not in (b"{", b"["):
            raise CutError("cut off or damaged")
        yield first
    window.at += 1


def _listed(window: Window) -> Iterator[RawRecord]:
    """The values in a list."""
    window.at += 1
    while (first := _next(window)) != b"]":
        if first == b",":
            window.at += 1
        elif first in _BETWEEN:
            yield _quick(window, first) or _value(window)
        else:
            text = _value(window)
            yield BadRecordError("neither an object nor a row") if text else b""
    window.at += 1


def _quick(window: Window, opens: bytes) -> bytes | None:
    """The value at this position, if its end can be found quickly: a similar one follows, and the brackets are balanced.

    The text is valid JSON, and JSON that begins at a value has only one end, so it is the value. Leaves the window at the next
    value.
    """
    data, start, at, closes = window.data, window.at, window.at, _CLOSING[opens]
    depth = 0
    for match in itertools.islice(_BETWEEN[opens].finditer(data, start), _TRIES):
        end = match.start() + 1
        depth += data.count(opens, at, end) - data.count(closes, at, end)
        at = end
        if depth == 0:
            text = data[start:end]
            try:
                msgspec.json.decode(text, type=msgspec.Raw)
            except BROKEN:
                return None
            window.at = match.end() - 1
            return text
    return None


def _value(window: Window) -> bytes:
    """The text of the value at this position; the caller decodes records."""
    first = _next(window)
    if first not in _BETWEEN:
        return _scalar(window)
    depth = offset = 0
    while True:
        match = _TOKEN.search(window.data, window.at + offset)
        if match is None or match[0] == b'"':
            # An incomplete string is scanned again with the following text.
            offset = (match.start() if match else len(window.data)) - window.at
            if not window.more():
                raise CutError("cut off")
            continue
        offset = match.end() - window.at
        if match[0] in (b"{", b"["):
            depth += 1
        elif match[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                text = window.data[window.at : window.at + offset]
                window.at += offset
                return text


def _scalar(window: Window) -> bytes:
    while True:
        match = _SCALAR.match(window.data, window.at)
        if match and match.end() < len(window.data):
            window.at = match.end()
            return match[0]
        unfinished = match or window.data[window.at : window.at + 1] == b'"'
        if not unfinished or not window.more():
            raise CutError("cut off or damaged")


def _next(window: Window) -> bytes:
    """The next non-whitespace character, without consuming it; empty at the end."""
    while True:
        match = _SPACE.match(window.data, window.at)
        window.at = match.end() if match else window.at
        if window.at < len(window.data):
            return window.data[window.at : window.at + 1]
        if not window.more():
            return b""
