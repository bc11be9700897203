"""A simulated tenant that runs beside a command, in a thread with a loop of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

from keyaudit.cli.clock import SystemClock
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.serve import Simulator, serve


@contextmanager
def running(tenant: str | Estate, **options: Any) -> Iterator[Simulator]:
    """The tenant, or the one of that name, served with `options` of `serve`, for as long as the block lasts."""
    begun: Queue[tuple[Simulator, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def run() -> None:
        stop = asyncio.Event()
        clock = SystemClock()
        async with serve(
            tenant if isinstance(tenant, Estate) else estate(tenant, clock.now()), **{"now": clock.now, **options}
        ) as simulator:
            begun.put((simulator, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    simulator, loop, stop = begun.get(timeout=20)
    try:
        yield simulator
    finally:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=20)
