"""The answers that a unit was given before it is closed: a resumed run takes them from here, and asks only for what follows.

One file for each unit with more than a little, next to the tables of the spool. It is removed when the unit is closed.
"""

import hashlib
from collections import deque
from pathlib import Path

import msgspec
from msgspec import Struct

from keyaudit.inventory import files
from keyaudit.inventory.growing import Growing

_FLUSH = 32 * 1024
_LENGTH = 4
_DIGEST = 16
_MAX_FILE = 4 * 1024 * 1024 * 1024


class _Record(Struct, frozen=True, array_like=True):
    """One answer. `check`: its digest, because a loss of power can leave anything in a file."""

    request: bytes
    check: bytes
    answer: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Record)


class Replies:
    """The answers to the requests of one open unit."""

    def __init__(self, path: Path) -> None:
        self._file = Growing(path)
        self._written = False
        self._waiting: list[bytes] = []
        self._size = 0
        self._left: dict[bytes, deque[bytes]] = {}

    @classmethod
    def of_stopped(cls, path: Path) -> "Replies":
        """Those that a stopped run left in that file, as far as they are undamaged. Without the file there are none."""
        found = cls(path)
        if not path.exists():
            return found
        found._written = True
        data, end = files.read(path, _MAX_FILE), 0
        while (record := _record(data, end)) is not None:
            found._left.setdefault(record.request, deque()).append(record.answer)
            end += _LENGTH + int.from_bytes(data[end : end + _LENGTH], "big")
        found._file.keep([(0, end)])
        return found

    def seen(self, request: bytes) -> bytes | None:
        """The next answer to that request that a stopped run left; None if it left no more."""
        left = self._left.get(request)
        return left[0] if left else None

    def recall(self, request: bytes) -> bytes | None:
        """The same, once: a request that is sent twice is sent to see what has changed."""
        left = self._left.get(request)
        return left.popleft() if left else None

    def keep(self, request: bytes, answer: bytes) -> None:
        """Keeps the answer to that request."""
        record = _ENCODER.encode(_Record(request, _digest(answer), answer))
        self._waiting += (len(record).to_bytes(_LENGTH, "big"), record)
        self._size += len(record)
        if self._size >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Writes what is not in the file yet."""
        if self._waiting:
            self._file.add(b"".join(self._waiting))
            self._written = True
            self._waiting.clear()
            self._size = 0

    def remove(self) -> None:
        """Removes them: the unit is closed."""
        self._waiting.clear()
        self._left.clear()
        if self._written:
            with files.writing(self._file.path):
                self._file.path.unlink(missing_ok=True)


def _record(data: bytes, start: int) -> _Record | None:
    """The record at that position; None if none is there, or a damaged one."""
    size = int.from_bytes(data[start : start + _LENGTH], "big")
    if not size or start + _LENGTH + size > len(data):
        return None
    try:
        record = _DECODER.decode(data[start + _LENGTH : start + _LENGTH + size])
    except msgspec.MsgspecError:
        return None
    return record if record.check == _digest(record.answer) else None


def _digest(answer: bytes) -> bytes:
    return hashlib.blake2b(answer, digest_size=_DIGEST).digest()
