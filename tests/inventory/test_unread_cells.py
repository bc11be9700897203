"""A view that reads less of a tenant says nothing wrong: nothing unknown is taken for an answer."""

from pathlib import Path

import pytest

from keyaudit.model.tables import TABLES
from tests.differential.estates import made
from tests.inventory.cells import Cell, Tenant, wrong

CAN_BE_UNKNOWN = {name: [column.name for column in table.stored if column.can_be_unknown] for name, table in TABLES.items()}
TURNS = (max(map(len, CAN_BE_UNKNOWN.values())) + 1) // 2


_FROM_FILES = ("usage", "usage_log", "usage_baseline", "custody_record")


def _is_a_bound(cell: Cell) -> bool:
    """Rows of `unusual_use` are what logs tell, beside rows for what they do not tell; a key is unused for at least so long."""
    table, column, _ = cell
    return table == "unusual_use" or (table, column) == ("key", "unused_since")


@pytest.mark.exhaustive
def test_what_is_known_although_logs_tell_less_is_true(tmp_path: Path) -> None:
    tenant = Tenant(made("evidence", tmp_path))
    unread = {name: CAN_BE_UNKNOWN[name] for name in _FROM_FILES}
    found = set()
    turns = (max(map(len, unread.values())) + 1) // 2
    for turn in range(turns):
        cells = tenant.cells(unread={name: columns[turn::turns] for name, columns in unread.items() if turn < len(columns)})
        compared = {cell: values for cell, values in cells.items() if not _is_a_bound(cell)}
        found |= {(table, column) for table, column, _ in wrong(tenant.whole, compared)}
    assert found == set()


@pytest.mark.exhaustive
def test_what_is_known_although_cells_are_unknown_is_true() -> None:
    tenant = Tenant()
    found = set()
    # In each turn two other columns of every table are unknown, each in a third of its rows, and seldom both in one row.
    for turn in range(TURNS):
        unread = {name: columns[turn::TURNS] for name, columns in CAN_BE_UNKNOWN.items() if turn < len(columns)}
        found |= {(table, column) for table, column, _ in wrong(tenant.whole, tenant.cells(unread=unread))}
    assert found == set()
