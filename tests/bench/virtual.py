"""An event loop whose time passes only while it has nothing to do: waits are counted, and the work of the machine is not."""

import asyncio
import selectors

_QUIET = 0.003
"""Seconds of real time without an answer on loopback after which nothing is on its way."""


class _Selector(selectors.DefaultSelector):
    """Reports what is ready, and otherwise lets the loop's time pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if found := super().select(0 if timeout is not None and timeout <= 0 else _QUIET):
            return found
        if timeout is None:
            return super().select(None)
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. Everything that answers has to run in it, too."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.passed


class VirtualClock:
    """The loop's time, for what is given a clock; the day is `as_of`."""

    def __init__(self, as_of: int) -> None:
        self._as_of = as_of

    def now(self) -> int:
        """The moment."""
        return self._as_of + int(self.monotonic())

    def monotonic(self) -> float:
        """The time of the running loop."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        await asyncio.sleep(seconds)
