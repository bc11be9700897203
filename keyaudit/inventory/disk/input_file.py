"""Files that people name, or keep in the working folder: settings, waivers, baselines, policies. Links are followed."""

import os
import stat
from pathlib import Path

from keyaudit.inventory.disk import platform
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line


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


def read(path: Path, most: int, remedy: str = "") -> bytes:
    """The content of a regular file; of a larger one the first `most` + 1 bytes. Never waits, as a read of a FIFO would.

    Raises UsageError, with the path as its place.
    """
    place = one_line(str(path), 1_024)
    try:
        # Before it is opened, since opening a device may have an effect.
        _check_regular(place, path.stat().st_mode, remedy)
        descriptor = platform.open_file(path, follow=True)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            # It may have been replaced in between.
            _check_regular(place, os.fstat(descriptor).st_mode, remedy)
            return file.read(most + 1)
    except FileNotFoundError as error:
        linked = path.is_symlink()
        what = "a link to a file that does not exist" if linked else f"cannot be read: {error.strerror}"
        raise UsageError(place, what, remedy) from error
    except OSError as error:
        raise UsageError(place, f"cannot be read: {error.strerror}", remedy) from error


def _check_regular(place: str, mode: int, remedy: str) -> None:
    if not stat.S_ISREG(mode):
        raise UsageError(place, "a folder, not a file" if stat.S_ISDIR(mode) else "not a file", remedy)
