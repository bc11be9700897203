"""Faults strike at the call that the script names, and each does what it says."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from keyaudit.simulator.faults import Fault
from tests.simulator.client import ARM, GRAPH, wire
from tests.simulator.small import SMALL

KEYS = "https://kv-open.vault.azure.net/keys?api-version=7.5"
MANY = "https://kv-many.vault.azure.net/keys?api-version=7.5"
SIGNING = "https://kv-open.vault.azure.net/keys/signing/?api-version=7.5"


async def test_a_fault_strikes_one_call_and_no_other() -> None:
    fault = Fault("key.list", 2, status=503, headers={"Retry-After": "7"}, body={"error": {"code": "Busy"}})
    async with wire(SMALL, faults=[fault]) as client:
        replies = [await client.get(KEYS) for _ in range(3)]
        other = await client.get(SIGNING)
    assert [reply.status for reply in replies] == [200, 503, 200]
    assert replies[1].headers["Retry-After"] == "7"
    assert replies[1].data == {"error": {"code": "Busy"}}
    assert replies[1].headers["Content-Type"] == replies[0].headers["Content-Type"]
    assert other.status == 200


async def test_calls_by_range_every_and_place() -> None:
    faults = [
        Fault("key.list", range(2, 4), status=500),
        Fault("key.list", "every", where="kv-many", status=429),
    ]
    async with wire(SMALL, faults=faults) as client:
        there = [(await client.get(MANY)).status for _ in range(2)]
        here = [(await client.get(KEYS)).status for _ in range(3)]
    assert there == [429, 500]
    assert here == [500, 200, 200]


async def test_the_challenge_and_the_token_have_faults_of_their_own() -> None:
    faults = [
        Fault("challenge", headers={"WWW-Authenticate": 'Bearer authorization="https://evil.example/t"'}),
        Fault("token", 2, status=503),
    ]
    async with wire(SMALL, faults=faults) as client:
        challenged = await client.send("GET", KEYS)
        tokens = [(await client.sign_in()).status for _ in range(2)]
    assert (challenged.status, challenged.headers.getall("WWW-Authenticate")) == (  # type: ignore[attr-defined]
        401,
        ['Bearer authorization="https://evil.example/t"'],
    )
    assert tokens == [200, 503]


async def test_bodies_are_replaced_and_edited() -> None:
    def older(page: Any) -> Any:
        page["value"][0]["attributes"]["created"] = 1
        return page

    faults = [Fault("key.list", 1, edit=older), Fault("key.list", 2, body=b"<html>"), Fault("key.list", 3, body="{}")]
    async with wire(SMALL, faults=faults) as client:
        replies = [await client.get(KEYS) for _ in range(4)]
    assert replies[0].data["value"][0]["attributes"]["created"] == 1
    assert [reply.body for reply in replies[1:3]] == [b"<html>", b"{}"]
    assert replies[3].data["value"][0]["attributes"]["created"] != 1


async def test_the_link_to_the_next_page_is_replaced() -> None:
    faults = [
        Fault("key.list", next_link="https://evil.example/keys"),
        Fault("subscription.list", next_link="{self}"),
        Fault("application.list", next_link="https://evil.example/applications"),
        Fault("vault.query", next_link="again"),
    ]
    query = {"query": "resources | where type =~ 'microsoft.keyvault/vaults'"}
    async with wire(SMALL, faults=faults) as client:
        keys = await client.get(KEYS)
        loop = await client.get(f"{ARM}/subscriptions?api-version=2022-12-01")
        graph = await client.get(f"{GRAPH}/applications?$select=id")
        rows = await client.post(f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", query)
    assert keys.data["nextLink"] == "https://evil.example/keys"
    assert loop.data["nextLink"] == f"{ARM}/subscriptions?api-version=2022-12-01"
    assert graph.data["@odata.nextLink"] == "https://evil.example/applications"
    assert rows.data["$skipToken"] == "again"


@pytest.mark.parametrize(
    "fault",
    [
        # Twice: this client by itself asks again where a kept connection ends without an answer.
        Fault("key.get", range(1, 3), drop=True),
        Fault("key.get", raw=b"SSH-2.0-x\r\n"),
        Fault("key.get", cut=10),
    ],
    ids=["drop", "raw", "cut"],
)
async def test_a_broken_answer_breaks_its_connection_only(fault: Fault) -> None:
    async with wire(SMALL, faults=[fault]) as client:
        await client.authorization(SIGNING)
        with pytest.raises((aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError)):
            await client.get(SIGNING)
        assert (await client.get(SIGNING)).status == 200


async def test_a_cut_body_was_announced_whole() -> None:
    async with wire(SMALL, faults=[Fault("key.get", 2, cut=10)]) as client:
        whole = await client.get(SIGNING)
        headers = await client.authorization(SIGNING)
        async with client.session.get(SIGNING, proxy=client.simulator.proxy, headers=headers) as response:
            assert int(response.headers["Content-Length"]) == len(whole.body)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


async def test_delay_comes_on_top_of_the_latency() -> None:
    async with wire(SMALL, latency=0.01, faults=[Fault("key.list", 2, delay=0.04)]) as client:
        loop = asyncio.get_running_loop()
        await client.get(KEYS)
        start = loop.time()
        await client.get(KEYS)
        first = loop.time() - start
    assert first >= 0.05


async def test_dates_can_be_wrong() -> None:
    date = "Mon, 01 Jan 2001 00:00:00 GMT"
    async with wire(SMALL, faults=[Fault("key.list", headers={"date": date})]) as client:
        wrong, right = await client.get(KEYS), await client.get(KEYS)
    assert [reply.headers["Date"] for reply in (wrong, right)] == [date, "Wed, 18 Nov 2026 11:06:40 GMT"]


async def test_a_name_can_be_unreachable_for_a_while() -> None:
    faults = [
        Fault("connect", where="kv-open", status=503),
        Fault("connect", range(2, 4), where="kv-open", drop=True),
    ]
    async with wire(SMALL, faults=faults) as client:
        await client.authorization(KEYS)
        with pytest.raises(aiohttp.ClientHttpProxyError, match="503"):
            await client.get(KEYS)
        with pytest.raises(aiohttp.ClientError):
            await client.get(KEYS)
        assert (await client.get(KEYS)).status == 200
    assert client.simulator.refused == []


async def test_a_fault_leaves_an_error_body_of_the_service() -> None:
    """A status alone keeps the true body: what a `200` with an error body looks like from the other side."""
    error = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    async with wire(SMALL, faults=[Fault("vault.list", "every", body=error)]) as client:
        url = f"{ARM}/subscriptions/{SMALL.subscriptions[0].id}/providers/Microsoft.KeyVault/vaults?api-version=1"
        reply = await client.get(url)
    assert (reply.status, json.loads(reply.body)) == (200, error)
