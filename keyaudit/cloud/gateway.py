"""The one way to Azure: declared reads alone, where they belong, at the pace that Azure allows; every refusal is a value."""

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from keyaudit.cloud import batch
from keyaudit.cloud.addresses import address, host_of
from keyaudit.cloud.challenge import revokes
from keyaudit.cloud.clients import Answer, Clients
from keyaudit.cloud.clock import Clock
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.failures import EXPECTED, failure_of
from keyaudit.cloud.listing import Listing
from keyaudit.cloud.pacing import LIMITS, LONGEST_BACKOFF, Domain, RetryQuota, Ticket
from keyaudit.cloud.pages import Page, Step, object_of, page_of, query
from keyaudit.cloud.refusal import RETRIED, refusal_of
from keyaudit.cloud.skew import Skew
from keyaudit.cloud.tables import Rows, rows_of
from keyaudit.cloud.tokens import Tokens
from keyaudit.cloud.waits import MOST, asked, clamped, quota_wait
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS, Operation, Paging, Surface, Throttle
from keyaudit.model.reasons import Reason

T = TypeVar("T")

__all__ = ["Gateway", "Listing"]

ATTEMPTS = 6
"""Of one request that meets errors; throttling is bounded by time (`pacing.PATIENCE`), since it says when to come back."""

ATTEMPT_TIMEOUT = 120.0
"""Seconds for one answer to arrive whole."""

PER_DOMAIN = 16
"""Requests in flight within one throttling domain, which for vaults is one vault."""

_BATCH = OPERATIONS["graph.batch"]
_CONNECTING = frozenset({Reason.DNS, Reason.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one attempt came to: an answer to use, or a refusal, perhaps one that passes."""

    answer: Answer | Refusal
    again: bool = False
    wait: float | None = None


class Gateway:
    """Sends the operations of `model.operations` and no others. Never raises for what Azure does, but for a wrong tenant."""

    def __init__(
        self,
        clients: Clients,
        environment: Environment,
        tokens: Tokens,
        clock: Clock,
        *,
        share: float = 0.5,
        concurrency: int = 64,
        deadline: float = math.inf,
        chance: random.Random,
    ) -> None:
        self.retries = 0
        self.skew = Skew(clock)
        self._clients, self._environment, self._tokens, self._clock = clients, environment, tokens, clock
        self._share, self._deadline, self._chance = share, deadline, chance
        self._flight = asyncio.Semaphore(concurrency)
        self._domains: dict[tuple[Throttle, str], Domain] = {}
        self._quota = RetryQuota()

    def pages(
        self,
        operation: str,
        item: type[T],
        *,
        by: Callable[[T], str] | None,
        host: str = "",
        body: Mapping[str, object] | None = None,
        **segments: str,
    ) -> Listing[T]:
        """A list over all its pages. `host` is the vault's URI, for the operations of a vault; `body` what is posted.

        `by` names an item, and may raise ValueError for one that is not what it should be. An item of a name that
        came before is a duplicate; one that cannot be read, or named, is quarantined. None: items have no names here, and
        of a list of any length nothing is held but the page in hand.
        """
        declared = _declared_list(operation)
        url = self._address(declared, host, segments)
        if isinstance(url, Refusal):
            return self._list(declared, url, item, by)
        posted = (
            None if body is None else query(body) if declared.paging is Paging.RESOURCE_GRAPH else msgspec.json.encode(body)
        )
        return self._list(declared, Step(url, posted), item, by, subscription=segments.get("subscription", ""))

    async def lists(
        self, operation: str, item: type[T], *, by: Callable[[T], str], places: Sequence[Mapping[str, str]]
    ) -> Sequence[Listing[T]]:
        """One list of Graph's for each of `places`, which are its segments. Their first pages come in one request for 20 lists.

        A list whose first page did not come that way asks for it by itself.
        """
        declared = _declared_list(operation)
        urls = [self._address(declared, "", place) for place in places]
        good = [url for url in urls if isinstance(url, str)]
        begun: dict[str, Answer] = {}
        for start in range(0, len(good), batch.MOST):
            begun |= await self._batched(declared, good[start : start + batch.MOST])
        return [
            self._list(declared, url, item, by)
            if isinstance(url, Refusal)
            else self._list(declared, Step(url), item, by, begun=begun.get(url))
            for url in urls
        ]

    def _list(
        self,
        declared: Operation,
        first: Step | Refusal,
        item: type[T],
        by: Callable[[T], str] | None,
        *,
        subscription: str = "",
        begun: Answer | None = None,
    ) -> Listing[T]:
        """A list that begins at `first`, whose answer may have come already."""
        beginning = first if isinstance(first, Step) else Step("")

        async def fetch(step: Step) -> Page | Refusal:
            answer: Answer | Refusal
            if begun is not None and step == beginning:
                answer = self._judged(declared, begun)
            else:
                answer = await self._send(declared, step, subscription)
            return answer if isinstance(answer, Refusal) else page_of(answer, declared.paging, beginning)

        return Listing(fetch, first, item, by)

    async def _batched(self, declared: Operation, urls: Sequence[str]) -> Mapping[str, Answer]:
        """The first pages at these addresses, as far as one request gives them."""
        whole = self._address(_BATCH, "", {})
        if len(urls) < 2 or isinstance(whole, Refusal):
            return {}
        body = batch.requests_of(urls, dict(declared.headers))
        answer = await self._send(_BATCH, Step(whole, body), "", times=len(urls))
        return {} if isinstance(answer, Refusal) else batch.answers_of(answer, urls)

    @staticmethod
    def _judged(operation: Operation, answer: Answer) -> Answer | Refusal:
        """An answer to use, or the refusal that it is."""
        if answer.status == 200:
            return answer
        return refusal_of(operation.surface, answer.status, answer.headers, answer.body)

    async def get(self, operation: str, item: type[T], *, host: str = "", **segments: str) -> T | Refusal:
        """One object. Of what has not every member that `item` requires: Refusal(bad_item)."""
        answer = await self._one(OPERATIONS[operation], None, host, segments)
        return answer if isinstance(answer, Refusal) else object_of(answer, item)

    async def make(self, operation: str, item: type[T], body: Mapping[str, object]) -> T | Refusal:
        """One object that is made by `body`, as `get` gives one."""
        answer = await self._one(OPERATIONS[operation], msgspec.json.encode(body), "", {})
        return answer if isinstance(answer, Refusal) else object_of(answer, item)

    async def query(self, operation: str, text: str, **segments: str) -> Rows | Refusal:
        """The rows of a query of Log Analytics, all of them; Refusal(truncated) where the service gives a part."""
        answer = await self._one(OPERATIONS[operation], msgspec.json.encode({"query": text}), "", segments)
        if isinstance(answer, Refusal):
            # So it says that a workspace has never had any data.
            return Rows() if answer.status == 204 else answer
        return rows_of(answer)

    async def _one(self, declared: Operation, body: bytes | None, host: str, segments: Mapping[str, str]) -> Answer | Refusal:
        url = self._address(declared, host, segments)
        if isinstance(url, Refusal):
            return url
        return await self._send(declared, Step(url, body), segments.get("subscription", ""))

    def _address(self, operation: Operation, host: str, segments: Mapping[str, str]) -> str | Refusal:
        nowhere = operation.surface is Surface.LOGS and not self._environment.logs
        if nowhere or self._environment.name in operation.not_in:
            return Refusal(Reason.NOT_IN_CLOUD, self._environment.name)
        try:
            served_by = host_of(operation, self._environment, host)
        except ValueError as problem:
            return Refusal(Reason.BAD_VAULT_URI, str(problem))
        try:
            return address(operation, served_by, segments, self._environment.name)
        except ValueError as problem:
            return Refusal(Reason.BAD_VALUE, str(problem))

    async def _send(self, operation: Operation, step: Step, subscription: str, *, times: int = 1) -> Answer | Refusal:
        """Until there is an answer that is no refusal, or no hope of one. `times`: as how many requests it counts."""
        host = step.url.split("/", 3)[2]
        spent = [(domain, cost * times) for domain, cost in self._spent(operation, host, subscription)]
        self._quota.earn()
        attempt = 0
        while True:
            outcome = await self._attempt(operation, step, host, spent)
            if not outcome.again or not isinstance(outcome.answer, Refusal):
                return outcome.answer
            attempt += 1
            if not self._worth_it(outcome.answer, outcome.wait or 0.0, spent[0][0], attempt):
                return outcome.answer
            self.retries += 1

    def _worth_it(self, refusal: Refusal, wait: float, domain: Domain, attempt: int) -> bool:
        """Whether to try again: within the run's time, the quota of retries, and the attempts of one request."""
        if self._clock.monotonic() + wait >= self._deadline:
            return False
        if refusal.reason is not Reason.THROTTLED:
            return attempt < ATTEMPTS and self._quota.spend()
        if not self._quota.spend():
            # Nothing may be lost to throttling, so it is waited for, only longer.
            domain.hold(LONGEST_BACKOFF)
        return True

    async def _attempt(self, operation: Operation, step: Step, host: str, spent: list[tuple[Domain, float]]) -> _Outcome:
        domain = spent[0][0]
        if refusal := self._stopped(domain):
            return _Outcome(refusal)
        async with domain.slots:
            tickets: list[tuple[Domain, Ticket]] = []
            try:
                for each, cost in spent:
                    tickets.append((each, await each.enter(cost)))
                # Time has passed in the queue.
                if refusal := self._stopped(domain):
                    return _Outcome(refusal)
                async with self._flight:
                    outcome = await self._exchange(operation, step, host)
                self._learn(tickets, outcome)
                return outcome
            finally:
                for each, ticket in tickets:
                    each.let_go(ticket)

    def _stopped(self, domain: Domain) -> Refusal | None:
        if self._tokens.revoked:
            return self._tokens.revoked
        if self._clock.monotonic() >= self._deadline:
            return Refusal(Reason.BUDGET)
        return domain.down()

    async def _exchange(self, operation: Operation, step: Step, host: str) -> _Outcome:
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                answer = await self._clients.send(operation, step.url, step.body)
        except EXPECTED as error:
            refusal, again = failure_of(error, host)
            return _Outcome(refusal, _again(operation, refusal, passes=again))
        self.skew.add(host, answer.headers.get("Date"))
        if answer.status == 200 or (operation.makes and answer.status == 201):
            return _Outcome(answer, wait=self._wait(operation, answer))
        if answer.status == 401 and revokes(answer.headers.get("WWW-Authenticate", "")):
            return _Outcome(self._tokens.revoke(401))
        refusal = refusal_of(operation.surface, answer.status, answer.headers, answer.body)
        seconds = asked(answer.headers, self._clock.now())
        if seconds is not None and seconds > MOST:
            refusal = replace(refusal, detail=f"{refusal.detail}, to come back in {seconds:,.0f} seconds")
        wait = None if seconds is None else clamped(seconds)
        return _Outcome(refusal, _again(operation, refusal, passes=answer.status in RETRIED), wait)

    def _wait(self, operation: Operation, answer: Answer) -> float | None:
        """How long an answer of status 200 asks to send nothing more."""
        if operation.throttle is Throttle.RESOURCE_GRAPH:
            return quota_wait(answer.headers)
        seconds = batch.wait_of(answer, self._clock.now()) if operation is _BATCH else None
        return None if seconds is None else clamped(seconds)

    def _learn(self, tickets: list[tuple[Domain, Ticket]], outcome: _Outcome) -> None:
        (domain, ticket), *others = tickets
        for other, theirs in others:
            other.succeeded(theirs)
        answer = outcome.answer
        if not isinstance(answer, Refusal) or not outcome.again:
            domain.succeeded(ticket)
            if outcome.wait is not None:
                domain.hold(outcome.wait)
        elif answer.reason is Reason.THROTTLED:
            domain.throttled(ticket, outcome.wait, answer)
        else:
            domain.failed(ticket, outcome.wait, answer, connecting=answer.reason in _CONNECTING)

    def _spent(self, operation: Operation, host: str, subscription: str) -> list[tuple[Domain, float]]:
        """What a request is charged to: its own domain first."""
        match operation.throttle:
            case Throttle.VAULT:
                return [(self._domain(Throttle.VAULT, host), operation.cost)]
            case Throttle.ARM_SUBSCRIPTION:
                return [(self._domain(Throttle.ARM_SUBSCRIPTION, subscription.lower()), operation.cost)]
            case Throttle.GRAPH_KEY_CREDENTIALS:
                # A limit on requests, besides the one on units that holds for all of Graph.
                return [
                    (self._domain(Throttle.GRAPH_KEY_CREDENTIALS, ""), 1),
                    (self._domain(Throttle.GRAPH, ""), operation.cost),
                ]
            case throttle:
                return [(self._domain(throttle, ""), operation.cost)]

    def _domain(self, throttle: Throttle, name: str) -> Domain:
        domain = self._domains.get((throttle, name))
        if domain is None:
            limit = LIMITS.get(throttle)
            domain = Domain(limit, self._share, self._clock, self._chance, slots=PER_DOMAIN, deadline=self._deadline)
            self._domains[throttle, name] = domain
        return domain


def _again(operation: Operation, refusal: Refusal, *, passes: bool) -> bool:
    """Whether the same request may come to more. `passes`: whether a refusal like this one does, of a read."""
    if operation.makes:
        # After any other refusal it may have been made all the same, and would be made twice.
        return refusal.reason is Reason.THROTTLED
    # A query that took too long takes as long again.
    return passes and not (operation.surface is Surface.LOGS and refusal.reason is Reason.TIMEOUT)


def _declared_list(operation: str) -> Operation:
    declared = OPERATIONS[operation]
    if declared.paging is Paging.NONE:
        raise ValueError(f"{operation} is no list")
    return declared
