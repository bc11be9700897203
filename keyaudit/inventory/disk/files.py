"""Private, atomically written files that are never opened through a symlink."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from keyaudit.inventory.disk import platform
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.values.text import one_line

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


REMEDY = "check the space and permissions there; the partial snapshot is kept, and collect --resume continues it"


_PIECE = 1024 * 1024

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The exceptions of decoding unexpected JSON; msgspec leaves invalid UTF-8 in a name to Python."""


def shown(path: Path) -> str:
    """A path for an error message."""
    return one_line(str(path), 1024)


def need_folder(folder: Path, remedy: str) -> None:
    """Raises UsageError unless it is a folder that is no symlink."""
    if folder.is_symlink() or not folder.is_dir():
        what = "a symlink" if folder.is_symlink() else "not a folder" if folder.exists() else "no such folder"
        raise UsageError(shown(folder), what, remedy)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise OutputError(shown(path), what, REMEDY) from error


def create(path: Path, data: bytes = b"") -> None:
    """Creates a new file of mode 0600."""
    with writing(path):
        descriptor = platform.open_file(path, _NEW)
        try:
            write(descriptor, data)
        finally:
            os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Replaces `path` atomically: after a crash it is the old or the new file, never a part. Mode 0600."""
    beside = path.with_name(path.name + ".part")
    with writing(path):
        beside.unlink(missing_ok=True)
        descriptor = platform.open_file(beside, _NEW)
        try:
            write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(path)
    sync_names(path.parent)


def copy(source: Path, target: Path) -> None:
    """Copies a regular file to a new file of mode 0600."""
    with reading(source) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as content:
        create(target)
        with changing(target) as copied:
            while piece := content.read(_PIECE):
                write(copied, piece)
    sync(target)


def link(source: Path, target: Path) -> None:
    """Gives a file a second name, or copies it where that is not possible."""
    try:
        os.link(source, target)
    except OSError:
        copy(source, target)


def settle(made: Path, target: Path) -> None:
    """Moves a new file, which another program wrote, to its place: mode 0600, flushed to disk."""
    with writing(target):
        made.chmod(0o600)
        made.replace(target)
    sync(target)


def sync(path: Path) -> None:
    """Flushes a file's content to disk."""
    # Windows flushes only files that were opened for writing.
    with changing(path) as descriptor:
        os.fsync(descriptor)


def sync_names(folder: Path) -> None:
    """Flushes the entries of a folder to disk."""
    with writing(folder):
        platform.sync_folder(folder)


def folder(path: Path) -> None:
    """Creates a private folder, or makes an existing one private."""
    with writing(path):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        platform.make_private(path)


def discard(path: Path) -> None:
    """Removes the remains of an earlier attempt."""
    with writing(path):
        if path.is_symlink():
            path.unlink()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)


def read(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes. Raises UnsafeError for anything else, including a symlink."""
    with reading(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise UnsafeError(shown(path), f"{size:,} bytes, where {limit:,} is the most", "use a snapshot that keyaudit wrote")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # One byte more than the limit, in case the file grows while it is read.
            return file.read(limit + 1)


def digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 in hex of a regular file. Raises UnsafeError for anything else, including a symlink."""
    with reading(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(descriptor).st_size, found


@contextlib.contextmanager
def changing(path: Path, flags: int = 0) -> Iterator[int]:
    """A descriptor for writing a file."""
    with writing(path):
        descriptor = platform.open_file(path, os.O_WRONLY | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    """A descriptor for reading a regular file. Raises UnsafeError for anything else, including a symlink."""
    try:
        descriptor = platform.open_file(path)
    except OSError as error:
        raise UnsafeError(
            shown(path), f"cannot be read: {error.strerror}", "use a complete snapshot without symlinks"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnsafeError(shown(path), "not a regular file", "use a snapshot that keyaudit wrote")
        yield descriptor
    finally:
        os.close(descriptor)


def write(descriptor: int, data: bytes) -> None:
    """Writes all of `data`."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
