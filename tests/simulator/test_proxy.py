"""The proxy: names that lead nowhere, traps, secrets that must not be read, and clients that break the protocol."""

import asyncio
import ssl
from urllib.parse import urlsplit

import aiohttp
import pytest

from keyaudit.simulator.serve import serve
from tests.simulator.client import ARM, GRAPH, wire
from tests.simulator.small import SMALL, SUBSCRIPTION

VAULT = "https://kv-open.vault.azure.net"
GROUP = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "https://kv-none.vault.azure.net/keys", "https://management.azure.com.evil.example/x"],
)
async def test_a_name_that_is_not_azures_or_no_vault_is_refused_and_noted(url: str) -> None:
    async with wire(SMALL) as client:
        with pytest.raises(aiohttp.ClientHttpProxyError, match="502"):
            await client.send("GET", url)
    assert client.simulator.refused == [f"{urlsplit(url).hostname}:443"]
    assert not client.simulator.requests


async def test_plain_http_and_other_ports_are_refused() -> None:
    async with wire(SMALL) as client:
        reply = await client.send("GET", "http://management.azure.com/subscriptions")
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await client.send("GET", "https://management.azure.com:8443/")
    assert reply.status == 501
    assert len(client.simulator.refused) == 2


async def test_a_trap_notes_what_it_is_sent() -> None:
    async with wire(SMALL, traps=["evil.example"]) as client:
        challenged = await client.send("GET", "https://evil.example/keys")
        taken = await client.send("GET", "https://evil.example/keys?x", headers={"Authorization": "Bearer t"})
    assert challenged.headers["WWW-Authenticate"].endswith('resource="https://evil.example"')
    assert taken.data == {"value": [], "nextLink": None}
    noted = [(one.host, one.target, one.authorization) for one in client.simulator.trapped]
    assert noted == [("evil.example", "/keys", None), ("evil.example", "/keys?x", "Bearer t")]


async def test_the_ca_file_is_for_its_owner_only_and_goes_at_the_end() -> None:
    async with serve(SMALL) as simulator:
        ca_file = simulator.ca_file
        assert ca_file.stat().st_mode & 0o777 == 0o600
        assert ca_file.parent.stat().st_mode & 0o777 == 0o700
    assert not ca_file.parent.exists()


async def test_a_client_without_the_ca_gets_no_further() -> None:
    async with wire(SMALL) as client, aiohttp.ClientSession() as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.get(f"{GRAPH}/applications", proxy=client.simulator.proxy)
        assert (await client.get(f"{GRAPH}/domains")).status == 200


async def _tunnel(port: int, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    await writer.start_tls(context, server_hostname="graph.microsoft.com")
    return reader, writer


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"A" * 70_000,
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1e8481\r\n" + b"a" * 1_500_000,
        b"POST /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + b"a" * 1_500_000,
        b"POST /x HTTP/1.1\r\nContent-Length: " + b"9" * 6_000 + b"\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: " + b"9" * 70_000 + b"\r\n\r\n",
    ],
)
async def test_a_client_that_speaks_no_http_is_hung_up_on(sent: bytes) -> None:
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        port = urlsplit(client.simulator.proxy).port or 0
        reader, writer = await _tunnel(port, context)
        writer.write(sent)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        assert (await client.get(f"{GRAPH}/domains")).status == 200


async def test_requests_that_come_in_pieces_chunked_or_together() -> None:
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        reader, writer = await _tunnel(urlsplit(client.simulator.proxy).port or 0, context)
        for piece in (b"POST /x HTTP/1.1\r\nTransfer-Enc", b"oding: chunked\r\n\r\n3\r\nab", b"c\r\n0\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
        await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(b"GET /v1.0/domains HTTP/1.1\r\n\r\n" * 3)
        for _ in range(3):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
            await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()


async def test_thousands_of_requests_in_one_go_are_all_answered() -> None:
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        reader, writer = await _tunnel(urlsplit(client.simulator.proxy).port or 0, context)
        writer.write(b"GET /v1.0/domains HTTP/1.1\r\n\r\n" * 3_000)
        for _ in range(3_000):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
            await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()


async def test_a_client_that_does_not_read_is_not_answered_further() -> None:
    sent = 100_000
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        reader, writer = await _tunnel(urlsplit(client.simulator.proxy).port or 0, context)
        writer.write(b"GET /v1.0/domains HTTP/1.1\r\n\r\n" * sent)
        answered = -1
        while answered != len(client.simulator.requests):
            answered = len(client.simulator.requests)
            await asyncio.sleep(0.05)
        assert 0 < answered < sent
        assert (await client.get(f"{GRAPH}/domains")).status == 200
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
        writer.transport.abort()


async def test_a_handshake_may_come_with_the_connect() -> None:
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="graph.microsoft.com")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(client.simulator.proxy).port)
        writer.write(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n" + outgoing.read())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        incoming.write(await reader.read(65_536))
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(await reader.read(65_536))
        assert tls.version() == "TLSv1.3"
        writer.close()


async def test_an_answer_to_head_has_no_body() -> None:
    async with wire(SMALL) as client:
        context = ssl.create_default_context(cafile=client.simulator.ca_file)
        reader, writer = await _tunnel(urlsplit(client.simulator.proxy).port or 0, context)
        writer.write(b"HEAD /v1.0/domains HTTP/1.1\r\n\r\n" * 2 + b"GET /v1.0/domains HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = (await reader.read()).split(b"HTTP/1.1 401 ")
        assert [b"InvalidAuthenticationToken" in answer for answer in answers] == [False, False, False, True]
        writer.close()


async def test_the_log_and_the_counts() -> None:
    async with wire(SMALL) as client:
        await client.get(f"{GRAPH}/domains")
        await client.send("GET", f"{VAULT}/keys?api-version=7.5")
    assert [(method, host) for method, host, _ in client.simulator.requests] == [
        ("POST", "login.microsoftonline.com"),
        ("GET", "graph.microsoft.com"),
        ("GET", "kv-open.vault.azure.net"),
    ]
    assert dict(client.simulator.calls) == {"token": 1, "domain.list": 1, "challenge": 1}
