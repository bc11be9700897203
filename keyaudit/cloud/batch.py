"""Graph's $batch: the first pages of several lists in one request, each with its own status.

https://learn.microsoft.com/graph/json-batching
"""

from collections.abc import Mapping, Sequence

import msgspec
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.cloud.limits.waits import asked
from keyaudit.cloud.refusal import RETRIED

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
    """The final answers of a batch, by address.

    Parts that were throttled, failed, were unauthorised, are missing or appear twice are left out: they are sent separately.
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
    """The longest wait that a throttled part of a batch asks for, in seconds, not yet clamped; None if there is none."""
    waits = [asked(CIMultiDict(part.headers or {}), now) for part in _parts(answer) if part.status in RETRIED]
    return max((wait for wait in waits if wait is not None), default=None)


def _parts(answer: Answer) -> Sequence[_Part]:
    try:
        return _PARTS.decode(answer.body).responses
    except (msgspec.MsgspecError, RecursionError):
        return ()
