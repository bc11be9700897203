"""What Linux, macOS and Windows do differently with files: following links, permissions, and what a disk keeps.

On POSIX a file is private by its mode. Windows has no such modes: there a file inherits the access control list of the folder
that it is made in, so that what lies in a user's profile is private to that user, and what lies elsewhere need not be.
"""

import errno
import os
import stat
from pathlib import Path

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
# Opening a FIFO must not wait for a writer.
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
# Windows would turn line ends into others.
_BINARY: int = getattr(os, "O_BINARY", 0)
_FOLDER: int | None = getattr(os, "O_DIRECTORY", None)
POSIX = _FOLDER is not None
"""Whether files have modes and owners, and folders can be opened."""


def open_file(path: Path, flags: int = os.O_RDONLY, *, folder: int | None = None, follow: bool = False) -> int:
    """A descriptor of a file, in binary, with mode 0600 if it is made. Does not wait for a FIFO's writer.

    `folder`: a descriptor of the folder that a relative `path` is in, from `open_folder`. Raises OSError, also for a link that
    it is not to `follow`.
    """
    if not follow and not _NO_FOLLOW and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return os.open(path, flags | (0 if follow else _NO_FOLLOW) | _NO_WAIT | _BINARY, 0o600, dir_fd=folder)


def open_folder(path: Path) -> int | None:
    """A descriptor of a folder that is no link; None where folders cannot be opened. Raises OSError where it is neither."""
    if _FOLDER is not None:
        return os.open(path, os.O_RDONLY | _FOLDER | _NO_FOLLOW)
    if path.is_symlink() or not path.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return None


def make_private(folder: Path) -> None:
    """Lets nobody but its owner into a folder that is there, where the platform has modes. Raises OSError."""
    # By descriptor, so that a folder that was swapped for a link in between is refused and not changed.
    descriptor = open_folder(folder)
    if descriptor is None:
        return
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o700:
            # Where folders can be opened there is fchmod; a checker for Windows does not know that.
            os.chmod(descriptor, 0o700)  # noqa: PTH101 - a descriptor
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder outlast a loss of power; NTFS does so by itself. Raises OSError."""
    descriptor = open_folder(path)
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def others_can_read(mode: int) -> bool:
    """Whether a file of this mode is open to others; False where modes say nothing about that."""
    return POSIX and bool(mode & 0o077)


def only_owner_can_write(found: os.stat_result) -> bool:
    """Whether nobody but this user and the administrator can have written a regular file; True where that cannot be told."""
    if not stat.S_ISREG(found.st_mode):
        return False
    user = getattr(os, "geteuid", None)
    return user is None or (not found.st_mode & 0o022 and found.st_uid in (user(), 0))


def move_folder(source: Path, target: Path) -> None:
    """Gives a folder a new name, which nothing has or an empty folder. Raises OSError."""
    if target.is_dir() and not target.is_symlink():
        # Windows renames onto nothing that exists.
        target.rmdir()
    source.rename(target)
