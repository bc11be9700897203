"""How far this machine's clock is off, by the services' Date headers."""

from statistics import median

from keyaudit.cloud.clock import Clock
from keyaudit.cloud.waits import date_of

_KEPT = 1_001


class Skew:
    """The median of this clock minus the services', in seconds, so that one absurd date does not count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, str] = {}
        self._differences: list[int] = []

    def add(self, host: str, date: str | None) -> None:
        """An answer came with this Date header. Only the first of each second and host counts."""
        if date is None or self._seen.get(host) == date or len(self._differences) >= _KEPT:
            return
        self._seen[host] = date
        if (seconds := date_of(date)) is not None:
            self._differences.append(self._clock.now() - seconds)

    def median(self) -> int | None:
        """Seconds; positive where this clock is ahead. None before any date came."""
        return round(median(self._differences)) if self._differences else None
