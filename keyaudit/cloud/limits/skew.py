"""The clock skew of this machine, from the services' Date headers."""

from statistics import median

from keyaudit.cloud.clock import Clock
from keyaudit.cloud.limits.waits import date_of

_KEPT = 101
"""Of one host."""


class Skew:
    """This clock minus the services', in seconds: the median of the hosts' medians, so that no host decides alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, str] = {}
        self._differences: dict[str, list[int]] = {}

    def add(self, host: str, date: str | None) -> None:
        """Record the Date header of an answer. Only the first per second and host counts."""
        known = self._differences.get(host, [])
        if date is None or self._seen.get(host) == date or len(known) >= _KEPT:
            return
        self._seen[host] = date
        if (seconds := date_of(date)) is not None:
            self._differences.setdefault(host, known).append(self._clock.now() - seconds)

    def median(self) -> int | None:
        """Seconds; positive if this clock is ahead. None without any date."""
        return round(median(median(found) for found in self._differences.values())) if self._differences else None
