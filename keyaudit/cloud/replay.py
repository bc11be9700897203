"""Takes answers from what a stopped run was given, where it goes on, and sends what follows."""

import hashlib
from typing import Protocol

import msgspec
from msgspec import Struct

from keyaudit.cloud.answers.pages import Page, Step, page_of
from keyaudit.cloud.clients import Answer
from keyaudit.cloud.sender import See, Sender
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import Operation

_READ = ("content-type", "x-ms-tenant-subscription-limit-hit")
"""The headers that the checks of lists and objects read."""
_STALE = frozenset({400, 404, 410})
"""The statuses of a link to a page that is not valid any more."""


class Memory(Protocol):
    """Where answers are kept, so that a run that goes on with a stopped one need not ask again."""

    def seen(self, request: bytes) -> bytes | None:
        """What `recall` would return."""

    def recall(self, request: bytes) -> bytes | None:
        """The next answer that a stopped run was given to that request, each once; None if it was given no more."""

    def keep(self, request: bytes, answer: bytes) -> None:
        """Keeps an answer."""


class _Kept(Struct, frozen=True, array_like=True):
    """An answer of status 200: no other is kept, because it may be better the next time."""

    headers: dict[str, str]
    body: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Kept)


class Recalling:
    """A sender with a memory. Without one it only sends."""

    def __init__(self, sender: Sender, memory: Memory | None) -> None:
        self._sender, self._memory = sender, memory

    async def send(
        self, operation: Operation, step: Step, subscription: str, *, times: int = 1, see: See | None = None
    ) -> Answer | Refusal:
        """The answer that is remembered, or that of `Sender.send`, which is then kept."""
        memory = None if operation.discloses else self._memory
        if memory is None:
            return await self._sender.send(operation, step, subscription, times=times, see=see)
        request = _request(operation, step)
        if (kept := memory.recall(request)) is not None:
            recalled = _answer(kept)
            if see is not None:
                see(recalled)
            return recalled
        answer = await self._sender.send(operation, step, subscription, times=times, see=see)
        if isinstance(answer, Answer) and answer.status == 200:
            read = {name: value for name in _READ if (value := answer.headers.get(name)) is not None}
            memory.keep(request, _ENCODER.encode(_Kept(read, answer.body)))
        return answer

    def remembers(self, operation: Operation, step: Step) -> bool:
        """Whether the answer to that request is remembered."""
        return self._memory is not None and self._memory.seen(_request(operation, step)) is not None

    async def ahead(
        self, operation: Operation, first: Step, subscription: str, *, see: See | None = None
    ) -> tuple[Step, Answer | Refusal] | None:
        """The first page of a list that is not remembered, with its answer; None if the list is remembered from its beginning
        to its end, or not at all.

        Where its link is not valid any more, the pages before it are forgotten, so that the list is read from its beginning.
        """
        if self._memory is None:
            return None
        known: list[Step] = []
        step: Step | None = first
        while step is not None and step not in known:
            kept = self._memory.seen(_request(operation, step))
            if kept is None:
                break
            known.append(step)
            page = page_of(_answer(kept), operation.paging, first)
            step = page.next if isinstance(page, Page) else None
        if not known or step is None or step in known:
            return None
        answer = await self.send(operation, step, subscription, see=see)
        if isinstance(answer, Refusal) and answer.status in _STALE:
            for each in known:
                self._memory.recall(_request(operation, each))
            return None
        return step, answer


def _request(operation: Operation, step: Step) -> bytes:
    """What stands for a request in a memory."""
    return hashlib.blake2b(b"\n".join((operation.id.encode(), step.url.encode(), step.body or b"")), digest_size=16).digest()


def _answer(kept: bytes) -> Answer:
    found = _DECODER.decode(kept)
    return Answer(200, found.headers, found.body)
