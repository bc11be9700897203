"""Files that only their owner may read, that appear whole or not at all, and that are never reached through a symlink."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from keyaudit.inventory import platform
from keyaudit.model.errors import OutputError, UnsafeError
from keyaudit.model.text import one_line

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


REMEDY = "check the space and permissions there; what was collected is kept, and collect --resume goes on with it"


_PIECE = 1024 * 1024

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not the JSON expected: msgspec leaves bad UTF-8 in a name to Python."""


def shown(path: Path) -> str:
    """A path as an error names it."""
    return one_line(str(path), 1024)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise OutputError(shown(path), what, REMEDY) from error


def create(path: Path, data: bytes = b"") -> None:
    """Makes a file of mode 0600 that was not there before."""
    with writing(path):
        descriptor = platform.open_file(path, _NEW)
        try:
            write(descriptor, data)
        finally:
            os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Puts `data` at `path` in one step: after a crash there is the old file or the new one, never a part. Mode 0600."""
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
    """Makes a file of mode 0600, which was not there before, with the content of a regular file."""
    with reading(source) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as content:
        create(target)
        with changing(target) as copied:
            while piece := content.read(_PIECE):
                write(copied, piece)
    sync(target)


def sync(path: Path) -> None:
    """Makes a file's content outlast a loss of power."""
    # Windows syncs only what was opened for writing.
    with changing(path) as descriptor:
        os.fsync(descriptor)


def sync_names(folder: Path) -> None:
    """Makes the names in a folder outlast a loss of power."""
    with writing(folder):
        platform.sync_folder(folder)


def folder(path: Path) -> None:
    """Makes a folder that only its owner may enter, or makes an existing one so."""
    with writing(path):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        platform.make_private(path)


def discard(path: Path) -> None:
    """Takes away whatever an earlier attempt left there."""
    with writing(path):
        if path.is_symlink():
            path.unlink()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)


def read(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes. Anything else is an UnsafeError; so is a symlink."""
    with reading(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise UnsafeError(shown(path), f"{size:,} bytes, where {limit:,} is the most", "use a snapshot that keyaudit wrote")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # One more than the limit, in case that it grows meanwhile: a cut file would not verify, a whole one is bounded.
            return file.read(limit + 1)


def digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 in hex of a regular file. Anything else is an UnsafeError; so is a symlink."""
    with reading(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(descriptor).st_size, found


@contextlib.contextmanager
def changing(path: Path, flags: int = 0) -> Iterator[int]:
    """A descriptor to write to a file with."""
    with writing(path):
        descriptor = platform.open_file(path, os.O_WRONLY | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    """A descriptor to read a regular file with. Anything else is an UnsafeError; so is a symlink."""
    try:
        descriptor = platform.open_file(path)
    except OSError as error:
        raise UnsafeError(
            shown(path), f"cannot be read: {error.strerror}", "use a snapshot that is complete and holds no symlinks"
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
