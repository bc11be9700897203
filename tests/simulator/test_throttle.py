"""Documented limits: what counts against which, and how a refusal looks, with and without Retry-After."""

from typing import Any

import pytest
from msgspec import structs

from keyaudit.simulator.throttle import Bucket, Charge, Meter, Throttle, Window
from tests.simulator.client import ARM, GRAPH, wire
from tests.simulator.small import AS_OF, SMALL, SUBSCRIPTION

VAULT = "https://kv-open.vault.azure.net"
DOCUMENTED = Throttle.documented()


def test_the_documented_limits() -> None:
    assert DOCUMENTED.vault == Window(4000, 10)
    assert DOCUMENTED.vault_hsm == Window(2000, 10)
    assert DOCUMENTED.arm == Bucket(250, 25)
    assert DOCUMENTED.resource_graph == Window(15, 5)
    assert DOCUMENTED.graph == Window(8000, 10)
    assert DOCUMENTED.reports == Window(5, 10)
    assert DOCUMENTED.log_queries == Window(200, 30)
    assert DOCUMENTED.key_credentials == Window(150, 60)


def test_a_window_opens_again_as_a_whole() -> None:
    meter, charge = Meter(structs.replace(DOCUMENTED, vault=Window(3, 10))), [Charge("vault", "a")]
    assert [meter.charge(charge, at) is None for at in (0, 1, 2, 3)] == [True, True, True, False]
    refusal = meter.charge(charge, 9.5)
    assert refusal is not None
    assert refusal.wait == 1
    assert [meter.charge(charge, at) is None for at in (10, 11, 12, 13)] == [True, True, True, False]
    assert meter.charge([Charge("vault", "b")], 13) is None
    assert meter.refused == 3


def test_a_bucket_fills_drop_by_drop() -> None:
    meter, charge = Meter(structs.replace(DOCUMENTED, arm=Bucket(2, 0.5))), [Charge("arm", "a")]
    assert [meter.charge(charge, at) is None for at in (0, 0, 0)] == [True, True, False]
    refusal = meter.charge(charge, 0)
    assert refusal is not None
    assert refusal.wait == 2
    assert [meter.charge(charge, at) is None for at in (2, 2)] == [True, False]


def test_a_refused_request_is_charged_to_no_limit() -> None:
    meter = Meter(structs.replace(DOCUMENTED, graph=Window(10, 10), key_credentials=Window(1, 60)))
    both = [Charge("graph", "", 4), Charge("key_credentials", "")]
    assert [meter.charge(both, at) is None for at in (0, 1, 2)] == [True, False, False]
    assert meter.remaining(both[0], 3) == 6
    assert meter.charge(both[:1], 3) is None


def test_some_refusals_say_when_to_come_back_and_some_do_not() -> None:
    def said(seed: int) -> list[bool]:
        meter = Meter(structs.replace(DOCUMENTED, vault=Window(0, 10), seed=seed))
        return [bool(refusal and refusal.said) for refusal in (meter.charge([Charge("vault", "")], 0) for _ in range(50))]

    assert set(said(0)) == {True, False}
    assert said(1) == said(1)
    assert said(1) != said(2)


_NONE = Window(0, 10)


def _with(limit: str) -> Throttle:
    """Documented limits, but for one that lets nothing through."""
    limits: dict[str, Any] = {limit: _NONE}
    return structs.replace(DOCUMENTED, **limits)


@pytest.mark.parametrize(
    ("limit", "url", "code"),
    [
        ("vault", f"{VAULT}/keys?api-version=7.5", "Throttled"),
        ("vault_hsm", f"{VAULT}/keys/elliptic?api-version=7.5", "Throttled"),
        ("vault_subscription", f"{VAULT}/keys?api-version=7.5", "Throttled"),
        ("arm", f"{ARM}/subscriptions/{SUBSCRIPTION}/resources?api-version=1", "TooManyRequests"),
        ("graph", f"{GRAPH}/organization", "TooManyRequests"),
        ("reports", GRAPH.replace("v1.0", "beta") + "/reports/servicePrincipalSignInActivities", "TooManyRequests"),
        ("key_credentials", f"{GRAPH}/applications?$select=id,keyCredentials", "TooManyRequests"),
    ],
)
async def test_each_service_refuses_in_its_own_words(limit: str, url: str, code: str) -> None:
    throttle = _with(limit)
    async with wire(SMALL, throttle=throttle) as client:
        replies = [await client.get(url) for _ in range(12)]
        other = await client.get(f"{GRAPH}/domains") if "vault" in limit else await client.get(f"{VAULT}/keys?api-version=7.5")
    assert {reply.status for reply in replies} == {429}
    assert {reply.data["error"]["code"] for reply in replies} == {code}
    assert {reply.headers.get("Retry-After") for reply in replies} == {None, "10"}
    assert other.status == 200
    assert client.simulator.throttled == 12


async def test_resource_graph_says_what_is_left() -> None:
    url = f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    query = {"query": "resources | where type =~ 'microsoft.keyvault/vaults'"}
    times = [float(AS_OF)]
    async with wire(SMALL, throttle=DOCUMENTED, now=lambda: times[0]) as client:
        replies = [await client.post(url, query) for _ in range(16)]
        times[0] += 5
        later = await client.post(url, query)
    assert [reply.status for reply in replies] == [200] * 15 + [429]
    assert [reply.headers["x-ms-user-quota-remaining"] for reply in replies] == [*map(str, range(14, -1, -1)), "0"]
    assert replies[-1].data["error"]["code"] == "RateLimiting"
    assert replies[-1].headers["x-ms-user-quota-resets-after"] == "00:00:05"
    assert (later.status, later.headers["x-ms-user-quota-remaining"]) == (200, "14")


async def test_limits_count_down_in_the_headers() -> None:
    times = [float(AS_OF)]
    throttle = structs.replace(DOCUMENTED, graph=Window(10, 10))
    async with wire(SMALL, throttle=throttle, now=lambda: times[0]) as client:
        arm = [await client.get(f"{ARM}/subscriptions/{SUBSCRIPTION}/resources?api-version=1") for _ in range(2)]
        listed = await client.get(f"{GRAPH}/applications?$expand=owners($select=id)")
        selected = await client.get(f"{GRAPH}/applications?$select=id")
        few = await client.get(f"{GRAPH}/applications?$select=id&$top=5")
        near = await client.get(f"{GRAPH}/applications?$expand=owners")
    name = "x-ms-ratelimit-remaining-subscription-reads"
    assert [reply.headers[name] for reply in arm] == ["249", "248"]
    units = [reply.headers["x-ms-resource-unit"] for reply in (listed, selected, few, near)]
    assert units == ["3", "1", "1", "3"]
    assert "x-ms-throttle-limit-percentage" not in few.headers
    assert near.headers["x-ms-throttle-limit-percentage"] == "0.8"


async def test_reports_have_a_limit_of_their_own() -> None:
    times = [float(AS_OF)]
    reports = GRAPH.replace("v1.0", "beta") + "/reports"
    async with wire(SMALL, throttle=DOCUMENTED, now=lambda: times[0]) as client:
        replies = [await client.get(f"{reports}/servicePrincipalSignInActivities") for _ in range(4)]
        replies += [await client.get(f"{reports}/appCredentialSignInActivities") for _ in range(2)]
        other = await client.get(f"{GRAPH}/domains")
        times[0] += 10
        later = await client.get(f"{reports}/appCredentialSignInActivities")
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    assert (other.status, later.status) == (200, 200)
