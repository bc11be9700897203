"""Ctrl-C and SIGTERM: the run is cancelled where it waits, cleans up, and ends with 130 or 143."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from keyaudit.model.errors import Exit, StoppedError

T = TypeVar("T")


@contextlib.contextmanager
def until_stopped(kept: str) -> Iterator[Callable[[Coroutine[Any, Any, T]], T]]:
    """Gives what runs a coroutine to its end; raises StoppedError, which says what is `kept`, if a signal ends it first."""
    terminated = False

    async def supervised(work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)

        def stop() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        # Windows has no SIGTERM to handle in a loop.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        return await task

    try:
        yield lambda work: asyncio.run(supervised(work))
    except KeyboardInterrupt as error:
        raise StoppedError(Exit.INTERRUPTED, "interrupted", kept) from error
    except asyncio.CancelledError as error:
        if not terminated:
            raise
        raise StoppedError(Exit.TERMINATED, "terminated", kept) from error
