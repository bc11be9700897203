"""File operations that differ between Linux, macOS and Windows: links, permissions, flushing.

On POSIX a file is private by its mode. On Windows a file inherits the access control list of its folder, so a file in a user's
profile is private to that user, and a file elsewhere may not be.
"""

import errno
import os
import stat
from pathlib import Path

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
# Opening a FIFO must not block until there is a writer.
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
# Windows would convert line ends.
_BINARY: int = getattr(os, "O_BINARY", 0)
_FOLDER: int | None = getattr(os, "O_DIRECTORY", None)
POSIX = _FOLDER is not None
"""Whether the platform has file modes and owners, and can open folders."""


def open_file(path: Path, flags: int = os.O_RDONLY, *, folder: int | None = None, follow: bool = False) -> int:
    """A descriptor of a file, binary, created with mode 0600. Does not wait for a FIFO's writer.

    `folder`: a descriptor from `open_folder` for a relative `path`. Raises OSError, also for a link unless `follow`.
    """
    if not follow and not _NO_FOLLOW and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return os.open(path, flags | (0 if follow else _NO_FOLLOW) | _NO_WAIT | _BINARY, 0o600, dir_fd=folder)


def open_folder(path: Path) -> int | None:
    """A descriptor of a folder; None if the platform cannot open folders. Raises OSError if it is a link or no folder."""
    if _FOLDER is not None:
        return os.open(path, os.O_RDONLY | _FOLDER | _NO_FOLLOW)
    if path.is_symlink() or not path.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return None


def make_private(folder: Path) -> None:
    """Makes an existing folder private to its owner, if the platform has modes. Raises OSError."""
    # By descriptor, so that a folder that was replaced with a link in between is refused.
    descriptor = open_folder(folder)
    if descriptor is None:
        return
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o700:
            # fchmod exists where folders can be opened; mypy for Windows does not know that.
            os.chmod(descriptor, 0o700)  # noqa: PTH101 - a descriptor
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Flushes the entries of a folder to disk; NTFS does this itself. Raises OSError."""
    descriptor = open_folder(path)
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def others_can_read(mode: int) -> bool:
    """Whether other users can read a file of this mode; False if the platform has no modes."""
    return POSIX and bool(mode & 0o077)


def only_owner_can_write(found: os.stat_result) -> bool:
    """Whether only this user and the administrator can have written a regular file; True if the platform has no such check."""
    if not stat.S_ISREG(found.st_mode):
        return False
    user = getattr(os, "geteuid", None)
    return user is None or (not found.st_mode & 0o022 and found.st_uid in (user(), 0))


def is_own(found: os.stat_result) -> bool:
    """Whether a file belongs to this user; True if the platform does not say."""
    user = getattr(os, "geteuid", None)
    return user is None or found.st_uid == user()


def move_folder(source: Path, target: Path) -> None:
    """Renames a folder to a new name, or onto an empty folder. Raises OSError."""
    if target.is_dir() and not target.is_symlink():
        # Windows cannot rename onto an existing folder.
        target.rmdir()
    source.rename(target)
