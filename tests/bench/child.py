"""Runs a command as a process of its own, and says what it took: wall and CPU seconds, and the most memory it held."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct


class Took(Struct, frozen=True):
    """What a process took. `peak` is in MB of resident memory."""

    wall: float
    cpu: float
    peak: float
    code: int
    out: str


def measure(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Took:
    """Run it to its end. Its stderr is shown only if it fails in a way that a bench does not expect."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environ or {})},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        out = process.stdout.read()
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{complaint}")
    return Took(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode, out)


def fastest(command: Sequence[str], times: int, environ: Mapping[str, str] | None = None) -> Took:
    """The run of least CPU among several: the one that the rest of the machine disturbed least."""
    return min((measure(command, environ) for _ in range(times)), key=lambda took: took.cpu)
