"""The part of a text that is being looked at, which grows at its end and is forgotten at its beginning."""

from collections.abc import Generator

MOST = 4 * 1024 * 1024
"""Bytes of one record or line; the longest that the services write are some hundred thousand."""


class TooLargeError(ValueError):
    """A record or line longer than `MOST`."""

    def __init__(self) -> None:
        super().__init__(f"a record of more than {MOST:,} bytes")


class Window:
    """`data[at:]` is what is not read yet of the text that has come."""

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces = pieces
        self.data = b""
        self.at = 0
        self.last = b""
        """The last character that has come."""

    def more(self) -> bool:
        """Takes the next piece, and puts the beginning of `data` where `at` was. False: there is none.

        Raises TooLargeError where what is not read yet is longer than a record may be.
        """
        if len(self.data) - self.at > MOST:
            raise TooLargeError
        piece = next(self._pieces, b"")
        self.data = self.data[self.at :] + piece
        self.at = 0
        self.last = piece[-1:] or self.last
        return bool(piece)

    def peek(self, size: int) -> bytes:
        """What comes next, `size` bytes if there are so many."""
        while len(self.data) - self.at < size and self.more():
            pass
        return self.data[self.at : self.at + size]

    def close(self) -> None:
        """Lets go of the text, whatever of it is not read."""
        self._pieces.close()
