"""The listener: an HTTP CONNECT proxy that terminates TLS and then speaks HTTP/1.1, with one object for each connection.

TLS runs over memory buffers instead of an asyncio transport, which halves the work for a request.
"""

import asyncio
import ssl

from keyaudit.simulator.tenant import Delivery, Tenant
from keyaudit.simulator.wire import Request

_HEAD_END = b"\r\n\r\n"
_MOST_HEAD = 65_536
_MOST_WAITING = 1_000_000
"""The maximum of buffered bytes; beyond it, the client must wait."""
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Listener:
    """Creates the protocol of each connection, and closes them all."""

    def __init__(self, tenant: Tenant, context: ssl.SSLContext, latency: float) -> None:
        self.tenant = tenant
        self.context = context
        self.latency = latency
        self.open_ones: set[Connection] = set()
        self.closed = False

    def __call__(self) -> "Connection":
        """The protocol of one more connection."""
        return Connection(self)

    def close(self) -> None:
        """Close all connections at once, including those that are being accepted."""
        self.closed = True
        for connection in list(self.open_ones):
            connection.close()


class Connection(asyncio.Protocol):
    """One client connection: CONNECT, the TLS handshake, then requests one after the other."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._tenant = listener.tenant
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._host = ""
        self._buffer = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._shaken = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._waiting: asyncio.TimerHandle | None = None
        self._taking = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._listener.open_ones.add(self)
            if self._listener.closed:
                self.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The client has disconnected; an outstanding answer is dropped."""
        self._listener.open_ones.discard(self)
        self._transport = None
        if self._waiting is not None:
            self._waiting.cancel()

    def pause_writing(self) -> None:
        """The client does not read: its next request waits until it does."""
        self._taking = False

    def resume_writing(self) -> None:
        """The client reads again."""
        self._taking = True
        self._serve()

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Handle bytes by the phase of the connection."""
        if self._tls is not None:
            self._incoming.write(data)
            self._decrypt(self._tls)
        elif self._waiting is None:
            self._buffer += data
            self._connect()

    def _connect(self) -> None:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                self.close()
            return
        method, _, rest = bytes(self._buffer[:end]).decode("latin-1").partition(" ")
        authority = rest.partition(" ")[0]
        host, _, port = authority.rpartition(":")
        del self._buffer[: end + len(_HEAD_END)]
        if method != "CONNECT":
            self._tenant.refused.append(authority)
            self._refuse(501)
            return
        fault = self._tenant.connecting(host.lower())
        if fault is not None:
            self._later(Delivery(None, fault.delay, close=True) if fault.drop else _refusal(fault.status or 502, fault.delay))
        elif port != "443" or not self._tenant.resolves(host.lower()):
            self._tenant.refused.append(authority)
            self._refuse(502)
        else:
            self._host = host.lower()
            tls = self._tls = self._listener.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._write(_ESTABLISHED)
            # A client may begin the handshake without waiting for the answer.
            self._incoming.write(self._buffer)
            self._buffer.clear()
            self._decrypt(tls)

    def _refuse(self, status: int) -> None:
        self._later(_refusal(status))

    def _decrypt(self, tls: ssl.SSLObject) -> None:
        try:
            if not self._shaken and not self._handshake(tls):
                return
            self._read(tls)
        except ssl.SSLError:
            # The client does not trust the certificate, or does not use TLS; it reports the error.
            self._flush()
            self.close()
            return
        self._serve()

    def _handshake(self, tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        self._shaken = True
        self._flush()
        return True

    def _read(self, tls: ssl.SSLObject) -> None:
        try:
            while True:
                chunk = tls.read(65_536)
                if not chunk:
                    self.close()
                    return
                self._buffer += chunk
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.close()

    def _serve(self) -> None:
        """Answer the requests in the buffer in order, while the client reads the answers."""
        while self._waiting is None and self._taking and self._transport is not None and not self._transport.is_closing():
            try:
                request = self._request()
            except ValueError:
                self.close()
                return
            if request is None:
                break
            self._later(self._tenant.deliver(request))
        if self._transport is not None:
            if len(self._buffer) > _MOST_WAITING:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _request(self) -> Request | None:
        """The first request in the buffer, if it is complete. Raises ValueError if it is malformed."""
        end = self._buffer.find(_HEAD_END)
        if (len(self._buffer) if end < 0 else end) > _MOST_HEAD:
            raise ValueError("the head is too long")
        if end < 0:
            return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start = end + len(_HEAD_END)
        if "transfer-encoding" in headers:
            body, taken = _unchunked(self._buffer, start)
        else:
            taken = start + _length(headers.get("content-length", "0"))
            body = bytes(self._buffer[start:taken])
        if not 0 <= taken <= len(self._buffer):
            if len(self._buffer) > _MOST_WAITING:
                raise ValueError("the body is too long")
            return None
        method, target, _version = lines[0].split(" ")
        del self._buffer[:taken]
        return Request(method, self._host, target, headers, body)

    def _later(self, delivery: Delivery) -> None:
        wait = self._listener.latency + delivery.delay
        if wait > 0:
            self._waiting = self._loop.call_later(wait, self._send_late, delivery)
        else:
            self._send(delivery)

    def _send_late(self, delivery: Delivery) -> None:
        self._waiting = None
        self._send(delivery)
        self._serve()

    def _send(self, delivery: Delivery) -> None:
        if self._transport is None:
            return
        if delivery.payload is not None:
            if self._shaken and self._tls is not None:
                self._tls.write(delivery.payload)
                self._flush()
            else:
                self._write(delivery.payload)
        if delivery.payload is None:
            self.close()
        elif delivery.close:
            self._transport.close()

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _refusal(status: int, delay: float = 0.0) -> Delivery:
    reason = {501: "Not Implemented", 502: "Bad Gateway"}.get(status, "Refused")
    text = f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return Delivery(text.encode(), delay, close=True)


def _length(text: str) -> int:
    """A Content-Length. Raises ValueError if it is malformed or too large."""
    if not text.isdecimal() or len(text) > 7:
        raise ValueError("the length is no number, or too great")
    return int(text)


def _unchunked(buffer: bytearray, start: int) -> tuple[bytes, int]:
    """A chunked body and its end; -1 if it is incomplete. Raises ValueError for a malformed size."""
    body = bytearray()
    while True:
        line = buffer.find(b"\r\n", start)
        if line < 0:
            return b"", -1
        size = int(bytes(buffer[start:line]).partition(b";")[0], 16)
        if size < 0:
            raise ValueError("a chunk's size is negative")
        start = line + 2
        if len(buffer) < start + size + 2:
            return b"", -1
        body += buffer[start : start + size]
        start += size + 2
        if size == 0:
            return bytes(body), start
