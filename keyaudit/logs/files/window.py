"""A sliding window over a text, which grows at its end and is dropped at its beginning."""

from collections.abc import Generator

MOST = 4 * 1024 * 1024
"""The maximum size of one record or line in bytes; the services write at most some hundred thousand."""


class TooLargeError(ValueError):
    """A record or line longer than `MOST`."""

    def __init__(self) -> None:
        super().__init__(f"a record of more than {MOST:,} bytes")


class Window:
    """`data[at:]` is the unread part of the received text."""

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces = pieces
        self.data = b""
        self.at = 0
        self.last = b""
        """The last received character."""

    def more(self) -> bool:
        """Receives the next piece, and moves the beginning of `data` to `at`. False if there is none.

        Raises TooLargeError if the unread part is longer than a record may be.
        """
        if len(self.data) - self.at > MOST:
            raise TooLargeError
        piece = next(self._pieces, b"")
        self.data = self.data[self.at :] + piece
        self.at = 0
        self.last = piece[-1:] or self.last
        return bool(piece)

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end."""
        while len(self.data) - self.at < size and self.more():
            pass
        return self.data[self.at : self.at + size]

    def close(self) -> None:
        """Closes the text, read or not."""
        self._pieces.close()
