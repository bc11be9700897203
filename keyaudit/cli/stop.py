"""Ctrl-C and SIGTERM: both end a command where it is; it cleans up, and ends with 130 or 143."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from keyaudit.model.errors import Exit, StoppedError


@contextlib.contextmanager
def terminable() -> Iterator[Callable[[int], int]]:
    """Within it SIGTERM does what Ctrl-C does. Gives what turns a command's exit code into the one that says which it was."""
    terminated = False

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = True
        # An event loop puts a handler of its own here, which cancels what it runs.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(number, frame)

    before = signal.signal(signal.SIGTERM, terminate)
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    # Windows starts nothing with Ctrl-C ignored, and has no mask.
    if sys.platform != "win32" and ignored:
        # A shell's background job: Ctrl-C stays without effect, and the handler that SIGTERM needs is there.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield lambda code: Exit.TERMINATED if terminated and code == Exit.INTERRUPTED else code
    finally:
        signal.signal(signal.SIGTERM, before)
        if sys.platform != "win32" and ignored:
            # In this order: one that came meanwhile is still without effect.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.contextmanager
def keeping(kept: str) -> Iterator[None]:
    """Says what is `kept` if the block is stopped."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedError(Exit.INTERRUPTED, "by Ctrl-C or a signal", kept) from error
