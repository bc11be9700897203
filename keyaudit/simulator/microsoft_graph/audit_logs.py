"""Graph's lists of sign-ins and directory changes, with or without a filter by time."""

import re
from datetime import UTC, datetime

from msgspec.structs import replace

from keyaudit.simulator.estate import Row
from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.resources import Resource
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

PAGE = 1_000
_KEPT = 30 * 86_400
"""Seconds for which Entra keeps the entries."""
_KIND = re.compile(r"signInEventTypes/any\((?P<name>\w):(?P=name) eq '(?P<kind>\w+)'\)")
_BOUND = re.compile(r"(?P<time>\w+) (?P<side>ge|le) (?P<moment>\S+)")


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The list that a path names. Only beta can list sign-ins of another kind than a user's own."""
    match [piece.lower() for piece in path]:
        case ["auditlogs", "signins"]:
            kinds = "interactiveUser" if version == "v1.0" else None
            return _list(directory, "sign_in.list", (version, "auditLogs/signIns"), "createdDateTime", kinds)
        case ["auditlogs", "directoryaudits"]:
            place = (version, "auditLogs/directoryAudits")
            return _list(directory, "directory_audit.list", place, "activityDateTime", "directoryAudits")
    return None


def _list(directory: Directory, operation: str, place: tuple[str, str], time: str, only: str | None) -> Resource:
    """A list by time. `only`: its single kind; None: the kind that the filter names, or interactive sign-ins."""

    def render(request: Request, options: odata.Options) -> dict[str, object]:
        first, last, kind = _iso(request.now - _KEPT), _iso(request.now), only or "interactiveUser"
        for term in filter(None, options.filter.split(" and ")):
            bound, chosen = _BOUND.fullmatch(term), _KIND.fullmatch(term)
            if bound is not None and bound["time"] == time:
                first, last = (bound["moment"], last) if bound["side"] == "ge" else (first, bound["moment"])
            elif chosen is not None and only is None:
                kind = chosen["kind"]
            else:
                raise odata.BadQueryError("BadRequest", "Invalid filter clause")
        top = options.top if "$top" in request.query else PAGE
        try:
            found = between(directory, kind, first, last)
        except ValueError as error:
            raise odata.BadQueryError("BadRequest", "Invalid filter clause") from error
        return odata.page(request, replace(options, top=top), place, found, dict)

    return Resource(
        operation=operation,
        relations=("auditLogs", place[1].partition("/")[2]),
        type="microsoft.graph.signIn",
        members=(),
        render=render,
        limit="reports",
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def between(directory: Directory, collection: str, first: str, last: str) -> list[Row]:
    """The items of a collection, newest first, including the last moment."""
    events = directory.estate.logs.events
    start, end = (datetime.fromisoformat(moment).timestamp() for moment in (first, last))
    return list(reversed(events.graph(collection, start, end + 0.000001))) if events else []
