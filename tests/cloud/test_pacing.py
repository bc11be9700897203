"""Pacing, on a clock in which minutes take no time: shares, bursts, back-off and probes."""

import asyncio
import random

import pytest

from keyaudit.cloud.limits.pacing import FLOOR, LIMITS, Domain, Limit, RetryQuota
from keyaudit.model.operations import Throttle
from tests.cloud.clock import FakeClock


def _domain(clock: FakeClock, limit: Limit | None = None, share: float = 1.0) -> Domain:
    return Domain(limit or Limit(100, 10), share, clock, random.Random(1), slots=16)


def test_the_documented_limits() -> None:
    """In requests and seconds, from Azure's pages, which `pacing` names."""
    assert {throttle: (limit.units, limit.window) for throttle, limit in LIMITS.items()} == {
        Throttle.VAULT: (4_000, 10),
        Throttle.ARM_SUBSCRIPTION: (250, 10),
        Throttle.RESOURCE_GRAPH: (15, 5),
        Throttle.GRAPH: (3_500, 10),
        Throttle.GRAPH_KEY_CREDENTIALS: (150, 60),
        Throttle.GRAPH_REPORTS: (5, 10),
        Throttle.LOGS: (200, 30),
    }


async def _spend(domain: Domain, requests: int, cost: float = 1) -> None:
    for _ in range(requests):
        domain.succeeded(await domain.enter(cost))


async def test_one_window_of_the_share_at_once_and_then_its_rate() -> None:
    clock = FakeClock()
    domain = _domain(clock, Limit(4_000, 10), share=0.5)
    await _spend(domain, 2_000)
    assert clock.passed == 0
    await _spend(domain, 2_000)
    assert clock.passed == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("throttle", list(LIMITS))
async def test_no_window_ever_holds_more_than_twice_the_share(throttle: Throttle) -> None:
    clock = FakeClock()
    limit = LIMITS[throttle]
    domain = _domain(clock, limit, share=0.5)
    sent: list[float] = []
    for _ in range(int(limit.units * 2)):
        domain.succeeded(await domain.enter(1))
        sent.append(clock.passed)
    assert clock.passed == pytest.approx(limit.window * 3, rel=0.05)
    for start in sent[:: max(1, len(sent) // 50)]:
        within = sum(1 for moment in sent if start <= moment < start + limit.window)
        assert within <= limit.units + 1


async def test_cost_counts_and_one_that_is_above_the_burst_still_passes() -> None:
    clock = FakeClock()
    domain = _domain(clock, Limit(10, 10))
    await _spend(domain, 5, cost=2)
    assert clock.passed == 0
    await _spend(domain, 1, cost=50)
    assert clock.passed == pytest.approx(10)


async def test_what_has_no_limit_is_not_slowed() -> None:
    clock = FakeClock()
    domain = Domain(None, 0.5, clock, random.Random(1), slots=16)
    await _spend(domain, 1_000)
    assert clock.passed == 0
    assert domain.rate == 0


async def test_a_throttle_halves_the_rate_waits_as_asked_and_clean_seconds_bring_it_back() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    domain.throttled(await domain.enter(1), 5)
    assert domain.rate == 5
    await _spend(domain, 1)
    assert clock.passed == pytest.approx(5)
    await _spend(domain, 200)
    assert domain.rate == 10


async def test_the_rate_grows_by_a_twentieth_of_the_share_for_each_whole_clean_second() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    domain.throttled(await domain.enter(1), 0)
    for seconds, rate in ((0.9, 5), (0.1, 5.5), (3.5, 7), (0.5, 7), (100, 10)):
        clock.passed += seconds
        domain.succeeded(await domain.enter(0))
        assert domain.rate == pytest.approx(rate)


def test_a_hold_is_counted_down_and_a_shorter_one_does_not_shorten_it() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    domain.hold(5)
    domain.hold(1)
    for passed, held in ((0, 5), (2, 3), (2, 1), (2, 0)):
        clock.passed += passed
        assert domain.held() == pytest.approx(held)


async def test_requests_that_were_throttled_together_slow_it_down_once() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    tickets = [await domain.enter(1) for _ in range(16)]
    for ticket in tickets:
        domain.throttled(ticket, None)
    assert domain.rate == 5
    await _spend(domain, 1)
    assert clock.passed <= 2.3


async def test_without_a_time_named_the_wait_grows_to_a_minute_and_the_rate_falls_to_a_floor() -> None:
    clock = FakeClock()
    domain = _domain(clock, Limit(6_400, 1))
    for _ in range(40):
        domain.throttled(await domain.enter(1), None)
    assert domain.rate == 6_400 * FLOOR
    assert max(clock.slept) <= 60.1
    assert max(clock.slept) > 30


@pytest.mark.parametrize("seed", range(20))
async def test_without_a_time_named_it_is_tried_again_when_the_window_ends(seed: int) -> None:
    clock = FakeClock()
    domain = Domain(Limit(150, 60), 1.0, clock, random.Random(seed), slots=16)
    tried = [clock.monotonic()]
    while tried[-1] < tried[0] + 60:
        ticket = await domain.enter(1)
        tried.append(clock.monotonic())
        domain.throttled(ticket, None)
    assert tried[-1] == pytest.approx(tried[0] + 60, abs=1)
    assert len(tried) > 5


async def test_what_is_refused_in_one_window_halves_the_rate_once() -> None:
    clock = FakeClock()
    domain = _domain(clock, Limit(100, 10))
    for _ in range(3):
        domain.throttled(await domain.enter(1), 2)
    assert domain.rate == 5
    await clock.sleep(10)
    domain.throttled(await domain.enter(1), 2)
    assert domain.rate == 2.5


async def test_after_a_setback_one_request_probes_and_the_others_wait_for_it() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    domain.throttled(await domain.enter(1), 1)
    entered: list[int] = []
    answered = asyncio.Event()

    async def worker(number: int) -> None:
        ticket = await domain.enter(1)
        entered.append(number)
        await answered.wait()
        domain.succeeded(ticket)

    tasks = [asyncio.create_task(worker(number)) for number in range(8)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert entered == [0]
    answered.set()
    await asyncio.gather(*tasks)
    assert entered == list(range(8))


async def test_a_probe_that_is_given_up_lets_the_next_one_go() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    domain.throttled(await domain.enter(1), 1)
    probe = await domain.enter(1)
    waiting = asyncio.create_task(domain.enter(1))
    await asyncio.sleep(0)
    domain.let_go(probe)
    domain.succeeded(await asyncio.wait_for(waiting, 1))


async def test_a_late_success_of_before_the_setback_does_not_end_it() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    early, late = await domain.enter(1), await domain.enter(1)
    domain.throttled(early, 30)
    domain.succeeded(late)
    await domain.enter(1)
    assert clock.passed >= 30


def test_retries_are_a_tenth_of_the_requests_and_a_few() -> None:
    quota = RetryQuota()
    for _ in range(1_000):
        quota.earn()
    spent = 0
    while quota.spend():
        spent += 1
    assert 119 <= spent <= 120


async def test_a_success_after_setbacks_is_followed_by_another_probe_until_all_may_go() -> None:
    clock = FakeClock()
    domain = _domain(clock)
    for _ in range(2_000):
        domain.throttled(await domain.enter(1), 1)
    clock.passed += 660
    probes = 0
    while (ticket := await domain.enter(1)).probe is not None:
        domain.succeeded(ticket)
        probes += 1
    assert probes == 3


async def test_nobody_waits_beyond_the_deadline() -> None:
    clock = FakeClock()
    domain = Domain(Limit(1, 100), 1.0, clock, random.Random(1), slots=16, deadline=clock.monotonic() + 10)
    for _ in range(5):
        domain.let_go(await domain.enter(1))
    assert clock.passed == pytest.approx(10)
