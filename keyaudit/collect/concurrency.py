"""Runs work for many items concurrently, a bounded number at a time, and raises the first failure itself."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct

from keyaudit.model.errors import AuditError

T = TypeVar("T")


class Spare(Struct, frozen=True):
    """Room that several callers of `for_each` share, beyond their own limits; each takes at most `most` of it."""

    room: asyncio.Semaphore
    most: int


async def for_each(
    things: AsyncIterable[T] | Iterable[T], work: Callable[[T], Awaitable[None]], *, limit: int, spare: Spare | None = None
) -> None:
    """Run `work` for every item, at most `limit` at once, and more while there is `spare` room; a stream is read no faster.

    A failure cancels the others.
    """
    own, beyond = asyncio.Semaphore(limit), asyncio.Semaphore(spare.most if spare else 0)

    async def work_on(thing: T) -> None:
        await work(thing)

    def leave(places: Sequence[asyncio.Semaphore], _: asyncio.Task[None]) -> None:
        for place in places:
            place.release()

    try:
        async with asyncio.TaskGroup() as group:
            async for thing in stream(things):
                places = [own]
                if spare and own.locked() and not beyond.locked() and not spare.room.locked():
                    places = [beyond, spare.room]
                for place in places:
                    await place.acquire()
                # Not in the task itself, which may be cancelled before it starts.
                group.create_task(work_on(thing)).add_done_callback(partial(leave, places))
    except ExceptionGroup as failures:
        # An error that must stop the whole run wins over a bug that was raised at the same moment.
        told = [failure for failure in failures.exceptions if isinstance(failure, AuditError)]
        raise (told or failures.exceptions)[0] from failures


async def all_of(*works: Callable[[], Awaitable[T]]) -> list[T]:
    """Run all of them at once; their results in this order. A failure cancels the others."""
    found: dict[int, T] = {}

    async def store_result(number: int) -> None:
        found[number] = await works[number]()

    await for_each(range(len(works)), store_result, limit=max(1, len(works)))
    return [found[number] for number in range(len(works))]


async def stream(things: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    """The items, of a stream or not."""
    if isinstance(things, AsyncIterable):
        async for thing in things:
            yield thing
    else:
        for thing in things:
            yield thing
