"""The clock: the one place where it is read. All that lies below takes a moment, or this."""

import time


class SystemClock:
    """This machine's clock."""

    def now(self) -> int:
        """Whole seconds since 1970-01-01 UTC."""
        return int(time.time())  # noqa: TID251 - the clock is read here and nowhere else

    def monotonic(self) -> float:
        """Seconds that never step back, for measuring spans."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let others run for that long."""
        import asyncio

        await asyncio.sleep(seconds)
