"""The clock that cloud/ receives; it reads no other."""

from typing import Protocol


class Clock(Protocol):
    """Time for pacing, token ages and skew; created in cli/, faked in tests."""

    def now(self) -> int:
        """Whole seconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Monotonic seconds; only differences are meaningful."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""
        ...
