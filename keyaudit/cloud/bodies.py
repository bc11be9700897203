"""Bounded bodies: no answer, compressed or not, may take more memory than is plausible."""

import zlib
from collections.abc import AsyncIterator

from keyaudit.cloud.refusal import Refused
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

MAX_BODY = 64 * 1024 * 1024
"""The maximum size of an uncompressed answer in bytes. A page of 999 applications is about 4 MB."""

ACCEPTED = "gzip"
"""The only encoding that is requested and understood."""

_PIECE = 1024 * 1024


async def unpacked(pieces: AsyncIterator[bytes], encoding: str, limit: int) -> AsyncIterator[bytes]:
    """The pieces of a body, decoded. Raises Refused(too_large) over `limit`, Refused(bad_body) for what cannot be decoded."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        total = 0
        async for piece in pieces:
            total += len(piece)
            _check(total, limit)
            yield piece
    elif encoding == ACCEPTED:
        async for piece in _gunzipped(pieces, limit):
            yield piece
    else:
        raise Refused(Refusal(Reason.BAD_BODY, "an encoding that was not requested"))


async def _gunzipped(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    total = 0
    try:
        async for piece in pieces:
            while piece:
                plain = unpacker.decompress(piece, _PIECE)
                total += len(plain)
                _check(total, limit)
                yield plain
                piece = unpacker.unconsumed_tail  # noqa: PLW2901 - the remaining part
    except zlib.error:
        raise Refused(Refusal(Reason.BAD_BODY, "its compression is damaged")) from None
    if not unpacker.eof:
        raise Refused(Refusal(Reason.BAD_BODY, "its compressed data is truncated"))


def _check(total: int, limit: int) -> None:
    if total > limit:
        raise Refused(Refusal(Reason.TOO_LARGE, f"over {limit:,} bytes"))
