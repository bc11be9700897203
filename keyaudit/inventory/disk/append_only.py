"""An append-only file, in which a write that failed half way is overwritten by the next one."""

import os
from collections.abc import Sequence
from pathlib import Path

from keyaudit.inventory.disk import files

_BLOCK = 1024 * 1024


class Growing:
    """A file of lines. The first write creates it with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0

    def add(self, data: bytes) -> int:
        """Appends and returns the position; the end moves only if everything was written."""
        start = self._end
        with files.changing(self.path, os.O_CREAT) as descriptor:
            os.lseek(descriptor, start, os.SEEK_SET)
            files.write(descriptor, data)
        self._end = start + len(data)
        return start

    def keep(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Overwrites everything except these pieces, (start, size) in order, with line ends, and truncates after the last."""
        if not self.path.exists():
            return
        end = 0
        with files.changing(self.path) as descriptor:
            for start, size in pieces:
                os.lseek(descriptor, end, os.SEEK_SET)
                while end < start:
                    gap = min(start - end, _BLOCK)
                    files.write(descriptor, b"\n" * gap)
                    end += gap
                end = start + size
            os.ftruncate(descriptor, end)
        self._end = end

    def piece(self, start: int, size: int) -> bytes:
        """The bytes at that position; fewer than `size` at the end of the file, none without a file."""
        if not self.path.exists():
            return b""
        with files.reading(self.path) as descriptor:
            os.lseek(descriptor, start, os.SEEK_SET)
            return os.read(descriptor, size)
