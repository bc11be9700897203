"""The services' documented limits, and the meter that counts requests against them."""

import math
import random
from collections.abc import Sequence
from typing import Self

from msgspec import Struct


class Window(Struct, frozen=True):
    """A number of units in each span of seconds."""

    limit: int
    seconds: float


class Bucket(Struct, frozen=True):
    """A token bucket: its size, and the tokens that are added in a second."""

    size: int
    refill: float


class Throttle(Struct, frozen=True, kw_only=True):
    """Limits by throttling domain. `said` is the share of refusals that carry a Retry-After, and `seed` decides which."""

    vault: Window
    """Per vault, requests for software keys and all other requests."""
    vault_hsm: Window
    """Per vault, requests for HSM keys."""
    vault_subscription: Window
    """All vaults of a subscription together."""
    arm: Bucket
    """Per subscription (and once for requests without one), reads."""
    resource_graph: Window
    graph: Window
    """Resource units of one application in one tenant."""
    key_credentials: Window
    """Requests that select keyCredentials."""
    reports: Window
    """Requests for reports of one application in one tenant."""
    log_queries: Window
    """Queries of one identity over all workspaces."""
    said: float = 0.5
    seed: int = 0

    @classmethod
    def documented(cls, *, said: float = 0.5, seed: int = 0) -> Self:
        """The documented limits of a tenant with more than 500 users."""
        return cls(
            vault=Window(4000, 10),
            vault_hsm=Window(2000, 10),
            vault_subscription=Window(20000, 10),
            arm=Bucket(250, 25),
            resource_graph=Window(15, 5),
            graph=Window(8000, 10),
            key_credentials=Window(150, 60),
            reports=Window(5, 10),
            log_queries=Window(200, 30),
            said=said,
            seed=seed,
        )


class Charge(Struct, frozen=True):
    """The charge of one request against one limit; `key` identifies the limit's domain."""

    limit: str
    key: str
    cost: int = 1


class Refusal(Struct, frozen=True):
    """A refused request: the charge, the seconds to wait, and whether the answer has them."""

    charge: Charge
    wait: int
    said: bool


class Total(Struct):
    """The units charged to a limit's domain so far, with the times of the first and last request."""

    first: float
    last: float = 0.0
    units: int = 0


class Meter:
    """Counts one run's charges. A refused request is not charged."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._random = random.Random(throttle.seed)  # noqa: S311 -- repeatable on purpose
        self._spent: dict[tuple[str, str], tuple[float, float]] = {}
        self.refused = 0
        self.charged: dict[tuple[str, str], Total] = {}
        """All that was charged, by limit and domain."""

    def charge(self, charges: Sequence[Charge], now: float) -> Refusal | None:
        """Add all charges, or none and return the refusal."""
        for charge in charges:
            if self.remaining(charge, now) < charge.cost:
                self.refused += 1
                return Refusal(charge, self._wait(charge, now), self._random.random() < self._throttle.said)
        for charge in charges:
            since, spent = self._state(charge, now)
            self._spent[charge.limit, charge.key] = (since, spent + charge.cost)
            total = self.charged.setdefault((charge.limit, charge.key), Total(now))
            total.units += charge.cost
            total.last = now
        return None

    def remaining(self, charge: Charge, now: float) -> int:
        """Units left in the charge's domain."""
        rule = self._rule(charge)
        size = rule.limit if isinstance(rule, Window) else rule.size
        return math.floor(size - self._state(charge, now)[1])

    def used(self, charge: Charge, now: float) -> float:
        """The used share of the domain's limit."""
        rule = self._rule(charge)
        size = rule.limit if isinstance(rule, Window) else rule.size
        return self._state(charge, now)[1] / size if size else 1.0

    def resets_after(self, charge: Charge, now: float) -> int:
        """Whole seconds until the domain is reset."""
        rule = self._rule(charge)
        since, spent = self._state(charge, now)
        return math.ceil(since + rule.seconds - now if isinstance(rule, Window) else spent / rule.refill)

    def _rule(self, charge: Charge) -> Window | Bucket:
        rule: Window | Bucket = getattr(self._throttle, charge.limit)
        return rule

    def _state(self, charge: Charge, now: float) -> tuple[float, float]:
        rule = self._rule(charge)
        since, spent = self._spent.get((charge.limit, charge.key), (now, 0.0))
        if isinstance(rule, Bucket):
            return now, max(0.0, spent - (now - since) * rule.refill)
        return (since, spent) if now - since < rule.seconds else (now, 0.0)

    def _wait(self, charge: Charge, now: float) -> int:
        rule = self._rule(charge)
        if isinstance(rule, Window):
            return max(1, self.resets_after(charge, now))
        return max(1, math.ceil((charge.cost - self.remaining(charge, now)) / rule.refill))
