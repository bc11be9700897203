"""The clock of the tests, so that no result depends on when they run: the commands of a process read it, not the machine's.

`python -m tests.clock` proves it: it runs the default tier with the machine's clock moved.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from keyaudit.cli.clock import SystemClock
from keyaudit.model.values.times import parse_time

COLLECTED = parse_time("2026-11-24T12:00:00Z")
"""When the snapshots that all tests share were collected."""
START = COLLECTED + 600
"""What the clock shows when the tests begin; from then on it goes."""
_BEGAN = "KEYAUDIT_TESTS_BEGAN"
_MACHINES = SystemClock.now


def begin() -> None:
    """This run begins now, for this process and for the workers that it starts."""
    os.environ.setdefault(_BEGAN, repr(time.monotonic()))
    patch.object(SystemClock, "now", _since(START, float(os.environ[_BEGAN]))).start()


@contextmanager
def of_the_machine() -> Iterator[None]:
    """Inside, it is the machine's own clock, as for a tenant that is read by a process of its own."""
    with patch.object(SystemClock, "now", _MACHINES):
        yield


@contextmanager
def at(moment: int) -> Iterator[None]:
    """Inside, the clock shows this moment, in Unix seconds, and goes on from there."""
    with patch.object(SystemClock, "now", _since(moment, time.monotonic())):
        yield


def _since(moment: int, began: float) -> Callable[[SystemClock], int]:
    def now(_: SystemClock) -> int:
        return moment + int(time.monotonic() - began)

    return now
