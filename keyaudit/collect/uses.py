"""Rows about the coverage of logs. The uses and the baseline are copied unchanged."""

from collections.abc import Mapping

from keyaudit.collect.rows import Row
from keyaudit.inventory.logs import LogStore
from keyaudit.inventory.spool import Unit
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.stretches import stretches
from keyaudit.model.columns import Table
from keyaudit.model.coverage import Scope
from keyaudit.model.tables.usage import USAGE_LOG


def write_usage(unit: Unit, scope: Scope, logs: LogStore, baseline: Baseline | None) -> None:
    """Write a row per log and resource, with whether the baseline was learned from such a log."""
    learned = None if baseline is None else {source for each in baseline.learned for source in each.sources}
    with logs.connect() as connection:
        for number, each in enumerate(stretches(connection)):
            facts = {
                "source": each.source,
                "logged_id": each.resource_id or scope.id,
                "first_on": each.first_on,
                "last_on": each.last_on,
                "whole_since": each.whole_since,
                "learned": None if learned is None else each.source in learned,
            }
            name = f"{each.source} of {each.resource_id or 'the tenant'}"
            _write(unit, scope, USAGE_LOG, number, {"name": name, **facts})


def _write(unit: Unit, scope: Scope, table: Table, number: int, facts: Mapping[str, object]) -> None:
    id_ = f"{scope.id}/{table.name}/{number}"
    row = Row(table, id=id_, resource_id=id_, scope_id=scope.id, url="usage import", version="")
    row.put_all(**facts)
    unit.row(table.name, row.finish())
