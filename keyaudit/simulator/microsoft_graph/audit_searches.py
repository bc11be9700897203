"""Searches of the unified audit log: created, running for a while, then with records."""

import json
from dataclasses import dataclass, field

from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.audit_logs import PAGE, between
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request

_ROOT = ["v1.0", "security", "auditlog", "queries"]
_STATES = ("notStarted", "running", "succeeded")


def operation(request: Request) -> str | None:
    """The operation of a request about searches; None for all others."""
    path = [part.lower() for part in request.segments]
    if path[:4] != _ROOT:
        return None
    return {
        ("POST", 0): "audit_search.create",
        ("GET", 1): "audit_search.get",
        ("GET", 2): "audit_search.records",
    }.get((request.method, len(path) - 4))


@dataclass
class _Search:
    body: dict[str, object]
    asked: int = 0


@dataclass
class Searches:
    """The searches of one run. Each request for a search advances it by a step."""

    directory: Directory
    made: dict[str, _Search] = field(default_factory=dict)

    def answer(self, request: Request) -> tuple[int, dict[str, object] | None]:
        """Status and body of an answer; no body if it is refused."""
        if request.method == "POST":
            return self._create(request)
        path = request.segments
        search = self.made.get(path[4])
        if search is None:
            return 404, None
        if len(path) > 5:
            return self._records(request, search)
        search.asked = min(search.asked + 1, len(_STATES) - 1)
        return 200, {"@odata.context": f"{odata.GRAPH}/v1.0/$metadata#security/auditLog/queries/$entity", **_shown(search)}

    def _create(self, request: Request) -> tuple[int, dict[str, object] | None]:
        try:
            body = json.loads(request.body)
            # Both are read later, and must exist.
            body["filterStartDateTime"], body["filterEndDateTime"]
        except (ValueError, KeyError, TypeError):
            return 400, None
        id_ = self.directory.guid("search", str(len(self.made)))
        self.made[id_] = _Search({**body, "id": id_})
        return 201, _shown(self.made[id_])

    def _records(self, request: Request, search: _Search) -> tuple[int, dict[str, object] | None]:
        if _STATES[search.asked] != "succeeded":
            return 400, None
        first, until = (str(search.body[name]) for name in ("filterStartDateTime", "filterEndDateTime"))
        wanted = search.body.get("operationFilters")
        found = [
            record
            for record in between(self.directory, "records", first, until)
            if not isinstance(wanted, list) or record["operation"] in wanted
        ]
        options = odata.Options(top=PAGE, start=odata.read(request, "", ()).start)
        return 200, odata.page(
            request, options, ("v1.0", f"security/auditLog/queries('{search.body['id']}')/records"), found, dict
        )


def _shown(search: _Search) -> dict[str, object]:
    return {**search.body, "status": _STATES[search.asked], "isRecordCountLimitExceeded": False}
