"""Reads a file that the user supplies, with a limit on its size; links are not followed."""

import codecs
import os
from pathlib import Path

from keyaudit.inventory.disk import files
from keyaudit.model.errors import UnsafeError
from keyaudit.model.reasons import Reason

MOST_BYTES = 4 * 1024 * 1024
"""The maximum size of a file where no other is given; federation metadata has about 100 KB."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class UnreadError(Exception):
    """A file, or a part of one, that cannot be read. `line` counts from one."""

    def __init__(self, reason: Reason, what: str, line: int | None = None) -> None:
        self.reason, self.what, self.line = reason, what, line
        super().__init__(what)


def content(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file. Raises UnreadError unless it is a regular file of at most `most` bytes and not a link."""
    if path.is_symlink():
        raise UnreadError(Reason.NOT_VISIBLE, "a link, which is not followed")
    try:
        with files.reading(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    except UnsafeError as error:
        raise UnreadError(Reason.NOT_VISIBLE, error.what) from error
    except OSError as error:
        raise UnreadError(Reason.NOT_VISIBLE, f"cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise UnreadError(Reason.TOO_LARGE, f"over {most:,} bytes")
    return data


def text(data: bytes) -> str:
    """The text in the encoding of its byte order mark, otherwise UTF-8. Raises UnreadError."""
    encoding, skip = next(((name, len(bom)) for bom, name in _BOMS if data.startswith(bom)), ("utf-8", 0))
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadError(Reason.BAD_BODY, f"not {encoding} text") from error
