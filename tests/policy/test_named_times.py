"""Every date and every number of days in a message is there as a value, too, for formats with columns."""

import re

import duckdb
import pytest

from keyaudit.model.values.times import iso_date, whole_days
from keyaudit.policy.evaluation.binding import Bound, bind
from keyaudit.policy.load import load
from keyaudit.policy.reading.placeholders import template
from tests.policy.messages import messages
from tests.policy.test_templates import COLUMNS, DAY, Row

NAMED = (re.compile(r"\b\d{4}-\d\d-\d\d\b"), re.compile(r"([\d,]+) days?\b"))


@pytest.mark.parametrize("bound", bind(load(), "default", {}), ids=lambda bound: bound.policy.text.id)
def test_what_a_message_names_is_a_value(bound: Bound) -> None:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for made, source in messages(connection, bound):
            said = [text.findall(made.fill(source)) for text in NAMED]
            # The words of the policy itself, and its limits, which have a column of their own; and versions of an API.
            versions = [str(source.value(name)) for name in made.names if name == "api_version"]
            besides = " ".join([made.text, *map(source.parameter, bound.policy.parameters), *versions])
            values = [iso_date(value) for value in made.times(source).values()]
            days = [f"{whole_days(value):,}" for value in made.durations(source).values()]
            dates, durations = (set(found) - set(text.findall(besides)) for found, text in zip(said, NAMED, strict=True))
            assert dates <= set(values)
            assert durations <= set(days)


def test_a_time_that_is_absent_or_unknown_is_no_value() -> None:
    made = template("{since(created_on):never}, {kind}", COLUMNS, ())
    assert (made.times(Row({"created_on": 9 * DAY})), made.durations(Row({"created_on": 9 * DAY}))) == (
        {"created_on": 9 * DAY},
        {"since(created_on)": 991 * DAY},
    )
    for row in (Row({"created_on": None}), Row({"created_on": 9 * DAY}, frozenset({"created_on"}))):
        assert (made.times(row), made.durations(row)) == ({}, {})
