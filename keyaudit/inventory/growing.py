"""A file that grows at its end, where a write that failed half way is overwritten by the next one."""

import os
from collections.abc import Sequence
from pathlib import Path

from keyaudit.inventory import files

_BLOCK = 1024 * 1024


class Growing:
    """A file of lines. It is made, with mode 0600, by what is added first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0

    def add(self, data: bytes) -> int:
        """Writes at the end. Returns where that was; the end moves only if all was written."""
        start = self._end
        with files.changing(self.path, os.O_CREAT) as descriptor:
            os.lseek(descriptor, start, os.SEEK_SET)
            files.write(descriptor, data)
        self._end = start + len(data)
        return start

    def keep(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Makes line ends of all but these pieces, (start, size) in order, and ends the file after the last."""
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
        """What is there; less than `size` bytes where the file ends before, none where there is no file."""
        if not self.path.exists():
            return b""
        with files.reading(self.path) as descriptor:
            os.lseek(descriptor, start, os.SEEK_SET)
            return os.read(descriptor, size)
