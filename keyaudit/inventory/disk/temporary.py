"""Temporary folders, which hold what was read of a tenant. A killed run cannot remove its own, so the next one does."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keyaudit.inventory.disk import platform
from keyaudit.inventory.disk.lock import Lock
from keyaudit.model.errors import AuditError

_PREFIX = "keyaudit-tmp-"
_LOCK = "in-use"


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, private to this user and removed at the end. Those of this user's killed runs are removed first."""
    _remove_left()
    with contextlib.ExitStack() as held:
        yield _locked(held)


def _locked(held: contextlib.ExitStack, attempts: int = 3) -> Path:
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX)))
    try:
        held.callback(Lock(folder / _LOCK).release)
    # Another run that begins now took the folder for a killed run's, because it was not locked yet.
    except AuditError:
        if attempts == 1:
            raise
        return _locked(held, attempts - 1)
    return folder


def _remove_left() -> None:
    """Removes the folders of this user whose lock is free. A folder without a lock file is left alone."""
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            with contextlib.suppress(OSError, AuditError):
                if entry.name.startswith(_PREFIX) and _may_be_left(entry):
                    _remove(Path(entry.path))


def _may_be_left(entry: "os.DirEntry[str]") -> bool:
    own = platform.is_own(entry.stat(follow_symlinks=False))
    return own and entry.is_dir(follow_symlinks=False) and os.path.lexists(Path(entry.path) / _LOCK)


def _remove(folder: Path) -> None:
    lock = Lock(folder / _LOCK)
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.release()
    # Windows cannot remove the lock file before it is released.
    shutil.rmtree(folder, ignore_errors=True)
