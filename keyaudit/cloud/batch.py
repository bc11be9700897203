"""Graph's $batch: the first pages of several lists asked for in one request, each with a status of its own.

https://learn.microsoft.com/graph/json-batching
"""

from collections.abc import Mapping, Sequence

import msgspec
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.cloud.refusal import RETRIED
from keyaudit.cloud.waits import asked

MOST = 20
"""Requests in one batch."""


class _Part(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Parts(msgspec.Struct):
    responses: list[_Part]


_PARTS = msgspec.json.Decoder(_Parts)


def requests_of(urls: Sequence[str], headers: Mapping[str, str]) -> bytes:
    """The body of a batch of GETs. Graph takes addresses without host and version."""
    parts = [
        {"id": str(number), "method": "GET", "url": "/" + url.split("/", 4)[4], "headers": dict(headers)}
        for number, url in enumerate(urls)
    ]
    return msgspec.json.encode({"requests": parts})


def answers_of(answer: Answer, urls: Sequence[str]) -> Mapping[str, Answer]:
    """By address, the answers of a batch that will be no other when asked for again.

    What was throttled, failed, was not signed for, or is missing or there twice is not among them: it is asked for by itself.
    """
    found: dict[str, Answer] = {}
    repeated: set[str] = set()
    for part in _parts(answer):
        url = urls[int(part.id)] if part.id.isdecimal() and len(part.id) < 4 and int(part.id) < len(urls) else ""
        if url in found:
            repeated.add(url)
        if url and part.status != 401 and part.status not in RETRIED:
            found[url] = Answer(part.status, CIMultiDict(part.headers or {}), bytes(part.body))
    return {url: one for url, one in found.items() if url not in repeated}


def wait_of(answer: Answer, now: int) -> float | None:
    """The longest that a throttled part of a batch asks to wait, in seconds, not yet clamped; None where none asks."""
    waits = [asked(CIMultiDict(part.headers or {}), now) for part in _parts(answer) if part.status in RETRIED]
    return max((wait for wait in waits if wait is not None), default=None)


def _parts(answer: Answer) -> Sequence[_Part]:
    try:
        return _PARTS.decode(answer.body).responses
    except (msgspec.MsgspecError, RecursionError):
        return ()
