"""Runs the default tier with the machine's clock moved, at each of POINTS or at one that the hash of a commit chooses.

    python -m tests.clock [--commit HASH] [-- ARGUMENTS OF PYTEST]

The clock is moved by libfaketime (Debian's package `faketime`), by an offset, so that the processes which tests start agree.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from keyaudit.cli.clock import SystemClock
from tests.needs import ROOT


def _at(hour: int, minute: int) -> Callable[[datetime], datetime]:
    return lambda now: now.replace(hour=hour, minute=minute, second=0)


def _on(year: int, month: int, day: int) -> Callable[[datetime], datetime]:
    return lambda _: datetime(year, month, day, 9, tzinfo=UTC)


POINTS: dict[str, Callable[[datetime], datetime]] = {
    "11:58 UTC": _at(11, 58),
    "12:02 UTC": _at(12, 2),
    "23:58 UTC": _at(23, 58),
    "2027-01-02": _on(2027, 1, 2),
    "2028-02-29": _on(2028, 2, 29),
    "five years on": lambda now: now + timedelta(days=1_826),
}
"""What the clock shows when the tests begin, from the true time. Two minutes before noon and midnight, these pass meanwhile."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.clock", description=__doc__)
    parser.add_argument("--commit", help="the hash of a commit, which chooses one point")
    parser.add_argument("more", nargs="*", help="arguments of pytest, after --")
    given = parser.parse_args()
    names = list(POINTS)
    if given.commit is not None:
        names = [names[int(given.commit, 16) % len(names)]]
    faketime = shutil.which("faketime") or parser.error("the program faketime is not installed")
    failed = [name for name in names if not _passes(faketime, name, given.more)]
    print(f"{len(names) - len(failed)} of {len(names)} points passed" + "".join(f"; failed: {name}" for name in failed))
    sys.exit(1 if failed else 0)


def _passes(faketime: str, name: str, more: Sequence[str]) -> bool:
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    offset = int((POINTS[name](now) - now).total_seconds())
    print(f"== the clock moved to {name}, by {offset:+,d} s", flush=True)
    command = [faketime, "-m", "--exclude-monotonic", "--disable-shm", "-f", f"{offset:+d}s"]
    command += [sys.executable, "-m", "pytest", *more]
    settings = {
        # A file's time stays true: else Python would compile every module again, since what it keeps compiled would look stale.
        "NO_FAKE_STAT": "1",
        # Waits by the monotonic clock last: else a thread that waits for its turn in Python asks again without a pause.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False).returncode == 0


if __name__ == "__main__":
    main()
