"""What a baseline holds, a line for each application, operation and class of target."""

from collections.abc import Iterator, Mapping

import duckdb

from keyaudit.inventory.load import parquet
from keyaudit.inventory.locked import locked
from keyaudit.inventory.usage.baseline import BELONGS, Baseline
from keyaudit.inventory.usage.facets import KEYS
from keyaudit.model.usage import Belonging, Facet

_BATCH = 1_000


def belonging(baseline: Baseline) -> Iterator[Belonging]:
    """In the order of operations and targets, the application that did most first."""
    counts = ", ".join(f"count(*) FILTER (facet = '{facet}' AND value <> '')" for facet in Facet if facet is not Facet.APP)
    with locked(baseline.folder) as own:
        found: duckdb.DuckDBPyConnection = own.execute(
            f"SELECT {KEYS}, max(uses) AS most, max(days), min(first_on), max(last_on), max(mailboxes), {counts}"  # noqa: S608
            f" FROM {parquet(baseline.folder / BELONGS)} GROUP BY {KEYS} ORDER BY operation, target, most DESC, app"
        )
        while rows := found.fetchmany(_BATCH):
            yield from (Belonging(*row) for row in rows)


def usual(baseline: Baseline) -> Iterator[tuple[str, Mapping[str, str | int | None]]]:
    """Each application that belongs to a class of targets, and each that calls it, as a name and the columns of its table.

    Networks, programs and keys are left out: they change without anybody being a stranger.
    """
    with locked(baseline.folder) as own:
        found: duckdb.DuckDBPyConnection = own.execute(
            f"SELECT operation, target_kind, target, app, facet, value, mailboxes FROM {parquet(baseline.folder / BELONGS)}"  # noqa: S608
            f" WHERE facet = '{Facet.APP}' OR facet = '{Facet.CLIENT_APP}' AND value <> '' ORDER BY ALL"
        )
        while rows := found.fetchmany(_BATCH):
            for operation, kind, target, app, facet, value, mailboxes in rows:
                of_app = facet == Facet.APP
                yield (
                    f"{operation} by {app or 'no application'}",
                    {
                        "operation": operation,
                        "target_kind": kind,
                        "target_class": target,
                        "app_id": app or None,
                        "client_app_id": None if of_app else value,
                        "mailboxes": mailboxes if of_app and operation == "read-mail" else None,
                        "learned_until": baseline.until,
                    },
                )
