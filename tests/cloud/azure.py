"""A scripted Azure on loopback: a CONNECT proxy that answers for every name, foreign ones too, and notes what it is sent."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER_TENANT = "99999999-2222-3333-4444-555555555555"
SUBSCRIPTION = "aaaaaaaa-0000-0000-0000-00000000000a"
SECRET = "the-client-secret-value"
LOGIN, ARM, GRAPH, VAULTS = "login.microsoftonline.com", "management.azure.com", "graph.microsoft.com", ".vault.azure.net"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Reply:
    """What the script answers. `drop`: the connection ends unanswered; `cut`: within the body; `hang`: no answer comes."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = JSON
    drop: bool = False
    cut: bool = False
    hang: bool = False
    delay: float = 0.0

    def wire(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Type": self.type, "Content-Length": str(len(body) + 100 * self.cut), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        return f"HTTP/1.1 {self.status} x\r\n{lines}\r\n".encode() + body


def error(status: int, code: str, inner: str = "", message: str = "words", **headers: str) -> Reply:
    """A refusal in the form that Azure's services share."""
    body: dict[str, object] = {"code": code, "message": message}
    if inner:
        body["innererror"] = {"code": inner}
    return Reply({"error": body}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def token(tenant: str = TENANT, **claims: str) -> str:
    """An access token, unsigned: only services look at the signature."""
    said = {"tid": tenant, "appid": "cccccccc-0000-0000-0000-00000000000c", **claims}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, said))
    return ".".join(parts) + ".signature-of-token"


def challenge(tenant: str = TENANT, authority: str = f"https://{LOGIN}", resource: str = "https://vault.azure.net") -> Reply:
    """A vault's 401."""
    header = f'Bearer authorization="{authority}/{tenant}", resource="{resource}"'
    return Reply(
        {"error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}},
        401,
        {"WWW-Authenticate": header},
    )


Script = Callable[[Request], Reply]


class Azure:
    """What was asked, and how it is answered: `script` for everything with a token, `sign_in` for the token endpoint."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.script: Script = lambda request: error(404, "NotScripted")
        self.sign_in: Script = lambda request: Reply({"token_type": "Bearer", "expires_in": 3600, "access_token": token()})
        self.challenge: Script = lambda request: challenge()
        self.connect_status: dict[str, int] = {}
        self.reconnects: Callable[[str], bool] = lambda host: False
        """Whether a host can be connected to again, independent of `connect_status`."""
        self.connects: list[str] = []
        self.proxy_headers: list[Mapping[str, str]] = []
        self.requests: list[Request] = []
        self.port = 0
        self.busy: Counter[str] = Counter()
        self.busiest: Counter[str] = Counter()
        self.busiest_overall = 0
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def to(self, host: str) -> list[Request]:
        """Requests to a host, or to all vaults."""
        return [
            request for request in self.requests if request.host == host or (host == VAULTS and request.host.endswith(host))
        ]

    @property
    def foreign(self) -> list[str]:
        """Hosts other than Azure's to which a connection was opened."""
        return [host for host in self.connects if host not in (LOGIN, ARM, GRAPH) and not host.endswith(VAULTS)]

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the proxy."""
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self._connection(reader, writer)
        finally:
            # In any TLS state.
            writer.transport.abort()
            del self._open[task]

    async def close(self) -> None:
        """End every connection that a client left open."""
        tasks = tuple(self._open)
        for writer in tuple(self._open.values()):
            writer.transport.abort()
        await asyncio.gather(*tasks)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await _head(reader)
            host = head.target.rpartition(":")[0]
            self.connects.append(host)
            self.proxy_headers.append(head.headers)
            status = 200 if self.reconnects(host) else self.connect_status.get(host, 200)
            writer.write(f"HTTP/1.1 {status} x\r\n\r\n".encode())
            await writer.drain()
            if status == 200:
                await writer.start_tls(self.context)
                await self._serve(host, reader, writer)

    async def _serve(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await _head(reader)
            body = await reader.readexactly(int(head.headers.get("content-length", "0")))
            request = Request(head.method, host, head.target, head.headers, body)
            self.requests.append(request)
            reply = self._answer(request)
            if reply.drop:
                return
            if reply.hang:
                await reader.read()
                return
            if reply.delay:
                self.busy[host] += 1
                self.busiest[host] = max(self.busiest[host], self.busy[host])
                self.busiest_overall = max(self.busiest_overall, self.busy.total())
                await asyncio.sleep(reply.delay)
                self.busy[host] -= 1
            writer.write(reply.wire())
            await writer.drain()
            if reply.cut:
                return

    def _answer(self, request: Request) -> Reply:
        if request.host == LOGIN and request.method == "POST":
            return self.sign_in(request)
        if request.host.endswith(VAULTS) and "authorization" not in request.headers:
            return self.challenge(request)
        return self.script(request)


async def _head(reader: asyncio.StreamReader) -> Request:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return Request(method, "", target, headers, b"")


@contextlib.asynccontextmanager
async def serve(context: ssl.SSLContext) -> AsyncIterator[Azure]:
    """A scripted Azure for as long as the block lasts."""
    azure = Azure(context)
    server = await asyncio.start_server(azure.accept, "127.0.0.1", 0, limit=2**20)
    azure.port = server.sockets[0].getsockname()[1]
    try:
        yield azure
    finally:
        server.close()
        await azure.close()
