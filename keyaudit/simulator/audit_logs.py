"""Graph's lists of sign-ins and directory changes, with filters by time."""

import re
from datetime import datetime

from msgspec.structs import replace

from keyaudit.simulator import odata
from keyaudit.simulator.estate import Row
from keyaudit.simulator.graph_resources import Resource
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

PAGE = 1_000
_TIMES = r"{0} ge (?P<first>\S+) and {0} le (?P<last>\S+)"
_SIGN_INS = re.compile(_TIMES.format("createdDateTime") + r" and signInEventTypes/any\(t:t eq '(?P<kind>\w+)'\)")
_AUDITS = re.compile(_TIMES.format("activityDateTime"))


def part(directory: Directory, version: str, path: list[str], _request: Request) -> Resource | None:
    """The list that a path names."""
    match version, [piece.lower() for piece in path]:
        case "beta", ["auditlogs", "signins"]:
            return _list(directory, "sign_in.list", (version, "auditLogs/signIns"), _SIGN_INS)
        case "v1.0", ["auditlogs", "directoryaudits"]:
            return _list(directory, "directory_audit.list", (version, "auditLogs/directoryAudits"), _AUDITS)
    return None


def _list(directory: Directory, operation: str, place: tuple[str, str], wanted: re.Pattern[str]) -> Resource:
    def render(request: Request, options: odata.Options) -> dict[str, object]:
        asked = wanted.fullmatch(options.filter)
        if asked is None:
            raise odata.BadQueryError("BadRequest", "Invalid filter clause")
        kind = asked.groupdict().get("kind", "directoryAudits")
        found = between(directory, kind, asked["first"], asked["last"])
        return odata.page(request, replace(options, top=PAGE), place, found, dict)

    return Resource(
        operation=operation,
        relations=("auditLogs", place[1].partition("/")[2]),
        type="microsoft.graph.signIn",
        members=(),
        render=render,
        limit="reports",
    )


def between(directory: Directory, collection: str, first: str, last: str) -> list[Row]:
    """The items of a collection, newest first, including the last moment."""
    events = directory.estate.logs.events
    start, end = (datetime.fromisoformat(moment).timestamp() for moment in (first, last))
    return list(reversed(events.graph(collection, start, end + 0.000001))) if events else []
