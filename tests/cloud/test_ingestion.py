"""Rows on their way to Log Analytics: each is stored, none is sent again without being counted, and none goes elsewhere."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace
from yarl import URL

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.cloud.ingestion import MOST_BYTES, Destination, Ingestion, batches, connect
from keyaudit.cloud.limits.circuit import PATIENCE
from keyaudit.cloud.network import Network
from keyaudit.cloud.refusal import Refused
from keyaudit.cloud.session import Door
from keyaudit.model.errors import Exit, OutputError, UnsafeError, UsageError
from tests.cloud.azure import LOGIN, OTHER_TENANT, TENANT, Azure, Reply, Request, error
from tests.cloud.clock import FakeClock
from tests.cloud.conftest import ENVIRON

HOST = "dce-soc-ab12.westeurope-1.ingest.monitor.azure.com"
RULE = "dcr-0123456789abcdef0123456789abcdef"
TO = Destination(HOST, RULE, "Custom-KeyAudit_CL")
TAKEN = Reply(status=204)

Way = Callable[..., AbstractAsyncContextManager[Ingestion]]


@pytest.fixture
def way(network: Network, clock: FakeClock) -> Way:
    usual = SignIn(environment=ENVIRONMENTS["public"], auth="env", tenant=TENANT, network=network, environ=ENVIRON)
    return lambda **said: connect(TO, replace(usual, **said), clock=clock, prompt=pytest.fail)


class Endpoint:
    """Answers from a list, then that it took the rows; keeps what was stored: what it answered 204, or said `keeps` of."""

    def __init__(self, azure: Azure, *answers: Reply, keeps: Sequence[Reply] = ()) -> None:
        self.stored: list[Any] = []
        self.sizes: list[int] = []
        self._answers: Iterator[Reply] = iter(answers)
        self._keeps = keeps
        azure.script = self

    def __call__(self, request: Request) -> Reply:
        assert (request.method, request.path) == ("POST", f"/dataCollectionRules/{RULE}/streams/Custom-KeyAudit_CL")
        assert request.query == {"api-version": ["2023-01-01"]}
        assert request.headers["content-encoding"] == "gzip"
        body = gzip.decompress(request.body)
        self.sizes.append(len(body))
        answer = next(self._answers, TAKEN)
        if answer.status == 204 or answer in self._keeps:
            self.stored += json.loads(body)
        return answer


def rows(count: int, size: int = 10) -> list[dict[str, object]]:
    return [{"record_number": number, "text": "\N{EURO SIGN}" * size} for number in range(1, count + 1)]


async def test_rows_arrive_whole_and_once_in_requests_of_at_most_a_megabyte(azure: Azure, way: Way) -> None:
    endpoint = Endpoint(azure)
    sent = rows(3_000, size=200)
    async with way() as open_:
        await open_.send(iter(sent))
        assert (open_.taken, open_.requests, open_.perhaps_twice) == (3_000, len(endpoint.sizes), 0)
    assert endpoint.stored == sent
    assert len(endpoint.sizes) == 4
    assert max(endpoint.sizes) <= MOST_BYTES
    assert set(azure.connects) == {LOGIN, HOST}
    scopes = [form for request in azure.to(LOGIN) for form in request.body.decode().split("&") if form.startswith("scope=")]
    assert scopes[-1] == "scope=https%3A%2F%2Fmonitor.azure.com%2F.default"


def test_a_batch_is_as_large_as_the_limit_allows_and_no_larger() -> None:
    for size in (1, 57, 4_000):
        found = list(batches(rows(900, size)))
        assert [row for batch in found for row in batch] == rows(900, size)
        lengths = [len(json.dumps(batch)) for batch in found]
        assert max(lengths) <= MOST_BYTES
        assert all(length > MOST_BYTES - 6 * size - 60 for length in lengths[:-1])
    large = {"text": "x" * MOST_BYTES}
    assert list(batches([{"a": 1}, large, {"a": 2}])) == [[{"a": 1}], [large], [{"a": 2}]]
    assert list(batches([])) == []


async def test_throttling_is_waited_for_as_asked_and_loses_nothing(azure: Azure, way: Way, clock: FakeClock) -> None:
    throttled = error(429, "TooManyRequests", Retry_After="37")
    endpoint = Endpoint(azure, *[throttled] * 9)
    async with way() as open_:
        await open_.send(rows(5))
        assert (open_.taken, open_.perhaps_twice) == (5, 0)
    assert endpoint.stored == rows(5)
    assert clock.slept == [37.0] * 9


async def test_a_wait_longer_than_the_patience_ends_it_at_once(azure: Azure, way: Way, clock: FakeClock) -> None:
    Endpoint(azure, TAKEN, error(429, "TooManyRequests", Retry_After=str(int(PATIENCE) + 1)))
    async with way() as open_:
        await open_.send(rows(5))
        with pytest.raises(OutputError, match="throttled until the end") as stopped:
            await open_.send(rows(2))
    assert stopped.value.exit == Exit.BUG
    assert "5 rows were stored" in str(stopped.value)
    assert clock.slept == []


async def test_what_is_too_large_is_sent_in_halves(azure: Azure, way: Way) -> None:
    endpoint = Endpoint(azure, error(413, "ContentLengthLimitExceeded"), error(413, "ContentLengthLimitExceeded"))
    async with way() as open_:
        await open_.send(rows(9))
        assert (open_.taken, open_.requests, open_.perhaps_twice) == (9, 3, 0)
    assert endpoint.stored == rows(9)


async def test_one_row_that_is_too_large_is_named_and_not_lost_in_silence(azure: Azure, way: Way) -> None:
    endpoint = Endpoint(azure, *[error(413, "ContentLengthLimitExceeded")] * 9)
    async with way() as open_:
        with pytest.raises(OutputError, match="a row exceeds the service's size limit"):
            await open_.send(rows(1))
    assert endpoint.stored == []


@pytest.mark.parametrize("broken", [error(500, "InternalServerError"), error(504, "GatewayTimeout"), Reply(drop=True)])
@pytest.mark.parametrize("kept", [True, False])
async def test_a_request_without_an_answer_is_sent_again_and_counted(azure: Azure, way: Way, broken: Reply, kept: bool) -> None:
    endpoint = Endpoint(azure, TAKEN, broken, broken, keeps=[broken] if kept else [])
    async with way() as open_:
        await open_.send(rows(3))
        await open_.send(rows(4))
        assert (open_.taken, open_.requests, open_.perhaps_twice) == (7, 2, 4)
    # Where the service had stored them, they are there three times: nobody can know, and it is said.
    assert endpoint.stored == rows(3) + rows(4) * (3 if kept else 1)


async def test_what_never_answers_ends_it_and_says_what_is_known(azure: Azure, way: Way) -> None:
    endpoint = Endpoint(azure, TAKEN, *[Reply(drop=True)] * 99)
    async with way() as open_:
        await open_.send(rows(3))
        with pytest.raises(OutputError) as stopped:
            await open_.send(rows(4))
    assert "3 rows were stored, and no verdict row; 4 more were sent, and may be stored or not" in str(stopped.value)
    assert len(endpoint.sizes) < 12


async def test_an_endpoint_that_cannot_be_reached_is_waited_for_and_nothing_is_in_doubt(azure: Azure, way: Way) -> None:
    endpoint = Endpoint(azure)
    tries = iter([False, False, True])
    azure.connect_status[HOST] = 502
    azure.reconnects = lambda host: next(tries, True) if host == HOST else True
    async with way() as open_:
        await open_.send(rows(4))
        assert (open_.taken, open_.perhaps_twice) == (4, 0)
    assert endpoint.stored == rows(4)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "the rule refused the rows"),
        (401, "refused the sign-in"),
        (403, "Monitoring Metrics Publisher"),
        (404, "no such rule or stream"),
        (302, "the service answered 302"),
        (200, "the service answered 200"),
    ],
)
async def test_what_another_try_cannot_mend_is_tried_once(azure: Azure, way: Way, status: int, words: str) -> None:
    endpoint = Endpoint(azure, *[Reply({"error": {"code": "Refused"}}, status, {"Location": "https://evil.example/"})] * 9)
    async with way() as open_:
        with pytest.raises(OutputError, match=words):
            await open_.send(rows(4))
    assert (len(endpoint.sizes), endpoint.stored) == (1, [])
    assert set(azure.connects) == {LOGIN, HOST}


async def test_the_sign_in_belongs_to_the_audited_tenant(azure: Azure, way: Way) -> None:
    with pytest.raises(UnsafeError, match="the sign-in belongs to"):
        async with way(tenant=OTHER_TENANT):
            pytest.fail("nothing may be sent")
    assert set(azure.connects) == {LOGIN}


@pytest.mark.parametrize(
    ("cloud", "endpoint", "error_"),
    [
        ("public", f"https://{HOST}", None),
        ("public", f"https://{HOST}/", None),
        ("usgov", "https://dce.usgovvirginia-1.ingest.monitor.azure.us", None),
        ("china", "https://dce.chinaeast2-1.ingest.monitor.azure.cn", None),
        ("usgov", f"https://{HOST}", UnsafeError),
        ("public", "https://evil.example", UnsafeError),
        ("public", "https://ingest.monitor.azure.com.evil.example", UnsafeError),
        ("public", "https://ingest.monitor.azure.com", UnsafeError),
        ("public", f"http://{HOST}", UsageError),
        ("public", f"https://user@{HOST}", UsageError),
        ("public", f"https://{HOST}:8443", UsageError),
        ("public", f"https://{HOST}/dataCollectionRules", UsageError),
        ("public", f"https://{HOST}?sig=secret", UsageError),
        ("public", "https://[", UsageError),
        ("public", HOST, UsageError),
    ],
)
def test_a_token_goes_only_to_an_ingestion_endpoint_of_the_cloud(
    cloud: str, endpoint: str, error_: type[Exception] | None
) -> None:
    if error_ is None:
        assert Destination.of(endpoint, RULE, "Custom-X_CL", ENVIRONMENTS[cloud]).host in endpoint
    else:
        with pytest.raises(error_, match="--endpoint"):
            Destination.of(endpoint, RULE, "Custom-X_CL", ENVIRONMENTS[cloud])


@pytest.mark.parametrize(
    ("rule", "stream"),
    [
        ("/subscriptions/x/resourceGroups/y/providers/Microsoft.Insights/dataCollectionRules/z", "Custom-X_CL"),
        ("dcr-short", "Custom-X_CL"),
        (RULE, "Microsoft-Syslog"),
        (RULE, "Custom-X/../Y"),
    ],
)
def test_a_rule_and_a_stream_are_names_and_no_paths(rule: str, stream: str) -> None:
    with pytest.raises(UsageError, match=r"--rule|--stream"):
        Destination.of(f"https://{HOST}", rule, stream, ENVIRONMENTS["public"])


async def test_what_reads_a_tenant_cannot_send_and_what_sends_cannot_read() -> None:
    environment = ENVIRONMENTS["public"]

    async def lets(door: Door, host: str) -> bool:
        request: Any = SimpleNamespace(url=URL(f"https://{host}/"), proxy=None)
        handler: Any = AsyncMock(return_value=SimpleNamespace(status=200))
        try:
            await door(request, handler)
        except Refused:
            return False
        return True

    reading, sending = Door(environment, Network()), Door(environment, Network(), only=HOST)
    read = (environment.arm, environment.graph, environment.logs, "kv-a.vault.azure.net")
    assert [await lets(reading, host) for host in (LOGIN, *read, HOST)] == [True] * 5 + [False]
    other = HOST.replace("soc", "other")
    assert [await lets(sending, host) for host in (LOGIN, HOST, *read, other)] == [True] * 2 + [False] * 5
