"""A tenant that was read whole: its scope, and rows in it."""

from typing import Any

from keyaudit.model.coverage import Scope, ScopeKind
from tests.inventory.sample import Row
from tests.inventory.sample import row as sample_row

__all__ = ["TENANT", "Row", "row"]

TENANT = Scope("/tenants/t", "t", ScopeKind.TENANT)


def row(table: str, id_: str, **values: Any) -> Row:
    """A row as the sample has it, found in this tenant."""
    return sample_row(table, id_, scope_id=TENANT.id, **values)
