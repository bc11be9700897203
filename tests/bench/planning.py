"""`python -m tests.bench.planning FOLDER...`: the CPU time that DuckDB plans for when stored snapshots are judged.

Every statement of `gate --from FOLDER` is prepared before it is executed: planning is most of the time of SQL on a small
tenant, and the least of nine PREPAREs is steady where the time of a whole process is not. EXPLAIN would also draw the plan,
which takes as long again.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from keyaudit import audit
from keyaudit.inventory import snapshot
from keyaudit.inventory.confinement import locked as locked_folder
from keyaudit.model.severity import Severity
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging

_TIMES = 9
_PLANNED = re.compile(r"\s*(?:CREATE (?:TEMP )?TABLE \S+ AS\s)?\s*(?=(?:SELECT|INSERT|WITH)\b)", re.IGNORECASE)
"""The beginning of a statement before its query: CREATE TABLE cannot be prepared, but its query can."""


class Prepared:
    """A connection that prepares each statement before it executes it; `took` has their text and CPU seconds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, took: list[tuple[str, float]]) -> None:
        self._connection = connection
        self._took = took

    def execute(self, statement: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """What the connection itself gives."""
        arguments = (statement,) if parameters is None else (statement, parameters)
        if before := _PLANNED.match(statement):
            least = float("inf")
            for _ in range(_TIMES):
                begun = time.thread_time()
                self._connection.execute(f"PREPARE planned AS {statement[before.end() :]}")
                least = min(least, time.thread_time() - begun)
                self._connection.execute("DEALLOCATE planned")
            self._took.append((" ".join(statement.split()), least))
        return self._connection.execute(*arguments)

    def cursor(self) -> "Prepared":
        """Another connection to the same database."""
        return Prepared(self._connection.cursor(), self._took)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> "Prepared":
        self._connection.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._connection.close()


@contextmanager
def preparing() -> Iterator[list[tuple[str, float]]]:
    """The statements of snapshots that are judged meanwhile, with the CPU seconds that each is planned for."""
    took: list[tuple[str, float]] = []
    original = locked_folder

    def locked(folder: Path, **settings: Any) -> Any:
        return Prepared(original(folder, **settings), took)

    with patch("keyaudit.inventory.snapshot.locked", locked):
        yield took


def planned(folder: Path) -> list[tuple[str, float]]:
    """The statements of `gate --from folder`, each with the CPU seconds that it is planned for."""
    stored = snapshot.open_snapshot(folder)
    policies = load()
    with (
        preparing() as took,
        audit.judge(
            stored, policies, Judging(as_of=stored.run.as_of), fail_on=Severity.HIGH, detail=audit.Detail(whole_rows=False)
        ) as report,
    ):
        report.worst(20)
    return took


def main() -> None:
    """Print each statement's time and beginning, the longest first, and their sum, for each snapshot."""
    for name in sys.argv[1:]:
        took = planned(Path(name))
        for statement, seconds in sorted(took, key=lambda each: -each[1]):
            print(f"{seconds * 1000:8.1f} ms  {statement.upper().count('SELECT '):3} SELECT  {statement[:90]}")
        print(f"{sum(seconds for _, seconds in took) * 1000:8.1f} ms  {len(took)} statements  {name}", flush=True)


if __name__ == "__main__":
    main()
