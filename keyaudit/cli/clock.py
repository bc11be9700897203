"""The clock of this machine, read only here. All other code takes a moment, or this clock, as an argument."""

import time


class SystemClock:
    """This machine's clock."""

    def now(self) -> int:
        """Whole seconds since 1970-01-01 UTC."""
        return int(time.time())  # noqa: TID251 - the clock is read here and nowhere else

    def monotonic(self) -> float:
        """Seconds that never go back, to measure durations."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, and let other tasks run."""
        import asyncio

        await asyncio.sleep(seconds)
