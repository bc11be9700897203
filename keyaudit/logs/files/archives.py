"""Reads a log file as pieces of UTF-8 text, decompressing gzip, with one piece in memory at a time."""

import codecs
import hashlib
import os
import stat
import zlib
from collections.abc import Generator, Iterator
from io import BytesIO, RawIOBase
from pathlib import Path

from keyaudit.inventory.disk import platform
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

_PIECE = 256 * 1024
_GZIP = b"\x1f\x8b"
# The first bytes of other formats that logs are packed in: https://en.wikipedia.org/wiki/List_of_file_signatures
_PACKED = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
)
# Logs compress 10 to 60 times; a higher ratio indicates a decompression bomb.
_RATIO = 250
_FREE = 64 * 1024 * 1024
_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Opened:
    """An open file. At the end `trouble` says why it is incomplete; empty if it is complete."""

    def __init__(self, file: RawIOBase | BytesIO) -> None:
        self.size = 0
        self.compressed = False
        self.trouble = ""
        self._sha256 = hashlib.sha256()
        self._file = file

    @property
    def sha256(self) -> str:
        """SHA-256 of the file on disk, in hex; complete after `text` has ended."""
        return self._sha256.hexdigest()

    def text(self) -> Generator[bytes]:
        """Its text in UTF-8, without a byte order mark, in non-empty pieces; invalid UTF-16 stays invalid.

        Closes the file at the end.
        """
        try:
            yield from _as_utf8(self._plain())
        finally:
            # The digest includes the part that a reader did not read.
            while self._raw():
                pass
            self._file.close()

    def _raw(self) -> bytes:
        try:
            data = self._file.read(_PIECE)
        except OSError as error:
            self.trouble = self.trouble or f"cannot be read further: {error.strerror}"
            return b""
        self._sha256.update(data)
        self.size += len(data)
        return data

    def _plain(self) -> Iterator[bytes]:
        first = self._raw()
        self.compressed = first.startswith(_GZIP)
        packed = next((what for mark, what in _PACKED if first.startswith(mark)), "")
        if packed:
            self.trouble = f"{packed}, which keyaudit does not read: convert it to text or gzip"
            return
        if not self.compressed:
            while first:
                yield first
                first = self._raw()
            return
        yield from self._inflated(first)

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        """The content of the gzip members in order; zeros after a member are padding (`gzip(1)`)."""
        inflater, given = zlib.decompressobj(wbits=31), 0
        while data:
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error:
                self.trouble = "the gzip is damaged"
                return
            given += len(piece)
            if given > _FREE + _RATIO * self.size:
                self.trouble = f"the gzip holds more than {_RATIO} times its size"
                return
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            if inflater.eof:
                data = self._after_padding(inflater.unused_data)
                if not data.startswith(_GZIP[: len(data)]):
                    self.trouble = "the gzip is followed by something else"
                    return
                inflater = zlib.decompressobj(wbits=31)
            elif not data and not (data := self._raw()):
                # The small remainder is dropped, because the end of the stream is missing.
                self.trouble = "the gzip is cut off"

    def _after_padding(self, data: bytes) -> bytes:
        """The next bytes from the first that is not zero; empty at the end of the file."""
        while not (rest := data.lstrip(b"\0")) and (data := self._raw()):
            pass
        return rest


def open_log(path: Path) -> Opened:
    """The file at `path`. Raises UsageError unless it is a regular file that may be read."""
    place = one_line(str(path), 1024)
    try:
        descriptor = platform.open_file(path, follow=True)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "not a path"
        raise UsageError(place, f"cannot be read: {what}", "name a readable file") from error
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise UsageError(place, "not a regular file", "name files, or folders of them")
    return Opened(file)


def _as_utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    for bom, encoding in _WIDE:
        if first.startswith(bom):
            # Half a character becomes invalid UTF-8 and invalidates its record; a replacement character would look like a
            # value.
            decoder = codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
            for piece in _with(first[len(bom) :], pieces):
                yield from filter(None, [decoder.decode(piece).encode(errors="surrogatepass")])
            if decoder.getstate()[0]:
                yield b"\xff"
            return
    yield from filter(None, _with(first.removeprefix(codecs.BOM_UTF8), pieces))


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
