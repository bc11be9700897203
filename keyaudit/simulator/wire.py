"""Requests and answers on the wire, and small formats that all simulated services share."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, field

CANARY = "KEYAUDIT-CANARY-this-value-must-never-be-read"
"""The answer of every endpoint that returns a secret. If it is found elsewhere, a client read a secret."""

JSON = "application/json; charset=utf-8"

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_COMPRESS_FROM = 1400


class Request(Struct):
    """One request. Header names are in lower case; `id` and `now` are the server's own."""

    method: str
    host: str
    target: str
    headers: dict[str, str]
    body: bytes
    id: str = ""
    now: float = 0.0

    @property
    def segments(self) -> list[str]:
        """The decoded segments of the path, without doubled and trailing slashes, as in the real services."""
        return [unquote(part) for part in self.target.partition("?")[0].split("/") if part]

    @property
    def query(self) -> dict[str, str]:
        """Query parameters by name in lower case; the last of equal names."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    def query_without(self, *names: str) -> list[str]:
        """The raw `name=value` parts of the query, in order and in the client's spelling, without some names."""
        pieces = self.target.partition("?")[2].split("&")
        return [piece for piece in pieces if piece and unquote(piece.partition("=")[0]).lower() not in names]


class Answer(Struct):
    """One answer; it may be cached, so nothing in it belongs to one request only."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    """Sent with chunked coding, as Graph does."""
    compressible: bool = False
    """Sent as gzip to a client that accepts it, as ARM and Graph do."""
    _packed: dict[bool, tuple[bytes, bytes]] = field(default_factory=dict)

    def encode(self, date: str, own: str, *, accept_gzip: bool, keep: bool) -> bytes:
        """The whole answer; `own`: header lines for this request only, each with its line end. Without `date`: no Date."""
        packed = accept_gzip and self.compressible and len(self.body) >= _COMPRESS_FROM
        parts = self._packed.get(packed)
        if parts is None:
            parts = self._packed[packed] = self._pack(packed)
        head, body = parts
        dated = f"Date: {date}\r\n" if date else ""
        last = "" if keep else "Connection: close\r\n"
        return b"".join((head, f"{dated}{own}{last}\r\n".encode("latin-1"), body))

    def _pack(self, packed: bool) -> tuple[bytes, bytes]:
        body = gzip.compress(self.body, 1, mtime=0) if packed else self.body
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if packed:
            lines.append("Content-Encoding: gzip")
        if self.status == HTTPStatus.NO_CONTENT:
            body = b""
        elif self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n", body


def compact(value: object) -> bytes:
    """JSON as the services send it: no spaces, UTF-8 unescaped."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@lru_cache(maxsize=8)
def http_date(now: int) -> str:
    """The Date header's form."""
    return formatdate(now, usegmt=True)


def iso(seconds: int) -> str:
    """An instant as Graph and ARM write it. Beyond year 9999 the last instant that they can write."""
    return datetime.fromtimestamp(min(seconds, 253402300799), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
