"""The clock of this machine, read only here. All other code takes a moment, or this clock, as an argument."""

import time

from keyaudit.model.values.times import DAY, parse_time

_DEMO = parse_time("2026-11-24T00:00:00Z")
"""The day of every demo: the certificates of a simulated tenant, and so the ids of its findings, depend on their dates."""


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


class DemoClock(SystemClock):
    """This machine's clock, moved to the day of every demo."""

    def __init__(self) -> None:
        now = super().now()
        self._moved = _DEMO - (now - now % DAY)

    def now(self) -> int:
        """Whole seconds since 1970-01-01 UTC, as if it were that day."""
        return super().now() + self._moved


def clock_of(*, demo: bool) -> SystemClock:
    """The clock of a run."""
    return DemoClock() if demo else SystemClock()
