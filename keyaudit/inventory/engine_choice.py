"""Decides which engine evaluates a snapshot: SQLite one of few rows, for which DuckDB plans longer than it runs."""

from collections.abc import Iterable

from keyaudit.model.results.run import Run

FEW = 8_000
OF_TABLE = 350
"""The maximum rows of a snapshot that SQLite evaluates, in all and for each table that has any: with more, DuckDB is faster.

DuckDB takes its time for each table, and SQLite for each row. They were equal at 700 rows of two tables, and at 6,200 of 15.
"""
OLDEST = (3, 46, 1)
"""The oldest SQLite that the tests have run with. The newest syntax written here, IS NOT DISTINCT FROM, needs 3.39."""
_TOGETHER = 100
"""The maximum of what is in one expression or one table; SQLite limits both."""


def fits_sqlite(run: Run, rows: Iterable[int], *together: int) -> bool:
    """Whether SQLite evaluates the tables of a run, which have so many rows. `together`: the numbers of rules, waivers, and
    policies of one table.

    What evidence adds, such as logs, is written for DuckDB alone.
    """
    filled = [each for each in rows if each]
    if run.evidence or sum(filled) > min(FEW, OF_TABLE * len(filled)):
        return False
    if max((len(run.environment_rules), *together)) > _TOGETHER:
        return False
    try:
        import sqlite3  # noqa: PLC0415 - some builds of Python have none
    except ImportError:
        return False
    return sqlite3.sqlite_version_info >= OLDEST
