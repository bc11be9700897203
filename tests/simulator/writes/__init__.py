"""Requests that change the estate: each is refused as the service refuses it, or the next read shows the change.

`served.writes` gives them to `serve`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from keyaudit.simulator.wire import Request

May = Callable[[str], bool]
"""Whether the identity has a right, in the words of the service."""


class WriteError(Exception):
    """A change that the service refuses: status, code, message, and the inner code that a vault adds to some."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request carries; raises WriteError."""
    try:
        found = json.loads(request.body or b"{}")
    except ValueError as error:
        raise WriteError(400, "BadRequest", "Unable to read JSON request payload.") from error
    if not isinstance(found, dict):
        raise WriteError(400, "BadRequest", "Unable to read JSON request payload.")
    return found


def part_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in a body; empty where it is left out."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}
