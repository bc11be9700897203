"""Which times cannot be right: what happened cannot lie ahead, and nothing ends before it began."""

import pytest

from keyaudit.inventory.spool import implausible
from keyaudit.model.schema.columns import Type
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY

NOW = 20_000 * DAY


@pytest.mark.parametrize(
    ("table", "row", "wrong"),
    [
        ("key", {"created_on": NOW + 1}, ["created_on"]),
        ("key", {"created_on": NOW}, []),
        ("key", {"updated_on": NOW + 100 * DAY, "created_on": NOW - DAY}, ["updated_on"]),
        ("key", {"activates_on": NOW + DAY, "expires_on": NOW + 2 * DAY}, []),
        ("key", {"activates_on": NOW + 2 * DAY, "expires_on": NOW + DAY}, ["activates_on", "expires_on"]),
        # A credential may be given in advance, and one that ends as it begins is of no use and no contradiction.
        ("credential", {"starts_on": NOW + DAY, "expires_on": NOW + DAY}, []),
        ("credential", {"starts_on": NOW, "expires_on": NOW - 1}, ["starts_on", "expires_on"]),
        ("credential", {"starts_on": None, "expires_on": NOW - 1}, []),
        ("credential", {"starts_on": NOW}, []),
        ("deleted", {"deleted_on": NOW - DAY, "purge_on": NOW - 2 * DAY}, ["deleted_on", "purge_on"]),
        ("app_management_policy", {"password_lifetime_from": NOW + DAY}, []),
    ],
)
def test_times_that_cannot_be_right(table: str, row: dict[str, object], wrong: list[str]) -> None:
    assert sorted(implausible(table, row, NOW)) == sorted(wrong)


def test_only_times_are_declared_past_or_to_follow_another_and_only_where_they_can_be_unknown() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if column.past or column.follows:
                assert (column.type, column.can_be_unknown) == (Type.TIME, True), (table.name, column.name)
            if column.follows:
                start = table.by_name[column.follows]
                assert (start.type, start.can_be_unknown) == (Type.TIME, True), (table.name, column.name)


def test_every_date_of_creation_is_past_and_every_end_has_its_start() -> None:
    for table in TABLES.values():
        for column in table.stored:
            if column.name in ("created_on", "updated_on", "deleted_on", "rotated_on"):
                assert column.past, (table.name, column.name)
            if column.name == "expires_on" and {"starts_on", "activates_on"} & table.by_name.keys():
                assert column.follows, (table.name, column.name)
