"""Holds what a command takes of the processor to what was agreed: `python -m tests.bench.budget NAME COMMAND...`.

Machines differ, so the CPU seconds are divided by those of a fixed piece of work, in bare Python and DuckDB, that runs before
it on every core at once, as the tests do. Of a short command, as of the piece of work, the least of some runs counts. The
command's own exit code is kept.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import duckdb


class Agreed(NamedTuple):
    pieces: float
    """How many pieces of work a command may take. What grows beyond a tenth more has to save as much elsewhere."""
    runs: int
    """How often it runs: what takes a second is disturbed by the rest of the machine, what takes minutes is not."""


AGREED = {"suite": Agreed(820.0, runs=1), "gate": Agreed(0.5, runs=5)}
_MARGIN = 1.1
_TIMES = 3


def main() -> None:
    name, *command = sys.argv[1:]
    piece, agreed = _on_every_core(), AGREED[name]
    codes, times = zip(*(_run(command) for _ in range(agreed.runs)), strict=True)
    code, took = max(codes), min(times)
    ratio, most = took / piece, agreed.pieces * _MARGIN
    print(f"{name}: {took:.1f} CPU-s, {ratio:.2f} pieces of work of {piece:.2f} CPU-s; at most {most:.2f}", flush=True)
    sys.exit(code or (1 if ratio > most else 0))


def _run(command: Sequence[str]) -> tuple[int, float]:
    """Its exit code, and the CPU seconds of all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = subprocess.run(command, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _on_every_core() -> float:
    """The CPU seconds of one piece of work, the least of some: the one that the rest of the machine disturbed least."""
    cores = len(os.sched_getaffinity(0))
    found = []
    for _ in range(_TIMES):
        running = [subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) for _ in range(cores)]
        found.append(sum(float(each.communicate()[0]) for each in running) / cores)
    return min(found)


def work() -> None:
    """One piece: expressions over tables of a few rows, as policies are, and objects of Python, as the tests make."""
    columns = ", ".join(f"CASE WHEN a % {n + 2} = 0 THEN b || '{n}' WHEN a > {n} THEN upper(b) END AS c{n}" for n in range(100))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a, 'v' || range AS b FROM range(100)")
        for _ in range(100):
            connection.execute(f"SELECT {columns} FROM t").fetchall()
    words: dict[str, list[int]] = {}
    for number in range(1_000_000):
        words.setdefault(str(number % 1_000), []).append(number)
    assert sum(map(len, words.values())) == 1_000_000


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main()
    else:
        work()
        print(time.process_time())
