"""Output files and folders: written atomically, private to their owner, never through a link or onto a device."""

import contextlib
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from keyaudit.inventory.disk import platform
from keyaudit.model.errors import OutputError, UsageError


@contextmanager
def output_file(path: Path) -> Iterator[TextIO]:
    """`output_bytes` for text: UTF-8, line ends as written."""
    with output_bytes(path) as out, as_text(out) as text:
        yield text


@contextmanager
def as_text(out: BinaryIO) -> Iterator[TextIO]:
    """A text stream over a byte stream: UTF-8, line ends unchanged. `out` stays open."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()


@contextmanager
def output_bytes(path: Path) -> Iterator[BinaryIO]:
    """A file that replaces `path` when the block succeeds, and is removed otherwise.

    Created with mode 0600. Raises OutputError if `path` is a link, a folder or a device, or if writing fails; an existing file
    is then unchanged.
    """
    if obstacle := _obstacle(path):
        raise OutputError(str(path), *obstacle)
    beside = _beside(path)
    try:
        with new_file(beside) as out:
            yield out
        beside.replace(path)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        # Already gone after the replacement.
        with contextlib.suppress(OSError):
            beside.unlink()
    _sync(path)


@contextmanager
def output_tree(path: Path) -> Iterator[Path]:
    """A folder for `new_file`, which is moved to `path` when the block succeeds, and removed otherwise.

    Created with mode 0700. Raises OutputError if `path` exists, or if writing fails.
    """
    if obstacle := _obstacle(path, new=True):
        raise OutputError(str(path), *obstacle)
    beside = _beside(path)
    try:
        beside.mkdir(mode=0o700)
        yield beside
        for folder in (beside, *(each for each in beside.rglob("*") if each.is_dir())):
            platform.sync_folder(folder)
        beside.rename(path)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        # Already gone after the move.
        shutil.rmtree(beside, ignore_errors=True)
    _sync(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file with mode 0600, flushed to disk when the block succeeds. Raises OSError."""
    with _opened(path) as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def _opened(path: Path) -> BinaryIO:
    # O_EXCL refuses an existing name, including a link.
    descriptor = platform.open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    return open(descriptor, "w+b")  # noqa: PTH123 - a descriptor, not a path


def output_folder(path: Path) -> None:
    """Creates a folder with mode 0700, and missing folders above it. Raises OutputError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(str(path), f"could not be created ({error.strerror})", "name another folder") from error


def check(path: Path) -> None:
    """Raises UsageError if `path` cannot become a file; commands call it before they read anything."""
    if obstacle := _obstacle(path):
        raise UsageError(str(path), *obstacle)


def check_absent(path: Path) -> None:
    """Raises UsageError if `path` cannot become a new folder; commands call it before they read anything."""
    if obstacle := _obstacle(path, new=True):
        raise UsageError(str(path), *obstacle)


def _obstacle(path: Path, *, new: bool = False) -> tuple[str, str] | None:
    """Why `path` cannot become a file, or a `new` folder, and the fix."""
    try:
        path.parent.stat()
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None if path.parent.is_dir() else (f"folder {path.parent} does not exist", "create it, or name another folder")
    except NotADirectoryError:
        return f"{path.parent} is not a folder", "name another"
    except OSError as error:
        return f"cannot be written ({error.strerror})", "name another"
    if new:
        # Evidence is never overwritten, and keyaudit deletes no folders, not even its own.
        return "already exists, and is not replaced", "name a folder that does not exist yet"
    if stat.S_ISREG(mode):
        return None
    kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "not a regular file"
    return f"is {kind}, and is not written to", "name another file"


def _beside(path: Path) -> Path:
    return path.parent / f".keyaudit-{secrets.token_hex(8)}"


def _sync(path: Path) -> None:
    """Flush the new name to disk."""
    try:
        platform.sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            str(path), f"was written, but may not be safe on the disk ({error.strerror})", "check the disk"
        ) from error


def _failed(path: Path, error: OSError) -> OutputError:
    what = f"could not be written ({error.strerror or error})"
    return OutputError(str(path), what, "the previous file is unchanged; free some space, or name another file")
