"""Text by lines; a line that is too long affects only itself."""

from collections.abc import Iterator

from keyaudit.logs.files.window import MOST, Window
from keyaudit.logs.formats.values import BadRecordError

_TOO_LONG = f"a line of more than {MOST:,} bytes"


def lines(window: Window) -> Iterator[tuple[int, bytes | BadRecordError]]:
    """Each non-blank line without its line end, with its number from 1."""
    number = 0
    while True:
        end = window.data.rfind(b"\n", window.at)
        if end < 0:
            if len(window.data) - window.at > MOST:
                number += 1
                yield number, BadRecordError(_TOO_LONG)
                if not _skip(window):
                    return
                continue
            if not window.more():
                break
            continue
        block = window.data[window.at : end]
        window.at = end + 1
        for line in block.split(b"\n"):
            number += 1
            if line and not line.isspace():
                yield number, line if len(line) <= MOST else BadRecordError(_TOO_LONG)
    rest = window.data[window.at :]
    window.at = len(window.data)
    if rest.strip():
        yield number + 1, rest


def _skip(window: Window) -> bool:
    """Skips past the next line end; False if there is none."""
    while True:
        window.at = len(window.data)
        if not window.more():
            return False
        end = window.data.find(b"\n")
        if end >= 0:
            window.at = end + 1
            return True
