"""Scripted faults: an error, at a call of an operation."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

from keyaudit.simulator.wire import Answer, Request, compact


class _Effect(Struct, frozen=True, kw_only=True):
    status: int | None = None
    """The status instead of the true one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that replace the true ones."""
    body: object = None
    """The body instead of the true one: bytes and text as they are, anything else as JSON."""
    edit: Callable[[Any], Any] | None = None
    """Takes the true answer's decoded JSON and returns the JSON to send; it may change it in place."""
    next_link: str | None = None
    """The answer's link to the next page; `{self}` stands for this request's address."""
    raw: bytes | None = None
    """Bytes sent instead of any HTTP; then the connection is closed."""
    drop: bool = False
    """The connection is closed without an answer."""
    cut: int | None = None
    """Only so many bytes of the body are sent; then the connection is closed."""
    delay: float = 0.0
    """Seconds before the answer, beyond the latency."""


class Fault(_Effect, frozen=True):
    """One fault: at `call` (from 1; a range; or every) of the requests of `operation` whose host and path hold `where`.

    Operations are named as the simulator's log names them; `connect` is the proxy's CONNECT, `challenge` a vault's 401
    to a request without a token, `token` the token endpoint. Calls are counted for each fault by itself.
    """

    operation: str
    call: int | range | Literal["every"] = 1
    where: str = ""

    def at(self, number: int) -> bool:
        """Whether it strikes at that matching call."""
        if self.call == "every":
            return True
        return number in self.call if isinstance(self.call, range) else number == self.call

    def changed(self, answer: Answer, request: Request) -> Answer:
        """The answer with status, headers, body and link as the fault says."""
        body = answer.body
        if self.body is not None:
            body = _bytes(self.body)
        if self.edit is not None:
            body = compact(self.edit(json.loads(body)))
        if self.next_link is not None:
            link = self.next_link.replace("{self}", f"https://{request.host}{request.target}")
            body = compact(_linked(json.loads(body), link))
        names = {name.lower() for name in self.headers}
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in names}
        return Answer(
            self.status or answer.status,
            body,
            {**headers, **self.headers},
            chunked=answer.chunked,
            compressible=answer.compressible,
        )


class Script:
    """Counts calls against the faults of one run."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = [(fault, [0]) for fault in faults]

    def meet(self, operation: str, place: str) -> Fault | None:
        """The first fault that strikes this call; `place` is its host and path."""
        struck = None
        for fault, count in self._faults:
            if fault.operation == operation and fault.where in place:
                count[0] += 1
                if struck is None and fault.at(count[0]):
                    struck = fault
        return struck


def _bytes(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else compact(body)


def _linked(page: dict[str, Any], link: str) -> dict[str, Any]:
    member = "@odata.nextLink" if "@odata.context" in page else "$skipToken" if "totalRecords" in page else "nextLink"
    return {**page, member: link}
