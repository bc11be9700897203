"""A view that reads less of a tenant says nothing wrong: nothing unknown is taken for an answer."""

import pytest

from keyaudit.model.tables import TABLES
from tests.inventory.cells import Cell, Tenant, wrong

_CAN_BE_UNKNOWN = {name: [column.name for column in table.stored if column.can_be_unknown] for name, table in TABLES.items()}
_TURNS = max(map(len, _CAN_BE_UNKNOWN.values()))


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """One for all tests here."""
    return Tenant()


def _wrong(tenant: Tenant, turn: int) -> list[Cell]:
    """The wrong cells if the column with this number is unknown in a third of the rows of every table."""
    unread = {name: [columns[turn]] for name, columns in _CAN_BE_UNKNOWN.items() if turn < len(columns)}
    return list(wrong(tenant.whole, tenant.cells(unread=unread)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("turn", range(_TURNS))
def test_what_is_known_although_cells_are_unknown_is_true(turn: int, tenant: Tenant) -> None:
    assert _wrong(tenant, turn) == []
