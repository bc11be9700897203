"""stdout, for the result, and stderr, for everything else; both may be closed or fail."""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO

from keyaudit.model.errors import Exit, OutputError
from keyaudit.model.values.text import one_line

_LONGEST = 2_000
NEVER, ALWAYS, TERMINAL = "never", "always", "on a terminal"


_LACKING = "keyaudit"
"""Python's name for what is done with a character that the terminal's encoding lacks."""


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """Such a character as its code, instead of failing. The mark of a cut text stays one character: a line keeps its width."""
    found = codecs.backslashreplace_errors(error)
    if isinstance(error, UnicodeEncodeError) and error.object[error.start : error.start + 1] == "…":
        return "~", error.start + 1
    return found


codecs.register_error(_LACKING, _shown)


class ClosedError(OutputError):
    """The reader of stdout stopped, as `head` or a pager does. This is not reported."""

    exit = Exit.CLOSED


@contextlib.contextmanager
def printing() -> Iterator[TextIO]:
    """stdout, flushed at the end. Raises OutputError if it could not be written, ClosedError if the reader stopped."""
    if sys.stdout is None:
        raise OutputError("stdout", "is closed", "redirect it to a file or a pipe")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_LACKING)
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError as error:
        _discard(sys.stdout)
        raise ClosedError("stdout", "was closed before all was written") from error
    except OSError as error:
        _discard(sys.stdout)
        raise OutputError(
            "stdout", f"could not be written ({error.strerror})", "free some space, or redirect it elsewhere"
        ) from error


def coloured(stream: TextIO) -> bool:
    """Whether to use colour: NO_COLOR wins over FORCE_COLOR and CLICOLOR_FORCE; without them, only on a terminal."""
    _, when = colour_variable(os.environ)
    return stream.isatty() if when == TERMINAL else when == ALWAYS


def colour_variable(environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that decides about colour, or "", and its decision: `NEVER`, `ALWAYS` or `TERMINAL`."""
    if environ.get("NO_COLOR"):
        return "NO_COLOR", NEVER
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name, "0") not in ("", "0"):
            return name, ALWAYS
    if environ.get("CLICOLOR") == "0":
        return "CLICOLOR", NEVER
    return ("TERM", NEVER) if environ.get("TERM") == "dumb" else ("", TERMINAL)


def tell(message: str, prefix: str = "") -> None:
    """Print a message to stderr, with safe characters. If stderr cannot be written, it is lost."""
    lines = [one_line(line, _LONGEST) for line in message.splitlines()] or [""]
    try:
        sys.stderr.write(prefix + "\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def need_stderr() -> None:
    """Open stderr if it was closed: libraries would fail, and the next opened file would take its number."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a device, open until Python exits


def _discard(stream: TextIO) -> None:
    """Discard what is left, so that Python does not fail again when it flushes at exit."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), stream.fileno())
