"""Facts of applications that peers judge: each column of them has a policy."""

import pytest

from keyaudit.policy.load import load


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("application", "accepts_mapped_claims"),
        ("application", "verified_publisher"),
        ("service_principal", "assignment_required"),
        ("service_principal", "verified_publisher"),
        ("credential", "custody"),
        ("token_validator", "validates_audience"),
    ],
)
def test_each_is_read_by_a_policy(table: str, column: str) -> None:
    assert [each.text.id for each in load() if each.table.name == table and column in each.columns_shown] != []
