"""Requests that get no answer: names, connections, certificates and proxies that fail, told apart, and no token sent."""

import asyncio
import datetime
import errno
import itertools
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
import aiohttp.abc
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError, IncompleteReadError, ServiceRequestError
from azure.core.rest import HttpRequest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from keyaudit.cloud.clients import Clients, transport_on
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.failures import EXPECTED, failure_of, never_connected
from keyaudit.cloud.identity.tokens import Tokens
from keyaudit.cloud.network import Network
from keyaudit.cloud.refusal import Refused
from keyaudit.cloud.session import Door, open_session, tls_context
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import AccessError
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from tests.cloud.authority import Authority
from tests.cloud.azure import ARM, TENANT, VAULTS, Azure, Reply, serve, token
from tests.cloud.clock import FakeClock
from tests.cloud.conftest import Connect

HOST = "kv-gone.vault.azure.net"
RETRIED = (408, 429, 500, 502, 503, 504)


class Names(aiohttp.abc.AbstractResolver):
    """Resolves every name to one port on loopback, or none."""

    def __init__(self, port: int | None) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        if self._port is None:
            raise OSError("Name or service not known")
        return [
            aiohttp.abc.ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _met(port: int | None, *, proxy: str | None = None, context: ssl.SSLContext | None = None) -> tuple[Refusal, bool]:
    """What a request meets on azure-core's transport, as the collectors' requests would."""
    connector = aiohttp.TCPConnector(resolver=Names(port), ssl=context or True)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False, proxy=proxy) as session:
        with pytest.raises(EXPECTED) as met:
            await transport_on(session, connect_timeout=0.03, read_timeout=0.03).send(HttpRequest("GET", f"https://{HOST}/"))
        return failure_of(met.value, HOST)


async def _server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> asyncio.Server:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        answer(reader, writer)
        writer.transport.abort()

    return await asyncio.start_server(accept, "127.0.0.1", 0)


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _closed_port() -> int:
    server = await _server(lambda reader, writer: None)
    port = _port(server)
    server.close()
    await server.wait_closed()
    return port


async def test_a_name_that_does_not_resolve() -> None:
    assert await _met(None) == (Refusal(Reason.DNS, "the name does not resolve"), True)


async def test_a_proxy_whose_name_does_not_resolve_is_not_the_vaults_fault() -> None:
    found = await _met(None, proxy="http://proxy.example:8080")
    assert found == (Refusal(Reason.UNREACHABLE, "the proxy's name does not resolve"), True)


async def test_a_port_that_refuses() -> None:
    port = await _closed_port()
    assert await _met(port) == (Refusal(Reason.UNREACHABLE, "no connection (ECONNREFUSED)"), True)
    found = await _met(port, proxy="http://proxy.example")
    assert found == (Refusal(Reason.UNREACHABLE, "no connection to the proxy (ECONNREFUSED)"), True)


async def test_a_server_that_hangs_up_or_does_not_speak_tls() -> None:
    for answer in (lambda reader, writer: None, lambda reader, writer: writer.write(b"HTTP/1.1 200 OK\r\n\r\n")):
        server = await _server(answer)
        async with server:
            refusal, _ = await _met(_port(server))
        assert refusal.reason in (Reason.UNREACHABLE, Reason.TLS)


async def test_a_server_that_never_answers(azure: Azure, authority: Authority) -> None:
    azure.script = azure.challenge = lambda request: Reply(hang=True)
    context = ssl.create_default_context(cafile=authority.file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), proxy=azure.proxy) as session:
        with pytest.raises(EXPECTED) as met:
            await transport_on(session, read_timeout=0.02).send(HttpRequest("GET", f"https://{HOST}/"))
    assert failure_of(met.value, HOST) == (Refusal(Reason.TIMEOUT, "the request timed out"), True)


def _from(outer: BaseException, *causes: BaseException) -> BaseException:
    for error, cause in itertools.pairwise((outer, *causes)):
        error.__cause__ = cause
    return outer


def _proxy(status: int) -> BaseException:
    return aiohttp.ClientHttpProxyError(INFO, (), status=status)


KEY = ConnectionKey(HOST, 443, True, True, None, None, None)
INFO = aiohttp.RequestInfo(URL(f"https://{HOST}/"), "GET", CIMultiDictProxy(CIMultiDict()), URL(f"https://{HOST}/"))
SENT = Refusal(Reason.FOREIGN_LINK, "not sent")
DROPPED = (Reason.UNREACHABLE, "the connection was dropped")
BROKEN = (Reason.BAD_BODY, "the connection broke while the response arrived")
RESET = OSError(errno.ECONNRESET, "words")


@pytest.mark.parametrize(
    ("error", "reason", "detail", "retried", "never"),
    [
        (Refused(SENT), SENT.reason, SENT.detail, False, False),
        (_from(ServiceRequestError("words"), ValueError("words"), Refused(SENT)), SENT.reason, SENT.detail, False, False),
        (ClientAuthenticationError("AADSTS700016: words"), Reason.AUTH_FAILED, "AADSTS700016", False, False),
        (_proxy(407), Reason.UNREACHABLE, "the proxy answered 407", False, True),
        *((_proxy(status), Reason.UNREACHABLE, f"the proxy answered {status}", True, True) for status in RETRIED),
        (aiohttp.ClientConnectorDNSError(KEY, RESET), Reason.DNS, "the name does not resolve", True, True),
        (
            aiohttp.ClientProxyConnectionError(KEY, RESET),
            Reason.UNREACHABLE,
            "no connection to the proxy (ECONNRESET)",
            True,
            True,
        ),
        (aiohttp.ClientConnectorSSLError(KEY, RESET), Reason.TLS, "the TLS handshake failed", False, True),
        (ssl.SSLError(1, "words"), Reason.TLS, "the TLS handshake failed", False, False),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("words")),
            Reason.TLS,
            "the certificate could not be verified",
            False,
            True,
        ),
        (aiohttp.ConnectionTimeoutError("words"), Reason.UNREACHABLE, "no connection in time", True, True),
        (TimeoutError("words"), Reason.TIMEOUT, "the request timed out", True, False),
        (aiohttp.ServerTimeoutError("words"), Reason.TIMEOUT, "the request timed out", True, False),
        (aiohttp.ClientConnectorError(KEY, RESET), Reason.UNREACHABLE, "no connection (ECONNRESET)", True, True),
        (aiohttp.ClientPayloadError("words"), *BROKEN, True, False),
        (IncompleteReadError("words"), *BROKEN, True, False),
        (aiohttp.ClientResponseError(INFO, ()), Reason.BAD_BODY, "not an HTTP answer", True, False),
        (aiohttp.ServerDisconnectedError(), *DROPPED, True, False),
        (aiohttp.ClientOSError(*RESET.args), DROPPED[0], "the connection was dropped (ECONNRESET)", True, False),
        (OSError("words"), *DROPPED, True, False),
        (httpx.ConnectError("words"), *DROPPED, True, False),
        (ServiceRequestError("words"), *DROPPED, True, False),
        (_from(httpx.ConnectError("words"), aiohttp.ServerDisconnectedError()), *DROPPED, True, False),
        (_from(httpx.ReadError("words"), aiohttp.ClientPayloadError("words")), *BROKEN, True, False),
        (
            _from(ServiceRequestError("words"), TimeoutError(), OSError("words")),
            Reason.TIMEOUT,
            "the request timed out",
            True,
            False,
        ),
        (
            _from(ServiceRequestError("words"), aiohttp.ClientConnectorError(KEY, RESET), RESET),
            Reason.UNREACHABLE,
            "no connection (ECONNRESET)",
            True,
            True,
        ),
        (ValueError("words"), Reason.BAD_CHALLENGE, "the official client refused the challenge", False, False),
    ],
    ids=repr,
)
def test_each_failure_has_one_reason_and_says_if_a_retry_can_help(
    error: BaseException, reason: Reason, detail: str, retried: bool, never: bool
) -> None:
    assert failure_of(error, HOST) == (Refusal(reason, detail), retried)
    assert never_connected(error) is never


def test_exceptions_that_are_causes_of_each_other_end() -> None:
    one, other = httpx.ReadError("words"), ValueError("words")
    assert failure_of(_from(one, other, one), HOST) == (Refusal(*DROPPED), True)


async def test_a_proxy_that_never_answers_is_not_waited_for_without_end(
    connected: Connect, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at sign-in, which has no other bound, nor later: each attempt ends as a failure to connect."""
    monkeypatch.setattr("keyaudit.cloud.session.CONNECT_TIMEOUT", 0.03)
    released = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.transport.abort()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        network = Network(proxy=f"http://127.0.0.1:{_port(server)}", ca_file=authority.file)
        with pytest.raises(AccessError, match="no connection in time"):
            async with asyncio.timeout(20), connected(network=network):
                pass
        released.set()


def _expired(authority: Authority) -> ssl.SSLContext:
    return authority.server(end=datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC))


def _of_another_name(authority: Authority) -> ssl.SSLContext:
    return authority.server(names=("other.example",))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_expired, "certificate has expired"),
        (_of_another_name, "Hostname mismatch"),
    ],
)
async def test_tls_that_is_not_good_is_refused_once_without_a_token(
    azure: Azure, authority: Authority, connected: Connect, vault: str, make: Callable[[Authority], ssl.SSLContext], told: str
) -> None:
    async with connected() as connection:
        azure.context = make(authority)
        found = await connection.gateway.get("key.list", dict, host=vault)
    assert found == Refusal(Reason.TLS, told)
    assert azure.to(VAULTS) == []
    assert azure.connects.count(vault.split("/")[2]) == 1


async def test_a_stranger_that_intercepts_tls_is_told_at_sign_in(azure: Azure, connected: Connect, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    async with serve(other.server()) as stranger:
        network = Network(proxy=stranger.proxy, ca_file=other.file)
        async with connected(network=network) as connection:
            assert connection.requests == 1
        trusted_elsewhere = Network(proxy=azure.proxy, ca_file=other.file)
        with pytest.raises(AccessError, match=r"login.microsoftonline.com could not be reached .*local issuer certificate"):
            async with connected(network=trusted_elsewhere):
                pytest.fail("connected")
    assert azure.requests == []


async def test_a_sign_in_name_that_does_not_resolve_is_a_matter_of_the_network(
    connected: Connect, authority: Authority
) -> None:
    network = Network(proxy="http://proxy.invalid:8080", ca_file=authority.file)
    with pytest.raises(AccessError) as stopped:
        async with connected(network=network):
            pytest.fail("connected")
    assert str(stopped.value) == (
        "sign-in: login.microsoftonline.com could not be reached (environment: the proxy's name does not resolve); "
        "check DNS, the proxy (HTTPS_PROXY, SSL_CERT_FILE) and the firewall"
    )


async def test_a_proxy_that_is_down_at_sign_in_is_told(connected: Connect, authority: Authority) -> None:
    network = Network(proxy=f"http://127.0.0.1:{await _closed_port()}", ca_file=authority.file)
    with pytest.raises(AccessError, match=r"no connection to the proxy \(ECONNREFUSED\)"):
        async with connected(network=network):
            pytest.fail("connected")


async def test_what_the_official_clients_would_do_alone_stops_at_the_door(
    azure: Azure, network: Network, clock: FakeClock
) -> None:
    """The Gateway checks every address; this is what holds if one ever got past it."""

    class Holder:
        async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
            return AccessTokenInfo(token(), clock.now() + 3600)

        async def close(self) -> None:
            """Nothing is held."""

    environment, context = ENVIRONMENTS["public"], tls_context(network)
    door = Door(environment, network)
    tokens = Tokens(environment, clock)
    await tokens.sign_in(Holder())
    tokens.tenant = door.tenant = TENANT
    async with open_session(network, context, door, connections=4) as session:
        clients = Clients(session, context, environment, tokens, transport_on(session))
        for operation, url in (
            ("vault.list", "https://trap.evil.example/p"),
            ("vault.list", "https://management.azure.com:8443/p"),
            ("key.list", "https://kv.vault.azure.net.evil.example/keys"),
            ("key.list", "https://a.b.vault.azure.net/keys"),
            ("domain.list", "https://trap.evil.example/v1.0/domains"),
            ("domain.list", "https://graph.microsoft.com:444/v1.0/domains"),
        ):
            with pytest.raises(EXPECTED) as met:
                await clients.send(OPERATIONS[operation], url, None)
            assert failure_of(met.value, "")[0].reason is Reason.FOREIGN_LINK, url
        with pytest.raises(EXPECTED):
            await clients.send(OPERATIONS["vault.list"], "http://management.azure.com/p", None)
    assert azure.connects == []
    assert door.requests == 0


async def test_hosts_that_no_proxy_names_are_reached_without_it(azure: Azure, authority: Authority) -> None:
    azure.script = azure.challenge = lambda request: Reply({})
    network = Network(proxy=azure.proxy, ca_file=authority.file, no_proxy=("vault.azure.net",))
    context = tls_context(network)
    async with open_session(network, context, Door(ENVIRONMENTS["public"], network), connections=4) as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        closed = await _closed_port()
        connector._resolver = Names(closed)  # stands in for the machine's resolver
        async with session.get(f"https://{ARM}/") as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorError) as met:
            await session.get(f"https://{HOST}/")
    assert met.value.os_error.errno == errno.ECONNREFUSED
    assert azure.connects == [ARM]
