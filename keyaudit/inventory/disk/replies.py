"""The answers that a unit was given before it is closed: a resumed run takes them from here, and asks only for what follows.

One file for each unit with more than a little, next to the tables of the spool. It is removed when the unit is closed.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from keyaudit.inventory.disk import files
from keyaudit.inventory.disk.append_only import Growing

_FLUSH = 32 * 1024
_LENGTH = 4
_DIGEST = 16


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
        self._left: dict[bytes, list[tuple[int, int]]] = {}
        """By request, where in the file the answers to it are: its position and size."""

    @classmethod
    def of_stopped(cls, path: Path) -> "Replies":
        """Those that a stopped run left in that file, as far as they are undamaged. Without the file there are none."""
        found = cls(path)
        if not path.exists():
            return found
        found._written = True
        end = 0
        with files.reading(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
            most = os.fstat(descriptor).st_size
            while (record := _record(data := _next(file, most))) is not None:
                found._left.setdefault(record.request, []).append((end + _LENGTH, len(data)))
                end += _LENGTH + len(data)
        found._file.keep([(0, end)])
        return found

    def seen(self, request: bytes) -> bytes | None:
        """The next answer to that request that a stopped run left; None if it left no more."""
        left = self._left.get(request)
        return self._read(*left[0]) if left else None

    def recall(self, request: bytes) -> bytes | None:
        """The same, once: a request that is sent twice is sent to see what has changed."""
        left = self._left.get(request)
        return self._read(*left.pop(0)) if left else None

    def _read(self, start: int, size: int) -> bytes | None:
        record = _record(self._file.piece(start, size))
        return None if record is None else record.answer

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


def _next(file: BinaryIO, most: int) -> bytes:
    """The next record, undecoded; less than one at the end of the file. At most `most` bytes, also if its length is damaged."""
    return file.read(min(most, int.from_bytes(file.read(_LENGTH), "big")))


def _record(data: bytes) -> _Record | None:
    """The record; None if it is damaged, or not whole."""
    try:
        record = _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
    return record if record.check == _digest(record.answer) else None


def _digest(answer: bytes) -> bytes:
    return hashlib.blake2b(answer, digest_size=_DIGEST).digest()
