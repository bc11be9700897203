"""A lock on a folder, so that only one collection at a time writes to it."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from keyaudit.inventory.disk import files, platform
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

# Windows locks the first byte for readers too.
_PID_AT = 1
_MOST = 32


class Lock:
    """Exclusive use of a folder until `release`; the system also frees it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._removed = False
        self._lock = FileLock(path, mode=0o600, timeout=0, thread_local=False)
        with files.writing(path):
            try:
                self._lock.acquire()
            except Timeout as error:
                pid = _holder(path)
                holder = f"another run (pid {pid})" if pid else "another run"
                raise UsageError(
                    files.shown(path.parent), f"{holder} is writing here", "wait for it to end, or choose another folder"
                ) from error
        with contextlib.ExitStack() as failed:
            failed.callback(self._lock.release)
            with files.changing(path) as descriptor:
                files.write(descriptor, f" {os.getpid()}\n".encode())
                os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR))
            failed.pop_all()

    def remove(self) -> None:
        """Removes the lock file, at the latest on `release`; the lock itself is kept until then."""
        self._removed = True
        # Windows cannot remove an open file. `release` tries again, and reports a file that has to stay.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Releases the folder; safe to repeat."""
        self._lock.release()
        if self._removed:
            with files.writing(self._path):
                self._path.unlink(missing_ok=True)


def _holder(path: Path) -> str:
    try:
        descriptor = platform.open_file(path)
    except OSError:
        return ""
    try:
        os.lseek(descriptor, _PID_AT, os.SEEK_SET)
        return one_line(os.read(descriptor, _MOST).decode("ascii", "replace").strip())
    except OSError:
        return ""
    finally:
        os.close(descriptor)
