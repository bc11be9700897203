"""Resource Graph: recognises known queries by their words; it is not a query engine."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from keyaudit.simulator.faults import Fault
from keyaudit.simulator.resource_manager.resource_rows import OPERATIONS, ROWS, shown_above
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Answer, Request, compact

_SEVERAL = "resource_graph.query"
_MOST = 1000
_DEFAULT = 100

_PROJECTED = re.compile(
    r"(?:(?P<name>\w+)\s*=\s*)?(?:iff\((?P<marks>\w+(?: or \w+)*), )?"
    r"(?:(?P<call>tostring|tolower|tobool)\()?(?P<path>[\w.]+)\)?(?:, (?P<nothing>''|dynamic\(null\))\))?"
)
_PART = re.compile(r"(?:[^,(]|\((?:[^()]|\([^()]*\))*\))+")
"""A column: it ends at a comma outside brackets."""
_TYPED = r"type\s*(?:=~|==)\s*'[^']+'|type\s+in~?\s*\(\s*'[^']+'(?:\s*,\s*'[^']+')*\s*\)"
_CONDITION = re.compile(rf"(?:{_TYPED})(?:\s+or\s+(?:{_TYPED}))*")
_MARK = re.compile(rf"(\w+) = ({_TYPED})")
_EQUAL = re.compile(r"(?!type\b)(\w+)\s*=~\s*'([^']+)'")
_GIVEN = rf"isnotnull\(\w+\)|{_EQUAL.pattern}"
_ANY = re.compile(rf"(?:{_GIVEN})(?: or (?:{_GIVEN}))*(?: or (?:{_TYPED}))?")
_QUOTED = re.compile(r"'([^']+)'")


class _QueryError(Exception):
    """A query that is not simulated, or that the service refuses."""

    def __init__(self, message: str, code: str = "InvalidQuery") -> None:
        super().__init__(message)
        self.code = code


def answer(directory: Directory, request: Request, headers: Mapping[str, str]) -> Answer:
    """One page of a query's rows."""
    try:
        body = json.loads(request.body)
        return Answer(200, compact(_page(directory, body)), headers, compressible=True)
    except (ValueError, KeyError, AttributeError, TypeError):
        return _error(headers, request, "InvalidRequest", "The request body is not a query.")
    except _QueryError as error:
        return _error(headers, request, error.code, str(error))


def operation(body: bytes) -> str:
    """The operation of the query in a request's body: that of the first type in it, if it does not tell several apart."""
    text = body.decode(errors="replace").lower()
    found = None if " | extend " in text else _QUOTED.search(text)
    return OPERATIONS.get(found[1], _SEVERAL) if found else _SEVERAL


def by_itself(faults: Sequence[Fault]) -> Sequence[Fault]:
    """The faults, and a refusal of queries for several operations if one of theirs has a fault: so each is asked by itself."""
    one = any(fault.operation in OPERATIONS.values() for fault in faults)
    return (*faults, Fault(_SEVERAL, "every", status=400, body={"error": {"code": "BadRequest"}})) if one else faults


def throttled(request: Request, headers: Mapping[str, str]) -> Answer:
    """Resource Graph's 429."""
    message = (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time has "
        "elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    )
    return _error(headers, request, "RateLimiting", message, status=429, top="RateLimiting")


def quota(remaining: int, resets_after: int) -> list[str]:
    """The quota headers."""
    minutes, seconds = divmod(max(0, resets_after), 60)
    return [f"x-ms-user-quota-remaining: {remaining}", f"x-ms-user-quota-resets-after: 00:{minutes:02}:{seconds:02}"]


def _page(directory: Directory, body: dict[str, Any]) -> dict[str, object]:
    query, options = str(body["query"]), body.get("options") or {}
    above = options.get("authorizationScopeFilter", "AtScopeAndBelow") == "AtScopeAboveAndBelow"
    rows, limited = _rows(directory, query, _chosen(directory, body.get("subscriptions")), above=above)
    size = options.get("$top", _DEFAULT)
    if not isinstance(size, int) or not 1 <= size <= _MOST:
        raise _QueryError(f"The $top value {size} is not between 1 and {_MOST}.")
    start = _start(options.get("$skipToken"), options.get("$skip", 0))
    shown = rows[start : start + size]
    more = start + size < len(rows)
    page = {
        "totalRecords": len(rows),
        "count": len(shown),
        "data": shown,
        "facets": [],
        "resultTruncated": "true" if more else "false",
    }
    # With limit, take or sample the service returns no token, so the remaining rows cannot be read.
    if more and not limited:
        page["$skipToken"] = base64.b64encode(compact({"skip": start + size, "query": len(query)})).decode()
    return page


def _start(token: object, skip: object) -> int:
    if token is None:
        return skip if isinstance(skip, int) and skip >= 0 else 0
    try:
        return int(json.loads(base64.b64decode(str(token), validate=True))["skip"])
    except (ValueError, binascii.Error, KeyError, TypeError) as error:
        raise _QueryError("The $skipToken is not valid.") from error


def _chosen(directory: Directory, asked: list[str] | None) -> set[str]:
    """Subscriptions of the query. Those that the caller cannot read are silently omitted, as in the service."""
    if not asked:
        return set(directory.subscriptions)
    chosen = {str(one).lower() for one in asked} & set(directory.subscriptions)
    if not chosen:
        raise _QueryError("There are no valid subscriptions in the request.", "NoValidSubscriptionsInQueryRequest")
    return chosen


def _rows(directory: Directory, query: str, subscriptions: set[str], *, above: bool) -> tuple[list[dict[str, object]], bool]:
    """All rows of the query, and whether it has a limit. `above`: include rows of scopes above the subscriptions."""
    table, *steps = [step.strip() for step in query.split("|")]
    sources = ROWS.get(table.lower())
    if sources is None:
        raise _QueryError(f"The table '{table}' is not simulated.")
    rows = [
        row
        for source in sources
        for row in source(directory)
        if row["subscriptionId"] in subscriptions
        or (above and not row["subscriptionId"] and shown_above(directory, row, subscriptions))
    ]
    limited = False
    for step in steps:
        word, _, rest = step.partition(" ")
        match word.lower():
            case "where":
                rows = _where(rest, rows)
            case "extend":
                rows = [{**row, **_marked(rest, row)} for row in rows]
            case "project":
                columns = _columns(rest)
                rows = [_projected(columns, row) for row in rows]
            case "order" | "sort":
                rows = _ordered(rest, rows)
            case "limit" | "take":
                rows, limited = rows[: int(rest)], True
            case _:
                raise _QueryError(f"The operator '{word}' is not simulated.")
    return rows, limited


def _where(condition: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return _having(condition, rows) if _ANY.fullmatch(condition) else _of_types(condition, rows)


def _having(condition: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows in which one of the columns is not null or has the text, and those of the types named."""
    columns, texts = re.findall(r"isnotnull\((\w+)\)", condition), _EQUAL.findall(condition)
    typed = re.search(_TYPED, condition)
    types = _types(typed[0]) if typed else set()
    return [
        row
        for row in rows
        if row.get("type") in types
        or any(row[each] is not None for each in columns)
        or any(str(row[column]).lower() == text.lower() for column, text in texts)
    ]


def _of_types(condition: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    wanted = _types(condition)
    return [row for row in rows if row["type"] in wanted]


def _types(condition: str) -> set[str]:
    """The types that a condition asks for. == and in are case-sensitive, and the tables have types in lower case."""
    text = condition.strip().replace('"', "'")
    if _CONDITION.fullmatch(text) is None:
        raise _QueryError(f"The condition '{condition}' is not simulated.")
    return set(_QUOTED.findall(text.lower() if "~" in text else text))


def _ordered(text: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    match text.lower().split():
        case ["by", column, "asc"] | ["by", column]:
            return sorted(rows, key=lambda row: str(row.get(column, "")).lower())
    raise _QueryError(f"The order '{text}' is not simulated.")


def _marked(text: str, row: dict[str, object]) -> dict[str, object]:
    """Whether the row is of the types of each mark."""
    marks = [_MARK.fullmatch(part.strip()) for part in _PART.findall(text)]
    if None in marks:
        raise _QueryError(f"The marks '{text}' are not simulated.")
    return {mark[1]: row["type"] in _types(mark[2]) for mark in marks if mark}


class _Column(Struct):
    """A column that is projected."""

    name: str
    path: list[str]
    call: str | None
    marks: list[str]
    """Other rows than those with one of these have nothing in it."""
    nothing: object


def _columns(text: str) -> list[_Column]:
    found = []
    for part in (piece.strip() for piece in _PART.findall(text)):
        parsed = _PROJECTED.fullmatch(part)
        if parsed is None or bool(parsed["marks"]) != bool(parsed["nothing"]):
            raise _QueryError(f"The column '{part}' is not simulated.")
        name, marks = parsed["name"] or parsed["path"].replace(".", "_"), (parsed["marks"] or "").split(" or ")
        nothing = "" if parsed["nothing"] == "''" else None
        found.append(_Column(name, parsed["path"].split("."), parsed["call"], marks if parsed["marks"] else [], nothing))
    return found


def _projected(columns: list[_Column], row: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for column in columns:
        if column.marks and not any(row[mark] for mark in column.marks):
            found[column.name] = column.nothing
            continue
        value: Any = row
        for step in column.path:
            value = value.get(step) if isinstance(value, dict) else None
        found[column.name] = _called(column.call, value)
    return found


def _called(function: str | None, value: object) -> object:
    if function in (None, "tobool"):
        return value
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text.lower() if function == "tolower" else text


def _error(
    headers: Mapping[str, str], request: Request, code: str, message: str, *, status: int = 400, top: str = "BadRequest"
) -> Answer:
    stamp = datetime.fromtimestamp(request.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    outer = f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {request.id}."
    body = {"error": {"code": top, "message": outer, "details": [{"code": code, "message": message}]}}
    return Answer(status, compact(body), headers)
