"""The one way to Azure: declared reads alone, where they belong, at the pace that Azure allows; every refusal is a value."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from keyaudit.cloud import batch
from keyaudit.cloud.addresses import address, host_of
from keyaudit.cloud.answers.about import Check, check_of
from keyaudit.cloud.answers.listing import Listing
from keyaudit.cloud.answers.pages import Page, Step, object_of, page_of, query
from keyaudit.cloud.answers.tables import Rows, rows_of
from keyaudit.cloud.clients import Answer
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.refusal import refusal_of
from keyaudit.cloud.replay import Memory, Recalling
from keyaudit.cloud.sender import See, Sender
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS, Operation, Paging, Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line

T = TypeVar("T")

Observe = Callable[[Operation, object, Answer], None]
"""Receives an operation, the type of its items or of its object, and each answer to it."""

Instead = Callable[[Step], Awaitable[Page | Refusal | None]]
"""Returns a page of a list, or why it has none; None if the page has to be asked for."""

__all__ = ["Gateway", "Listing"]

_BATCH = OPERATIONS["graph.batch"]
_OF_ONE = frozenset({Reason.BAD_ITEM, Reason.INCONSISTENT})
"""Reasons that are about the object that was asked for, which their details name."""


class Gateway:
    """Sends the operations of `model.operations` and no others. Azure's answers never raise, except for a wrong tenant."""

    def __init__(self, sender: Sender, environment: Environment, memory: Memory | None = None) -> None:
        """`memory`: the answers to reads of lists and objects are kept there, and taken from there first."""
        self.sender = sender
        self.observe: Observe | None = None
        """Receives every answer; a batch counts as its parts."""
        self._environment = environment
        self._recalling = Recalling(sender, memory)

    def remembering(self, memory: Memory) -> "Gateway":
        """The same gateway with that memory."""
        other = Gateway(self.sender, self._environment, memory)
        other.observe = self.observe
        return other

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

        `by` returns the name of an item, and may raise ValueError for an invalid one. An item with a repeated name is a
        duplicate; an item that cannot be decoded or named is quarantined. None: items have no names, and only the current page
        is kept in memory.
        """
        declared = _declared_list(operation)
        url = self._address(declared, host, segments)
        if isinstance(url, Refusal):
            return self._list(declared, url, item, by, None)
        posted = (
            None if body is None else query(body) if declared.paging is Paging.RESOURCE_GRAPH else msgspec.json.encode(body)
        )
        # Only lists of Graph select members.
        lesser = self._address(declared, host, segments, whole=False) if declared.dispensable else None
        again = Step(lesser) if isinstance(lesser, str) else None
        check = check_of(declared, _host(url), segments, body)
        subscription = segments.get("subscription", "")
        return self._list(declared, Step(url, posted), item, by, check, subscription=subscription, again=again)

    def rows(
        self,
        operation: str,
        item: type[T],
        *,
        by: Callable[[T], str],
        body: Mapping[str, object],
        instead: Instead | None = None,
    ) -> Listing[T]:
        """The rows of a query of Resource Graph, a list like those of `pages`. `instead` may have a page already."""
        declared = _declared_list(operation)
        url = self._address(declared, "", {})
        first = url if isinstance(url, Refusal) else Step(url, query(body))
        return self._list(declared, first, item, by, None, instead=instead)

    def remembers(self, operation: str, **segments: str) -> bool:
        """Whether a stopped run was given the first page of a list of Resource Manager, which is then not asked for again."""
        declared = _declared_list(operation)
        url = self._address(declared, "", segments)
        return isinstance(url, str) and self._recalling.remembers(declared, Step(url))

    async def lists(
        self, operation: str, item: type[T], *, by: Callable[[T], str], places: Sequence[Mapping[str, str]]
    ) -> Sequence[Listing[T]]:
        """One Graph list for each of `places`, which are path segments. One batch request reads the first pages of 20 lists.

        A list whose first page failed in the batch reads it separately.
        """
        declared = _declared_list(operation)
        urls = [self._address(declared, "", place) for place in places]
        good = [url for url in urls if isinstance(url, str)]
        begun: dict[str, Answer] = {}
        for start in range(0, len(good), batch.MOST):
            begun |= await self._batched(declared, good[start : start + batch.MOST])
        return [
            self._list(declared, url, item, by, None)
            if isinstance(url, Refusal)
            else self._list(declared, Step(url), item, by, check_of(declared, _host(url), place), begun=begun.get(url))
            for url, place in zip(urls, places, strict=True)
        ]

    def _list(
        self,
        declared: Operation,
        first: Step | Refusal,
        item: type[T],
        by: Callable[[T], str] | None,
        check: Check | None,
        *,
        subscription: str = "",
        begun: Answer | None = None,
        again: Step | None = None,
        instead: Instead | None = None,
    ) -> Listing[T]:
        """A list that begins at `first`, whose answer may be known already.

        `check`: what each page or item is held against. `again`: where it begins without the members that are dispensable, if
        `first` is refused.
        """
        beginning = first if isinstance(first, Step) else Step("")
        see = self._see(declared, item)
        ahead: tuple[Step, Answer | Refusal] | None = None

        async def fetch(step: Step) -> Page | Refusal:
            nonlocal ahead, begun
            answer: Answer | Refusal
            if instead is not None and (found := await instead(step)) is not None:
                if see is not None and isinstance(found, Page):
                    see(Answer(200, {}, msgspec.json.encode({"data": found.items})))
                return found
            if begun is None and step == beginning:
                ahead = await self._recalling.ahead(declared, step, subscription, see=see)
            if begun is not None and step == beginning:
                if see is not None:
                    see(begun)
                # Where the list is read again, its first page is asked for.
                answer, begun = self._judged(declared, begun), None
            elif ahead is not None and step == ahead[0]:
                answer = ahead[1]
            else:
                answer = await self._recalling.send(declared, step, subscription, see=see)
            refused = isinstance(answer, Refusal) and (answer.status, answer.reason) == (400, Reason.UNRECOGNISED)
            if refused and again is not None and step == beginning:
                listing.unasked = declared.dispensable
                answer = await self._recalling.send(declared, again, subscription, see=see)
            if isinstance(answer, Refusal):
                return answer
            page = page_of(answer, declared.paging, beginning)
            elsewhere = check.refusal(answer.body) if check and check.named.of_page and isinstance(page, Page) else None
            return elsewhere or page

        of_item = check.refusal if check and not check.named.of_page else None
        listing = Listing(fetch, first, item, by, check=of_item, never_empty=declared.never_empty)
        return listing

    async def _batched(self, declared: Operation, urls: Sequence[str]) -> Mapping[str, Answer]:
        """The first pages at these addresses that one batch request returns."""
        whole = self._address(_BATCH, "", {})
        if len(urls) < 2 or isinstance(whole, Refusal):
            return {}
        body = batch.requests_of(urls, dict(declared.headers))
        answer = await self._recalling.send(_BATCH, Step(whole, body), "", times=len(urls))
        return {} if isinstance(answer, Refusal) else batch.answers_of(answer, urls)

    @staticmethod
    def _judged(operation: Operation, answer: Answer) -> Answer | Refusal:
        """The answer, or its refusal."""
        if answer.status == 200:
            return answer
        return refusal_of(operation.surface, answer.status, answer.headers, answer.body)

    async def get(self, operation: str, item: type[T], *, host: str = "", **segments: str) -> T | Refusal:
        """One object; Refusal(bad_item) if it lacks a member that `item` requires, Refusal(inconsistent) for another one."""
        declared = OPERATIONS[operation]
        url = self._address(declared, host, segments)
        if isinstance(url, Refusal):
            return url
        see = self._see(declared, item)
        answer = await self._recalling.send(declared, Step(url), segments.get("subscription", ""), see=see)
        found = answer if isinstance(answer, Refusal) else object_of(answer, item)
        check = check_of(declared, _host(url), segments)
        if check and not isinstance(answer, Refusal) and not isinstance(found, Refusal):
            found = check.refusal(answer.body) or found
        if isinstance(found, Refusal) and found.reason in _OF_ONE and any(segments.values()):
            name = one_line("/".join(filter(None, segments.values())), 100)
            return replace(found, detail=f"{name}: {found.detail}")
        return found

    async def make(self, operation: str, item: type[T], body: Mapping[str, object]) -> T | Refusal:
        """The object that posting `body` creates, like `get`."""
        answer = await self._one(OPERATIONS[operation], msgspec.json.encode(body), {}, item)
        return answer if isinstance(answer, Refusal) else object_of(answer, item)

    async def query(self, operation: str, text: str, **segments: str) -> Rows | Refusal:
        """All rows of a Log Analytics query; Refusal(truncated) if the service returns a part."""
        answer = await self._one(OPERATIONS[operation], msgspec.json.encode({"query": text}), segments, None)
        if isinstance(answer, Refusal):
            # The service's error for a workspace without any data.
            return Rows() if answer.status == 204 else answer
        return rows_of(answer)

    async def _one(self, declared: Operation, body: bytes, segments: Mapping[str, str], item: object) -> Answer | Refusal:
        url = self._address(declared, "", segments)
        if isinstance(url, Refusal):
            return url
        see = self._see(declared, item)
        return await self.sender.send(declared, Step(url, body), segments.get("subscription", ""), see=see)

    def _see(self, declared: Operation, item: object) -> See | None:
        return None if self.observe is None else partial(self.observe, declared, item)

    def _address(self, operation: Operation, host: str, segments: Mapping[str, str], *, whole: bool = True) -> str | Refusal:
        nowhere = operation.surface is Surface.LOGS and not self._environment.logs
        if nowhere or self._environment.name in operation.not_in:
            return Refusal(Reason.NOT_IN_CLOUD, self._environment.name)
        try:
            served_by = host_of(operation, self._environment, host)
        except ValueError as problem:
            return Refusal(Reason.BAD_VAULT_URI, str(problem))
        try:
            return address(operation, served_by, segments, self._environment.name, whole=whole)
        except ValueError as problem:
            return Refusal(Reason.BAD_VALUE, str(problem))


def _host(url: str) -> str:
    return url.split("/", 3)[2]


def _declared_list(operation: str) -> Operation:
    declared = OPERATIONS[operation]
    if declared.paging is Paging.NONE:
        raise ValueError(f"{operation} is no list")
    return declared
