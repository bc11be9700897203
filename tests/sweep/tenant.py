"""A simulated tenant without a network: what the official clients would bring back, made once and kept."""

from collections.abc import Callable, Iterator, Mapping

import aiohttp
import msgspec
from msgspec import Struct
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.operations import Operation, Surface
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.tenant import Tenant
from keyaudit.simulator.wire import Request

ENVIRONMENT = ENVIRONMENTS["public"]
_SCOPES = {
    Surface.ARM: ENVIRONMENT.arm_scope,
    Surface.GRAPH: ENVIRONMENT.graph_scope,
    Surface.VAULT: ENVIRONMENT.vault_scope,
    Surface.MANAGED_HSM: ENVIRONMENT.hsm_scope,
    Surface.LOGS: ENVIRONMENT.logs_scope,
}
_PARTS = {"transitiveMembers": "group.members", "members": "group.direct_members"}
"""What comes in a batch, by the last segment of its path."""


class Call(Struct, frozen=True, order=True):
    """One request: the operation, its address, and what is posted there."""

    operation: str
    url: str
    body: bytes = b""


Meddle = Callable[[Call, Callable[[Call], Answer]], Answer]
"""Answers a call in the tenant's place; is given what the tenant itself answers. May raise what the official clients raise."""


class Answers:
    """What the tenant answers, by address. It stays the same over all runs."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._tenant = Tenant(estate, lambda: estate.as_of, throttle=None, faults=(), traps=())
        self._tokens: dict[Surface, str] = {}
        self._known: dict[Call, Answer] = {}

    def ask(self, operation: Operation, url: str, body: bytes) -> Answer:
        """The answer to one request. Raises what a closed connection raises where there is none."""
        call = Call(operation.id, url, body)
        found = self._known.get(call)
        if found is None:
            found = self._known[call] = self._asked(operation, url, body)
        return found

    def _asked(self, operation: Operation, url: str, body: bytes) -> Answer:
        host, _, target = url.removeprefix("https://").partition("/")
        headers = {name.lower(): value for name, value in operation.headers}
        if operation.surface in _SCOPES:
            headers["authorization"] = self._token(operation.surface)
        payload = self._tenant.deliver(Request(operation.method, host, f"/{target}", headers, body)).payload
        if payload is None:
            raise aiohttp.ServerDisconnectedError
        return _parsed(payload)

    def _token(self, surface: Surface) -> str:
        if surface not in self._tokens:
            directory = self._tenant.directory
            claims = {**directory.app_claims, "aud": _SCOPES[surface].removesuffix("/.default")}
            self._tokens[surface] = f"Bearer {directory.tokens.issue(claims, self.estate.as_of)}"
        return self._tokens[surface]


class Clients:
    """Stands where the official clients stand, for one run. Notes every call, each part of a batch by itself."""

    def __init__(self, answers: Answers, operations: Mapping[str, Operation], meddle: Meddle | None = None) -> None:
        self.calls: dict[Call, Answer] = {}
        """What was asked and last answered, in the order of first asking; what had no answer is not in it."""
        self._answers, self._operations, self._meddle = answers, operations, meddle

    async def send(self, operation: Operation, url: str, body: bytes | None) -> Answer:
        """One request, one answer."""
        call = Call(operation.id, url, body or b"")
        if operation.id == "graph.batch":
            return self._answered(call, self._batch)
        return self._answered(call, self._true)

    def _answered(self, call: Call, true: Callable[[Call], Answer]) -> Answer:
        answer = true(call) if self._meddle is None else self._meddle(call, true)
        self.calls[call] = answer
        return answer

    def _true(self, call: Call) -> Answer:
        return self._answers.ask(self._operations[call.operation], call.url, call.body)

    def _batch(self, call: Call) -> Answer:
        asked = msgspec.json.decode(call.body)["requests"]
        root = call.url.removesuffix("/$batch")
        return Answer(200, _JSON, msgspec.json.encode({"responses": list(self._parts(root, asked))}))

    def _parts(self, root: str, asked: list[dict[str, str]]) -> Iterator[dict[str, object]]:
        for part in asked:
            operation = _PARTS[part["url"].partition("?")[0].rpartition("/")[2]]
            try:
                answer = self._answered(Call(operation, root + part["url"]), self._true)
            except aiohttp.ClientError:
                # A disconnect after the batch is a failure of the service for the sender of the batch.
                answer = Answer(502, _JSON, b"{}")
            try:
                body = msgspec.Raw(answer.body) if msgspec.json.decode(answer.body) is not None else None
            except (msgspec.DecodeError, RecursionError):
                # A batch is JSON, so other content comes as text in base64.
                body = msgspec.Raw(msgspec.json.encode(answer.body))
            yield {"id": part["id"], "status": answer.status, "headers": dict(answer.headers), "body": body}


_JSON = CIMultiDict({"Content-Type": "application/json"})


def _parsed(payload: bytes) -> Answer:
    head, _, body = payload.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, _, value = line.partition(": ")
        headers.add(name, value)
    if headers.pop("Transfer-Encoding", "") == "chunked":
        body = _unchunked(body)
    return Answer(int(first.split(" ")[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    pieces: list[bytes] = []
    rest = body
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            return b"".join(pieces)
        pieces.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
