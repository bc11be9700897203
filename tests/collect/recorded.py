"""Bodies of recorded answers, found by the path they were asked at."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_FOLDER = Path(__file__).parent.parent / "recorded"


def bodies(file: str, *, method: str = "GET", path: str = "") -> Iterator[Any]:
    """The JSON body of every answer of status 200 in a recorded file, in order; `path` is a part of the request's."""
    for exchange in json.loads((_FOLDER / f"{file}.json").read_text())["exchanges"]:
        request, response = exchange["request"], exchange["response"]
        if request["method"] == method and path in request["path"] and response["status"] == 200:
            yield response["body"]


def wire(body: object, kind: type[msgspec.Struct]) -> Any:
    """A body as a collector gets it."""
    return msgspec.json.decode(msgspec.json.encode(body), type=kind)


def raw(value: object) -> msgspec.Raw:
    """A member of a body as a collector gets it."""
    return msgspec.Raw(msgspec.json.encode(value))
