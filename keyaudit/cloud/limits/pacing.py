"""Pacing: a share of each documented limit, reduced when Azure throttles, down to one request at a time."""

import asyncio
import math
import random

from msgspec import Struct

from keyaudit.cloud.clock import Clock
from keyaudit.model.operations import Throttle


class Limit(Struct, frozen=True):
    """A documented limit: units per window of seconds."""

    units: float
    window: float


# Sources: learn.microsoft.com, "Azure Key Vault service limits", "Understand how Azure Resource Manager throttles requests",
# "Guidance for throttled requests in Azure Resource Graph", "Microsoft Graph service-specific throttling limits",
# "Azure Monitor service limits", which counts queries by who asks, over all workspaces.
# Resource Manager's is a bucket of 250 refilled at 25 a second; Graph's is the smallest of three sizes of tenant.
LIMITS: dict[Throttle, Limit] = {
    Throttle.VAULT: Limit(4_000, 10),
    Throttle.ARM_SUBSCRIPTION: Limit(250, 10),
    Throttle.RESOURCE_GRAPH: Limit(15, 5),
    Throttle.GRAPH: Limit(3_500, 10),
    Throttle.GRAPH_KEY_CREDENTIALS: Limit(150, 60),
    Throttle.GRAPH_REPORTS: Limit(5, 10),
    Throttle.LOGS: Limit(200, 30),
}

FLOOR = 1 / 64
"""The minimum fraction of its share that a domain is slowed down to."""

LONGEST_BACKOFF = 60.0
"""The maximum wait in seconds if Azure names no time."""

DEEPEST = 6
"""The maximum back-off level: beyond it the delay no longer grows, and recovery would only take longer."""


class Ticket(Struct, frozen=True, eq=False):
    """One request's turn. Its result counts only if no newer result changed the rate since it was sent."""

    setback: int
    probe: asyncio.Event | None


class Domain:
    """One throttling domain: requests that share a limit, a queue and a rate.

    Call `enter` before a request, then exactly one of `succeeded`, `throttled`, `let_go` with its ticket.
    """

    def __init__(
        self,
        limit: Limit | None,
        share: float,
        clock: Clock,
        chance: random.Random,
        *,
        slots: int,
        deadline: float = math.inf,
    ) -> None:
        self.slots = asyncio.Semaphore(slots)
        """Requests of this domain in flight."""
        self._clock, self._chance, self._deadline = clock, chance, deadline
        self._full = max(limit.units * share, 1.0) if limit else 0.0
        self._rate = limit.units * share / limit.window if limit else 0.0
        self._slowed = 1.0
        self._tokens = self._full
        self._counted = self._changed = clock.monotonic()
        self._not_before = 0.0
        self._turnstile = asyncio.Lock()
        self._probe: asyncio.Event | None = None
        self._setback = 0
        """The number of the last setback: tickets issued before it are stale."""
        self._window = limit.window if limit else 0.0
        self._halved = -math.inf
        self._refused_since = 0.0
        """The time of the first of the setbacks since requests were last sent freely."""
        self._level = 0
        """The back-off level; above 0, requests are sent one at a time."""

    @property
    def rate(self) -> float:
        """Units per second that it may spend now; 0 means unlimited."""
        return self._rate * self._slowed

    def needs(self, units: float) -> float:
        """Seconds that so many units take from now, if nothing is throttled and nobody else spends any."""
        return max(0.0, self._wait(0.0), (units - self._tokens) / self.rate if self.rate else 0.0)

    def held(self) -> float:
        """Seconds from now for which nothing is sent."""
        return max(0.0, self._not_before - self._clock.monotonic())

    async def enter(self, cost: float) -> Ticket:
        """Wait for a turn, for the time that Azure asked for, and for `cost` units; in that order.

        Waits at most until the deadline, which the caller checks before sending.
        """
        async with self._turnstile:
            while True:
                left = self._deadline - self._clock.monotonic()
                if left <= 0:
                    return Ticket(self._setback, None)
                if self._probe is not None:
                    await self._probe.wait()
                elif (wait := self._wait(cost)) > 0:
                    await self._clock.sleep(min(wait, left))
                else:
                    break
            self._tokens -= cost
            if self._level:
                self._probe = asyncio.Event()
            return Ticket(self._setback, self._probe)

    def succeeded(self, ticket: Ticket) -> None:
        """A success: waiting requests continue, and the rate grows by a twentieth of the share per clean second."""
        self.let_go(ticket)
        if ticket.setback != self._setback:
            return
        # Halved, not reset: one success during a throttling storm must not release all other requests.
        self._level //= 2
        now = self._clock.monotonic()
        if self._slowed < 1 and now - self._changed >= 1:
            self._slowed = min(1.0, self._slowed + 0.05 * int(now - self._changed))
            self._changed = now

    def throttled(self, ticket: Ticket, asked: float | None) -> None:
        """The request was throttled: wait as long as Azure asks, and halve the rate, once in a window of the limit."""
        now = self._clock.monotonic()
        if self._set_back(ticket, asked):
            # What is refused later in the same window tells nothing new about the rate.
            if now - self._halved >= self._window:
                self._slowed = max(FLOOR, self._slowed / 2)
                self._halved = now
            self._tokens = min(self._tokens, 0.0)
            self._changed = now

    def let_go(self, ticket: Ticket) -> None:
        """The request ended without information about the domain."""
        if ticket.probe is not None:
            ticket.probe.set()
            if self._probe is ticket.probe:
                self._probe = None

    def hold(self, seconds: float) -> None:
        """Send nothing for so many seconds."""
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def _set_back(self, ticket: Ticket, asked: float | None) -> bool:
        """Whether the ticket is current: of the requests in flight together, only the first setback counts."""
        news = ticket.setback == self._setback
        if news:
            self._setback += 1
            if not self._level:
                self._refused_since = self._clock.monotonic()
            self._level = min(self._level + 1, DEEPEST)
        if asked is not None:
            self.hold(asked)
        elif news:
            # Full jitter, so that clients that failed together do not retry together.
            wait = self._chance.uniform(0, min(LONGEST_BACKOFF, 2.0**self._level))
            # Once the window in which the first was refused has ended, the limit allows requests again.
            ended = self._refused_since + self._window - self._clock.monotonic()
            self.hold(min(wait, ended) if ended > 0 else wait)
        self.let_go(ticket)
        return news

    def _wait(self, cost: float) -> float:
        now = self._clock.monotonic()
        if self._not_before > now:
            return self._not_before - now
        if not self._rate:
            return 0.0
        self._tokens = min(self._full, self._tokens + (now - self._counted) * self.rate)
        self._counted = now
        missing = min(cost, self._full) - self._tokens
        # Differences below a millionth are rounding errors.
        return missing / self.rate if missing > 1e-6 else 0.0


class RetryQuota:
    """The retry budget for throttled requests of the whole run: a tenth of its requests, plus a few at the start."""

    def __init__(self, share: float = 0.1, start: float = 20.0) -> None:
        self._share, self._credit = share, start

    def earn(self) -> None:
        """A request was sent for the first time."""
        self._credit += self._share

    def spend(self) -> bool:
        """Take one retry from the budget, if any is left."""
        if self._credit < 1:
            return False
        self._credit -= 1
        return True
