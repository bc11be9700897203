"""Files that people name, or keep in the working folder: settings, waivers, baselines, policies. Links are followed."""

import os
import stat
from pathlib import Path

from keyaudit.inventory import platform


class UnreadableError(Exception):
    """There is no file that can be read. `what` says why, for the middle of an error message."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


def is_there(path: Path) -> bool:
    """Whether there is anything by this name, also a link to nothing, or a file in a folder that must not be searched.

    A file with a default name is optional only where this is false: everything else is meant to be read.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read(path: Path, most: int) -> bytes:
    """The content of a regular file; of a larger one the first `most` + 1 bytes. Never waits, as a read of a FIFO would.

    Raises UnreadableError.
    """
    try:
        # Before it is opened, since opening a device may have an effect.
        _check_regular(path.stat().st_mode)
        descriptor = platform.open_file(path, follow=True)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            # It may have been replaced in between.
            _check_regular(os.fstat(descriptor).st_mode)
            return file.read(most + 1)
    except FileNotFoundError as error:
        linked = path.is_symlink()
        what = "a link to a file that does not exist" if linked else f"cannot be read: {error.strerror}"
        raise UnreadableError(what) from error
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnreadableError("a folder, not a file" if stat.S_ISDIR(mode) else "not a file")
