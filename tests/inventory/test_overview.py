"""The inventory at a glance: spans with their boundaries, custody, and who can use keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.expiring import TABLES_THAT_END
from keyaudit.inventory.overview import calendar, custody, widest
from keyaudit.model.reasons import Reason
from keyaudit.model.results.overview import SPANS, Span
from keyaudit.model.values.times import DAY, iso_date
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, in_memory, vault
from tests.inventory.sample import key as any_key

_READ = (*(table.name for table in TABLES_THAT_END), "vault", "application", "service_principal", "principal")
OWNER = {"owner": "team"}


def key(version: str, *, name: str = "k", **values: Any) -> Row:
    return any_key(version, name=name, **({"is_current": True} | values)) | {"name": name}


@contextmanager
def judged(*keys: Row) -> Iterator[duckdb.DuckDBPyConnection]:
    rows = {"key": list(keys), "vault": [vault()]}
    coverage = {TENANT: assessed(TENANT, "application.list", "service_principal.list")}
    with in_memory(rows, coverage, *_READ, reach=True, alone=True) as connection:
        yield connection


@pytest.mark.parametrize(("span", "last"), SPANS.items())
def test_a_span_ends_at_its_last_second(span: Span, last: int) -> None:
    following = dict(zip(SPANS, [*list(SPANS)[1:], None], strict=True))[span]
    keys = [key("a" * 32, expires_on=AS_OF + last, tags=OWNER), key("b" * 32, expires_on=AS_OF + last + 1, tags=OWNER)]
    with judged(*keys) as connection:
        found = calendar(connection, AS_OF, complete=True, supplied=())
    counts = {each: count for due in found.owners for each, count in due.counts.items()}
    assert counts == {span: 1, **({following: 1} if following else {})}
    assert len(found.soonest) == (2 if following else 1)


def test_an_unknown_end_is_a_span_of_its_own_and_no_end_is_none() -> None:
    keys = [key("a" * 32, expires_on=Reason.PERMISSION, tags=OWNER), key("b" * 32, expires_on=None, tags=OWNER)]
    with judged(*keys) as connection:
        found = calendar(connection, AS_OF, complete=False, supplied=())
    assert [dict(due.counts) for due in found.owners] == [{Span.UNKNOWN: 1}]
    assert (found.soonest, found.months, found.complete) == ([], {}, False)


def test_months_count_what_is_to_come_and_owners_stand_by_urgency() -> None:
    keys = [
        key("a" * 32, expires_on=AS_OF - 1, tags={"owner": "late"}),
        key("b" * 32, expires_on=AS_OF + 40 * DAY, tags={"owner": "calm"}),
        key("c" * 32, expires_on=AS_OF + 40 * DAY, tags={"owner": "calm"}, enabled=False),
    ]
    with judged(*keys) as connection:
        found = calendar(connection, AS_OF, complete=True, supplied=())
        assert calendar(connection, AS_OF, complete=True, supplied=()) == found
    assert [due.owner.names for due in found.owners] == [("late",), ("calm",)]
    assert found.months == {iso_date(AS_OF + 40 * DAY)[:7]: 1}
    assert [each.expires_on for each in found.soonest] == [AS_OF - 1, AS_OF + 40 * DAY]
    assert found.retired == 1


def test_custody_counts_what_may_be_in_use() -> None:
    used: dict[str, Any] = {"custody": "software", "tags": {"env": "prod"}}
    keys = [
        key("a" * 32, **used),
        key("b" * 32, is_current=Reason.PERMISSION, **used),
        key("c" * 32, is_current=False, **used),
        key("d" * 32, custody=Reason.PERMISSION, tags={"env": "prod"}),
        key("e" * 32, custody="software", tags=Reason.PERMISSION),
    ]
    with judged(*keys) as connection:
        found = custody(connection)
    assert [(each.environment, each.environment_unknown, each.custody, each.count) for each in found] == [
        ("prod", None, "software", 2),
        ("prod", None, None, 1),
        (None, Reason.PERMISSION, "software", 1),
    ]


def test_keys_that_equally_many_can_use_stand_together() -> None:
    keys = [key("a" * 32, name=f"k{number}") for number in range(8)]
    keys.append(key("b" * 32, name="old", is_current=False))
    with judged(*keys) as connection:
        [found], left_out = widest(connection)
    assert (found.vault, found.keys, list(found.names), left_out) == ("kv", 8, [f"k{number}" for number in range(6)], 0)
    # Nobody read who may: nothing bounds it.
    assert found.counts["principals_signing"] == (0, None)
