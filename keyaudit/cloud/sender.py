"""Sends one request until there is a final answer, with retries, waits and a time limit."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud import batch
from keyaudit.cloud.answers.pages import Step
from keyaudit.cloud.challenge import revokes
from keyaudit.cloud.clients import Answer, Clients
from keyaudit.cloud.clock import Clock
from keyaudit.cloud.failures import EXPECTED, failure_of, never_connected
from keyaudit.cloud.identity.tokens import Tokens
from keyaudit.cloud.limits.circuit import CIRCUIT, CONNECT_CIRCUIT, PATIENCE, Circuit, Turn
from keyaudit.cloud.limits.pacing import LIMITS, LONGEST_BACKOFF, Domain, Limit, RetryQuota, Ticket
from keyaudit.cloud.limits.skew import Skew
from keyaudit.cloud.limits.waits import MOST, asked, clamped, quota_wait
from keyaudit.cloud.refusal import RETRIED, refusal_of
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS, Operation, Surface, Throttle
from keyaudit.model.reasons import Reason

ATTEMPTS = 6
"""The maximum tries of a request with errors; throttling and failures to connect are bounded by `circuit.PATIENCE`."""

BROKEN_ALIKE = 3
"""The maximum tries of a request that gets no whole answer, each time for the same cause."""

ATTEMPT_TIMEOUT = 120.0
"""Seconds for one answer to arrive completely."""

PER_DOMAIN = 16
"""Requests in flight in one throttling domain (for vaults, one vault)."""

WORTH_TELLING = 3.0
"""Seconds of waiting after which the progress display is told."""

_BATCH = OPERATIONS["graph.batch"]

Watch = Callable[[str, Reason, float], None]
"""Receives the host that the run waits for, the reason, and the seconds."""

Gone = Callable[[str], Awaitable[bool]]
"""Returns whether the resource of a host was deleted, so that the run does not wait for it."""

See = Callable[[Answer], None]
"""Receives every answer to a request, those that are followed by a retry too."""


class _Outcome(Struct, frozen=True):
    """The result of one attempt: an answer, or a refusal that may be transient."""

    answer: Answer | Refusal
    again: bool = False
    wait: float | None = None
    connecting: bool = False
    """No connection was made."""
    put_off: bool = False
    """Azure asks for a longer wait than the run allows."""


class _Way(Struct, frozen=True):
    """The route of a request: the circuits of its path and host, with their marks, and the domains that it is charged to."""

    host: str
    path: Circuit
    line: Circuit
    marks: tuple[int, int]
    spent: Sequence[tuple[Domain, float]]

    def given_up(self) -> Refusal | None:
        """Why the request is given up, or None."""
        return self.path.given_up(self.marks[0]) or self.line.given_up(self.marks[1])

    def barred(self, path: Turn, line: Turn) -> bool:
        """Whether a circuit opened while the request waited."""
        return (self.path.is_open() and path.probe is None) or (self.line.is_open() and line.probe is None)


class Sender:
    """Sends requests with checked addresses and bodies. Azure's answers never raise, except for a wrong tenant."""

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        clock: Clock,
        *,
        share: float,
        limits: Mapping[Throttle, Limit] = LIMITS,
        concurrency: int,
        deadline: float,
        chance: random.Random,
    ) -> None:
        self.retries = 0
        self.skew = Skew(clock)
        self.watch: Watch | None = None
        """Receives every noticeable wait."""
        self.gone: Gone | None = None
        """Called once for each host that is no longer reachable."""
        self._asked_gone: set[str] = set()
        self._clients, self._tokens, self.clock = clients, tokens, clock
        self._limits = limits
        self.share, self._deadline, self._chance = share, deadline, chance
        self._flight = asyncio.Semaphore(concurrency)
        self._domains: dict[tuple[Throttle, str], Domain] = {}
        self._paths: dict[tuple[str, str], Circuit] = {}
        self._lines: dict[str, Circuit] = {}
        self._quota = RetryQuota()

    def forecast(self, throttle: Throttle, requests: int, place: str = "") -> tuple[Limit, float]:
        """A limit, and the seconds that so many more requests take of it at least. `place`: the id of a subscription, for the
        limit of one.
        """
        return LIMITS[throttle], self._domain(throttle, place.lower()).needs(requests)

    async def send(
        self, operation: Operation, step: Step, subscription: str, *, times: int = 1, see: See | None = None
    ) -> Answer | Refusal:
        """Retries until there is an answer or a final refusal. `times`: the number of requests that it counts as."""
        way = self._way(operation, step.url.split("/", 3)[2], subscription, times)
        self._quota.earn()
        tries = connects = alike = 0
        last: Refusal | None = None
        began = self.clock.monotonic()
        while True:
            outcome = await self._attempt(operation, step, way, see)
            refusal = outcome.answer
            if not outcome.again or not isinstance(refusal, Refusal):
                return refusal
            pause = 0.0
            if refusal.reason is Reason.THROTTLED:
                if not self._quota.spend():
                    # Throttling must not lose data, so the request waits longer instead of failing.
                    way.spent[0][0].hold(LONGEST_BACKOFF)
            elif outcome.connecting:
                connects += 1
                if await self._is_gone(way):
                    way.line.abandon(refusal)
                    return refusal
                if self.clock.monotonic() - began > PATIENCE:
                    return refusal
                pause = self._backoff(connects)
            else:
                tries += 1
                alike = alike + 1 if refusal == last else 1
                last = refusal
                # An error with a status is the service's, which may recover; what breaks is often the one object.
                if tries >= ATTEMPTS or (alike >= BROKEN_ALIKE and not refusal.status):
                    return refusal
                pause = self._backoff(tries) if outcome.wait is None else outcome.wait
            if self.clock.monotonic() + max(pause, outcome.wait or 0.0) >= self._deadline:
                return refusal
            self._tell(way.host, refusal.reason, pause)
            await self.clock.sleep(pause)
            self.retries += 1

    async def _is_gone(self, way: _Way) -> bool:
        if self.gone is None or not way.line.is_open() or way.host in self._asked_gone:
            return False
        self._asked_gone.add(way.host)
        return await self.gone(way.host)

    def _backoff(self, tries: int) -> float:
        # Full jitter, so that requests that failed together do not retry together.
        return self._chance.uniform(0, min(LONGEST_BACKOFF, 2.0**tries))

    def _tell(self, host: str, reason: Reason, seconds: float) -> None:
        if self.watch is not None and seconds >= WORTH_TELLING:
            self.watch(host, reason, seconds)

    async def _attempt(self, operation: Operation, step: Step, way: _Way, see: See | None) -> _Outcome:
        """One attempt, in its turn. A request that waits for a circuit has no place in the queue of its domain."""
        domain = way.spent[0][0]
        while True:
            if refusal := self._stopped(way):
                return _Outcome(refusal)
            path, line = Turn(), Turn()
            tickets: list[tuple[Domain, Ticket]] = []
            try:
                path = await way.path.enter(way.marks[0], self._deadline)
                line = await way.line.enter(way.marks[1], self._deadline)
                async with domain.slots:
                    if way.barred(path, line):
                        continue
                    for each, cost in way.spent:
                        tickets.append((each, await each.enter(cost)))
                    # The state may have changed while the request waited in the queue.
                    if way.barred(path, line) or self._stopped(way):
                        continue
                    async with self._flight:
                        outcome = await self._exchange(operation, step, way.host, see)
                    self._learn(way, tickets, path, line, outcome)
                    return outcome
            finally:
                for each, ticket in tickets:
                    each.let_go(ticket)
                way.path.let_go(path)
                way.line.let_go(line)

    def _stopped(self, way: _Way) -> Refusal | None:
        if self._tokens.revoked:
            return self._tokens.revoked
        if self.clock.monotonic() >= self._deadline:
            return Refusal(Reason.BUDGET)
        return way.given_up()

    async def _exchange(self, operation: Operation, step: Step, host: str, see: See | None) -> _Outcome:
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                answer = await self._clients.send(operation, step.url, step.body)
        except EXPECTED as error:
            refusal, again = failure_of(error, host)
            return _Outcome(refusal, _again(operation, refusal, passes=again), connecting=again and never_connected(error))
        if see is not None:
            see(answer)
        self.skew.add(host, answer.headers.get("Date"))
        if answer.status == 200 or (operation.makes and answer.status == 201):
            return _Outcome(answer, wait=self._wait(operation, answer))
        if answer.status == 401 and revokes(answer.headers.get("WWW-Authenticate", "")):
            return _Outcome(self._tokens.revoke(401))
        refusal = refusal_of(operation.surface, answer.status, answer.headers, answer.body)
        seconds = asked(answer.headers, self.clock.now())
        if seconds is not None and seconds > MOST:
            refusal = replace(refusal, detail=f"{refusal.detail}, to come back in {seconds:,.0f} seconds")
        passes = answer.status in RETRIED
        if seconds is not None and seconds > PATIENCE and passes:
            return _Outcome(refusal, put_off=True)
        return _Outcome(refusal, _again(operation, refusal, passes=passes), None if seconds is None else clamped(seconds))

    def _wait(self, operation: Operation, answer: Answer) -> float | None:
        """The wait that an answer of status 200 asks for."""
        if operation.throttle is Throttle.RESOURCE_GRAPH:
            return quota_wait(answer.headers)
        seconds = batch.wait_of(answer, self.clock.now()) if operation is _BATCH else None
        # A part of a batch with a longer wait than the run allows is sent separately, and refused there.
        return None if seconds is None or seconds > PATIENCE else clamped(seconds)

    def _learn(self, way: _Way, tickets: Sequence[tuple[Domain, Ticket]], path: Turn, line: Turn, outcome: _Outcome) -> None:
        (domain, ticket), *others = tickets
        answer = outcome.answer
        if isinstance(answer, Refusal) and outcome.connecting:
            way.line.failed(line, answer)
            return
        way.line.answered(line)
        for other, theirs in others:
            other.succeeded(theirs)
        if isinstance(answer, Refusal) and outcome.put_off:
            way.path.put_off(path, answer)
        elif not isinstance(answer, Refusal) or not outcome.again:
            domain.succeeded(ticket)
            way.path.answered(path)
            if outcome.wait is not None:
                domain.hold(outcome.wait)
        elif answer.reason is Reason.THROTTLED:
            domain.throttled(ticket, outcome.wait)
            way.path.throttled(path, answer)
        else:
            way.path.failed(path, answer)
        self._tell(way.host, Reason.THROTTLED, domain.held())

    def _way(self, operation: Operation, host: str, subscription: str, times: int) -> _Way:
        path = self._paths.get((host, operation.id))
        if path is None:
            path = self._paths[host, operation.id] = Circuit(self.clock, self._chance, CIRCUIT, waits_unanswered=True)
        line = self._lines.get(host)
        if line is None:
            line = self._lines[host] = Circuit(self.clock, self._chance, CONNECT_CIRCUIT, waits_unanswered=False)
        spent = [(domain, cost * times) for domain, cost in self._spent(operation, host, subscription)]
        return _Way(host, path, line, (path.mark, line.mark), spent)

    def _spent(self, operation: Operation, host: str, subscription: str) -> list[tuple[Domain, float]]:
        """The domains that a request is charged to, its own first."""
        match operation.throttle:
            case Throttle.VAULT:
                return [(self._domain(Throttle.VAULT, host), operation.cost)]
            case Throttle.ARM_SUBSCRIPTION:
                return [(self._domain(Throttle.ARM_SUBSCRIPTION, subscription.lower()), operation.cost)]
            case Throttle.GRAPH_KEY_CREDENTIALS:
                # A limit on requests, in addition to the limit on units for all of Graph.
                return [
                    (self._domain(Throttle.GRAPH_KEY_CREDENTIALS, ""), 1),
                    (self._domain(Throttle.GRAPH, ""), operation.cost),
                ]
            case throttle:
                return [(self._domain(throttle, ""), operation.cost)]

    def _domain(self, throttle: Throttle, name: str) -> Domain:
        domain = self._domains.get((throttle, name))
        if domain is None:
            limit = self._limits.get(throttle)
            domain = Domain(limit, self.share, self.clock, self._chance, slots=PER_DOMAIN, deadline=self._deadline)
            self._domains[throttle, name] = domain
        return domain


def _again(operation: Operation, refusal: Refusal, *, passes: bool) -> bool:
    """Whether a retry can help. `passes`: whether this refusal is transient for a read."""
    if operation.makes:
        # After any other refusal the object may have been created, and a retry would create it twice.
        return refusal.reason is Reason.THROTTLED
    # A query that timed out would time out again.
    return passes and not (operation.surface is Surface.LOGS and refusal.reason is Reason.TIMEOUT)
