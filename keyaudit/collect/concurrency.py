"""Runs work for many items concurrently, a bounded number at a time, and raises the first failure itself."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

from keyaudit.model.errors import AuditError

T = TypeVar("T")


async def for_each(things: AsyncIterable[T] | Iterable[T], work: Callable[[T], Awaitable[None]], *, limit: int) -> None:
    """Run `work` for every item, at most `limit` at once; a stream is read no faster. A failure cancels the others."""
    room = asyncio.Semaphore(limit)

    async def one(thing: T) -> None:
        try:
            await work(thing)
        finally:
            room.release()

    try:
        async with asyncio.TaskGroup() as group:
            async for thing in _stream(things):
                await room.acquire()
                group.create_task(one(thing))
    except ExceptionGroup as failures:
        # An error that must stop the whole run wins over a bug that was raised at the same moment.
        told = [failure for failure in failures.exceptions if isinstance(failure, AuditError)]
        raise (told or failures.exceptions)[0] from failures


async def _stream(things: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    if isinstance(things, AsyncIterable):
        async for thing in things:
            yield thing
    else:
        for thing in things:
            yield thing
