"""A format of files, and the text of a file."""

from collections.abc import Callable

from msgspec import Struct

from keyaudit.model.documents.nodes import Node
from keyaudit.model.documents.problems import FormatError

MAX_SIZE = 1_000_000
"""The maximum size of a file in bytes."""


class Format(Struct, frozen=True, kw_only=True):
    """A format, and its words for errors. A place in it is a line and a column; if `typed`, a line and the path of a value."""

    parse: Callable[[str], Node]
    """Raises FormatError."""
    typed: bool = False
    """Whether texts are in quotes and exact, and numbers and booleans are not. Otherwise all is text, which may be wrapped."""
    member: str
    mapping: str
    items: str
    text: str
    """The error for another node, then a semicolon and how to write it. `{name}` is its path, `{members}` those required."""


def decode(data: bytes) -> str:
    """The text of a file. Raises FormatError unless it is UTF-8 of at most the maximum size."""
    if len(data) > MAX_SIZE:
        raise FormatError(0, 0, f"larger than {MAX_SIZE:,} bytes", "make it shorter")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise FormatError(line, column, "not UTF-8", "save it as UTF-8") from None
    if text.startswith("\ufeff"):
        raise FormatError(1, 1, "starts with a byte order mark", "save it as UTF-8 without one")
    return text
