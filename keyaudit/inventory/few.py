"""Decides which engine evaluates a snapshot: SQLite one of few rows, for which DuckDB plans longer than it runs."""

from keyaudit.model.run import Run

FEW = 8_000
"""The maximum rows of a snapshot that SQLite evaluates: with more, DuckDB is faster."""
OLDEST = (3, 46, 1)
"""The oldest SQLite that the tests have run with. The newest syntax written here, IS NOT DISTINCT FROM, needs 3.39."""
_TOGETHER = 100
"""The maximum of what is in one expression or one table; SQLite limits both."""


def fits_sqlite(run: Run, rows: int, *together: int) -> bool:
    """Whether SQLite evaluates so many rows of a run. `together`: the numbers of rules, waivers, and policies of one table.

    What evidence adds, such as logs, is written for DuckDB alone.
    """
    if run.evidence or rows > FEW or max((len(run.environment_rules), *together)) > _TOGETHER:
        return False
    try:
        import sqlite3  # noqa: PLC0415 - some builds of Python have none
    except ImportError:
        return False
    return sqlite3.sqlite_version_info >= OLDEST
