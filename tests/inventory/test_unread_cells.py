"""A view that reads less of a tenant says nothing wrong: nothing unknown is taken for an answer."""

import pytest

from keyaudit.model.tables import TABLES
from tests.inventory.cells import Tenant, wrong

_CAN_BE_UNKNOWN = {name: [column.name for column in table.stored if column.can_be_unknown] for name, table in TABLES.items()}
_TURNS = max(map(len, _CAN_BE_UNKNOWN.values()))


@pytest.mark.exhaustive
def test_what_is_known_although_cells_are_unknown_is_true() -> None:
    tenant = Tenant()
    found = set()
    # In each turn another column of every table is unknown in a third of its rows.
    for turn in range(_TURNS):
        unread = {name: [columns[turn]] for name, columns in _CAN_BE_UNKNOWN.items() if turn < len(columns)}
        found |= {(table, column) for table, column, _ in wrong(tenant.whole, tenant.cells(unread=unread))}
    assert found == set()
