"""A clock in which an hour passes in no time: sleeping moves it on."""

import asyncio
import time


class FakeClock:
    """Starts at the true time, since azure-identity counts a token's life from there; then only sleeping moves it."""

    def __init__(self) -> None:
        self.start = int(time.time())  # noqa: TID251 - see above
        self.passed = 0.0
        self.slept: list[float] = []
        self.off = 0

    def now(self) -> int:
        return self.start + int(self.passed) + self.off

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.passed + seconds
        # Let other tasks run first.
        for _ in range(3):
            await asyncio.sleep(0)
        self.passed = max(self.passed, until)
