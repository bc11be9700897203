"""Ctrl-C and SIGTERM: both stop a command; it cleans up, and exits with 130 or 143."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from keyaudit.model.errors import Exit, StoppedError


@contextlib.contextmanager
def terminable() -> Iterator[Callable[[int], int]]:
    """Inside it, SIGTERM works like Ctrl-C. Yields a function that converts the command's exit code to 130 or 143."""
    terminated = False

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = True
        # An event loop installs its own handler here, which cancels its task.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(number, frame)

    before = signal.signal(signal.SIGTERM, terminate)
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    # Windows does not start processes with Ctrl-C ignored, and has no signal mask.
    if sys.platform != "win32" and ignored:
        # A shell's background job: Ctrl-C stays ignored, but SIGTERM needs the handler.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield lambda code: Exit.TERMINATED if terminated and code == Exit.INTERRUPTED else code
    finally:
        signal.signal(signal.SIGTERM, before)
        if sys.platform != "win32" and ignored:
            # In this order, so that a signal that arrived meanwhile is ignored.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.contextmanager
def keeping(kept: str | Callable[[], str]) -> Iterator[None]:
    """If the block is stopped, the message says what is `kept` by then."""
    try:
        yield
    except KeyboardInterrupt as error:
        said = kept if isinstance(kept, str) else kept()
        raise StoppedError(Exit.INTERRUPTED, "by Ctrl-C or a signal", said) from error
