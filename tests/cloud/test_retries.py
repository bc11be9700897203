"""Throttling and trouble, through the official clients, on a fake clock: nothing is lost, and little repeated."""

import asyncio
import random
from collections.abc import Callable

import msgspec
import pytest

from keyaudit.cloud.gateway import Gateway
from keyaudit.cloud.limits.circuit import CONNECT_CIRCUIT, PATIENCE
from keyaudit.cloud.sender import ATTEMPTS
from keyaudit.model.coverage import End, Refusal
from keyaudit.model.reasons import Reason
from tests.cloud.azure import ARM, GRAPH, LOGIN, OTHER_TENANT, SUBSCRIPTION, VAULTS, Azure, Reply, Request, error, token
from tests.cloud.clock import FakeClock
from tests.cloud.conftest import Connect
from tests.cloud.reading import key_of

QUERY = {"query": "resources | order by id asc"}
EMPTY_ROWS = Reply({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": []})


class Bundle(msgspec.Struct):
    key: dict[str, str]


async def _list(gateway: Gateway, operation: str = "vault.list") -> End:
    body = QUERY if operation == "vault.query" else None
    segments = {"subscription": SUBSCRIPTION} if operation == "vault.list" else {}
    listing = gateway.pages(operation, dict, by=str, body=body, **segments)
    assert [item async for item in listing] == []
    return listing.end


def _times(number: int, reply: Reply, then: Reply) -> Callable[[Request], Reply]:
    left = [number]

    def script(request: Request) -> Reply:
        left[0] -= 1
        return reply if left[0] >= 0 else then

    return script


@pytest.mark.parametrize(
    ("operation", "good"),
    [("vault.list", Reply({"value": []})), ("claims_mapping.list", Reply({"value": []})), ("vault.query", EMPTY_ROWS)],
)
@pytest.mark.parametrize(
    ("bad", "least", "most"),
    [
        (error(429, "TooManyRequests", Retry_After="5"), 10, 12),
        (error(429, "TooManyRequests"), 0, 8),
        (error(429, "TooManyRequests", Retry_After="0"), 2, 4),
        (error(429, "TooManyRequests", Retry_After="-5"), 0, 8),
        (error(429, "TooManyRequests", Retry_After="nonsense"), 0, 8),
        (error(429, "TooManyRequests", x_ms_retry_after_ms="2500"), 5, 7),
        (error(503, "ServerBusy", Retry_After="7"), 14, 16),
        (error(500, "InternalServerError"), 0, 8),
        (Reply(b"<html>bad gateway</html>", 502, type="text/html"), 0, 8),
        (error(504, "GatewayTimeout"), 0, 8),
        (error(408, "RequestTimeout"), 0, 8),
    ],
)
async def test_it_is_tried_again_as_azure_asks(
    azure: Azure, connected: Connect, clock: FakeClock, operation: str, good: Reply, bad: Reply, least: float, most: float
) -> None:
    azure.script = _times(2, bad, good)
    async with connected() as connection:
        assert await _list(connection.gateway, operation) == End()
        assert connection.retries == 2
    assert least <= clock.passed <= most
    assert len([request for request in azure.requests if request.host != LOGIN]) == 3


async def test_a_refusal_with_a_retry_after_is_not_tried_again(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: error(403, "AuthorizationFailed", Retry_After="5")
    async with connected() as connection:
        end = await _list(connection.gateway)
    assert end.refusal == Refusal(Reason.PERMISSION, "AuthorizationFailed", 403)
    assert len(azure.to(ARM)) == 1


async def test_permanent_throttling_ends_with_the_runs_time(azure: Azure, connected: Connect, clock: FakeClock) -> None:
    azure.script = lambda request: error(429, "TooManyRequests", Retry_After="20")
    async with connected(budget=100) as connection:
        end = await _list(connection.gateway)
        assert end.refusal is not None
        assert end.refusal.reason is Reason.THROTTLED
        assert clock.passed <= 100
        clock.passed = 100
        sent = len(azure.requests)
        assert (await _list(connection.gateway, "domain.list")).refusal == Refusal(Reason.BUDGET)
    assert len(azure.requests) == sent


async def test_trouble_that_stays_ends_after_so_many_attempts(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: error(500, "InternalServerError")
    async with connected() as connection:
        assert (await _list(connection.gateway)).refusal == Refusal(Reason.SERVICE_ERROR, "InternalServerError", 500)
    assert len(azure.to(ARM)) == ATTEMPTS


async def test_a_vault_that_is_down_costs_few_requests_and_no_other_vault_any(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str
) -> None:
    other = vault.replace("kv-", "kw-")
    dead = vault.split("/")[2]
    azure.script = lambda request: error(503, "Down") if request.host == dead else key_of(request)

    async with connected() as connection:

        async def get(uri: str, number: int) -> Bundle | Refusal:
            return await connection.gateway.get("key.get", Bundle, host=uri, key=f"k{number}", version="")

        found = await asyncio.gather(*(get(uri, number) for number in range(50) for uri in (vault, other)))
    assert [isinstance(each, Refusal) for each in found] == [True, False] * 50
    assert all(each.reason is Reason.SERVICE_ERROR for each in found if isinstance(each, Refusal))
    asked = [request for request in azure.requests if request.host == dead and "authorization" in request.headers]
    # Far from six of each: after the first few, one request at a time is tried.
    assert len(asked) <= 200
    assert clock.passed <= 1.1 * PATIENCE


async def test_a_name_that_the_proxy_cannot_reach_is_given_up_soon(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str
) -> None:
    host = vault.split("/")[2]
    azure.connect_status[host] = 502
    async with connected() as connection:
        for _ in range(5):
            found = await connection.gateway.get("key.get", Bundle, host=vault, key="k", version="")
            assert found == Refusal(Reason.UNREACHABLE, "the proxy answered 502")
    # And once for each request that comes later.
    assert azure.connects.count(host) == CONNECT_CIRCUIT + 4
    assert clock.passed <= 30


async def test_a_proxy_that_refuses_is_not_asked_again(azure: Azure, connected: Connect, vault: str) -> None:
    host = vault.split("/")[2]
    azure.connect_status[host] = 407
    async with connected() as connection:
        found = await connection.gateway.get("key.get", Bundle, host=vault, key="k", version="")
    assert found == Refusal(Reason.UNREACHABLE, "the proxy answered 407")
    assert azure.connects.count(host) == 1


async def test_a_storm_loses_nothing_and_repeats_little(azure: Azure, connected: Connect, clock: FakeClock, vault: str) -> None:
    """Ten minutes in which 95 of 100 requests are throttled, then none."""
    chance = random.Random(7)
    throttled = 0

    def script(request: Request) -> Reply:
        nonlocal throttled
        if clock.passed < 600 and chance.random() < 0.95:
            throttled += 1
            return error(429, "Throttled")
        return key_of(request)

    azure.script = script
    async with connected(share=1.0) as connection:
        found = await asyncio.gather(
            *(connection.gateway.get("key.get", Bundle, host=vault, key=f"k{number}", version="") for number in range(600))
        )
        assert connection.retries == throttled
    assert all(isinstance(each, Bundle) for each in found)
    assert throttled <= 60  # a tenth
    assert clock.passed >= 600


async def test_a_spent_quota_of_resource_graph_is_waited_for_without_a_429(
    azure: Azure, connected: Connect, clock: FakeClock
) -> None:
    sent: list[float] = []

    def script(request: Request) -> Reply:
        sent.append(clock.passed)
        headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}
        return Reply(EMPTY_ROWS.body, headers=headers)

    azure.script = script
    async with connected() as connection:
        for _ in range(3):
            assert await _list(connection.gateway, "vault.query") == End()
        assert connection.retries == 0
    assert sent == pytest.approx([0, 5, 10])


async def test_the_share_bounds_what_is_sent(azure: Azure, connected: Connect, clock: FakeClock) -> None:
    """keyCredentials: 150 requests a minute, and half of that is ours."""
    azure.script = lambda request: Reply({"value": []})
    async with connected() as connection:
        for _ in range(150):
            assert await _list(connection.gateway, "application.list") == End()
    assert clock.passed == pytest.approx(60, rel=0.05)


@pytest.mark.parametrize(("paced", "seconds"), [(True, 10), (False, 0)])
async def test_only_what_has_limits_is_paced(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str, paced: bool, seconds: float
) -> None:
    """The simulated tenant of a demo has none."""
    azure.script = key_of
    async with connected(paced=paced, share=0.01) as connection:
        for number in range(80):
            await connection.gateway.get("key.get", Bundle, host=vault, key=f"k{number}", version="")
    assert clock.passed == pytest.approx(seconds)


async def test_small_vaults_need_not_wait_for_a_large_one(azure: Azure, connected: Connect, vault: str) -> None:
    large, *small = (vault.replace("kv-", f"k{letter}-") for letter in "abcdef")
    # Long enough that a busy machine, too, has many of them open at once.
    azure.script = lambda request: Reply(key_of(request).body, delay=0.1)
    finished: list[str] = []
    async with connected() as connection:

        async def get(uri: str, number: int) -> None:
            found = await connection.gateway.get("key.get", Bundle, host=uri, key=f"k{number}", version="")
            assert isinstance(found, Bundle)
            finished.append(uri)

        every = [(large, number) for number in range(200)] + [(uri, number) for number in range(20) for uri in small]
        await asyncio.gather(*(get(uri, number) for uri, number in every))
    assert max(azure.busiest.values()) == 16
    assert 32 < azure.busiest_overall <= 64
    assert set(finished[-50:]) == {large}


# Continuous access evaluation

CLAIMS = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ=="


def _revoked(claims: str = CLAIMS) -> Reply:
    authority = f"https://{LOGIN}/common/oauth2/authorize"
    header = f'Bearer realm="", authorization_uri="{authority}", error="insufficient_claims", claims="{claims}"'
    return Reply({"error": {"code": "InvalidAuthenticationToken", "message": "m"}}, 401, {"WWW-Authenticate": header})


def _new_token_each_time(azure: Azure) -> None:
    given = iter(range(100))
    azure.sign_in = lambda request: Reply(
        {"token_type": "Bearer", "expires_in": 3600, "access_token": token(nonce=str(next(given)))}
    )


@pytest.mark.parametrize(("operation", "host"), [("vault.list", ARM), ("claims_mapping.list", GRAPH)])
async def test_new_claims_are_met_once_and_the_request_is_replayed(
    azure: Azure, connected: Connect, operation: str, host: str
) -> None:
    _new_token_each_time(azure)
    azure.script = _times(1, _revoked(), Reply({"value": []}))
    async with connected() as connection:
        signed_in = len(azure.to(LOGIN))
        assert await _list(connection.gateway, operation) == End()
    asked = [request.body.decode() for request in azure.to(LOGIN)[signed_in:]]
    assert sum("nbf" in body for body in asked) == 1
    first, second = azure.to(host)
    assert first.headers["authorization"] != second.headers["authorization"]


@pytest.mark.parametrize("operation", ["vault.list", "domain.list"])
async def test_claims_asked_for_again_end_the_identitys_run(azure: Azure, connected: Connect, operation: str) -> None:
    _new_token_each_time(azure)
    azure.script = lambda request: _revoked()
    async with connected() as connection:
        end = await _list(connection.gateway, operation)
        assert end.refusal == Refusal(Reason.IDENTITY_REVOKED, "insufficient_claims", 401)
        sent = len(azure.requests)
        for other in ("vault.list", "domain.list", "vault.query"):
            assert (await _list(connection.gateway, other)).refusal == end.refusal
    assert len(azure.requests) == sent
    assert sum("nbf" in request.body.decode() for request in azure.to(LOGIN)) == 1


@pytest.mark.parametrize("operation", ["vault.list", "domain.list"])
@pytest.mark.parametrize("claims", ["not base64!", "eA", "\u00e9\u00e9", "e30" * 1])
async def test_claims_that_cannot_be_read_are_a_failed_sign_in(
    azure: Azure, connected: Connect, operation: str, claims: str
) -> None:
    azure.script = lambda request: _revoked(claims.encode().decode("latin-1"))
    async with connected() as connection:
        signed_in = len(azure.to(LOGIN))
        end = await _list(connection.gateway, operation)
    assert end.refusal is not None
    assert end.refusal.reason in (Reason.AUTH_FAILED, Reason.IDENTITY_REVOKED, Reason.BAD_CHALLENGE)
    assert len(azure.to(LOGIN)) <= signed_in + 2
    assert len([request for request in azure.requests if request.host != LOGIN]) <= 2


async def test_a_vault_may_ask_for_claims_after_its_challenge(azure: Azure, connected: Connect, vault: str) -> None:
    _new_token_each_time(azure)
    azure.script = _times(1, _revoked(), Reply({"key": {"kid": f"{vault}keys/k/1"}}))
    async with connected() as connection:
        found = await connection.gateway.get("key.get", Bundle, host=vault, key="k", version="")
    assert isinstance(found, Bundle)
    assert len(azure.to(VAULTS)) == 3
    assert sum("nbf" in request.body.decode() for request in azure.to(LOGIN)) == 1


async def test_a_claims_challenge_does_not_bring_in_another_tenant(azure: Azure, connected: Connect, vault: str) -> None:
    authority = f"https://{LOGIN}/{OTHER_TENANT}"
    header = f'Bearer authorization="{authority}", resource="https://vault.azure.net", claims="{CLAIMS}"'
    azure.challenge = lambda request: Reply(b"", 401, {"WWW-Authenticate": header})
    async with connected() as connection:
        signed_in = len(azure.to(LOGIN))
        found = await connection.gateway.get("key.get", Bundle, host=vault, key="k", version="")
    assert found == Refusal(Reason.BAD_CHALLENGE, "another tenant's token was requested")
    assert len(azure.to(LOGIN)) == signed_in
