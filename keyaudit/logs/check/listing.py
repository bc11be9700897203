"""Lists a baseline: a line for each application, operation and class of targets."""

from collections.abc import Iterator

import duckdb

from keyaudit.inventory.confinement import locked
from keyaudit.inventory.load import parquet
from keyaudit.inventory.logs.groups import FACETS, KEYS
from keyaudit.inventory.usage.baseline import BELONGS, Baseline
from keyaudit.model.usage import Belonging, Facet

_BATCH = 1_000


def belonging(baseline: Baseline) -> Iterator[Belonging]:
    """Ordered by operation and target, the most active application first."""
    counts = ", ".join(f"count(*) FILTER (facet = '{facet}' AND value <> '')" for facet in FACETS)
    with locked(baseline.folder) as own:
        found: duckdb.DuckDBPyConnection = own.execute(
            f"SELECT {KEYS}, max(uses) AS most, max(days), min(first_on), max(last_on), max(mailboxes), {counts}"  # noqa: S608
            f" FROM {parquet(baseline.folder / BELONGS)} WHERE facet <> '{Facet.HOUR}' GROUP BY {KEYS}"
            " ORDER BY operation, target, most DESC, app"
        )
        while rows := found.fetchmany(_BATCH):
            yield from (Belonging(*row) for row in rows)
