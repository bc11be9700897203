"""stdout, which is the result, and stderr, which is everything else: neither can be counted on."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO

from keyaudit.model.errors import Exit, OutputError
from keyaudit.model.text import one_line

_LONGEST = 2_000
NEVER, ALWAYS, TERMINAL = "never", "always", "on a terminal"


class ClosedError(OutputError):
    """Whoever read stdout stopped reading, as `head` does and a pager that is left: no error to be told of."""

    exit = Exit.CLOSED


@contextlib.contextmanager
def printing() -> Iterator[TextIO]:
    """stdout, flushed at the end. Raises OutputError if not all of it could be written, ClosedError if nobody reads on."""
    if sys.stdout is None:
        raise OutputError("stdout", "is closed", "redirect it to a file or a pipe")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A letter that the terminal's encoding lacks is shown as its code, and costs no report.
        sys.stdout.reconfigure(errors="backslashreplace")
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
    """Whether what goes there is coloured: NO_COLOR wins over FORCE_COLOR and CLICOLOR_FORCE; else only a terminal's is."""
    _, when = colour_variable(os.environ)
    return stream.isatty() if when == TERMINAL else when == ALWAYS


def colour_variable(environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that says when to colour, empty where none does, and when: `NEVER`, `ALWAYS` or on a `TERMINAL`."""
    if environ.get("NO_COLOR"):
        return "NO_COLOR", NEVER
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name, "0") not in ("", "0"):
            return name, ALWAYS
    if environ.get("CLICOLOR") == "0":
        return "CLICOLOR", NEVER
    return ("TERM", NEVER) if environ.get("TERM") == "dumb" else ("", TERMINAL)


def tell(message: str, prefix: str = "") -> None:
    """A message on stderr, each of its lines made safe. Where stderr takes none, there is nobody to tell."""
    lines = [one_line(line, _LONGEST) for line in message.splitlines()] or [""]
    try:
        sys.stderr.write(prefix + "\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def need_stderr() -> None:
    """Where stderr was closed before the start, libraries would fail at it, and the next file opened would take its place."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a device, for as long as Python runs


def _discard(stream: TextIO) -> None:
    """Python flushes what is left when it exits, and would complain once more."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), stream.fileno())
