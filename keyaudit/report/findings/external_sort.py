"""External sort: items that do not fit into memory are written to an anonymous temporary file."""

import pickle
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import pairwise
from operator import itemgetter
from typing import IO, Any, TypeVar

from keyaudit.model.errors import OutputError

T = TypeVar("T")

HELD = 10_000
"""The number of items in memory while sorting. A finding with its row is about 5 KB."""
_BATCH = 64
"""The number of items read back at once from each part."""


def in_order(keyed: Iterable[tuple[Any, T]]) -> Iterator[T]:
    """The items in the order of their keys, which are unique and comparable."""
    with _Aside() as aside:
        parts: list[Iterator[tuple[Any, T]]] = []
        held: list[tuple[Any, T]] = []
        for each in keyed:
            held.append(each)
            if len(held) == HELD:
                held.sort(key=itemgetter(0))
                parts.append(aside.put(held))
                held = []
        held.sort(key=itemgetter(0))
        for _, thing in merge(*parts, held, key=itemgetter(0)):
            yield thing


class _Aside:
    """The temporary file. Raises OutputError if it cannot be written."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "_Aside":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def put(self, things: Sequence[T]) -> Iterator[T]:
        """Writes the items, and returns an iterator over them in the same order."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
            places = [self._file.seek(0, 2)]
            for start in range(0, len(things), _BATCH):
                some = things[start : start + _BATCH]
                self._file.write(zlib.compress(pickle.dumps(some, pickle.HIGHEST_PROTOCOL), 1))
                places.append(self._file.tell())
            self._file.flush()
        except OSError as error:
            what = f"could not write findings to a temporary file ({error.strerror})"
            raise OutputError(
                tempfile.gettempdir(), what, "free some space there, or name another folder with TMPDIR"
            ) from error
        return _read(self._file, places)


def _read(file: IO[bytes], places: Sequence[int]) -> Iterator[Any]:
    for start, end in pairwise(places):
        file.seek(start)
        yield from pickle.loads(zlib.decompress(file.read(end - start)))  # noqa: S301 - reads data that this process wrote to a file that no other process can open
