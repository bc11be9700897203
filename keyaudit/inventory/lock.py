"""A lock on a folder, so that one collection at a time writes to it."""

import contextlib
import fcntl
import os
from pathlib import Path

from keyaudit.inventory.files import shown, writing
from keyaudit.model.errors import UsageError
from keyaudit.model.text import one_line


class Lock:
    """Exclusive use of a folder while this object lives and is not released; the kernel frees it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with contextlib.ExitStack() as failed:
            failed.callback(os.close, self._descriptor)
            self._take()
            failed.pop_all()

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            holder = f"another run (pid {one_line(pid)})" if pid else "another run"
            raise UsageError(
                shown(self._path.parent), f"{holder} is writing here", "wait for it to end, or choose another folder"
            ) from error
        with writing(self._path):
            # The last holder removes the file: who was waiting on the removed one holds nothing.
            if not self._path.exists() or not os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
                raise UsageError(shown(self._path.parent), "another run has just ended here", "look at what it left")
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def remove(self) -> None:
        """Takes the lock file away; the lock itself is held until `release`."""
        with writing(self._path):
            self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Gives the folder free; safe to repeat."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
