"""Work on many things at once: which failure is told, and who gets the spare room."""

import asyncio
from collections import Counter
from functools import partial

import pytest

from keyaudit.collect.concurrency import Spare, all_of, for_each
from keyaudit.model.errors import UnsafeError


async def test_what_must_end_the_run_is_not_hidden_by_a_bug_of_the_same_moment() -> None:
    together = asyncio.Barrier(2)

    async def work(failure: Exception) -> None:
        await together.wait()
        raise failure

    failures = (KeyError("a bug"), UnsafeError("sign-in", "another tenant's token", "stop"))
    for order in (failures, failures[::-1]):
        with pytest.raises(UnsafeError):
            await for_each(order, work, limit=2)


async def test_what_runs_at_once_comes_back_in_its_order() -> None:
    first = asyncio.Event()

    async def work(name: str, waits: bool) -> str:
        if waits:
            await first.wait()
        first.set()
        return name

    assert await all_of(partial(work, "a", waits=True), partial(work, "b", waits=False)) == ["a", "b"]
    assert await all_of() == []


async def _peaks(things: dict[str, int], spare: Spare | None) -> Counter[str]:
    """The most things of each caller that were worked on at once, and of all, where each caller may have one of its own."""
    now, most = Counter[str](), Counter[str]()

    async def work(name: str) -> None:
        now.update([name])
        most[name], most["all"] = max(most[name], now[name]), max(most["all"], now.total())
        for _ in range(20):
            await asyncio.sleep(0)
        now.subtract([name])

    await asyncio.gather(*(for_each([name] * count, work, limit=1, spare=spare) for name, count in things.items()))
    assert not spare or not spare.room.locked()
    return most


async def test_a_large_caller_takes_the_room_that_small_ones_leave() -> None:
    assert (await _peaks({"large": 20}, None))["large"] == 1
    assert (await _peaks({"large": 20, "small": 1}, Spare(asyncio.Semaphore(3), 2)))["large"] == 3
    assert (await _peaks({"large": 20, "small": 1}, Spare(asyncio.Semaphore(3), 9)))["large"] == 4


async def test_the_spare_room_is_shared_and_nobody_lacks_room_of_its_own() -> None:
    most = await _peaks({"large": 20, "larger": 40, "small": 1}, Spare(asyncio.Semaphore(3), 3))
    assert most["all"] == 3 + 3
    assert min(most.values()) == 1


async def test_a_failure_gives_the_room_back() -> None:
    async def work(_: int) -> None:
        raise KeyError

    room = asyncio.Semaphore(1)
    with pytest.raises(KeyError):
        await for_each(range(5), work, limit=1, spare=Spare(room, 1))
    assert not room.locked()
