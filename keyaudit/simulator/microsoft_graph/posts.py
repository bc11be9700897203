"""The two reads of Microsoft Graph with POST: objects by id, and batches of requests."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.microsoft_graph.groups import MEMBERS, directory_object, kind_of
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Answer, Request

_MOST_IDS = 1_000
_MOST_PARTS = 20


class BadPostError(Exception):
    """A body that Graph refuses with a 400."""


def by_ids(directory: Directory, request: Request) -> dict[str, object]:
    """The body of an answer to getByIds: the objects that exist, in arbitrary order. Raises BadPostError."""
    asked = _read(request)
    ids = asked.get("ids")
    if not isinstance(ids, list) or len(ids) > _MOST_IDS:
        raise BadPostError(f"The number of ids must not exceed {_MOST_IDS}.")
    options = odata.read(request, "microsoft.graph.directoryObject", MEMBERS)
    kinds = {str(one).lower() for one in asked.get("types") or ("directoryObject",)}
    found = [body for id_ in sorted({str(one).lower() for one in ids}) if (body := directory_object(directory, id_))]
    if "directoryobject" not in kinds:
        found = [body for body in found if kind_of(body) in kinds]
    return {
        "@odata.context": f"{odata.GRAPH}/v1.0/$metadata#directoryObjects",
        "value": [odata.shown(options, body) for body in found],
    }


def parts(request: Request, version: str, answer: Callable[[Request], Answer]) -> dict[str, object]:
    """The body of an answer to $batch: each part with a status of its own, in reverse order. Raises BadPostError."""
    asked = _read(request).get("requests")
    if not isinstance(asked, list) or len(asked) > _MOST_PARTS:
        raise BadPostError(f"Number of batch request steps exceeds the maximum value of {_MOST_PARTS}.")
    return {"responses": list(_answered(request, version, reversed(asked), answer))}


def _answered(
    request: Request, version: str, asked: Iterator[dict[str, Any]], answer: Callable[[Request], Answer]
) -> Iterator[dict[str, object]]:
    for part in asked:
        headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
        headers["authorization"] = request.headers.get("authorization", "")
        target = f"/{version}/{str(part['url']).lstrip('/')}"
        inner = Request(str(part["method"]), request.host, target, headers, b"", request.id, request.now)
        found = answer(inner)
        kept = {name: value for name, value in found.headers.items() if name.lower() in ("content-type", "retry-after")}
        yield {"id": part["id"], "status": found.status, "headers": kept, "body": _json(found.body)}


def _read(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise BadPostError("Unable to read JSON request payload.") from error
    if not isinstance(body, dict):
        raise BadPostError("Unable to read JSON request payload.")
    return body


def _json(body: bytes) -> object:
    """A part's body; anything but JSON is sent as text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
