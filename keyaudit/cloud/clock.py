"""The clock that cloud/ is given: it never reads one of its own."""

from typing import Protocol


class Clock(Protocol):
    """Time for pacing, token ages and skew; made in cli/, and a fake one in tests."""

    def now(self) -> int:
        """Whole seconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds."""
        ...
