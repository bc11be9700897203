"""Circuit breakers: an unreachable host, or a path that only fails, gets one request at a time until it answers."""

import asyncio
import random

from msgspec import Struct

from keyaudit.cloud.clock import Clock
from keyaudit.model.coverage import Refusal

CIRCUIT = 7
"""Consecutive failures of one path that open its circuit; more than the tries of one request, so that no single object does."""

CONNECT_CIRCUIT = 3
"""The number of consecutive failures to connect to a host that open its circuit. Each takes seconds."""

PATIENCE = 900.0
"""Seconds for which a run waits for a host or path that only fails."""

LONGEST_PROBE = 15.0
"""The maximum seconds between two tries while a circuit is open."""


class Turn(Struct, frozen=True, eq=False):
    """One request's turn; with a probe, the only one while the circuit is open."""

    probe: asyncio.Event | None = None


class Circuit:
    """One circuit. Call `enter` before a request, then exactly one of `answered`, `failed`, `throttled`, `put_off`, `let_go`.

    While it is open, requests wait and are not refused. After `PATIENCE` it is given up: waiting requests are refused, and a
    later one is tried again. So refusals depend on the service's answers and not on the order of requests.
    """

    def __init__(self, clock: Clock, chance: random.Random, opens_after: int, *, waits_unanswered: bool) -> None:
        """Without `waits_unanswered` it is given up as soon as it opens where nothing was ever answered.

        This is for hosts: a host without any connection so far, such as a vault behind a private endpoint, will not recover,
        and the run would wait for it the longest.
        """
        self._clock, self._chance, self._opens_after = clock, chance, opens_after
        self._waits_unanswered = waits_unanswered
        self._turnstile = asyncio.Lock()
        self._probe: asyncio.Event | None = None
        self._answered = self._abandoned = False
        self._failures = self._put_off = self._level = 0
        self._opened_on = self._not_before = 0.0
        self._throttled_on: float | None = None
        self._given_up = 0
        self._refusal: Refusal | None = None

    @property
    def mark(self) -> int:
        """The state at the arrival of a request."""
        return self._given_up

    def is_open(self) -> bool:
        """Whether requests have to wait."""
        return self._failures >= self._opens_after

    def given_up(self, mark: int) -> Refusal | None:
        """Why a request that came at `mark` is refused, if it is."""
        return self._refusal if self._given_up > mark else None

    async def enter(self, mark: int, deadline: float) -> Turn:
        """Wait until requests are allowed, or for a turn to probe; at most until the deadline, or until it is given up."""
        if not self.is_open():
            return Turn()
        async with self._turnstile:
            while self.is_open() and self._given_up == mark and (left := deadline - self._clock.monotonic()) > 0:
                if self._probe is not None:
                    await self._probe.wait()
                elif (wait := self._not_before - self._clock.monotonic()) > 0:
                    await self._clock.sleep(min(wait, left))
                else:
                    self._probe = asyncio.Event()
                    return Turn(self._probe)
        return Turn()

    def answered(self, turn: Turn) -> None:
        """The service answered: all waiting requests continue."""
        self._answered, self._abandoned, self._throttled_on = True, False, None
        self._failures = self._put_off = self._level = 0
        self.let_go(turn)

    def failed(self, turn: Turn, refusal: Refusal) -> None:
        """The request failed with a transient error."""
        now = self._clock.monotonic()
        self._throttled_on = None
        self._failures += 1
        opens = self._failures == self._opens_after
        if opens:
            self._opened_on = now
        if opens or turn.probe is not None:
            self._level += 1
            hopeless = self._abandoned or not (self._answered or self._waits_unanswered)
            if hopeless or now - self._opened_on > PATIENCE:
                self._give_up(refusal)
            else:
                # Full jitter, so that runs that failed together do not retry together.
                self._not_before = now + self._chance.uniform(0, min(LONGEST_PROBE, 2.0**self._level))
        self.let_go(turn)

    def throttled(self, turn: Turn, refusal: Refusal) -> None:
        """The request was throttled; after `PATIENCE` of only throttling, waiting requests are given up."""
        now = self._clock.monotonic()
        if self._throttled_on is None:
            self._throttled_on = now
        elif now - self._throttled_on > PATIENCE:
            self._give_up(refusal)
        self.let_go(turn)

    def put_off(self, turn: Turn, refusal: Refusal) -> None:
        """Azure asks for a longer wait than the run allows: after a few such answers in a row, waiting requests are refused
        too.
        """
        self._put_off += 1
        if self._put_off >= self._opens_after:
            self._give_up(refusal)
        self.let_go(turn)

    def abandon(self, refusal: Refusal) -> None:
        """No answer will come: refuse waiting and later requests."""
        self._abandoned = True
        self._give_up(refusal)

    def let_go(self, turn: Turn) -> None:
        """The request ended without information about the circuit."""
        if turn.probe is not None:
            turn.probe.set()
            if self._probe is turn.probe:
                self._probe = None

    def _give_up(self, refusal: Refusal) -> None:
        self._given_up += 1
        self._refusal = refusal
