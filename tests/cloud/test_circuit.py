"""Connection problems are retried and do not affect other requests: dropped connections, failing paths, unreachable hosts."""

import asyncio
import random
from collections.abc import Callable

import pytest

from keyaudit.cloud.gateway import Gateway
from keyaudit.cloud.limits.circuit import CIRCUIT, CONNECT_CIRCUIT, PATIENCE, Circuit
from keyaudit.cloud.sender import ATTEMPTS, BROKEN_ALIKE
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from tests.cloud.azure import GRAPH, Azure, Reply, Request, error
from tests.cloud.clock import FakeClock
from tests.cloud.conftest import Connect
from tests.cloud.reading import Bundle, all_of, key_of

EMPTY = Reply({"value": []})
DROPPED = Refusal(Reason.UNREACHABLE, "the connection was dropped")
BROKEN = Refusal(Reason.SERVICE_ERROR, "status 500", 500)
TROUBLE = {
    "dropped": (Reply(drop=True), Reason.UNREACHABLE),
    "cut off": (Reply(b"{", cut=True), Reason.BAD_BODY),
    "500": (error(500, "InternalServerError"), Reason.SERVICE_ERROR),
    "throttled": (error(429, "TooManyRequests", Retry_After="20"), Reason.THROTTLED),
    "throttled for a day": (error(429, "TooManyRequests", Retry_After="86400"), Reason.THROTTLED),
}
IN_TROUBLE = pytest.mark.parametrize(("reply", "reason"), TROUBLE.values(), ids=TROUBLE)


async def _keys(gateway: Gateway, vault: str, names: list[str]) -> dict[str, Bundle | Refusal]:
    found = await asyncio.gather(*(gateway.get("key.get", Bundle, host=vault, key=name, version="") for name in names))
    return dict(zip(names, found, strict=True))


def _bad(*names: str, reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply if request.path.split("/")[2] in names else key_of(request)


@IN_TROUBLE
async def test_keys_that_fail_cost_no_other_key_its_answer(
    azure: Azure, connected: Connect, vault: str, reply: Reply, reason: Reason
) -> None:
    bad = [f"bad{number}" for number in range(5)]
    azure.script = _bad(*bad, reply=reply)
    async with connected() as connection:
        found = await _keys(connection.gateway, vault, [*bad, *(f"k{number}" for number in range(60))])
        after = await _keys(connection.gateway, vault, ["later"])
    refused = {name: each.reason for name, each in found.items() if isinstance(each, Refusal)}
    assert refused == dict.fromkeys(bad, reason)
    assert isinstance(after["later"], Bundle)


@pytest.mark.parametrize("trouble", ["dropped", "cut off"])
async def test_keys_whose_answers_always_break_off_hold_up_nothing(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str, trouble: str
) -> None:
    bad = [f"bad{number}" for number in range(3)]
    azure.script = _bad(*bad, reply=TROUBLE[trouble][0])
    async with connected() as connection:
        for _ in range(4):
            # A key has several versions, and each is asked for by itself.
            found = await _keys(connection.gateway, vault, [*bad, "good"])
            assert [isinstance(each, Refusal) for each in found.values()] == [True, True, True, False]
        assert connection.retries == 4 * 3 * (BROKEN_ALIKE - 1)
    # How long each waits is random: fifteen seconds a round, seldom a little more.
    assert clock.passed < 4 * 20


async def test_keys_that_fail_one_after_the_other_cost_the_next_one_nothing(
    azure: Azure, connected: Connect, vault: str
) -> None:
    """More failures in a row than open the circuit, and nothing in between that could close it."""
    bad = [f"bad{number}" for number in range(4)]
    azure.script = _bad(*bad, reply=TROUBLE["500"][0])
    async with connected(concurrency=1) as connection:
        for name in [*bad, "good"]:
            found = (await _keys(connection.gateway, vault, [name]))[name]
            assert isinstance(found, Refusal) == (name in bad)
    asked = [request for request in azure.requests if "authorization" in request.headers and "/bad0/" in request.path]
    assert len(asked) == ATTEMPTS


@IN_TROUBLE
async def test_one_url_of_graph_that_fails_costs_no_other_url_its_answer(
    azure: Azure, connected: Connect, reply: Reply, reason: Reason
) -> None:
    azure.script = lambda request: reply if request.path.endswith("/oauth2PermissionGrants") else EMPTY
    others = ("application.list", "claims_mapping.list", "app_management.list")
    async with connected() as connection:
        (_, end), *rest = await asyncio.gather(
            *(all_of(connection.gateway, each) for each in ("delegated_grant.list", *others))
        )
        later = await all_of(connection.gateway, "pki.list")
    assert end.refusal is not None
    assert end.refusal.reason is reason
    assert [found.refusal for _, found in (*rest, later)] == [None] * 4


async def test_a_host_that_answered_before_is_waited_for(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str
) -> None:
    """Five minutes without a route, in the middle of a vault: longer than any one request would try."""
    host = vault.split("/")[2]
    answers = iter(range(1_000))

    def script(request: Request) -> Reply:
        if next(answers) == 0:
            azure.connect_status[host] = 502
        return Reply(key_of(request).body, headers={"Connection": "close"})

    azure.script = script
    azure.reconnects = lambda name: clock.passed >= 300
    async with connected() as connection:
        assert all(isinstance(each, Bundle) for each in (await _keys(connection.gateway, vault, ["first"])).values())
        found = await _keys(connection.gateway, vault, [f"k{number}" for number in range(40)])
    assert all(isinstance(each, Bundle) for each in found.values())
    assert 300 <= clock.passed <= PATIENCE


async def test_a_vault_that_was_deleted_meanwhile_is_not_waited_for(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str
) -> None:
    host = vault.split("/")[2]
    asked: list[str] = []

    async def gone(name: str) -> bool:
        asked.append(name)
        return True

    azure.script = lambda request: Reply(key_of(request).body, headers={"Connection": "close"})
    async with connected() as connection:
        await _keys(connection.gateway, vault, ["first"])
        connection.gateway.sender.gone = gone
        azure.connect_status[host] = 502
        found = await _keys(connection.gateway, vault, [f"k{number}" for number in range(40)])
        later = await _keys(connection.gateway, vault, ["later"])
    assert all(isinstance(each, Refusal) for each in (*found.values(), *later.values()))
    assert asked == [host]
    assert clock.passed <= 60


async def test_a_day_is_not_waited_for(azure: Azure, connected: Connect, clock: FakeClock) -> None:
    azure.script = lambda request: TROUBLE["throttled for a day"][0]
    async with connected() as connection:
        _, end = await all_of(connection.gateway, "application.list")
    assert end.refusal == Refusal(Reason.THROTTLED, "TooManyRequests, to come back in 86,400 seconds", 429)
    assert (clock.passed, len(azure.to(GRAPH))) == (0, 1)


async def test_a_vault_that_puts_everything_off_is_not_asked_for_everything(
    azure: Azure, connected: Connect, clock: FakeClock, vault: str
) -> None:
    azure.script = lambda request: TROUBLE["throttled for a day"][0]
    async with connected() as connection:
        found = await _keys(connection.gateway, vault, [f"k{number}" for number in range(200)])
    assert {each.reason for each in found.values() if isinstance(each, Refusal)} == {Reason.THROTTLED}
    assert len([request for request in azure.requests if "authorization" in request.headers]) <= 16 + CIRCUIT
    assert clock.passed == 0


async def test_what_is_waited_for_is_told(azure: Azure, connected: Connect) -> None:
    azure.script = _then(error(429, "TooManyRequests", Retry_After="40"), EMPTY)
    told: list[tuple[str, Reason, float]] = []
    async with connected() as connection:
        connection.gateway.sender.watch = lambda host, reason, seconds: told.append((host, reason, seconds))
        assert (await all_of(connection.gateway, "application.list"))[1].refusal is None
    assert told == [(GRAPH, Reason.THROTTLED, 40)]


def _then(first: Reply, then: Reply) -> Callable[[Request], Reply]:
    left = [first]
    return lambda request: left.pop() if left else then


# The circuit by itself


def _circuit(clock: FakeClock, opens_after: int = CIRCUIT, *, waits_unanswered: bool = True) -> Circuit:
    return Circuit(clock, random.Random(1), opens_after, waits_unanswered=waits_unanswered)


async def _fail(circuit: Circuit, times: int, clock: FakeClock) -> None:
    for _ in range(times):
        circuit.failed(await circuit.enter(circuit.mark, clock.monotonic() + 10_000), BROKEN)


async def test_requests_wait_while_it_is_open_and_go_on_when_one_is_answered() -> None:
    clock = FakeClock()
    circuit = _circuit(clock)
    await _fail(circuit, CIRCUIT, clock)
    assert circuit.is_open()
    mark = circuit.mark
    waiting = [asyncio.create_task(circuit.enter(mark, clock.monotonic() + 10_000)) for _ in range(50)]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    [first] = [task.result() for task in done]
    assert first.probe is not None
    circuit.answered(first)
    assert [turn.probe for turn in await asyncio.gather(*waiting)].count(None) == 49
    assert circuit.given_up(mark) is None


async def test_what_waits_is_refused_after_the_runs_patience_and_what_comes_later_is_tried() -> None:
    clock = FakeClock()
    circuit = _circuit(clock)
    mark = circuit.mark
    while circuit.given_up(mark) is None:
        assert clock.passed <= PATIENCE + 15
        await _fail(circuit, 1, clock)
    assert clock.passed > PATIENCE
    assert circuit.given_up(mark) == BROKEN
    assert circuit.given_up(circuit.mark) is None
    circuit.answered(await circuit.enter(circuit.mark, clock.monotonic() + 100))
    assert not circuit.is_open()


async def test_a_host_that_never_answered_is_given_up_at_once() -> None:
    clock = FakeClock()
    circuit = _circuit(clock, CONNECT_CIRCUIT, waits_unanswered=False)
    mark = circuit.mark
    await _fail(circuit, CONNECT_CIRCUIT - 1, clock)
    assert circuit.given_up(mark) is None
    await _fail(circuit, 1, clock)
    assert (circuit.given_up(mark), clock.passed) == (BROKEN, 0)


async def test_nobody_waits_beyond_the_deadline() -> None:
    clock = FakeClock()
    circuit = _circuit(clock)
    await _fail(circuit, CIRCUIT, clock)
    held = await circuit.enter(circuit.mark, clock.monotonic() + 100)
    circuit.failed(held, BROKEN)
    assert (await circuit.enter(circuit.mark, clock.monotonic())).probe is None
